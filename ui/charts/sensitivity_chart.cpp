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
    : BaseChart(parent)
{
    yAxis->setRangeReversed(true);
    yAxis->setSubTicks(false);
    yAxis->grid()->setVisible(false);
    axisRect()->setRangeZoom(Qt::Horizontal);
    setAccessibleName(tr("What each layer alone costs"));
    rebuild();
}

void SensitivityChart::setResult(sweep::SensitivityResultPtr result)
{
    m_result = std::move(result);
    m_series = m_result ? sensitivitySeries(*m_result) : SensitivitySeries {};
    rebuild();
    resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::rebuild()
{
    clearPlottables();
    clearItems();
    setCaption(m_series.title, m_series.captions);
    setAxes();
    for (const auto& wordLength : m_series.wordLengths)
        drawBars(wordLength);
    legend->setVisible(!m_series.empty());
    legend->setBrush(translucent(theme().background, 0.8));
    legend->setTextColor(theme().text);
    legend->setBorderPen(Qt::NoPen);
    axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
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
    setHome(xAxis, QCPRange(low < 0 ? low - pad : 0, high + pad));
    setHome(yAxis, QCPRange(-0.6, std::max(1.0, static_cast<double>(m_series.lines.size())) - 0.4));
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
    auto* whiskers = new QCPErrorBars(yAxis, xAxis);
    whiskers->setDataPlottable(bars);
    whiskers->setErrorType(QCPErrorBars::etValueError);
    whiskers->setPen(QPen(translucent(theme().text, 0.45), 1));
    whiskers->setWhiskerWidth(4);
    whiskers->setSymbolGap(0);
    whiskers->setData(below, above);
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
