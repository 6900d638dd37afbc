// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/network.h"

#include <utility>

#include "core/flow/quantizer.h"
#include "core/graph/layers.h"
#include "core/planning/plan_builder.h"

namespace quantoscope::parity {

namespace {

void mixWordLengths(planning::PlanRequest& request, const graph::Graph& graph)
{
    request.firstLastBits = 8;
    const auto layers = graph::computeLayers(graph);
    for (std::size_t i = 1; i + 1 < layers.size(); ++i) {
        planning::LayerOverride layer { .pattern = layers[i].name };
        if (i % 3 == 1)
            layer.weights.bits = layer.activations.bits = 8;
        else if (i % 3 == 2) {
            layer.weights.bits = 6;
            layer.activations.bits = 5;
        } else
            continue;
        request.overrides.push_back(layer);
    }
}

} // namespace

const std::vector<Configuration>& configurations()
{
    static const std::vector<Configuration> all { { "W8A8", 8, 8 }, { "W6A6", 6, 6 }, { "W4A8", 4, 8 },
        { "W4A4", 4, 4 }, { "W8A16", 8, 16 }, { "W4A4 mixed", 4, 4, true }, { "W4A6 corrected", 4, 6, false, true },
        { "W8A8 power of two", 8, 8, false, false, true }, { "W4A4 power of two", 4, 4, false, false, true } };
    return all;
}

std::string Setting::title() const
{
    return configuration.name + " | " + quant::toString(scope) + " | " + (perChannel ? "per channel" : "per tensor");
}

Result<QuantizedNetwork> quantize(const Subject& subject, const Setting& setting)
{
    const auto& configuration = setting.configuration;
    planning::PlanRequest request;
    request.scope = setting.scope;
    request.weights.bits = configuration.weightBits;
    request.activations.bits = configuration.activationBits;
    request.weights.perChannel = setting.perChannel;
    if (setting.activationRange)
        request.activations.range = *setting.activationRange;
    if (configuration.isPowerOfTwo) {
        request.weights.scheme = "power-of-two";
        request.activations.scheme = "asymmetric-power-of-two";
    }
    if (configuration.isMixed)
        mixWordLengths(request, *subject.prepared);
    if (!configuration.isCorrected) {
        QS_TRY(auto built, planning::buildPlan(*subject.prepared, subject.stats.get(), request));
        return QuantizedNetwork { subject.prepared,
            std::make_shared<const quant::QuantizationPlan>(std::move(built.plan)) };
    }
    auto& corrections = request.corrections;
    corrections.equalize = corrections.absorbHighBias = corrections.reconstruct = true;
    corrections.gain = corrections.bias = true;
    flow::Quantizer quantizer(subject.prepared, subject.calibration, { .guard = false });
    quantizer.setStats(subject.stats);
    QS_TRY(const auto corrected, quantizer.quantize(request));
    return QuantizedNetwork { corrected.graph, corrected.plan };
}

} // namespace quantoscope::parity
