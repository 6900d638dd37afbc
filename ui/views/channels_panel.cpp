// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/channels_panel.h"

#include <algorithm>

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "ui/charts/channel_chart.h"
#include "ui/charts/number_format.h"
#include "ui/views/chart_menu.h"
#include "ui/views/elided_label.h"
#include "ui/views/option_words.h"

namespace quantoscope::ui {

ChannelsPanel::ChannelsPanel(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_chart(new ChannelChart)
{
    m_title = new ElidedLabel;
    QFont bold = m_title->font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_note = new ElidedLabel;
    m_note->setEnabled(false);
    m_note->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* top = new QHBoxLayout;
    top->setSpacing(8);
    top->addWidget(m_title);
    top->addWidget(m_note, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 0);
    layout->setSpacing(4);
    layout->addLayout(top);
    layout->addWidget(m_chart, 1);
    attachChartMenu(m_chart);
    connect(m_chart, &ChannelChart::channelClicked, this, &ChannelsPanel::channelChosen);
    for (const auto signal : { &Session::selectionChanged, &Session::modelChanged, &Session::statsChanged })
        connect(&session, signal, this, [this] { refresh(false); });
    connect(&session, &Session::analysisChanged, this, [this] { refresh(true); });
    refresh(false);
}

QString ChannelsPanel::note() const { return m_note->text(); }

void ChannelsPanel::setOperand(Operand operand)
{
    if (operand == m_operand)
        return;
    m_operand = operand;
    refresh(false);
}

void ChannelsPanel::setCurrent(int channel)
{
    m_chart->setCurrent(channel < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(channel)));
}

void ChannelsPanel::refresh(bool keepView)
{
    const LayerInfo* layer = m_session.selectedLayerInfo();
    const bool weights = m_operand == Operand::Weight;
    ChannelSeries series;
    QString message = tr("Choose a layer to see its channels");
    if (layer) {
        const AnalysisPtr& analysis = m_session.analysis();
        const auto index = static_cast<std::size_t>(m_session.selectedLayer());
        std::optional<quant::TensorQuantizer> quantizer;
        if (analysis && index < analysis->layers.size())
            quantizer = weights ? analysis->layers[index].weight : analysis->layers[index].activation;
        const quant::Encoding* encoding = quantizer ? &quantizer->encoding : nullptr;
        const calibration::TensorStats* seen
            = m_session.stats() ? m_session.stats()->find(layer->inputTensor) : nullptr;
        if (weights)
            series = channelSeries(layer->channelLow, layer->channelHigh, encoding);
        else if (seen)
            series = channelSeries(seen->channels(), encoding);
        message = weights ? tr("This layer multiplies two activations and has no weights")
            : seen        ? tr("The channels of this tensor are not kept apart")
                          : tr("Open labelled images to see activations");
    }
    const QString title = !layer ? QString()
        : weights                ? tr("Channels of the weights of %1").arg(layer->name)
                                 : tr("Channels of what enters %1").arg(layer->name);
    m_title->setText(layer ? tr("Channels of %1").arg(layer->name) : QString());
    m_title->setToolTip(title);
    m_note->setText(series.empty() || series.spread() <= 0
            ? QString()
            : tr("%1 channels, widest %2 × narrowest")
                  .arg(formatCount(static_cast<qint64>(series.values.size())), formatSignificant(series.spread())));
    m_note->setToolTip(wrapped(tr("With one range for all channels the narrowest one has the step of the widest, so it "
                                  "loses log2 of this many bits. Orange lines: what can be represented.")));
    m_chart->setMessage(series.empty() ? message : QString());
    m_chart->setSeries(std::move(series), title, weights, keepView);
    if (!keepView)
        refreshHeat();
}

void ChannelsPanel::setHeat(bool on)
{
    if (on == m_heat)
        return;
    m_heat = on;
    refreshHeat();
}

void ChannelsPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refreshHeat();
}

void ChannelsPanel::refreshHeat()
{
    // Every value is looked at; only for whoever sees it.
    const LayerInfo* layer = m_session.selectedLayerInfo();
    const ChannelSeries& series = m_chart->series();
    if (!m_heat || !layer || series.empty() || !isVisible())
        return m_chart->setHeat({});
    Span span = series.values.front();
    for (const Span& channel : series.values)
        span = { std::min(span.low, channel.low), std::max(span.high, channel.high) };
    if (m_operand == Operand::Weight) {
        const auto values = layer->weight->as<float>();
        std::size_t inner = 1;
        for (int i = layer->layer.weightChannelAxis + 1; i < layer->weight->shape().rank(); ++i)
            inner *= static_cast<std::size_t>(layer->weight->shape()[i]);
        return m_chart->setHeat(channelHeat(values, series.values.size(), inner, span));
    }
    const calibration::TensorStats* seen = m_session.stats() ? m_session.stats()->find(layer->inputTensor) : nullptr;
    m_chart->setHeat(
        seen && !seen->channelHistograms().empty() ? channelHeat(seen->channelHistograms(), span) : ChannelHeat {});
}

} // namespace quantoscope::ui
