// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "core/base/random.h"
#include "ui/session/state.h"

namespace quantoscope::test {

inline graph::TensorPtr constant(Shape shape, const std::vector<float>& values)
{
    return std::make_shared<const Tensor>(Tensor::from<float>(std::move(shape), values));
}

inline graph::TensorPtr randomConstant(Shape shape, double deviation, std::uint64_t seed)
{
    base::Random random(seed);
    std::vector<float> values(static_cast<std::size_t>(shape.size()));
    for (auto& value : values)
        value = static_cast<float>(deviation * random.normal());
    return constant(std::move(shape), values);
}

/// A model of `count` layers made in memory, for tests that need rows and no network.
inline ui::LoadedModelPtr layersOnly(int count)
{
    auto model = std::make_shared<ui::LoadedModel>();
    model->name = QStringLiteral("made.onnx");
    model->graph = std::make_shared<const graph::Graph>();
    for (int i = 0; i < count; ++i) {
        ui::LayerInfo layer;
        layer.name = QStringLiteral("block%1/conv").arg(i);
        layer.layer.name = layer.name.toStdString();
        layer.layer.op = i + 1 == count ? "Gemm" : "Conv";
        layer.layer.parameters = 1000 * (count - i);
        layer.layer.macs = 1'000'000 + i;
        layer.weight = randomConstant({ 4, 3, 3, 3 }, 0.1, static_cast<std::uint64_t>(i) + 1);
        layer.weightTensor = "w" + std::to_string(i);
        layer.inputTensor = "x" + std::to_string(i);
        layer.weightHistogram.add(layer.weight->as<float>());
        layer.channels = 4;
        model->layers.push_back(std::move(layer));
    }
    return model;
}

/// A run that got `correct` of `images` right.
inline ui::Run madeRun(int images, int correct, bool isFloat)
{
    auto result = std::make_shared<evaluation::EvaluationResult>();
    result->classes = 10;
    result->seconds = 1;
    for (int i = 0; i < images; ++i)
        result->outcomes.push_back({ i < correct ? 1 : 0, 1, true, 0, 0 });
    ui::Run run;
    run.isFloat = isFloat;
    run.scope = isFloat ? QStringLiteral("float network") : QStringLiteral("W4 A8");
    run.weightBits = 4;
    run.activationBits = 8;
    run.result = result;
    return run;
}

} // namespace quantoscope::test
