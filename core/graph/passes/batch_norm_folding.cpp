// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/graph/layers.h"
#include "core/graph/op_schema.h"
#include "core/graph/passes/passes.h"

namespace quantoscope::graph {

namespace {

/// y_c = scale_c x_c + shift_c. A single number stands for all channels.
struct Affine {
    std::vector<double> scale { 1.0 };
    std::vector<double> shift { 0.0 };

    double scaleAt(std::size_t channel) const { return scale[scale.size() == 1 ? 0 : channel]; }
    double shiftAt(std::size_t channel) const { return shift[shift.size() == 1 ? 0 : channel]; }
    bool isFinite() const
    {
        const auto finite = [](double number) { return std::isfinite(number); };
        return std::ranges::all_of(scale, finite) && std::ranges::all_of(shift, finite);
    }
    bool shifts() const
    {
        return std::ranges::any_of(shift, [](double number) { return number != 0; });
    }
};

/// A compute layer in whose weights an affine map of its output can be hidden.
struct Target {
    Layer layer;
    std::size_t channels = 0;
    std::size_t outputRank = 0;
    std::size_t channelAxis = 0; ///< of the output
};

std::optional<std::vector<double>> floatConstant(const Graph& graph, ValueId id)
{
    if (!graph.isConstant(id) || !tensor::isFloating(graph.value(id).constant->dtype()))
        return std::nullopt;
    return tensor::toDoubles(graph.value(id).constant->view());
}

std::optional<Affine> batchNormAffine(const Graph& graph, const Node& node, std::size_t channels)
{
    for (std::size_t i = 1; i < node.outputs.size(); ++i) {
        if (node.hasOutput(i) && (graph.isOutput(node.outputs[i]) || !graph.consumers(node.outputs[i]).empty()))
            return std::nullopt;
    }
    if (node.inputs.size() != 5 || node.intAttribute("training_mode", 0) != 0 || node.intAttribute("spatial", 1) == 0)
        return std::nullopt;
    const auto gamma = floatConstant(graph, node.inputs[1]);
    const auto beta = floatConstant(graph, node.inputs[2]);
    const auto mean = floatConstant(graph, node.inputs[3]);
    const auto variance = floatConstant(graph, node.inputs[4]);
    for (const auto* parameter : { &gamma, &beta, &mean, &variance }) {
        if (!*parameter || (*parameter)->size() != channels)
            return std::nullopt;
    }
    const double epsilon = node.floatAttribute("epsilon", 1e-5f);
    Affine affine { std::vector<double>(channels), std::vector<double>(channels) };
    for (std::size_t c = 0; c < channels; ++c) {
        affine.scale[c] = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
        affine.shift[c] = (*beta)[c] - (*mean)[c] * affine.scale[c];
    }
    return affine;
}

/// The constant operand of Add or Mul, one number or one a channel, that leaves the shape of the other operand as it
/// is.
std::optional<Affine> elementwiseAffine(const Graph& graph, const Node& node, ValueId moving, const Target& target)
{
    if (node.inputs.size() != 2)
        return std::nullopt;
    const ValueId operand = node.inputs[node.inputs[0] == moving ? 1 : 0];
    auto numbers = floatConstant(graph, operand);
    if (!numbers)
        return std::nullopt;
    const Shape& shape = graph.value(operand).constant->shape();
    const std::size_t missing = target.outputRank - std::min(target.outputRank, static_cast<std::size_t>(shape.rank()));
    if (static_cast<std::size_t>(shape.rank()) > target.outputRank)
        return std::nullopt;
    for (int i = 0; i < shape.rank(); ++i) {
        const bool alongChannels = static_cast<std::size_t>(i) + missing == target.channelAxis;
        if (shape[i] != 1 && !(alongChannels && shape[i] == static_cast<std::int64_t>(target.channels)))
            return std::nullopt;
    }
    Affine affine;
    (node.opType == "Add" ? affine.shift : affine.scale) = std::move(*numbers);
    return affine;
}

std::optional<Affine> affineOf(const Graph& graph, const Node& node, ValueId moving, const Target& target)
{
    if (!findSchema(node))
        return std::nullopt;
    if (node.opType == "Add" || node.opType == "Mul")
        return elementwiseAffine(graph, node, moving, target);
    if (node.opType == "BatchNormalization" && node.inputs[0] == moving && target.channelAxis == 1)
        return batchNormAffine(graph, node, target.channels);
    return std::nullopt;
}

/// Channels and where they lie, if the weight is a float32 constant of the layer's own kind.
std::optional<Target> asTarget(const Graph& graph, NodeId id)
{
    Layer layer = *computeLayer(graph, id);
    const Node& node = graph.node(id);
    if (!graph.isConstant(layer.weight) || graph.value(layer.weight).constant->dtype() != DType::Float32
        || layer.weight != node.inputs[1])
        return std::nullopt;
    const Shape& weight = graph.value(layer.weight).constant->shape();
    const auto& output = graph.value(layer.output).type.dims;
    if (!output || output->size() < 2 || weight.rank() < 2 || weight.size() == 0)
        return std::nullopt;
    Target target { std::move(layer), 0, output->size(), 1 };
    std::int64_t channels = weight[target.layer.weightChannelAxis];
    if (target.layer.op == "ConvTranspose")
        channels *= target.layer.groups;
    if (target.layer.op == "MatMul") {
        if (weight.rank() != 2)
            return std::nullopt;
        target.channelAxis = output->size() - 1;
    }
    target.channels = static_cast<std::size_t>(channels);
    return target;
}

/// Output channel that an element of the weight contributes to.
class ChannelOf {
public:
    explicit ChannelOf(const Layer& layer, const Shape& weight)
    {
        const int axis = layer.weightChannelAxis;
        m_extent = weight[axis];
        m_inner = weight.strides()[static_cast<std::size_t>(axis)];
        // ConvTranspose: [C, M / group, ...]; the rows of a group make its M / group channels.
        if (layer.op == "ConvTranspose")
            m_rowsOfGroup = weight[0] / layer.groups;
    }

    std::size_t operator()(std::int64_t element) const
    {
        const std::int64_t within = element / m_inner % m_extent;
        const std::int64_t group = m_rowsOfGroup > 0 ? element / (m_inner * m_extent) / m_rowsOfGroup : 0;
        return static_cast<std::size_t>(group * m_extent + within);
    }

private:
    std::int64_t m_extent = 1;
    std::int64_t m_inner = 1;
    std::int64_t m_rowsOfGroup = 0;
};

std::optional<Tensor> scaledWeight(const Target& target, const Tensor& weight, const Affine& affine)
{
    Tensor scaled(weight);
    const ChannelOf channelOf(target.layer, weight.shape());
    const auto values = scaled.as<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i] * affine.scaleAt(channelOf(static_cast<std::int64_t>(i)));
        values[i] = static_cast<float>(value);
        if (!std::isfinite(values[i]))
            return std::nullopt;
    }
    return scaled;
}

/// b' = b scale + shift, with b = 0 where there was none. Empty if the bias is not one number a channel.
std::optional<Tensor> movedBias(const Graph& graph, const Target& target, const Affine& affine)
{
    std::vector<double> old { 0.0 };
    if (target.layer.bias.valid()) {
        const auto numbers = floatConstant(graph, target.layer.bias);
        if (!numbers || graph.value(target.layer.bias).constant->dtype() != DType::Float32)
            return std::nullopt;
        const Shape& shape = graph.value(target.layer.bias).constant->shape();
        const bool perChannel = shape.rank() >= 1
            && shape[shape.rank() - 1] == static_cast<std::int64_t>(target.channels)
            && numbers->size() == target.channels;
        if (!perChannel && numbers->size() != 1)
            return std::nullopt;
        old = *numbers;
    }
    // Gemm scales its bias by beta, which becomes 1.
    const double beta = target.layer.op == "Gemm" ? graph.node(target.layer.node).floatAttribute("beta", 1.0f) : 1.0;
    Tensor moved(DType::Float32, Shape { static_cast<std::int64_t>(target.channels) });
    const auto values = moved.as<float>();
    for (std::size_t c = 0; c < target.channels; ++c) {
        values[c] = static_cast<float>(old[old.size() == 1 ? 0 : c] * beta * affine.scaleAt(c) + affine.shiftAt(c));
        if (!std::isfinite(values[c]))
            return std::nullopt;
    }
    return moved;
}

/// Puts `tensor` in the place of a constant operand: under its name if nobody else reads it, otherwise under a new one.
void replaceConstant(Graph& graph, NodeId node, std::size_t slot, Tensor tensor)
{
    const ValueId old = graph.node(node).inputs[slot];
    auto shared = std::make_shared<const Tensor>(std::move(tensor));
    const bool alone = graph.consumers(old) == std::vector<NodeId> { node } && !graph.isOutput(old)
        && std::ranges::count(graph.node(node).inputs, old) == 1;
    if (alone)
        graph.makeConstant(old, std::move(shared));
    else
        graph.setInput(
            node, slot, graph.addConstant(graph.uniqueName(graph.value(old).name + ".folded"), std::move(shared)));
}

/// "conv1.weight" -> "conv1.bias", anything else gets ".bias" behind it.
std::string biasName(const Graph& graph, const std::string& weight)
{
    static constexpr std::string_view ending = "weight";
    const bool named = weight.ends_with(ending);
    const std::string stem = weight.substr(0, weight.size() - (named ? ending.size() : 0));
    return graph.uniqueName(stem + (named ? "bias" : ".bias"));
}

void setBias(Graph& graph, const Target& target, Tensor bias)
{
    Node& node = graph.node(target.layer.node);
    if (target.layer.bias.valid()) {
        replaceConstant(graph, target.layer.node, 2, std::move(bias));
    } else {
        const std::string name = biasName(graph, graph.value(target.layer.weight).name);
        graph.setInput(target.layer.node, 2, graph.addConstant(name, std::make_shared<const Tensor>(std::move(bias))));
    }
    if (node.opType == "MatMul")
        node.opType = "Gemm";
    node.attributes.erase("beta");
}

/// MatMul takes a bias as Gemm, which wants matrices.
bool canTakeBias(const Graph& graph, const Target& target)
{
    if (target.layer.op != "MatMul")
        return true;
    const auto& input = graph.value(target.layer.input).type.dims;
    return input && input->size() == 2;
}

/// Rewrites weight and bias; false, and nothing is changed, where that is not possible.
bool absorb(Graph& graph, const Target& target, const Affine& affine)
{
    if (!affine.isFinite())
        return false;
    const bool needsBias = target.layer.bias.valid() || affine.shifts();
    if (needsBias && !canTakeBias(graph, target))
        return false;
    std::optional<Tensor> bias;
    if (needsBias && !(bias = movedBias(graph, target, affine)))
        return false;
    auto weight = scaledWeight(target, *graph.value(target.layer.weight).constant, affine);
    if (!weight)
        return false;
    replaceConstant(graph, target.layer.node, 1, std::move(*weight));
    if (bias)
        setBias(graph, target, std::move(*bias));
    return true;
}

/// The layer computes what the node after it did, under that node's output name.
void takeOver(Graph& graph, NodeId layer, NodeId follower)
{
    const ValueId result = graph.node(follower).outputs[0];
    const ValueId before = graph.node(layer).outputs[0];
    graph.removeNode(follower);
    graph.setOutput(layer, 0, result);
    graph.removeValue(before);
}

} // namespace

int foldBatchNorm(Graph& graph)
{
    int folded = 0;
    for (const Layer& layer : computeLayers(graph)) {
        while (const auto target = asTarget(graph, layer.node)) {
            const ValueId output = target->layer.output;
            const auto readers = graph.consumers(output);
            if (graph.isOutput(output) || readers.size() != 1 || !graph.node(readers[0]).hasOutput(0))
                break;
            const auto affine = affineOf(graph, graph.node(readers[0]), output, *target);
            if (!affine || !absorb(graph, *target, *affine))
                break;
            takeOver(graph, layer.node, readers[0]);
            ++folded;
            // Now the layer may be of another kind, with a bias of its own, and the next node may fold too.
        }
    }
    return folded;
}

} // namespace quantoscope::graph
