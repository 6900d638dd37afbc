// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/integer_operands.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace quantoscope::engine {

namespace {

tl::unexpected<Error> cannot(std::string why) { return fail(ErrorCode::Unsupported, std::move(why)); }

const quant::Encoding* encodingOf(const Lowered& lowered, graph::ValueId value)
{
    const auto found = lowered.constantGrids.find(value);
    return found == lowered.constantGrids.end() ? nullptr : &found->second;
}

/// Levels less their zero points, in the order of the tensor.
Result<Tensor> centredLevels(const Tensor& weight, const quant::Encoding& encoding)
{
    std::vector<std::int32_t> levels(static_cast<std::size_t>(weight.size()));
    quant::Encoding nearest = encoding; // the values lie on the grid already
    nearest.rounding = quant::Rounding::HalfEven;
    quant::quantize(nearest, weight.shape(), weight.as<float>(), levels);
    std::size_t inner = 1; // of a channel side by side
    for (int axis = encoding.perChannel() ? encoding.axis + 1 : 0; axis < weight.shape().rank(); ++axis)
        inner *= static_cast<std::size_t>(weight.shape()[axis]);
    Tensor result(DType::Int8, weight.shape());
    const auto codes = result.as<std::int8_t>();
    for (std::size_t first = 0, channel = 0; first < levels.size(); first += inner) {
        const std::int32_t zeroPoint = encoding.zeroPoint[channel];
        for (std::size_t i = first; i < first + inner; ++i) {
            const std::int32_t level = levels[i] - zeroPoint;
            if (level < -128 || level > 127)
                return cannot(
                    "a weight lies " + std::to_string(level) + " levels from its zero point, int8 holds -128..127");
            codes[i] = static_cast<std::int8_t>(level);
        }
        channel = channel + 1 == encoding.zeroPoint.size() ? 0 : channel + 1;
    }
    return result;
}

/// The most a weight can be away from its zero point on this grid.
std::int32_t largestWeight(const quant::Encoding& encoding)
{
    std::int32_t largest = 0;
    for (const std::int32_t zero : encoding.zeroPoint)
        largest = std::max({ largest, zero - encoding.qmin, encoding.qmax - zero });
    return largest;
}

/// Checks that hold for the layer whatever its numbers are.
Result<void> checkLayer(const Lowered& lowered, const graph::Layer& layer, const std::optional<CodeGrid>& input)
{
    if (layer.op == "ConvTranspose")
        return cannot("transposed convolutions are computed in float");
    if (!layer.weight.valid() || layer.weightIsLeft)
        return cannot("it multiplies by no constant on the right");
    if (!input)
        return cannot("its input lies on no per-tensor grid of at most 8 bits");
    const quant::Encoding* const weight = encodingOf(lowered, layer.weight);
    if (!weight)
        return cannot("its weights are float");
    if (weight->bits() > 8)
        return cannot("its weights have " + std::to_string(weight->bits()) + " bits");
    if (weight->perChannel() && weight->axis != layer.weightChannelAxis)
        return cannot("its weights' scales do not run along the output channels");
    if (layer.bias.valid() && !lowered.graph.isConstant(layer.bias))
        return cannot("its bias is no constant");
    return {};
}

/// Largest sum that can come of `terms` products.
Result<void> checkSums(const quant::Encoding& weight, const CodeGrid& input, std::int64_t terms)
{
    const std::int64_t product = std::int64_t { input.largest() } * largestWeight(weight);
    if (terms * product > std::numeric_limits<std::int32_t>::max())
        return cannot("a sum of " + std::to_string(terms) + " products may exceed 32 bits");
    if (!addsInFullWidth() && !fitsPairs(input.largest(), largestWeight(weight)))
        return cannot("this processor adds pairs of products in 16 bits, which these word-lengths overflow");
    return {};
}

Result<std::vector<double>> biasOf(
    const Lowered& lowered, const graph::Layer& layer, const std::vector<double>& scale, double factor)
{
    if (!layer.bias.valid())
        return std::vector<double> {};
    const Tensor& bias = *lowered.graph.value(layer.bias).constant;
    const std::size_t channels
        = static_cast<std::size_t>(lowered.graph.value(layer.weight).type.shape()->operator[](layer.weightChannelAxis));
    const auto values = bias.as<float>();
    if (values.size() != channels && values.size() != 1)
        return cannot("its bias has more than one number a column");
    const bool isQuantized = encodingOf(lowered, layer.bias) != nullptr;
    std::vector<double> result(channels);
    for (std::size_t c = 0; c < channels; ++c) {
        const double value = factor * static_cast<double>(values[values.size() == 1 ? 0 : c]);
        const double units = value / scale[scale.size() == 1 ? 0 : c];
        // A bias on the grid s_x s_w is a whole number of units, up to the rounding of its float form.
        const double whole = std::nearbyint(units);
        const bool isWhole = isQuantized && std::abs(units - whole) <= 1e-6 * std::max(1.0, std::abs(whole));
        result[c] = isWhole ? whole : units;
    }
    return result;
}

} // namespace

Result<IntegerOperands> integerOperands(
    const Lowered& lowered, const graph::Layer& layer, const std::optional<CodeGrid>& input)
{
    QS_CHECK(checkLayer(lowered, layer, input));
    const Tensor& weight = *lowered.graph.value(layer.weight).constant;
    const quant::Encoding& encoding = *encodingOf(lowered, layer.weight);
    const std::int64_t channels = std::max<std::int64_t>(1, weight.shape()[layer.weightChannelAxis]);
    QS_CHECK(checkSums(encoding, *input, weight.size() / channels));

    IntegerOperands operands;
    QS_TRY(operands.weight, centredLevels(weight, encoding));
    const graph::Node& node = lowered.graph.node(layer.node);
    const double alpha = static_cast<double>(layer.op == "Gemm" ? node.floatAttribute("alpha", 1) : 1.0F);
    const double beta = static_cast<double>(layer.op == "Gemm" ? node.floatAttribute("beta", 1) : 1.0F);
    for (const float scale : encoding.scale)
        operands.scale.push_back(alpha * static_cast<double>(input->scale()) * static_cast<double>(scale));
    QS_TRY(operands.bias, biasOf(lowered, layer, operands.scale, beta));
    return operands;
}

} // namespace quantoscope::engine
