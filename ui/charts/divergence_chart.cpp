// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/divergence_chart.h"

#include <algorithm>
#include <cmath>

#include "core/base/csv.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

DivergenceChart::DivergenceChart(QWidget* parent)
    : BaseChart(parent)
{
    xAxis->setLabel(tr("Quantized activation, from the image on"));
    yAxis->setLabel(tr("SQNR [dB]"));
    setCaption(tr("Signal against quantization noise along the network"), {});
    legend->setVisible(true);
    rebuild();
}

void DivergenceChart::setSeries(DivergenceSeries series)
{
    m_series = std::move(series);
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void DivergenceChart::addLine(
    const QString& name, const QColor& color, double DivergenceSeries::Point::*value, bool dashed)
{
    QVector<double> x;
    QVector<double> y;
    for (const auto& point : m_series.points) {
        x << static_cast<double>(x.size() + 1);
        y << point.*value;
    }
    QCPGraph* graph = addGraph();
    graph->setData(x, y, true);
    graph->setPen(QPen(color, dashed ? 1.5 : 2, dashed ? Qt::DashLine : Qt::SolidLine));
    graph->setScatterStyle(QCPScatterStyle(
        dashed ? QCPScatterStyle::ssCircle : QCPScatterStyle::ssDisc, QPen(color, 1), QBrush(color), 4));
    graph->setName(name);
    graph->addToLegend();
}

void DivergenceChart::rebuild()
{
    legend->clearItems();
    clearPlottables();
    clearItems();
    addLine(tr("all images"), theme().floating, &DivergenceSeries::Point::usualDb, true);
    addLine(tr("this image"), theme().quantized, &DivergenceSeries::Point::imageDb, false);
    double low = 0;
    double high = 10;
    for (const auto& point : m_series.points) {
        low = std::min({ low, point.usualDb, point.imageDb });
        high = std::max({ high, point.usualDb, point.imageDb });
    }
    placeLegend(high * 1.15);
    const auto count = static_cast<double>(std::max<std::size_t>(m_series.points.size(), 2));
    setHome(xAxis, QCPRange(0.5, count + 0.5));
    setHome(yAxis, QCPRange(low < 0 ? low * 1.1 : 0, high * 1.15));
    xAxis->setSubTicks(false);
    if (m_series.mark) {
        auto* line = new QCPItemStraightLine(this);
        const auto at = static_cast<double>(*m_series.mark + 1);
        line->point1->setCoords(at, 0);
        line->point2->setCoords(at, 1);
        line->setPen(QPen(theme().text, 1, Qt::DotLine));
    }
}

void DivergenceChart::placeLegend(double top)
{
    // At the right, above or below the lines, wherever they leave more room.
    const std::size_t count = m_series.points.size();
    double lowest = top;
    double highest = 0;
    for (std::size_t i = count - (count + 1) / 3; i < count; ++i) {
        const auto& point = m_series.points[i];
        lowest = std::min({ lowest, point.usualDb, point.imageDb });
        highest = std::max({ highest, point.usualDb, point.imageDb });
    }
    const bool below = lowest > top - highest;
    axisRect()->insetLayout()->setInsetAlignment(0, (below ? Qt::AlignBottom : Qt::AlignTop) | Qt::AlignRight);
}

QString DivergenceChart::readout(const QPointF& position) const
{
    const double x = std::round(xAxis->pixelToCoord(position.x()));
    if (x < 1 || x > static_cast<double>(m_series.points.size()) || !axisRect()->rect().contains(position.toPoint()))
        return {};
    const auto& point = m_series.points[static_cast<std::size_t>(x) - 1];
    return tr("<b>%1</b><br>this image %2 dB<br>all images %3 dB")
        .arg(point.tensor.toHtmlEscaped(), formatDecibel(point.imageDb), formatDecibel(point.usualDb));
}

std::string DivergenceChart::csv() const
{
    if (m_series.empty())
        return {};
    std::string text = "tensor,usual_sqnr_db,image_sqnr_db\n";
    for (const auto& point : m_series.points)
        text += base::csvField(point.tensor.toStdString()) + ',' + std::to_string(point.usualDb) + ','
            + std::to_string(point.imageDb) + '\n';
    return text;
}

} // namespace quantoscope::ui
