// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/sensitivity_chart.h"

#include <algorithm>
#include <cmath>

#include "ui/charts/chart_exporter.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int leastHeight = 20; // pixels, of a line
constexpr int markHeight = 8; // pixels, of each of its marks
constexpr double spread = 0.8; // of a line's height, that its marks share

} // namespace

SensitivityChart::SensitivityChart(QWidget* parent)
    : PointChart(Groups::Rows, parent)
{
    yAxis->setRangeReversed(true);
    yAxis->setSubTicks(false);
    yAxis->grid()->setVisible(false);
    axisRect()->setRangeZoom(Qt::Horizontal);
    setAccessibleName(tr("What each layer alone costs"));
    putLegendAbove();
    rebuild();
}

void SensitivityChart::setResult(sweep::SensitivityResultPtr result)
{
    m_result = std::move(result);
    const auto lines = m_series.lines.size();
    m_series = m_result ? sensitivitySeries(*m_result, m_order) : SensitivitySeries {};
    rebuild();
    // Values come in while the study runs; who looks at a part of them keeps it.
    if (lines == 0 || m_series.lines.empty())
        resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::setOrder(SensitivityOrder order)
{
    if (order == m_order)
        return;
    m_order = order;
    m_series = m_result ? sensitivitySeries(*m_result, m_order) : SensitivitySeries {};
    rebuild();
    resetView();
}

int SensitivityChart::lineHeight() const
{
    return std::max(leastHeight, markHeight * static_cast<int>(m_series.wordLengths.size()));
}

double SensitivityChart::aside(std::size_t wordLength) const
{
    const auto count = static_cast<double>(m_series.wordLengths.size());
    return count == 0 ? 0 : (static_cast<double>(wordLength) - (count - 1) / 2) * spread / count;
}

double SensitivityChart::linesInSight() const
{
    constexpr int beside = 64; // pixels that the axis and its title take
    return std::max(4.0, std::floor(static_cast<double>(height() - beside) / lineHeight()));
}

void SensitivityChart::rebuild()
{
    clearPlottables();
    clearItems();
    setCaption(m_series.title, m_series.captions);
    setAxes();
    drawCurrent();
    drawLines();
    for (std::size_t i = 0; i < m_series.wordLengths.size(); ++i)
        drawMarks(i);
    fitLegend(!m_series.empty());
}

void SensitivityChart::setAxes()
{
    double low = 0;
    double high = 0;
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (const auto& line : m_series.lines)
        if (!line.heading)
            ticker->addTick(line.y, line.label);
    for (const auto& wordLength : m_series.wordLengths)
        for (const auto& mark : wordLength.marks) {
            if (!std::isfinite(mark.value))
                continue;
            low = std::min(low, mark.low);
            high = std::max(high, mark.high);
        }
    const double pad = high > low ? (high - low) * 0.03 : 1;
    const QCPRange shownX = xAxis->range();
    const QCPRange shownY = yAxis->range();
    const bool movedX = shownX != homeRange(xAxis);
    const bool movedY = shownY != homeRange(yAxis);
    setHome(xAxis, QCPRange(low < 0 ? low - pad : 0, high + pad));
    // As many lines as there is room for; a picture in a file has all of them.
    const double lines = std::max(1.0, static_cast<double>(m_series.lines.size()));
    setHome(yAxis, QCPRange(-0.6, (captionVisible() ? lines : std::min(lines, linesInSight())) - 0.4));
    setContents(yAxis, QCPRange(-0.6, lines - 0.4));
    if (movedX && !captionVisible())
        xAxis->setRange(shownX);
    if (movedY && !captionVisible())
        yAxis->setRange(shownY);
    yAxis->setTicker(ticker);
    xAxis->setLabel(m_series.valueTitle);
}

void SensitivityChart::drawLines()
{
    auto* none = new QCPItemStraightLine(this); // where nothing is lost
    none->point1->setCoords(0, 0);
    none->point2->setCoords(0, 1);
    none->setPen(QPen(theme().axis, 1));
    for (const auto& line : m_series.lines) {
        if (line.heading) {
            drawHeading(line.y, line.label);
            continue;
        }
        auto* rule = new QCPItemLine(this);
        for (QCPItemPosition* end : { rule->start, rule->end })
            end->setTypeX(QCPItemPosition::ptAxisRectRatio);
        rule->start->setCoords(0, line.y + 0.5);
        rule->end->setCoords(1, line.y + 0.5);
        rule->setPen(QPen(theme().grid, 1));
    }
}

void SensitivityChart::drawMarks(std::size_t wordLength)
{
    const auto& of = m_series.wordLengths[wordLength];
    QVector<double> lines, values, below, above;
    for (const auto& mark : of.marks) {
        if (!std::isfinite(mark.value))
            continue;
        lines << mark.y + aside(wordLength);
        values << mark.value;
        below << mark.value - mark.low;
        above << mark.high - mark.value;
    }
    const QColor color = theme().ordinal(of.position);
    QCPGraph* dots = addGraph(yAxis, xAxis);
    if (m_series.measured) {
        auto* whiskers = new QCPErrorBars(yAxis, xAxis);
        whiskers->setDataPlottable(dots);
        whiskers->setErrorType(QCPErrorBars::etValueError);
        whiskers->setPen(QPen(theme().muted, 1.5));
        whiskers->setWhiskerWidth(4);
        whiskers->setSymbolGap(6);
        whiskers->setData(below, above);
    }
    dots->setName(of.label);
    dots->setLineStyle(QCPGraph::lsNone);
    dots->setScatterStyle(QCPScatterStyle(shapeOf(wordLength), QPen(color, 1), QBrush(color), 7));
    dots->setData(lines, values, true);
    dots->addToLegend();
}

void SensitivityChart::drawCurrent()
{
    for (std::size_t i = 0; i < m_series.wordLengths.size(); ++i)
        for (const auto& mark : m_series.wordLengths[i].marks) {
            if (mark.index != current())
                continue;
            auto* band = new QCPItemRect(this);
            band->topLeft->setTypeX(QCPItemPosition::ptAxisRectRatio);
            band->bottomRight->setTypeX(QCPItemPosition::ptAxisRectRatio);
            band->topLeft->setCoords(0, mark.y - 0.5);
            band->bottomRight->setCoords(1, mark.y + 0.5);
            band->setPen(Qt::NoPen);
            band->setBrush(translucent(palette().color(QPalette::Highlight), 0.2));
            QCPGraph* ring = addGraph(yAxis, xAxis);
            ring->setLineStyle(QCPGraph::lsNone);
            ring->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().text, 1.5), Qt::NoBrush, 12));
            ring->addData(mark.y + aside(i), mark.value);
        }
}

const SensitivitySeries::Mark* SensitivityChart::markAt(const QPointF& position) const
{
    const QRect area = axisRect()->rect();
    // The names beside the axis may be clicked as well.
    if (position.y() < area.top() || position.y() > area.bottom() || position.x() > area.right())
        return nullptr;
    const double y = yAxis->pixelToCoord(position.y());
    const SensitivitySeries::Mark* best = nullptr;
    double least = 0;
    for (std::size_t i = 0; i < m_series.wordLengths.size(); ++i)
        for (const auto& mark : m_series.wordLengths[i].marks) {
            if (std::abs(mark.y - y) > 0.5 || !std::isfinite(mark.value))
                continue;
            const double distance = std::abs(mark.y + aside(i) - y);
            if (!best || distance < least) {
                best = &mark;
                least = distance;
            }
        }
    return best;
}

std::vector<PointChart::Place> SensitivityChart::places() const
{
    std::vector<Place> all;
    for (std::size_t i = 0; i < m_series.wordLengths.size(); ++i)
        for (const auto& mark : m_series.wordLengths[i].marks)
            if (std::isfinite(mark.value))
                all.push_back({ mark.index, { mark.value, mark.y + aside(i) }, QPointF(mark.value, mark.y) });
    return all;
}

std::optional<std::size_t> SensitivityChart::pointAt(const QPointF& position) const
{
    const auto* mark = markAt(position);
    return mark ? std::optional(mark->index) : std::nullopt;
}

void SensitivityChart::resizeEvent(QResizeEvent* event)
{
    PointChart::resizeEvent(event);
    rebuild();
}

QString SensitivityChart::readout(const QPointF& position) const
{
    if (!m_result || !axisRect()->rect().contains(position.toPoint()))
        return {};
    const double y = yAxis->pixelToCoord(position.y());
    QString text;
    for (const auto& wordLength : m_series.wordLengths)
        for (const auto& mark : wordLength.marks) {
            if (std::abs(mark.y - y) > 0.5)
                continue;
            const auto& point = m_result->points[mark.index];
            if (text.isEmpty())
                text = QStringLiteral("<b>%1</b>")
                           .arg(QString::fromStdString(m_result->units[point.unit].name).toHtmlEscaped());
            text += point.measured ? tr("<br>%1: %2 points (%3 to %4)")
                                         .arg(wordLength.label, formatSignedPercent(-mark.value),
                                             formatSignedPercent(-mark.high), formatSignedPercent(-mark.low))
                                   : tr("<br>%1: %2 nat").arg(wordLength.label, formatSignificant(mark.value));
        }
    return text;
}

std::string SensitivityChart::csv() const { return m_result ? sweep::toCsv(*m_result) : std::string {}; }

QSize SensitivityChart::exportSize() const
{
    return { 960, std::max(320, static_cast<int>(m_series.lines.size()) * lineHeight() + 180) };
}

Result<void> exportSensitivityChart(const sweep::SensitivityResultPtr& result, const std::filesystem::path& path)
{
    SensitivityChart chart;
    chart.setResult(result);
    ChartExportOptions options;
    options.size = chart.exportSize();
    return exportChart(chart, path, options);
}

} // namespace quantoscope::ui
