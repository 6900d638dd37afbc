// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/layer_ranges.h"

namespace quantoscope::ui {

const std::vector<std::optional<MagnitudeBox>>& LayerRanges::boxes(Operand operand)
{
    const LoadedModelPtr& model = m_session.model();
    const auto& stats = m_session.stats();
    const bool weights = operand == Operand::Weight;
    Boxes& kept = weights ? m_weights : m_activations;
    const void* source = weights || !stats ? static_cast<const void*>(model.get()) : stats.get();
    if (kept.source == source && kept.layers.size() == model->layers.size())
        return kept.layers;
    kept = { source, {} };
    for (const LayerInfo& layer : model->layers) {
        const calibration::TensorStats* seen = stats ? stats->find(layer.inputTensor) : nullptr;
        const calibration::Histogram* histogram = weights ? (layer.weight ? &layer.weightHistogram : nullptr)
            : seen                                        ? &seen->histogram()
                                                          : nullptr;
        kept.layers.push_back(histogram ? std::optional(magnitudes(*histogram)) : std::nullopt);
    }
    return kept.layers;
}

RangeSeries LayerRanges::series(Operand operand)
{
    RangeSeries series;
    const LoadedModelPtr& model = m_session.model();
    if (!model)
        return series;
    const auto& found = boxes(operand);
    const AnalysisPtr& analysis = m_session.analysis();
    const bool planned = analysis && analysis->layers.size() == model->layers.size();
    for (std::size_t i = 0; i < model->layers.size(); ++i) {
        RangeSeries::Layer layer { model->layers[i].name, found[i], {} };
        if (planned) {
            const LayerAnalysis& of = analysis->layers[i];
            const auto& quantizer = operand == Operand::Weight ? of.weight : of.activation;
            if (quantizer)
                layer.range = representableMagnitudes(quantizer->encoding);
        }
        series.layers.push_back(std::move(layer));
    }
    series.frame();
    return series;
}

} // namespace quantoscope::ui
