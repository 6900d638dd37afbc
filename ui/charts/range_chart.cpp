// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/range_chart.h"

#include <algorithm>
#include <cmath>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double roomForName = 18; // pixels a layer from which on each has its name
constexpr double roomForCaps = 7; // pixels a layer from which on boxes have frames and whiskers caps
constexpr double roomForBoxes = 4; // pixels a layer below which whiskers and dots of neighbours run into each other
constexpr double halfBar = 0.42; // of a layer; columns touch each other
constexpr double halfColumn = 0.5;
constexpr int longestName = 20; // characters

/// Whole powers of two: "2⁻⁵".
class PowerTicker : public QCPAxisTickerLog {
public:
    PowerTicker()
    {
        setLogBase(2);
        setSubTickCount(0);
    }

protected:
    QString getTickLabel(double tick, const QLocale&, QChar, int) override
    {
        static const QString digits = QStringLiteral("⁰¹²³⁴⁵⁶⁷⁸⁹");
        const int power = static_cast<int>(std::lround(std::log2(tick)));
        QString text = power < 0 ? QStringLiteral("2⁻") : QStringLiteral("2");
        for (const QChar digit : QString::number(std::abs(power)))
            text += digits[digit.digitValue()];
        return text;
    }
};

QString elided(const QString& name)
{
    if (name.size() <= longestName)
        return name;
    return QStringLiteral("…") + name.right(longestName - 1); // the end tells layers apart
}

} // namespace

RangeChart::RangeChart(QWidget* parent)
    : BaseChart(parent)
{
    yAxis->setScaleType(QCPAxis::stLogarithmic);
    yAxis->setTicker(QSharedPointer<PowerTicker>::create());
    xAxis->setSubTicks(false);
    xAxis->grid()->setVisible(false);
    axisRect()->setRangeZoom(Qt::Horizontal);
    axisRect()->setRangeDrag(Qt::Horizontal);
    setAccessibleName(tr("Range of every layer"));
    // Labels depend on how many layers are in sight.
    connect(xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, &RangeChart::setLabels);
    rebuild();
}

void RangeChart::setSeries(RangeSeries series, const QString& title, bool weights)
{
    const bool another = series.layers.size() != m_series.layers.size() || weights != m_weights;
    m_series = std::move(series);
    m_weights = weights;
    setCaption(title, key());
    setAxes();
    rebuild();
    if (another)
        resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

QStringList RangeChart::key() const
{
    const QString bars = tr("Pale bars behind: what can be represented, from one step to the far end.");
    if (m_dense)
        return { tr("Strong: half of the values that are not zero; fainter above: up to the largest."), bars };
    return { tr("Boxes: half of the values that are not zero; whiskers: 98 % of them; dots: the largest."), bars };
}

void RangeChart::setCurrent(int layer)
{
    if (layer == m_current)
        return;
    m_current = layer;
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void RangeChart::setAxes()
{
    xAxis->setLabel(tr("Layer"));
    yAxis->setLabel(m_weights ? tr("Magnitude of weights |w|") : tr("Magnitude of activations |x|"));
    const QCPRange shown = xAxis->range();
    const bool moved = shown != homeRange(xAxis);
    setHome(xAxis, QCPRange(-0.7, std::max(1.0, static_cast<double>(m_series.layers.size())) - 0.3));
    if (moved)
        xAxis->setRange(shown);
    frameMagnitudes();
    setLabels();
}

void RangeChart::frameMagnitudes()
{
    m_series.frame(m_dense ? RangeSeries::Parts::WithoutWhiskers : RangeSeries::Parts::All);
    setHome(yAxis, QCPRange(m_series.low / 1.2, m_series.high * 1.2));
}

void RangeChart::setLabels()
{
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    const double room = axisRect()->width() / std::max(1e-9, xAxis->range().size());
    const bool names = room >= roomForName;
    // As many numbers as have room beside each other.
    const double numberRoom = 12.0 + 8.0 * static_cast<double>(QString::number(m_series.layers.size()).size());
    std::size_t every = 1;
    for (const std::size_t step : { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 }) {
        every = step;
        if (static_cast<double>(step) * room >= numberRoom)
            break;
    }
    for (std::size_t i = 0; i < m_series.layers.size(); ++i)
        if (names || (i + 1) % every == 0 || (i == 0 && every > 1))
            ticker->addTick(static_cast<double>(i), names ? elided(m_series.layers[i].name) : QString::number(i + 1));
    xAxis->setTicker(ticker);
    xAxis->setTickLabelRotation(names ? -60 : 0);
    chooseDensity();
    styleBoxes();
}

void RangeChart::chooseDensity()
{
    const bool dense = axisRect()->width() < roomForBoxes * xAxis->range().size();
    if (dense == m_dense || !m_boxes)
        return;
    m_dense = dense;
    fillBoxes();
    frameMagnitudes();
    setCaption(title(), key());
    emit keyChanged();
}

void RangeChart::styleBoxes()
{
    if (!m_boxes)
        return;
    // Where hundreds of layers stand side by side, frames and caps would cover what they frame.
    const bool crowded = axisRect()->width() < roomForCaps * xAxis->range().size();
    const QColor color = m_weights ? theme().weights : theme().activations;
    m_boxes->setVisible(!m_dense);
    m_boxes->setWidth(crowded ? 0.8 : 0.5);
    m_boxes->setPen(crowded ? QPen(Qt::NoPen) : QPen(color, 1));
    m_boxes->setBrush(translucent(color, theme().dark ? 0.6 : 0.5));
    m_boxes->setMedianPen(QPen(theme().text, crowded ? 1 : 1.5));
    m_boxes->setWhiskerPen(QPen(crowded ? translucent(color, 0.4) : color, 1));
    m_boxes->setWhiskerBarPen(crowded ? QPen(Qt::NoPen) : QPen(color, 1));
    m_boxes->setWhiskerWidth(0.3);
    m_boxes->setOutlierStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, QPen(color), QBrush(color), crowded ? 1.5 : 3));
}

void RangeChart::drawCurrent()
{
    if (m_current < 0)
        return;
    auto* band = new QCPItemRect(this);
    band->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
    band->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
    band->topLeft->setCoords(m_current - 0.5, 0);
    band->bottomRight->setCoords(m_current + 0.5, 1);
    band->setPen(Qt::NoPen);
    band->setBrush(translucent(palette().color(QPalette::Highlight), 0.25));
}

RangeChart::Bars RangeChart::addBars(const QColor& color)
{
    const Bars bars { addGraph(), addGraph() };
    for (QCPGraph* edge : { bars.low, bars.high })
        edge->setPen(Qt::NoPen);
    bars.high->setBrush(color);
    bars.high->setChannelFillGraph(bars.low);
    return bars;
}

void RangeChart::fillBars(
    const Bars& bars, double halfWidth, const std::function<Ends(const RangeSeries::Layer&)>& ends)
{
    // Between bars both graphs have the same value, which leaves no area.
    QVector<double> x, low, high;
    for (std::size_t i = 0; i < m_series.layers.size(); ++i) {
        const Ends of = ends(m_series.layers[i]);
        if (!of)
            continue;
        const double left = static_cast<double>(i) - halfWidth;
        const double right = static_cast<double>(i) + halfWidth;
        x << left << left << right << right;
        low << of->first << of->first << of->first << of->first;
        high << of->first << of->second << of->second << of->first;
    }
    bars.low->setData(x, low, true);
    bars.high->setData(x, high, true);
}

void RangeChart::fillBoxes()
{
    fillBars(m_representable, m_dense ? halfColumn : halfBar, [](const RangeSeries::Layer& layer) {
        return layer.range ? Ends({ layer.range->step, layer.range->end }) : Ends();
    });
    const auto column = [this](double MagnitudeBox::*from, double MagnitudeBox::*to) {
        return [this, from, to](const RangeSeries::Layer& layer) {
            return m_dense && layer.box && layer.box->largest > 0 ? Ends({ (*layer.box).*from, (*layer.box).*to })
                                                                  : Ends();
        };
    };
    fillBars(m_halves, halfColumn, column(&MagnitudeBox::lower, &MagnitudeBox::upper));
    fillBars(m_above, halfColumn, column(&MagnitudeBox::upper, &MagnitudeBox::largest));
}

void RangeChart::rebuild()
{
    m_boxes = nullptr;
    clearPlottables();
    clearItems();
    drawCurrent();
    const QColor color = m_weights ? theme().weights : theme().activations;
    m_representable = addBars(translucent(theme().quantized, theme().dark ? 0.3 : 0.2));
    m_above = addBars(translucent(color, 0.3));
    m_halves = addBars(translucent(color, 0.75));
    auto* boxes = new QCPStatisticalBox(xAxis, yAxis);
    for (std::size_t i = 0; i < m_series.layers.size(); ++i) {
        const RangeSeries::Layer& layer = m_series.layers[i];
        if (!layer.box || layer.box->largest <= 0)
            continue;
        boxes->addData(static_cast<double>(i), layer.box->least, layer.box->lower, layer.box->median, layer.box->upper,
            layer.box->most, { layer.box->largest });
    }
    m_boxes = boxes;
    chooseDensity();
    fillBoxes();
    styleBoxes();
}

std::optional<std::size_t> RangeChart::layerAt(const QPointF& position) const
{
    const QRect area = axisRect()->rect();
    // The names below may be clicked as well.
    if (position.x() < area.left() || position.x() > area.right() || position.y() < area.top())
        return std::nullopt;
    const double at = std::round(xAxis->pixelToCoord(position.x()));
    if (at < 0 || at >= static_cast<double>(m_series.layers.size()))
        return std::nullopt;
    return static_cast<std::size_t>(at);
}

QString RangeChart::readout(const QPointF& position) const
{
    const auto at = layerAt(position);
    if (!at)
        return {};
    const RangeSeries::Layer& layer = m_series.layers[*at];
    QString text = QStringLiteral("<b>%1</b>").arg(layer.name.toHtmlEscaped());
    if (layer.box)
        text += tr("<br>median %1, half within %2 to %3<br>98 % within %4 to %5, largest %6")
                    .arg(formatSignificant(layer.box->median), formatSignificant(layer.box->lower),
                        formatSignificant(layer.box->upper), formatSignificant(layer.box->least),
                        formatSignificant(layer.box->most), formatSignificant(layer.box->largest));
    if (layer.range)
        text += tr("<br>step %1, representable up to %2")
                    .arg(formatSignificant(layer.range->step), formatSignificant(layer.range->end));
    else
        text += tr("<br>float");
    return text;
}

void RangeChart::clicked(const QPointF& position)
{
    if (const auto layer = layerAt(position))
        emit layerClicked(static_cast<int>(*layer));
}

void RangeChart::resizeEvent(QResizeEvent* event)
{
    BaseChart::resizeEvent(event);
    setLabels();
}

} // namespace quantoscope::ui
