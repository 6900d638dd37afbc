// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cost/accumulator.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace quantoscope::cost {

namespace {

using graph::Graph;
using graph::Layer;
using quant::Encoding;
using quant::QuantizationPlan;
using quant::TensorQuantizer;

/// The ends of a sum.
struct Interval {
    double low = 0;
    double high = 0;
};

/// The ends of an encoding's grid relative to its zero points.
Interval gridOf(const Encoding& encoding)
{
    const auto [least, most] = std::ranges::minmax(encoding.zeroPoint);
    return { static_cast<double>(encoding.qmin) - most, static_cast<double>(encoding.qmax) - least };
}

/// Largest magnitude that the type of an operand promises: 2^(b-1) for signed integers, 2^b for unsigned ones and for
/// those that a zero point shifts.
double typeMagnitude(const Encoding& encoding)
{
    const bool centred = std::ranges::all_of(encoding.zeroPoint, [](std::int32_t z) { return z == 0; });
    return std::exp2(encoding.isSigned() && centred ? encoding.bits() - 1 : encoding.bits());
}

/// Which sum each weight takes part in.
class SumIndex {
public:
    SumIndex(const Layer& layer, const Shape& shape)
        : m_shape(shape)
        , m_groups(layer.groups)
    {
        if (layer.op == "Conv")
            m_kind = Kind::Convolution;
        else if (layer.op == "ConvTranspose")
            m_kind = Kind::Transposed;
        else if (shape.rank() >= 2)
            m_kind = Kind::Matrix;
        m_axis = layer.weightChannelAxis;
    }

    std::int64_t sums() const
    {
        switch (m_kind) {
        case Kind::Convolution:
            return m_shape[0];
        case Kind::Transposed:
            return m_shape[1] * m_groups;
        case Kind::Matrix:
            return m_shape.size() / products();
        case Kind::Vector:
            break;
        }
        return 1;
    }

    /// Products in one sum; for a transposed convolution at most, since a stride spreads the kernel over positions.
    std::int64_t products() const
    {
        if (m_kind == Kind::Matrix)
            return m_shape[m_axis == m_shape.rank() - 1 ? m_axis - 1 : m_axis + 1];
        return sums() > 0 ? m_shape.size() / sums() : 0;
    }

    std::int64_t operator()(std::int64_t element) const
    {
        switch (m_kind) {
        case Kind::Convolution:
            return element / products();
        case Kind::Transposed: {
            const std::int64_t kernel = m_shape.size() / m_shape[0] / m_shape[1];
            const std::int64_t group = element / (kernel * m_shape[1]) / (m_shape[0] / m_groups);
            return group * m_shape[1] + element / kernel % m_shape[1];
        }
        case Kind::Matrix: {
            const std::int64_t inner = m_axis == m_shape.rank() - 1 ? 1 : m_shape[m_axis + 1];
            const std::int64_t matrix = m_shape[m_shape.rank() - 2] * m_shape[m_shape.rank() - 1];
            return element / matrix * m_shape[m_axis] + element / inner % m_shape[m_axis];
        }
        case Kind::Vector:
            break;
        }
        return 0;
    }

private:
    enum class Kind { Convolution, Transposed, Matrix, Vector };

    const Shape& m_shape;
    std::int64_t m_groups;
    Kind m_kind = Kind::Vector;
    int m_axis = 0;
};

/// What the quantized bias adds to each sum, in steps of s_x s_w: its ends over what it has for one output channel.
std::vector<Interval> biasesOf(const Graph& graph, const QuantizationPlan& plan, const Layer& layer,
    const Encoding& input, const Encoding& weight, std::int64_t sums)
{
    std::vector<Interval> ends(static_cast<std::size_t>(sums));
    const TensorQuantizer* quantizer = layer.bias.valid() ? plan.find(graph.value(layer.bias).name) : nullptr;
    if (!quantizer || !graph.isConstant(layer.bias))
        return ends;
    const Tensor bias = quant::fakeQuantize(quantizer->encoding, graph.value(layer.bias).constant->view());
    const Shape& shape = bias.shape();
    const int axis = shape.rank() - (layer.weightIsLeft ? 2 : 1);
    const std::int64_t extent = axis < 0 ? 1 : shape[axis];
    const std::int64_t inner = axis < 0 ? 1 : shape.strides()[static_cast<std::size_t>(axis)];
    const auto values = bias.as<float>();
    for (std::int64_t i = 0; i < bias.size(); ++i) {
        // An extent of 1 is broadcast to all channels.
        for (std::int64_t sum = extent == 1 ? 0 : i / inner % extent; sum < sums; sum += extent) {
            const auto step = static_cast<double>(input.scale[0])
                * static_cast<double>(weight.scale[static_cast<std::size_t>(sum) % weight.scale.size()]);
            const double level = std::round(static_cast<double>(values[static_cast<std::size_t>(i)]) / step);
            auto& end = ends[static_cast<std::size_t>(sum)];
            end = { std::min(end.low, level), std::max(end.high, level) };
        }
    }
    return ends;
}

/// Ends of the sums of a layer with constant weights, over all channels.
Interval worstCase(const Graph& graph, const QuantizationPlan& plan, const Layer& layer, const SumIndex& index,
    const Encoding& input, const Encoding& weight)
{
    const auto& value = graph.value(layer.weight);
    const auto values = value.constant->as<float>();
    std::vector<std::int32_t> levels(values.size());
    quant::quantize(weight, value.constant->shape(), values, levels, plan.seedFor(value.name));
    auto ends = biasesOf(graph, plan, layer, input, weight, index.sums());
    const auto [low, high] = gridOf(input);
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const auto sum = static_cast<std::size_t>(index(static_cast<std::int64_t>(i)));
        const double level = levels[i] - weight.zeroPoint[sum % weight.zeroPoint.size()];
        ends[sum].low += level * (level > 0 ? low : high);
        ends[sum].high += level * (level > 0 ? high : low);
    }
    Interval all;
    for (const auto& [least, most] : ends)
        all = { std::min(all.low, least), std::max(all.high, most) };
    return all;
}

double dataTypeMagnitude(std::int64_t depth, const Encoding& first, const Encoding& second)
{
    return static_cast<double>(depth) * typeMagnitude(first) * typeMagnitude(second);
}

/// Products in one sum of a product of two activations.
std::int64_t depthOfActivations(const Graph& graph, const Layer& layer)
{
    const auto shape = graph.value(layer.input).type.shape();
    return shape && shape->rank() > 0 ? (*shape)[shape->rank() - 1] : 0;
}

/// Two activations: nothing is known but the grids.
Accumulator ofActivations(const Graph& graph, const Layer& layer, const Encoding& first, const Encoding& second)
{
    Accumulator result { .layer = layer.name, .depth = depthOfActivations(graph, layer) };
    const auto [low, high] = gridOf(first);
    const auto [otherLow, otherHigh] = gridOf(second);
    const auto depth = static_cast<double>(result.depth);
    result.worstCaseBits = signedBits(
        depth * std::min(low * otherHigh, high * otherLow), depth * std::max(low * otherLow, high * otherHigh));
    const double magnitude = dataTypeMagnitude(result.depth, first, second);
    result.dataTypeBits = signedBits(-magnitude, magnitude);
    return result;
}

} // namespace

int signedBits(double low, double high)
{
    // A magnitude m needs ceil(log2(m + 1)) bits beside the sign, a negative one a step less.
    const double magnitude = std::max(high, -low - 1);
    int bits = 1;
    while (std::exp2(bits - 1) - 1 < magnitude)
        ++bits;
    return bits;
}

int dataTypeBits(const Graph& graph, const QuantizationPlan& plan, const Layer& layer)
{
    const auto* input = plan.find(graph.value(layer.input).name);
    const auto* other = plan.find(graph.value(layer.weight.valid() ? layer.weight : layer.secondInput).name);
    if (!input || !other)
        return 0;
    const std::int64_t depth = layer.weight.valid()
        ? SumIndex(layer, graph.value(layer.weight).constant->shape()).products()
        : depthOfActivations(graph, layer);
    const double magnitude = dataTypeMagnitude(depth, input->encoding, other->encoding);
    return signedBits(-magnitude, magnitude);
}

Result<std::vector<Accumulator>> accumulators(const graph::Graph& graph, const quant::QuantizationPlan& plan)
{
    QS_TRY(const Graph corrected, quant::correctedGraph(graph, plan));
    std::vector<Accumulator> result;
    for (const Layer& layer : graph::computeLayers(corrected)) {
        const auto* input = plan.find(corrected.value(layer.input).name);
        const auto other = layer.weight.valid() ? layer.weight : layer.secondInput;
        const auto* weight = plan.find(corrected.value(other).name);
        if (!input || !weight)
            continue;
        if (!layer.weight.valid()) {
            result.push_back(ofActivations(corrected, layer, input->encoding, weight->encoding));
            continue;
        }
        const SumIndex index(layer, corrected.value(layer.weight).constant->shape());
        const auto [low, high] = worstCase(corrected, plan, layer, index, input->encoding, weight->encoding);
        const double magnitude = dataTypeMagnitude(index.products(), input->encoding, weight->encoding);
        result.push_back(
            { layer.name, index.products(), signedBits(-magnitude, magnitude), signedBits(low, high), {} });
    }
    return result;
}

} // namespace quantoscope::cost
