// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/options_chart.h"

#include <algorithm>
#include <cmath>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int lineHeight = 20; // pixels
constexpr int longestLabel = 48; // characters; the readout has all of it
constexpr double labelShare = 0.5; // of the width that labels may take before numbers stand for them

QString elided(const QString& text)
{
    return text.size() <= longestLabel ? text : text.left(longestLabel - 1) + QStringLiteral("…");
}

} // namespace

OptionsChart::OptionsChart(QWidget* parent)
    : PointChart(Groups::Rows, parent)
{
    xAxis->setLabel(tr("Top-1 accuracy [%]"));
    yAxis->setRangeReversed(true);
    yAxis->setSubTicks(false);
    yAxis->grid()->setVisible(false);
    axisRect()->setRangeZoom(Qt::Horizontal);
    setAccessibleName(tr("Options ranked by accuracy"));
    putLegendAbove();
    rebuild();
}

void OptionsChart::setStudy(sweep::OptionsStudyPtr study)
{
    m_study = std::move(study);
    m_series = m_study ? optionsSeries(*m_study) : OptionsSeries {};
    rebuild();
    resetView();
    replot(QCustomPlot::rpQueuedReplot);
}

void OptionsChart::rebuild()
{
    clearPlottables();
    clearItems();
    setCaption(m_series.title, m_series.captions);
    setAxes();
    drawCurrent();
    drawFloat();
    drawRows(true);
    drawRows(false);
    fitLegend(!m_series.empty());
}

void OptionsChart::setAxes()
{
    double low = m_series.floatTop1.value_or(100);
    double high = m_series.floatTop1.value_or(0);
    for (const auto& row : m_series.rows) {
        low = std::min(low, row.low);
        high = std::max(high, row.high);
    }
    if (high <= low) {
        low = 0;
        high = 100;
    }
    const double pad = std::max(0.5, (high - low) * 0.05);
    const QCPRange shownX = xAxis->range();
    const QCPRange shownY = yAxis->range();
    const bool moved = shownX != homeRange(xAxis) || shownY != homeRange(yAxis);
    setHome(xAxis, QCPRange(std::max(-1.0, low - pad), std::min(101.0, high + pad)));
    // As many lines as there is room for; dragging brings the others. A picture in a file has all of them.
    const double room
        = captionVisible() ? m_series.lines : std::max(4.0, static_cast<double>(axisRect()->height()) / lineHeight);
    setHome(yAxis, QCPRange(-0.6, std::min(std::max(m_series.lines, 1.0), room) - 0.4));
    setContents(yAxis, QCPRange(-0.6, std::max(m_series.lines, 1.0) - 0.4));
    if (moved && !captionVisible()) {
        xAxis->setRange(shownX);
        yAxis->setRange(shownY);
    }
    setLabels();
}

void OptionsChart::setLabels()
{
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    const QFontMetrics metrics(chartFont(-1));
    int widest = 0;
    for (const auto& row : m_series.rows)
        widest = std::max(widest, metrics.horizontalAdvance(elided(row.label)));
    const bool numbers = !captionVisible() && widest > labelShare * width();
    for (const auto& row : m_series.rows)
        ticker->addTick(row.y, numbers ? QString::number(row.index + 1) : elided(row.label));
    yAxis->setTicker(ticker);
    yAxis->setLabel(numbers && !m_series.empty() ? tr("Row of the table") : QString());
    for (const auto& heading : m_series.headings)
        drawHeading(heading.y, heading.label);
}

void OptionsChart::drawRows(bool best)
{
    QVector<double> x, y, below, above;
    for (const auto& row : m_series.rows)
        if (row.best == best) {
            x << row.top1;
            y << row.y;
            below << row.top1 - row.low;
            above << row.high - row.top1;
        }
    if (x.isEmpty())
        return;
    const QColor color = best ? theme().quantized : theme().muted;
    QCPGraph* dots = addGraph(yAxis, xAxis);
    dots->setName(best ? tr("cannot be told from the best") : tr("significantly worse (95 % intervals)"));
    dots->addToLegend();
    dots->setData(y, x, false);
    dots->setLineStyle(QCPGraph::lsNone);
    dots->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(color, 1.5), QBrush(best ? color : theme().background), 8));
    auto* bars = new QCPErrorBars(yAxis, xAxis);
    bars->setDataPlottable(dots);
    bars->setErrorType(QCPErrorBars::etValueError);
    bars->setPen(QPen(translucent(color, 0.8), 1.5));
    bars->setWhiskerWidth(6);
    bars->setSymbolGap(8);
    bars->setData(below, above);
}

void OptionsChart::drawFloat()
{
    if (!m_series.floatTop1 || m_series.empty())
        return;
    auto* line = new QCPItemStraightLine(this);
    line->point1->setCoords(*m_series.floatTop1, 0);
    line->point2->setCoords(*m_series.floatTop1, 1);
    line->setPen(QPen(theme().floating, 1.5, Qt::DashLine));
    auto* label = new QCPItemText(this);
    label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    label->position->setCoords(*m_series.floatTop1, 0);
    label->setPositionAlignment(Qt::AlignTop | Qt::AlignRight);
    label->setPadding(QMargins(0, 0, 4, 0));
    label->setText(tr("float"));
    label->setFont(chartFont(-1));
    label->setColor(theme().muted);
}

void OptionsChart::drawCurrent()
{
    for (const auto& row : m_series.rows) {
        if (row.index != current())
            continue;
        auto* band = new QCPItemRect(this);
        band->topLeft->setTypeX(QCPItemPosition::ptAxisRectRatio);
        band->bottomRight->setTypeX(QCPItemPosition::ptAxisRectRatio);
        band->topLeft->setCoords(0, row.y - 0.5);
        band->bottomRight->setCoords(1, row.y + 0.5);
        band->setPen(Qt::NoPen);
        band->setBrush(translucent(palette().color(QPalette::Highlight), 0.2));
    }
}

std::vector<PointChart::Place> OptionsChart::places() const
{
    std::vector<Place> all;
    for (const auto& row : m_series.rows)
        all.push_back({ row.index, { row.top1, row.y } });
    return all;
}

std::optional<std::size_t> OptionsChart::pointAt(const QPointF& position) const
{
    const auto* row = rowAt(position);
    return row ? std::optional(row->index) : std::nullopt;
}

const OptionsSeries::Row* OptionsChart::rowAt(const QPointF& position) const
{
    const QRect area = axisRect()->rect();
    if (position.y() < area.top() || position.y() > area.bottom() || position.x() > area.right())
        return nullptr;
    const double y = yAxis->pixelToCoord(position.y());
    const auto found = std::ranges::find_if(m_series.rows, [y](const auto& row) { return std::abs(row.y - y) <= 0.5; });
    return found == m_series.rows.end() ? nullptr : &*found;
}

QString OptionsChart::readout(const QPointF& position) const
{
    const auto* at = rowAt(position);
    if (!at || !m_study)
        return {};
    const sweep::StudyRow& row = m_study->rows[at->index];
    return tr("<b>%1</b> %2<br>top-1 %3 (%4 to %5)<br>%6 points against float (%7 to %8)")
        .arg(formatWordLengths(row.weightBits(), row.activationBits()),
            QString::fromStdString(row.label()).toHtmlEscaped(), formatPercent(row.top1),
            formatPercent(row.top1Interval.low, 1), formatPercent(row.top1Interval.high, 1),
            formatSignedPercent(row.againstFloat.delta), formatSignedPercent(row.againstFloat.deltaInterval.low),
            formatSignedPercent(row.againstFloat.deltaInterval.high));
}

void OptionsChart::resizeEvent(QResizeEvent* event)
{
    PointChart::resizeEvent(event);
    rebuild();
}

std::string OptionsChart::csv() const { return m_study ? sweep::toCsv(*m_study) : std::string {}; }

QSize OptionsChart::exportSize() const
{
    return { 960, std::max(320, static_cast<int>(m_series.lines) * lineHeight + 180) };
}

} // namespace quantoscope::ui
