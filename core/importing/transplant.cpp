// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/transplant.h"

#include <algorithm>
#include <string>

namespace quantoscope::importing {

namespace {

bool sameElements(const Tensor& a, const Tensor& b) { return std::ranges::equal(a.as<float>(), b.as<float>()); }

bool isFloat(const graph::Value& value) { return value.constant && value.constant->dtype() == DType::Float32; }

} // namespace

Result<quant::QuantizationPlan> transplant(
    const quant::QuantizationPlan& plan, const graph::Graph& quantized, const graph::Graph& original)
{
    auto result = plan;
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto there = original.find(name);
        if (!there)
            return fail(ErrorCode::NotFound, "the float model has no such tensor", "tensor '" + name + "'",
                "give the model that the quantized one was made from");
        const auto here = quantized.find(name);
        if (here && quantized.isConstant(*here) != original.isConstant(*there))
            return fail(ErrorCode::InvalidInput, "it is a constant in one of the models alone", "tensor '" + name + "'",
                "give the model that the quantized one was made from");
    }
    for (const auto id : quantized.values()) {
        const auto& value = quantized.value(id);
        const auto there = isFloat(value) ? original.find(value.name) : std::nullopt;
        if (!there || !isFloat(original.value(*there)))
            continue;
        const auto& constant = original.value(*there).constant;
        if (constant->shape() != value.constant->shape())
            return fail(ErrorCode::InvalidInput,
                "its shape is " + value.constant->shape().toString() + " in the quantized model and "
                    + constant->shape().toString() + " in the float one",
                "tensor '" + value.name + "'", "give the model that the quantized one was made from");
        if (!sameElements(*constant, *value.constant))
            result.setConstant(value.name, value.constant);
    }
    return result;
}

} // namespace quantoscope::importing
