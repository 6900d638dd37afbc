// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/sensitivity_chart.h"

#include <algorithm>
#include <cmath>

#include "ui/charts/chart_exporter.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int lineHeight = 20; // pixels
constexpr double widestBar = 0.85; // of a line; each word-length is a little narrower than the one behind it

} // namespace

SensitivityChart::SensitivityChart(QWidget* parent)
    : PointChart(Groups::Rows, parent)
{
    yAxis->setRangeReversed(true);
    yAxis->setSubTicks(false);
    yAxis->grid()->setVisible(false);
    axisRect()->setRangeZoom(Qt::Horizontal);
    setAccessibleName(tr("What each layer alone costs"));
    // Above the plot, where it covers no bar: entries, and a filler that takes the width that is left.
    axisRect()->insetLayout()->take(legend);
    legend->setFillOrder(QCPLegend::foColumnsFirst);
    legend->setMargins(QMargins(8, 2, 8, 0));
    auto* row = new QCPLayoutGrid;
    row->addElement(0, 0, legend);
    row->addElement(0, 1, new QCPLayoutElement(this));
    row->setColumnStretchFactors({ 0.001, 1 });
    plotLayout()->insertRow(0);
    plotLayout()->addElement(0, 0, row);
    plotLayout()->setRowStretchFactor(0, 0.001);
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

double SensitivityChart::linesInSight() const
{
    constexpr int beside = 64; // pixels that the axis and its title take
    return std::max(4.0, std::floor(static_cast<double>(height() - beside) / lineHeight));
}

void SensitivityChart::rebuild()
{
    clearPlottables();
    clearItems();
    setCaption(m_series.title, m_series.captions);
    setAxes();
    drawCurrent();
    for (const auto& wordLength : m_series.wordLengths)
        drawBars(wordLength);
    legend->setVisible(!m_series.empty());
    legend->setBrush(translucent(theme().background, 0.8));
    legend->setTextColor(theme().text);
    legend->setBorderPen(Qt::NoPen);
}

void SensitivityChart::setAxes()
{
    double low = 0;
    double high = 0;
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (const auto& line : m_series.lines)
        ticker->addTick(line.y, line.heading ? line.label.toUpper() : line.label);
    for (const auto& wordLength : m_series.wordLengths)
        for (const auto& bar : wordLength.bars) {
            if (!std::isfinite(bar.value))
                continue;
            low = std::min(low, bar.low);
            high = std::max(high, bar.high);
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

void SensitivityChart::drawBars(const SensitivitySeries::WordLength& wordLength)
{
    QVector<double> lines, values, below, above;
    for (const auto& bar : wordLength.bars) {
        if (!std::isfinite(bar.value))
            continue;
        lines << bar.y;
        values << bar.value;
        below << bar.value - bar.low;
        above << bar.high - bar.value;
    }
    const QColor color = theme().ordinal(wordLength.position);
    auto* bars = new QCPBars(yAxis, xAxis);
    bars->setName(wordLength.label);
    bars->setWidth(widestBar * (1 - 0.6 * wordLength.position));
    bars->setPen(Qt::NoPen);
    bars->setBrush(color);
    bars->setData(lines, values, true);
    bars->addToLegend();
    if (!m_series.measured)
        return;
    // Bars are light and dark, and a whisker ends outside of its bar: a line within a seam can be seen on all of it.
    for (const QPen& pen : { QPen(theme().background, 3), QPen(theme().text, 1) }) {
        auto* whiskers = new QCPErrorBars(yAxis, xAxis);
        whiskers->setDataPlottable(bars);
        whiskers->setErrorType(QCPErrorBars::etValueError);
        whiskers->setPen(pen);
        whiskers->setWhiskerWidth(4);
        whiskers->setSymbolGap(0);
        whiskers->setData(below, above);
    }
}

void SensitivityChart::drawCurrent()
{
    for (const auto& wordLength : m_series.wordLengths)
        for (const auto& bar : wordLength.bars) {
            if (bar.index != current())
                continue;
            auto* band = new QCPItemRect(this);
            band->topLeft->setTypeX(QCPItemPosition::ptAxisRectRatio);
            band->bottomRight->setTypeX(QCPItemPosition::ptAxisRectRatio);
            band->topLeft->setCoords(0, bar.y - 0.5);
            band->bottomRight->setCoords(1, bar.y + 0.5);
            band->setPen(Qt::NoPen);
            band->setBrush(translucent(palette().color(QPalette::Highlight), 0.2));
        }
}

const SensitivitySeries::Bar* SensitivityChart::barAt(const QPointF& position) const
{
    const QRect area = axisRect()->rect();
    // The names beside the axis may be clicked as well.
    if (position.y() < area.top() || position.y() > area.bottom() || position.x() > area.right())
        return nullptr;
    const double y = yAxis->pixelToCoord(position.y());
    const double x = xAxis->pixelToCoord(position.x());
    const SensitivitySeries::Bar* best = nullptr;
    // The innermost bar that reaches the cursor; beyond all of them the longest.
    for (const auto& wordLength : m_series.wordLengths)
        for (const auto& bar : wordLength.bars) {
            if (std::abs(bar.y - y) > 0.5 || !std::isfinite(bar.value))
                continue;
            const bool reaches = bar.value >= x;
            if (!best || (reaches && (best->value < x || bar.value <= best->value))
                || (!reaches && best->value < x && bar.value > best->value))
                best = &bar;
        }
    return best;
}

std::vector<PointChart::Place> SensitivityChart::places() const
{
    std::vector<Place> all;
    for (const auto& wordLength : m_series.wordLengths)
        for (const auto& bar : wordLength.bars)
            if (std::isfinite(bar.value))
                all.push_back({ bar.index, { bar.value, bar.y } });
    return all;
}

std::optional<std::size_t> SensitivityChart::pointAt(const QPointF& position) const
{
    const auto* bar = barAt(position);
    return bar ? std::optional(bar->index) : std::nullopt;
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
        for (const auto& bar : wordLength.bars) {
            if (std::abs(bar.y - y) > 0.5)
                continue;
            const auto& point = m_result->points[bar.index];
            if (text.isEmpty())
                text = QStringLiteral("<b>%1</b>")
                           .arg(QString::fromStdString(m_result->units[point.unit].name).toHtmlEscaped());
            text += point.measured ? tr("<br>%1: %2 points (%3 to %4)")
                                         .arg(wordLength.label, formatSignedPercent(-bar.value),
                                             formatSignedPercent(-bar.high), formatSignedPercent(-bar.low))
                                   : tr("<br>%1: %2 nat").arg(wordLength.label, formatSignificant(bar.value));
        }
    return text;
}

std::string SensitivityChart::csv() const { return m_result ? sweep::toCsv(*m_result) : std::string {}; }

QSize SensitivityChart::exportSize() const
{
    return { 960, std::max(320, static_cast<int>(m_series.lines.size()) * lineHeight + 180) };
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
