// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/channel_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double barWidth = 0.8; // of a channel's place; the rest keeps bars apart
constexpr std::size_t crowded = 200; // channels from which on no gap can be seen

} // namespace

ChannelChart::ChannelChart(QWidget* parent)
    : BaseChart(parent)
{
    xAxis->setLabel(tr("Channel"));
    axisRect()->setRangeZoom(Qt::Horizontal);
    axisRect()->setRangeDrag(Qt::Horizontal);
    auto ticker = QSharedPointer<Ticker125>::create(yAxis);
    ticker->setTickCount(4);
    yAxis->setTicker(ticker);
    setAccessibleName(tr("Range of every channel"));
    m_scale = new QCPColorScale(this);
    m_scale->setBarWidth(12);
    m_scale->setMargins(QMargins(8, 0, 12, 0));
    m_scale->setRangeDrag(false);
    m_scale->setRangeZoom(false);
    m_scale->setVisible(false);
    auto* group = new QCPMarginGroup(this);
    axisRect()->setMarginGroup(QCP::msBottom | QCP::msTop, group);
    m_scale->setMarginGroup(QCP::msBottom | QCP::msTop, group);
    rebuild();
}

void ChannelChart::setSeries(ChannelSeries series, const QString& title, bool weights, bool keepView)
{
    m_series = std::move(series);
    m_name = title;
    m_weights = weights;
    setCaption(tr("Range of every channel: %1").arg(title), {});
    setAxes(keepView);
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void ChannelChart::setHeat(ChannelHeat heat)
{
    m_heat = std::move(heat);
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void ChannelChart::setCurrent(std::optional<std::size_t> channel)
{
    if (channel == m_current)
        return;
    m_current = channel;
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void ChannelChart::setAxes(bool keepView)
{
    yAxis->setLabel(m_weights ? tr("Weight value") : tr("Activation value"));
    const double count = std::max(1.0, static_cast<double>(m_series.values.size()));
    const QCPRange shown = xAxis->range();
    setHome(xAxis, QCPRange(-0.7, count - 0.3));
    if (keepView)
        xAxis->setRange(shown);
    const double extent = m_series.all.high - m_series.all.low;
    const double pad = extent > 0 ? extent * 0.06 : 1;
    setHome(yAxis, QCPRange(m_series.all.low - (m_series.all.low < 0 ? pad : 0), m_series.all.high + pad));
}

void ChannelChart::rebuild()
{
    clearPlottables();
    clearItems();
    const bool heat = !m_heat.empty();
    QCPLayoutGrid* grid = plotLayout();
    if (heat != m_scale->visible()) {
        m_scale->setVisible(heat);
        if (heat) {
            grid->addElement(grid->rowCount() - 1, 1, m_scale);
        } else {
            grid->take(m_scale);
            grid->simplify();
        }
    }
    if (heat) {
        drawHeat();
    } else {
        drawCurrent();
        drawBars();
    }
    if (!m_series.representable.empty()) {
        drawOutline(&Span::low);
        drawOutline(&Span::high);
    }
    if (heat)
        drawCurrent();
}

void ChannelChart::drawCurrent()
{
    if (!m_current || *m_current >= m_series.values.size())
        return;
    const auto at = static_cast<double>(*m_current);
    auto* band = new QCPItemRect(this);
    band->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
    band->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
    band->topLeft->setCoords(at - 0.5, 0);
    band->bottomRight->setCoords(at + 0.5, 1);
    const bool heat = !m_heat.empty();
    band->setPen(heat ? QPen(theme().text, 1.5) : QPen(Qt::NoPen));
    band->setBrush(heat ? QBrush(Qt::NoBrush) : QBrush(translucent(palette().color(QPalette::Highlight), 0.3)));
}

void ChannelChart::drawHeat()
{
    QCPColorGradient gradient;
    gradient.clearColorStops();
    for (int i = 0; i <= 8; ++i)
        gradient.setColorStopAt(i / 8.0, theme().density(i / 8.0));
    gradient.setNanHandling(QCPColorGradient::nhTransparent);
    const int channels = static_cast<int>(m_heat.channels());
    const int bands = static_cast<int>(m_heat.bands);
    auto* map = new QCPColorMap(xAxis, yAxis);
    map->setColorScale(m_scale);
    map->setInterpolate(false);
    map->setTightBoundary(false);
    map->data()->setSize(channels, bands);
    const double half = (m_heat.span.high - m_heat.span.low) / (2.0 * bands);
    map->data()->setRange(
        QCPRange(0, std::max(1, channels - 1)), QCPRange(m_heat.span.low + half, m_heat.span.high - half));
    float most = 0;
    float least = 100;
    for (int c = 0; c < channels; ++c)
        for (int band = 0; band < bands; ++band) {
            const float share = m_heat.at(static_cast<std::size_t>(c), static_cast<std::size_t>(band));
            most = std::max(most, share);
            if (share > 0)
                least = std::min(least, share);
            // Nothing there is no colour, rather than the colour of the least.
            map->data()->setCell(
                c, band, share > 0 ? static_cast<double>(share) : std::numeric_limits<double>::quiet_NaN());
        }
    // Where values were spread over bands, less than one of them is none.
    least = std::min(std::max(least, m_heat.grain), most);
    // The bulk is a hundred times the tails; on a linear scale they would all be dark.
    m_scale->setDataScaleType(QCPAxis::stLogarithmic);
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    const bool many = most > least * 500; // labels for twos and fives would touch
    for (int power = -9; power <= 2; ++power)
        for (const int mantissa : { 1, 2, 5 }) {
            const double value = mantissa * std::pow(10.0, power);
            if (mantissa == 1 || !many)
                ticker->addTick(value, typeset(QString::number(value, 'g', 2)));
        }
    m_scale->axis()->setTicker(ticker);
    m_scale->setGradient(gradient);
    m_scale->setDataRange(QCPRange(static_cast<double>(least), static_cast<double>(std::max(most, least * 1.01F))));
    m_scale->setLabel(tr("Share of the channel [%]"));
    styleAxis(m_scale->axis());
}

void ChannelChart::drawBars()
{
    const QColor color = m_weights ? theme().weights : theme().activations;
    // A bar from the lower to the upper end: a graph of the one, filled to the other.
    const double half = m_series.values.size() > crowded ? 0.5 : barWidth / 2;
    QVector<double> x, low, high;
    for (std::size_t c = 0; c < m_series.values.size(); ++c) {
        const auto at = static_cast<double>(c);
        const Span& span = m_series.values[c];
        const double middle = std::clamp(0.0, span.low, std::max(span.low, span.high));
        x << at - half << at - half << at + half << at + half;
        low << middle << span.low << span.low << middle;
        high << middle << span.high << span.high << middle;
    }
    QCPGraph* upper = addGraph();
    QCPGraph* lower = addGraph();
    upper->setData(x, high, true);
    lower->setData(x, low, true);
    for (QCPGraph* edge : { upper, lower }) {
        edge->setPen(QPen(color, 1));
        edge->setAntialiased(false);
    }
    upper->setBrush(translucent(color, theme().dark ? 0.55 : 0.45));
    upper->setChannelFillGraph(lower);
}

void ChannelChart::drawOutline(double Span::*end)
{
    QVector<double> x, y;
    for (std::size_t c = 0; c < m_series.representable.size(); ++c) {
        x << static_cast<double>(c) - 0.5 << static_cast<double>(c) + 0.5;
        y << m_series.representable[c].*end << m_series.representable[c].*end;
    }
    QCPGraph* outline = addGraph();
    outline->setData(x, y, true);
    outline->setPen(QPen(theme().quantized, 1.5));
}

std::optional<std::size_t> ChannelChart::channelAt(const QPointF& position) const
{
    if (!axisRect()->rect().contains(position.toPoint()))
        return std::nullopt;
    const double at = std::round(xAxis->pixelToCoord(position.x()));
    if (at < 0 || at >= static_cast<double>(m_series.values.size()))
        return std::nullopt;
    return static_cast<std::size_t>(at);
}

QString ChannelChart::readout(const QPointF& position) const
{
    const auto channel = channelAt(position);
    if (!channel)
        return {};
    const Span& seen = m_series.values[*channel];
    QString text = tr("<b>Channel %1</b><br>values %2 to %3")
                       .arg(formatCount(static_cast<qint64>(*channel)), formatSignificant(seen.low),
                           formatSignificant(seen.high));
    if (*channel < m_series.representable.size()) {
        const Span& can = m_series.representable[*channel];
        text += tr("<br>representable %1 to %2").arg(formatSignificant(can.low), formatSignificant(can.high));
    }
    if (*channel >= m_heat.channels())
        return text;
    const std::size_t band = m_heat.bandOf(yAxis->pixelToCoord(position.y()));
    text += tr("<br><b>%1 %</b> between %2 and %3")
                .arg(formatSignificant(static_cast<double>(m_heat.at(*channel, band))),
                    formatSignificant(m_heat.edge(band)), formatSignificant(m_heat.edge(band + 1)));
    if (m_heat.every > 1)
        text += tr(", of every %1th value").arg(m_heat.every);
    return text;
}

void ChannelChart::clicked(const QPointF& position)
{
    if (const auto channel = channelAt(position))
        emit channelClicked(static_cast<int>(*channel));
}

} // namespace quantoscope::ui
