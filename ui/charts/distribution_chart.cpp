// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/distribution_chart.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <sstream>

#include <QMouseEvent>

#include "ui/charts/number_format.h"
#include "ui/charts/quantizer_items_chart.h"

namespace quantoscope::ui {

namespace {

constexpr double handleReach = 7; // pixels to either side in which a handle can be taken
constexpr int roomyHeight = 200; // pixels: the whole axis title fits
constexpr double dominant = 4; // a bar so many times the next one would flatten all others

/// The tallest bar, or the next one where the zeros that a ReLU leaves tower above everything; theirs then runs off the
/// top.
double robustTop(const DistributionSeries& series)
{
    if (series.empty())
        return 1;
    std::vector<double> sorted = series.shares;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const bool towers = sorted.size() > 1 && sorted[1] > 0 && sorted[0] > dominant * sorted[1];
    return towers ? 1.5 * sorted[1] : sorted[0];
}

/// Powers of ten to both sides of zero; with their halves and fifths where few of them are in sight. Where labels would
/// touch, zero and powers of ten keep theirs.
class ScaledTicker : public QCPAxisTicker {
public:
    ScaledTicker(const ValueScale& scale, const QCPAxis* axis)
        : m_scale(scale)
        , m_axis(axis)
    {
    }

    void generate(const QCPRange& range, const QLocale& /*locale*/, QChar /*format*/, int /*precision*/,
        QVector<double>& ticks, QVector<double>* subTicks, QVector<QString>* labels) override
    {
        ticks.clear();
        QVector<double> between;
        const auto add = [&](QVector<double>& list, double value) {
            for (const double v : { -value, value })
                if (const double place = m_scale.toAxis(v); place >= range.lower && place <= range.upper)
                    list << place;
        };
        if (range.lower <= 0 && range.upper >= 0)
            ticks << 0;
        const double most = std::max(std::abs(m_scale.toValue(range.lower)), std::abs(m_scale.toValue(range.upper)));
        const int last = static_cast<int>(std::floor(std::log10(most)));
        const int first = static_cast<int>(std::ceil(std::log10(m_scale.linear)));
        for (int power = first; power <= last; ++power) {
            const double unit = std::pow(10.0, power);
            add(ticks, unit);
            for (int part = 2; part < 10; ++part)
                add((part == 2 || part == 5) && last - first < crowdedDecades ? ticks : between, part * unit);
        }
        std::ranges::sort(ticks);
        if (subTicks)
            *subTicks = between;
        if (!labels)
            return;
        *labels = labelsThatFit(ticks, range);
    }

private:
    static constexpr int crowdedDecades = 2;
    static constexpr double labelGap = 6; // pixels

    QVector<QString> labelsThatFit(const QVector<double>& ticks, const QCPRange& range) const
    {
        QVector<QString> labels(ticks.size());
        QVector<qsizetype> order(ticks.size());
        std::iota(order.begin(), order.end(), 0);
        std::ranges::stable_sort(order, {}, [&](qsizetype i) { return rankOf(m_scale.toValue(ticks[i])); });
        // The axis itself still has the size of the picture before.
        const QMargins margins = m_axis->axisRect()->margins();
        const int width = m_axis->parentPlot()->viewport().width() - margins.left() - margins.right();
        const QFontMetricsF metrics(m_axis->tickLabelFont());
        std::vector<Span> taken;
        for (const qsizetype i : order) {
            const QString label = typeset(QString::number(m_scale.toValue(ticks[i]), 'g', 2));
            const double middle = (ticks[i] - range.lower) / range.size() * width;
            const double reach = (metrics.horizontalAdvance(label) + labelGap) / 2;
            const Span place { middle - reach, middle + reach };
            if (std::ranges::any_of(taken, [&](const Span& t) { return place.low < t.high && t.low < place.high; }))
                continue;
            taken.push_back(place);
            labels[i] = label;
        }
        return labels;
    }

    /// Zero before powers of ten before the others.
    static int rankOf(double value)
    {
        if (value == 0)
            return 0;
        const double power = std::log10(std::abs(value));
        return std::abs(power - std::round(power)) < 1e-6 ? 1 : 2;
    }

    ValueScale m_scale;
    const QCPAxis* m_axis;
};

} // namespace

DistributionChart::DistributionChart(QWidget* parent)
    : BaseChart(parent)
{
    axisRect()->setRangeZoom(Qt::Horizontal);
    axisRect()->setRangeDrag(Qt::Horizontal);
    yAxis->setLabel(tr("Share [% per bar]"));
    m_values = addGraph();
    m_quantized = addGraph();
    for (QCPGraph* graph : { m_values, m_quantized })
        graph->setLineStyle(QCPGraph::lsStepLeft);
    m_rug = new LevelRug(this);
    m_clip = new ClipMark(this);
    m_notes = new CornerNotes(this);
    rebuild();
}

void DistributionChart::setContent(Content content, bool keepView)
{
    const bool sameScale = content.scale == m_content.scale;
    m_content = std::move(content);
    m_lowBand.reset();
    m_highBand.reset();
    m_dragged = Handle::None;
    setCaption(m_content.title, {});
    setAxes(keepView && sameScale);
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void DistributionChart::updateQuantizer(const Span& clip, std::vector<double> levels, DistributionSeries quantized)
{
    m_content.clip = clip;
    // A range by hand was not found on images.
    m_lowBand.reset();
    m_highBand.reset();
    m_content.levels = std::move(levels);
    m_content.quantized = std::move(quantized);
    fillGraphs();
    replot(QCustomPlot::rpQueuedReplot);
}

void DistributionChart::setBands(std::optional<Span> low, std::optional<Span> high)
{
    // While a handle moves the range is one by hand already.
    if (m_dragged != Handle::None)
        return;
    m_lowBand = low;
    m_highBand = high;
    fillGraphs();
    replot(QCustomPlot::rpQueuedReplot);
}

void DistributionChart::setLogarithmic(bool on)
{
    if (on == m_logarithmic)
        return;
    m_logarithmic = on;
    setAxes(true);
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void DistributionChart::setOverlayVisible(bool on)
{
    m_overlay = on;
    fillGraphs();
    replot(QCustomPlot::rpQueuedReplot);
}

void DistributionChart::setGridVisible(bool on)
{
    m_grid = on;
    fillGraphs();
    replot(QCustomPlot::rpQueuedReplot);
}

double DistributionChart::floorShare() const
{
    // On a log axis an empty bar ends one decade below the smallest one that is not.
    double smallest = 1;
    for (const double share : m_content.values.shares)
        if (share > 0)
            smallest = std::min(smallest, share);
    return smallest / 10;
}

void DistributionChart::setAxes(bool keepView)
{
    const ValueScale& scale = m_content.scale;
    xAxis->setLabel(scale.logarithmic() ? tr("%1, logarithmic").arg(m_content.valueName) : m_content.valueName);
    if (scale.logarithmic())
        xAxis->setTicker(QSharedPointer<ScaledTicker>::create(scale, xAxis));
    else
        xAxis->setTicker(QSharedPointer<Ticker125>::create(xAxis));
    double low = m_content.values.low;
    double high = m_content.values.high;
    if (m_content.clip) {
        low = std::min(low, m_content.clip->low);
        high = std::max(high, m_content.clip->high);
    }
    if (high <= low)
        high = low + 1;
    const double from = scale.toAxis(low);
    const double to = scale.toAxis(high);
    const double pad = (to - from) * 0.04;
    const QCPRange old = xAxis->range();
    // Ends of the clipping range that went beyond what is shown are brought into sight, unless somebody zoomed.
    const bool zoomed = old != homeRange(xAxis);
    setHome(xAxis, QCPRange(from - pad, to + pad));
    if (keepView && zoomed)
        xAxis->setRange(old);
    setShareAxis();
}

void DistributionChart::setShareAxis()
{
    const auto& shares = m_content.values.shares;
    const double tallest = shares.empty() ? 1 : *std::max_element(shares.begin(), shares.end());
    const auto& quantized = m_content.quantized.shares;
    const double highest = quantized.empty() ? tallest : std::max(tallest, *std::ranges::max_element(quantized));
    const double top = m_logarithmic ? highest * 2 : robustTop(m_content.values) * 1.12;
    yAxis->setNumberFormat(QStringLiteral("gb"));
    if (m_logarithmic) {
        yAxis->setScaleType(QCPAxis::stLogarithmic);
        yAxis->setTicker(QSharedPointer<PowerOfTenTicker>::create());
        setHome(yAxis, QCPRange(floorShare() * 3, top));
        return;
    }
    yAxis->setScaleType(QCPAxis::stLinear);
    auto ticker = QSharedPointer<Ticker125>::create(yAxis);
    ticker->setTickCount(4);
    yAxis->setTicker(ticker);
    yAxis->setNumberPrecision(6);
    setHome(yAxis, QCPRange(0, top));
}

void DistributionChart::rebuild()
{
    const QColor color = m_content.weights ? theme().weights : theme().activations;
    m_values->setPen(QPen(color, 1));
    m_values->setBrush(translucent(color, theme().dark ? 0.45 : 0.35));
    m_quantized->setPen(QPen(theme().quantized, 1.3));
    m_quantized->setBrush(Qt::NoBrush);
    m_rug->setColor(theme().quantized);
    m_clip->setBandColor(translucent(theme().quantized, 0.5));
    m_clip->setColors(theme().text, translucent(theme().text, theme().dark ? 0.10 : 0.06), theme().background);
    fillGraphs();
}

void DistributionChart::fillStep(QCPGraph* graph, const DistributionSeries& series) const
{
    const double bottom = m_logarithmic ? floorShare() : 0;
    QVector<double> x, y;
    if (!series.empty()) {
        // A step before the first and after the last bar closes the outline.
        const ValueScale& scale = m_content.scale;
        x << scale.toAxis(series.edge(0));
        y << bottom;
        for (std::size_t i = 0; i < series.shares.size(); ++i) {
            x << scale.toAxis(series.edge(i));
            y << std::max(series.shares[i], bottom);
        }
        x << scale.toAxis(series.edge(series.shares.size()));
        y << bottom;
    }
    graph->setData(x, y, true);
}

void DistributionChart::fillGraphs()
{
    fillStep(m_values, m_content.values);
    fillStep(m_quantized, m_overlay ? m_content.quantized : DistributionSeries {});
    m_rug->setScale(m_content.scale);
    m_clip->setScale(m_content.scale);
    m_rug->setLevels(m_grid ? m_content.levels : std::vector<double> {});
    m_clip->setRange(m_content.clip, m_content.draggable);
    m_clip->setBands(m_lowBand, m_highBand);
    m_notes->setNotes(cornerNotes());
    m_notes->setLine(
        m_content.clip ? std::optional(m_content.scale.toAxis(m_content.clip->high)) : std::optional<double>());
}

std::vector<CornerNote> DistributionChart::cornerNotes() const
{
    std::vector<CornerNote> notes;
    const double top = homeRange(yAxis).upper;
    const DistributionSeries& values = m_content.values;
    const auto tallest = std::ranges::max_element(values.shares);
    if (tallest != values.shares.end() && *tallest > top) {
        const auto bar = static_cast<std::size_t>(tallest - values.shares.begin());
        const bool zero = values.edge(bar) <= 0 && values.edge(bar + 1) >= 0;
        const double middle = zero ? 0 : (values.edge(bar) + values.edge(bar + 1)) / 2;
        notes.push_back(
            { tr("▲ %1 % at %2").arg(formatSignificant(*tallest, 3), formatSignificant(middle, 2)), theme().text });
    }
    const auto& shares = m_content.quantized.shares;
    if (m_overlay && !shares.empty())
        if (const double most = *std::ranges::max_element(shares); most > top)
            notes.push_back({ tr("▲ quantized to %1 % per bar").arg(formatSignificant(most, 3)), theme().quantized });
    if (m_grid && m_content.levels.empty() && !m_content.levelsNote.isEmpty())
        notes.push_back({ m_content.levelsNote, theme().muted });
    return notes;
}

QStringList DistributionChart::notes() const
{
    QStringList texts;
    for (const auto& note : cornerNotes())
        texts << note.text;
    return texts;
}

double DistributionChart::handlePixel(bool high) const
{
    const Span clip = m_content.clip.value_or(Span {});
    return xAxis->coordToPixel(m_content.scale.toAxis(high ? clip.high : clip.low));
}

DistributionChart::Handle DistributionChart::handleAt(const QPointF& position) const
{
    if (!m_content.clip || !m_content.draggable || !axisRect()->rect().contains(position.toPoint()))
        return Handle::None;
    const double toLow = std::abs(position.x() - handlePixel(false));
    const double toHigh = std::abs(position.x() - handlePixel(true));
    if (std::min(toLow, toHigh) > handleReach)
        return Handle::None;
    return toLow < toHigh ? Handle::Low : Handle::High;
}

Span DistributionChart::dragTo(double x) const
{
    // A range contains zero, so the ends never pass it.
    Span clip = *m_content.clip;
    (m_dragged == Handle::High ? clip.high : clip.low)
        = m_dragged == Handle::High ? std::max(0.0, x) : std::min(0.0, x);
    return clip;
}

void DistributionChart::mousePressEvent(QMouseEvent* event)
{
    m_dragged = event->button() == Qt::LeftButton ? handleAt(event->position()) : Handle::None;
    if (m_dragged == Handle::None)
        BaseChart::mousePressEvent(event);
}

void DistributionChart::mouseMoveEvent(QMouseEvent* event)
{
    if (m_dragged == Handle::None) {
        BaseChart::mouseMoveEvent(event);
        setCursor(handleAt(event->position()) == Handle::None ? Qt::ArrowCursor : Qt::SplitHCursor);
        return;
    }
    const Span clip = dragTo(m_content.scale.toValue(xAxis->pixelToCoord(event->position().x())));
    emit clipDragged(clip.low, clip.high, m_dragged == Handle::High);
}

void DistributionChart::mouseReleaseEvent(QMouseEvent* event)
{
    if (m_dragged == Handle::None) {
        BaseChart::mouseReleaseEvent(event);
        return;
    }
    const Span clip = dragTo(m_content.scale.toValue(xAxis->pixelToCoord(event->position().x())));
    const bool high = m_dragged == Handle::High;
    m_dragged = Handle::None;
    emit clipReleased(clip.low, clip.high, high);
}

void DistributionChart::resizeEvent(QResizeEvent* event)
{
    yAxis->setLabel(height() < roomyHeight ? tr("Share [%]") : tr("Share [% per bar]"));
    BaseChart::resizeEvent(event);
}

QString DistributionChart::readout(const QPointF& position) const
{
    if (!axisRect()->rect().contains(position.toPoint()))
        return {};
    const QString band = bandReadout(position.x());
    const double x = m_content.scale.toValue(xAxis->pixelToCoord(position.x()));
    const auto bar = m_content.values.at(x);
    if (!bar)
        return band;
    const auto& values = m_content.values;
    return band + (band.isEmpty() ? QString() : QStringLiteral("<br>"))
        + tr("%1 to %2<br><b>%3 %</b> of values")
              .arg(formatSignificant(values.edge(*bar)), formatSignificant(values.edge(*bar + 1)),
                  formatSignificant(values.shares[*bar]));
}

QString DistributionChart::bandReadout(double pixel) const
{
    const std::pair<const std::optional<Span>&, double> ends[]
        = { { m_lowBand, handlePixel(false) }, { m_highBand, handlePixel(true) } };
    for (const auto& [band, handle] : ends) {
        if (!band)
            continue;
        const double from = std::min(xAxis->coordToPixel(m_content.scale.toAxis(band->low)), handle - handleReach);
        const double to = std::max(xAxis->coordToPixel(m_content.scale.toAxis(band->high)), handle + handleReach);
        if (pixel >= from && pixel <= to)
            return tr("Other calibration images would put this end<br>at <b>%1 to %2</b> (95 %)")
                .arg(formatSignificant(band->low), formatSignificant(band->high));
    }
    return {};
}

std::string DistributionChart::csv() const
{
    std::ostringstream out;
    out << "kind,low,high,share_percent\n";
    const auto rows = [&out](const char* kind, const DistributionSeries& series) {
        for (std::size_t i = 0; i < series.shares.size(); ++i)
            out << kind << ',' << series.edge(i) << ',' << series.edge(i + 1) << ',' << series.shares[i] << '\n';
    };
    rows("float", m_content.values);
    rows("quantized", m_content.quantized);
    return out.str();
}

} // namespace quantoscope::ui
