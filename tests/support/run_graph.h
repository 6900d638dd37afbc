// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"
#include "core/tensor/tensor.h"

namespace quantoscope::test {

/// Compiles a graph under a plan and runs it once on its inputs in order.
inline Result<std::vector<Tensor>> runGraph(const graph::Graph& graph, const std::vector<Tensor>& inputs,
    const quant::QuantizationPlan& plan = {}, engine::KernelSet kernels = engine::KernelSet::Fast)
{
    engine::CompileOptions options;
    options.kernels = kernels;
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        options.inputShapes.emplace(graph.value(graph.inputs()[i]).name, inputs[i].shape());
        views.push_back(inputs[i].view());
    }
    QS_TRY(auto compiled, engine::compile(graph, plan, options));
    engine::Executor executor(compiled);
    QS_CHECK(executor.run(views));
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < compiled->outputs().size(); ++i)
        outputs.push_back(tensor::convert(executor.output(i), executor.output(i).dtype()));
    return outputs;
}

/// Normally distributed elements, the same for the same seed.
inline Tensor randomTensor(const Shape& shape, std::uint64_t seed, double deviation = 1)
{
    base::Random random(seed);
    std::vector<float> values(static_cast<std::size_t>(shape.size()));
    for (auto& value : values)
        value = static_cast<float>(random.normal() * deviation);
    return Tensor::from<float>(shape, values);
}

} // namespace quantoscope::test
