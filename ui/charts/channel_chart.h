// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "ui/charts/base_chart.h"
#include "ui/charts/channel_series.h"

namespace quantoscope::ui {

/// The range of every channel as a bar, or its histogram as a column of a heat map, and what can be represented of it
/// as an outline. A click on a channel emits it.
class ChannelChart : public BaseChart {
    Q_OBJECT

public:
    explicit ChannelChart(QWidget* parent = nullptr);

    /// `weights` decides the colour. `keepView`: the same tensor, quantized otherwise; the zoom stays.
    void setSeries(ChannelSeries series, const QString& title, bool weights, bool keepView);
    const ChannelSeries& series() const { return m_series; }
    /// Draws this in the place of the bars; an empty one brings them back.
    void setHeat(ChannelHeat heat);
    const ChannelHeat& heat() const { return m_heat; }
    void setCurrent(std::optional<std::size_t> channel);
    /// Where a channel is drawn, in pixels.
    double pixelOf(std::size_t channel) const { return xAxis->coordToPixel(static_cast<double>(channel)); }

    std::string csv() const override { return toCsv(m_series); }

signals:
    void channelClicked(int channel);

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void clicked(const QPointF& position) override;

private:
    void setAxes(bool keepView);
    void drawBars();
    void drawHeat();
    void drawCurrent();
    void drawOutline(double Span::*end);
    std::optional<std::size_t> channelAt(const QPointF& position) const;

    ChannelSeries m_series;
    ChannelHeat m_heat;
    QCPColorScale* m_scale = nullptr;
    QString m_name;
    bool m_weights = true;
    std::optional<std::size_t> m_current;
};

} // namespace quantoscope::ui
