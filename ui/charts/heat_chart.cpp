// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/heat_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/charts/chart_exporter.h"
#include "ui/charts/cost_words.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

/// Where a line of equal cost passes from one row or column of cells to the next: there its label covers no number,
/// which stand in the middle of cells.
std::vector<QPointF> crossings(const Contour& contour, bool rows)
{
    const auto along = [rows](const QPointF& point) { return (rows ? point.y() : point.x()) + 0.5; };
    std::vector<QPointF> found;
    for (const auto& line : contour.lines)
        for (std::size_t i = 1; i < line.size(); ++i) {
            const double from = std::min(along(line[i - 1]), along(line[i]));
            const double to = std::max(along(line[i - 1]), along(line[i]));
            for (double edge = std::ceil(from); edge <= to && from < to; ++edge) {
                const double part = (edge - along(line[i - 1])) / (along(line[i]) - along(line[i - 1]));
                found.push_back(line[i - 1] + part * (line[i] - line[i - 1]));
            }
        }
    return found;
}

/// Near the middle of the map, and away from labels that are there; none if there is no such place.
std::optional<QPointF> placeOfLabel(const Contour& contour, const QPointF& middle, const std::vector<QPointF>& taken)
{
    std::optional<QPointF> best;
    const auto distance = [&](const QPointF& point) { return std::abs(point.x() - middle.x()); };
    for (const bool rows : { true, false }) {
        for (const QPointF& point : crossings(contour, rows)) {
            const bool free = std::ranges::none_of(taken, [&](const QPointF& other) {
                return std::abs(other.x() - point.x()) < 1 && std::abs(other.y() - point.y()) < 0.4;
            });
            if (free && (!best || distance(point) < distance(*best)))
                best = point;
        }
        if (best)
            return best;
    }
    return std::nullopt;
}

/// Behind which of `labels` word-lengths are missing.
std::vector<std::size_t> gapsOf(const std::vector<QString>& labels)
{
    std::vector<std::size_t> gaps;
    for (std::size_t i = 1; i < labels.size(); ++i) {
        bool numbers[2] = {};
        const int step = labels[i].toInt(&numbers[0]) - labels[i - 1].toInt(&numbers[1]);
        if (numbers[0] && numbers[1] && step > 1)
            gaps.push_back(i - 1);
    }
    return gaps;
}

/// Of an accuracy of zero, and just below the scale.
const QColor nothingRight(0x50, 0x50, 0x50);
const QColor justBelow(0xa0, 0xa0, 0xa0);

QColor mixed(const QColor& a, const QColor& b, double share)
{
    const auto part = [share](int from, int to) { return static_cast<int>(std::lround(from + share * (to - from))); };
    return QColor(part(a.red(), b.red()), part(a.green(), b.green()), part(a.blue(), b.blue()));
}

} // namespace

HeatChart::HeatChart(QWidget* parent)
    : PointChart(Groups::Columns, parent)
{
    setInteractions(QCP::Interactions());
    for (QCPAxis* axis : { xAxis, yAxis }) {
        axis->grid()->setVisible(false);
        axis->setSubTicks(false);
    }
    m_scale = new QCPColorScale(this);
    plotLayout()->addElement(0, 1, m_scale);
    m_scale->setBarWidth(12);
    m_scale->setMargins(QMargins(8, 0, 12, 0));
    m_scale->setRangeDrag(false);
    m_scale->setRangeZoom(false);
    auto* group = new QCPMarginGroup(this);
    axisRect()->setMarginGroup(QCP::msBottom | QCP::msTop, group);
    m_scale->setMarginGroup(QCP::msBottom | QCP::msTop, group);
    rebuild();
}

void HeatChart::setResult(std::shared_ptr<const sweep::SweepResult> result)
{
    m_result = std::move(result);
    m_grid = m_result ? sweepGrid(*m_result) : SweepGrid {};
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void HeatChart::setContours(std::optional<cost::Metric> metric)
{
    m_metric = metric;
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void HeatChart::labelAxis(QCPAxis* axis, const std::vector<QString>& labels, const QString& title)
{
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (std::size_t i = 0; i < labels.size(); ++i)
        ticker->addTick(static_cast<double>(i), labels[i]);
    axis->setTicker(ticker);
    axis->setLabel(gapsOf(labels).empty() ? title : tr("%1, with gaps").arg(title));
    setHome(axis, QCPRange(-0.5, std::max(0.5, static_cast<double>(labels.size()) - 0.5)));
}

void HeatChart::rebuild()
{
    clearPlottables();
    clearItems();
    labelAxis(xAxis, m_grid.columns, tr("Weight word-length [bits]"));
    labelAxis(yAxis, m_grid.rows, tr("Activation word-length [bits]"));
    colourScale();
    m_contours.clear();
    m_contourLabels.clear();
    if (!m_result || m_result->points.empty())
        return;
    QStringList captions = sweepSeries(*m_result).captions;
    if (m_metric)
        captions << tr("Lines: equal %1").arg(costName(*m_metric));
    setCaption(tr("Accuracy over both word-lengths"), captions);
    drawCells();
    drawGaps(m_grid.columns, true);
    drawGaps(m_grid.rows, false);
    if (m_metric)
        m_contours = isoCosts(*m_result, m_grid, *m_metric);
    for (const Contour& contour : m_contours)
        drawContour(contour);
    drawNumbers();
    labelContours();
    drawCurrent();
}

void HeatChart::colourScale()
{
    m_accuracies = m_result ? accuracyScale(*m_result) : AccuracyScale {};
    const double below = m_accuracies.share();
    QCPColorGradient gradient;
    gradient.clearColorStops();
    if (below > 0) {
        gradient.setColorStopAt(0, nothingRight);
        gradient.setColorStopAt(below / (1 + below) - 1e-6, justBelow);
    }
    for (int i = 0; i <= 8; ++i)
        gradient.setColorStopAt((i / 8.0 + below) / (1 + below), Theme::viridis(i / 8.0));
    gradient.setNanHandling(QCPColorGradient::nhTransparent);
    m_scale->setGradient(gradient);
    m_scale->setDataRange(QCPRange(-below, 1));
    labelScale();
    m_scale->setLabel(tr("Top-1 accuracy [%]"));
    styleAxis(m_scale->axis());
    m_scale->axis()->setBasePen(QPen(theme().axis, 1));
}

QColor HeatChart::colorOf(double top1) const
{
    return top1 >= m_accuracies.low ? Theme::viridis(m_accuracies.position(top1))
                                    : mixed(nothingRight, justBelow, top1 / m_accuracies.low);
}

void HeatChart::labelScale()
{
    const double span = m_accuracies.high - m_accuracies.low;
    const double step = span > 50 ? 20 : span > 25 ? 10 : span > 12 ? 5 : span > 5 ? 2 : span > 2 ? 1 : 0.5;
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    if (m_accuracies.clipped)
        ticker->addTick(-m_accuracies.share(), QStringLiteral("0"));
    ticker->addTick(0, QString::number(m_accuracies.low));
    for (double tick = (std::floor(m_accuracies.low / step) + 1) * step; tick <= m_accuracies.high; tick += step)
        if (tick >= m_accuracies.low + 0.6 * step)
            ticker->addTick(m_accuracies.position(tick), QString::number(tick));
    m_scale->axis()->setTicker(ticker);
    m_scale->axis()->setSubTicks(false);
}

QStringList HeatChart::scaleLabels() const
{
    const auto ticker = m_scale->axis()->ticker().dynamicCast<QCPAxisTickerText>();
    return ticker ? QStringList(ticker->ticks().values()) : QStringList();
}

void HeatChart::drawCells()
{
    const int columns = static_cast<int>(m_grid.columns.size());
    const int rows = static_cast<int>(m_grid.rows.size());
    auto* map = new QCPColorMap(xAxis, yAxis);
    map->setColorScale(m_scale);
    map->setInterpolate(false);
    map->setTightBoundary(false);
    map->data()->setSize(columns, rows);
    map->data()->setRange(QCPRange(0, std::max(1, columns - 1)), QCPRange(0, std::max(1, rows - 1)));
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            const auto cell = m_grid.cell(static_cast<std::size_t>(row), static_cast<std::size_t>(column));
            const double place
                = cell ? m_accuracies.place(m_result->points[*cell].top1) : std::numeric_limits<double>::quiet_NaN();
            map->data()->setCell(column, row, place);
        }
    }
}

void HeatChart::drawGaps(const std::vector<QString>& labels, bool columns)
{
    for (const std::size_t before : gapsOf(labels)) {
        auto* gap = new QCPItemLine(this);
        const double at = static_cast<double>(before) + 0.5;
        for (QCPItemPosition* end : { gap->start, gap->end }) {
            columns ? end->setTypeY(QCPItemPosition::ptAxisRectRatio) : end->setTypeX(QCPItemPosition::ptAxisRectRatio);
            const double across = end == gap->start ? 0 : 1;
            end->setCoords(columns ? at : across, columns ? across : at);
        }
        gap->setPen(QPen(theme().background, 6));
    }
}

void HeatChart::drawNumbers()
{
    for (std::size_t row = 0; row < m_grid.rows.size(); ++row)
        for (std::size_t column = 0; column < m_grid.columns.size(); ++column) {
            const auto cell = m_grid.cell(row, column);
            if (!cell)
                continue;
            const double top1 = m_result->points[*cell].top1;
            auto* text = new QCPItemText(this);
            text->position->setCoords(static_cast<double>(column), static_cast<double>(row));
            text->setText(QString::number(top1, 'f', 1));
            text->setFont(chartFont(-1));
            const QColor cellColor = colorOf(top1);
            text->setColor(Theme::textOn(cellColor));
            // Keeps lines of equal cost off the digits.
            text->setBrush(cellColor);
            text->setPadding(QMargins(6, 2, 6, 2));
        }
}

void HeatChart::drawContour(const Contour& contour)
{
    // White on a dark seam can be seen on every colour of the map.
    QVector<double> t, x, y;
    const auto add = [&](const QPointF& point) {
        t << static_cast<double>(t.size());
        x << point.x();
        y << point.y();
    };
    constexpr double gap = std::numeric_limits<double>::quiet_NaN();
    for (const auto& line : contour.lines) {
        for (const QPointF& point : line)
            add(point);
        add({ gap, gap });
    }
    for (const QPen& pen : { QPen(QColor(0, 0, 0, 140), 3.5), QPen(Qt::white, 1.5) }) {
        auto* line = new QCPCurve(xAxis, yAxis);
        line->setData(t, x, y, true);
        line->setPen(pen);
    }
}

void HeatChart::labelContours()
{
    const QPointF middle((static_cast<double>(m_grid.columns.size()) - 1) / 2, 0);
    for (const Contour& contour : m_contours) {
        const auto place = placeOfLabel(contour, middle, m_contourLabels);
        if (!place)
            continue;
        m_contourLabels.push_back(*place);
        auto* label = new QCPItemText(this);
        label->position->setCoords(*place);
        label->setText(contour.label);
        label->setFont(chartFont(-2));
        label->setColor(Qt::white);
        label->setBrush(QColor(0, 0, 0, 190));
        label->setPadding(QMargins(3, 0, 3, 0));
    }
}

std::optional<QPointF> HeatChart::placeOf(std::size_t point) const
{
    for (std::size_t row = 0; row < m_grid.rows.size(); ++row)
        for (std::size_t column = 0; column < m_grid.columns.size(); ++column)
            if (m_grid.cell(row, column) == point)
                return QPointF(static_cast<double>(column), static_cast<double>(row));
    return std::nullopt;
}

std::vector<PointChart::Place> HeatChart::places() const
{
    std::vector<Place> all;
    for (std::size_t column = 0; column < m_grid.columns.size(); ++column)
        for (std::size_t row = 0; row < m_grid.rows.size(); ++row)
            if (const auto point = m_grid.cell(row, column))
                all.push_back({ *point, { static_cast<double>(column), static_cast<double>(row) } });
    return all;
}

void HeatChart::drawCurrent()
{
    const auto place = current() ? placeOf(*current()) : std::nullopt;
    if (!place)
        return;
    for (const QPen& pen : { QPen(Qt::black, 5), QPen(Qt::white, 2) }) {
        auto* frame = new QCPItemRect(this);
        frame->topLeft->setCoords(place->x() - 0.48, place->y() + 0.48);
        frame->bottomRight->setCoords(place->x() + 0.48, place->y() - 0.48);
        frame->setPen(pen);
    }
}

std::optional<std::size_t> HeatChart::pointAt(const QPointF& position) const
{
    if (!axisRect()->rect().contains(position.toPoint()))
        return std::nullopt;
    const auto column = static_cast<std::size_t>(std::lround(std::max(0.0, xAxis->pixelToCoord(position.x()))));
    const auto row = static_cast<std::size_t>(std::lround(std::max(0.0, yAxis->pixelToCoord(position.y()))));
    if (column >= m_grid.columns.size() || row >= m_grid.rows.size())
        return std::nullopt;
    return m_grid.cell(row, column);
}

QString HeatChart::readout(const QPointF& position) const
{
    const auto index = pointAt(position);
    if (!index)
        return {};
    const auto& point = m_result->points[*index];
    return tr("<b>%1</b><br>top-1 %2<br>%3 points against float<br>%4, %5 an image")
        .arg(formatWordLengths(point.weightBits, point.activationBits), formatPercent(point.top1),
            formatSignedPercent(point.againstFloat.delta), formatBytes(point.cost.sizeBytes),
            formatEnergy(point.cost.energyPj));
}

std::string HeatChart::csv() const { return m_result ? sweep::toCsv(*m_result) : std::string {}; }

Result<void> exportHeatChart(std::shared_ptr<const sweep::SweepResult> result, std::optional<cost::Metric> contours,
    const std::filesystem::path& path)
{
    HeatChart chart;
    chart.setContours(contours);
    chart.setResult(std::move(result));
    return exportChart(chart, path, { .size = chart.exportSize() });
}

} // namespace quantoscope::ui
