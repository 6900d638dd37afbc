// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/evaluation/evaluator.h"
#include "core/flow/guard.h"
#include "core/flow/quantizer.h"
#include "core/graph/layers.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

/// A small network with images, and corrections whose effect is known.
namespace quantoscope::test {

inline dataset::SampleSetPtr graySamples(std::int64_t images, std::uint64_t seed = 1)
{
    dataset::SampleSet::Options load;
    load.preprocessing.channels = dataset::Channels::Gray;
    return *dataset::SampleSet::load(randomDataset(images, 8, 8, 1, 10, seed), load);
}

inline flow::GraphPtr smallGraph() { return std::make_shared<const graph::Graph>(smallConvNet(1, 8, 10)); }

/// Image -> Conv 3x3 + Relu -> mean over the image -> [batch, 4, 1, 1] and nothing that classifies.
inline flow::GraphPtr detectorGraph()
{
    using graph::Dim;
    Chain chain({ Dim::named("batch"), 1, 8, 8 });
    chain.node("Conv", "conv", { normalTensor({ 4, 1, 3, 3 }, 1, 0.5), normalTensor({ 4 }, 2, 0.1) })
        .node("Relu", "relu");
    return std::make_shared<const graph::Graph>(chain.finish());
}

inline planning::PlanRequest request(std::optional<int> weightBits, std::optional<int> activationBits)
{
    planning::PlanRequest result;
    result.weights.bits = weightBits;
    result.activations.bits = activationBits;
    return result;
}

/// A correction that puts `change(layer, float weight)` in the place of weights of the layers asked for.
inline flow::Correction weightCorrection(
    std::string name, std::function<void(const graph::Layer&, std::span<float>)> change)
{
    return { std::move(name),
        [change = std::move(change)](const planning::CorrectionData& data, const quant::QuantizationPlan& plan,
            const base::Job& job) -> Result<planning::CorrectedPlan> {
            if (job.stopRequested())
                return base::cancelled();
            planning::CorrectedPlan corrected { plan, { "looked at weights" } };
            for (const auto& layer : graph::computeLayers(data.graph)) {
                if (!data.layers.empty() && std::ranges::find(data.layers, layer.name) == data.layers.end())
                    continue;
                const auto& value = data.graph.value(layer.weight);
                Tensor weight = Tensor::from<float>(value.constant->shape(), value.constant->as<float>());
                change(layer, weight.as<float>());
                corrected.plan.setConstant(value.name, std::make_shared<const Tensor>(std::move(weight)));
            }
            return corrected;
        } };
}

/// Turns every weight round.
inline void negate(std::span<float> weight)
{
    for (auto& w : weight)
        w = -w;
}

} // namespace quantoscope::test
