// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/channel_classes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

#include "core/graph/op_schema.h"

namespace quantoscope::planning {

namespace {

using graph::Dims;
using graph::Graph;
using graph::Layer;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

template <std::size_t N> bool isOneOf(const Node& node, const std::array<std::string_view, N>& operators)
{
    return std::ranges::find(operators, node.opType) != operators.end();
}

/// Multiplying the first input's channels by positive factors multiplies the output's by the same.
bool isHomogeneous(const Node& node)
{
    static constexpr std::array<std::string_view, 13> operators { "Abs", "AveragePool", "Dropout", "GlobalAveragePool",
        "GlobalLpPool", "GlobalMaxPool", "Identity", "LeakyRelu", "LpPool", "MaxPool", "Neg", "PRelu", "Relu" };
    return isOneOf(node, operators);
}

/// The output's elements are the input's in the same order.
bool keepsOrder(const Node& node)
{
    static constexpr std::array<std::string_view, 4> operators { "Flatten", "Reshape", "Squeeze", "Unsqueeze" };
    return isOneOf(node, operators);
}

/// All operands alike: homogeneous in all of them together.
bool isSumLike(const Node& node)
{
    static constexpr std::array<std::string_view, 6> operators { "Add", "Max", "Mean", "Min", "Sub", "Sum" };
    return isOneOf(node, operators);
}

bool isReduction(const Node& node)
{
    static constexpr std::array<std::string_view, 6> operators { "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean",
        "ReduceMin", "ReduceSum" };
    return isOneOf(node, operators);
}

/// Integers from an attribute, or from the constant input that later opsets have in its place.
std::optional<std::vector<std::int64_t>> integers(
    const Graph& graph, const Node& node, std::string_view key, std::size_t slot)
{
    if (node.hasAttribute(key))
        return node.intsAttribute(key);
    if (!node.hasInput(slot) || !graph.isConstant(node.inputs[slot]))
        return std::nullopt;
    return tensor::toInt64s(graph.value(node.inputs[slot]).constant->view());
}

/// A bound of Clip; empty if it is computed.
std::optional<double> clipBound(
    const Graph& graph, const Node& node, std::string_view key, std::size_t slot, double open)
{
    if (!node.hasInput(slot))
        return node.hasAttribute(key) ? static_cast<double>(node.floatAttribute(key, 0)) : open;
    const auto& constant = graph.value(node.inputs[slot]).constant;
    if (!constant || constant->size() != 1)
        return std::nullopt;
    return tensor::toDoubles(constant->view()).front();
}

/// Elements of one image behind the first `axis` extents; empty unless known.
std::optional<std::int64_t> volume(const Dims& dims, std::size_t axis)
{
    std::int64_t count = 1;
    for (std::size_t i = axis; i < dims.size(); ++i) {
        if (!dims[i].known())
            return std::nullopt;
        count *= dims[i].value;
    }
    return count;
}

} // namespace

/// Joins channels into classes node by node: disjoint sets, of which the one with element 0 is fixed.
class ClassFinder {
public:
    ClassFinder(const Graph& graph, ChannelClasses& classes)
        : m_graph(graph)
        , m_found(classes)
        , m_consumers(graph.allConsumers())
    {
        const auto values = graph.values();
        m_found.m_first.assign(values.empty() ? 0 : values.back().index() + 1, -1);
        std::int64_t next = 1;
        for (const auto id : values) {
            if (channels(id) == 0)
                continue;
            m_found.m_first[id.index()] = next;
            next += channels(id);
        }
        m_parent.resize(static_cast<std::size_t>(next));
        std::iota(m_parent.begin(), m_parent.end(), std::size_t { 0 });
    }

    void run()
    {
        for (const auto id : m_graph.inputs())
            fix(id);
        for (const auto id : m_graph.outputs())
            fix(id);
        const auto order = m_graph.topologicalOrder();
        for (const auto id : order ? *order : m_graph.nodes())
            visit(id);
        number();
    }

private:
    const std::optional<Dims>& dims(ValueId id) const { return m_graph.value(id).type.dims; }

    /// Extent of axis 1 of a floating activation; 0 for anything else.
    std::int64_t channels(ValueId id) const
    {
        const auto& value = m_graph.value(id);
        if (value.constant || value.type.dtype != DType::Float32 || !value.type.dims || value.type.dims->size() < 2)
            return 0;
        return std::max<std::int64_t>(0, (*value.type.dims)[1].value);
    }

    std::size_t root(std::size_t element)
    {
        while (m_parent[element] != element)
            element = m_parent[element] = m_parent[m_parent[element]];
        return element;
    }
    void join(std::size_t a, std::size_t b)
    {
        a = root(a);
        b = root(b);
        m_parent[std::max(a, b)] = std::min(a, b);
    }
    std::size_t element(ValueId id, std::int64_t channel) const
    {
        return static_cast<std::size_t>(m_found.m_first[id.index()] + channel);
    }

    void fix(ValueId id)
    {
        for (std::int64_t c = 0; id.valid() && c < channels(id); ++c)
            join(element(id, c), 0);
    }
    void fixAll(const Node& node)
    {
        for (const auto input : node.inputs)
            fix(input);
        for (const auto output : node.outputs)
            fix(output);
    }

    void visit(NodeId id)
    {
        const Node& node = m_graph.node(id);
        if (!visitKnown(id, node))
            fixAll(node);
    }

    /// False if the node ties its operands to the factor 1.
    bool visitKnown(NodeId id, const Node& node)
    {
        if (!graph::findSchema(node) || !node.hasInput(0) || !node.hasOutput(0))
            return false;
        if (const auto layer = graph::computeLayer(m_graph, id))
            return visitLayer(*layer);
        if (isHomogeneous(node))
            return othersConstant(node) && same(node.inputs[0], node.outputs[0]);
        if (keepsOrder(node))
            return othersConstant(node) && reshape(node.inputs[0], node.outputs[0]);
        if (isSumLike(node))
            return combine(id, node);
        if (isReduction(node))
            return reducesPlacesOnly(node) && same(node.inputs[0], node.outputs[0]);
        if (node.opType == "Clip")
            return clip(id, node);
        if (node.opType == "Pad")
            return padsPlacesWithZeros(node) && same(node.inputs[0], node.outputs[0]);
        if (node.opType == "Mul" || node.opType == "Div")
            return multiply(node);
        if (node.opType == "Concat" || node.opType == "Split")
            return rearrange(node);
        return false;
    }

    bool visitLayer(const Layer& layer)
    {
        if (!layer.weight.valid() || layer.weightIsLeft || !isOwnConstant(layer.weight))
            return false;
        const Node& node = m_graph.node(layer.node);
        const auto& weight = m_graph.value(layer.weight).constant->shape();
        ScalableLayer scalable { layer, 0, 0 };
        if (layer.op == "Conv" || layer.op == "ConvTranspose") {
            const bool transposed = layer.op == "ConvTranspose";
            scalable.outputs = transposed ? weight[1] * layer.groups : weight[0];
            scalable.inputs = transposed ? weight[0] : weight[1] * layer.groups;
        } else {
            if (weight.rank() != 2 || !dims(layer.output) || dims(layer.output)->size() != 2
                || node.intAttribute("transA", 0) != 0)
                return false;
            scalable.outputs = weight[layer.weightChannelAxis];
            scalable.inputs = weight[1 - layer.weightChannelAxis];
        }
        if (layer.bias.valid()
            && (!isOwnConstant(layer.bias)
                || m_graph.value(layer.bias).constant->shape() != Shape { scalable.outputs }))
            return false;
        if (channels(layer.input) != scalable.inputs || channels(layer.output) != scalable.outputs)
            return false;
        m_found.m_layers.push_back(std::move(scalable));
        return true;
    }

    bool isOwnConstant(ValueId id) const
    {
        return m_graph.isConstant(id) && m_graph.value(id).constant->dtype() == DType::Float32
            && m_consumers[id.index()].size() == 1 && !m_graph.isOutput(id);
    }

    bool othersConstant(const Node& node) const
    {
        for (std::size_t i = 1; i < node.inputs.size(); ++i)
            if (node.hasInput(i) && !m_graph.isConstant(node.inputs[i]))
                return false;
        return true;
    }

    /// Channel c of one is channel c of the other.
    bool same(ValueId a, ValueId b)
    {
        const auto count = channels(a);
        if (count == 0 || count != channels(b))
            return false;
        for (std::int64_t c = 0; c < count; ++c)
            join(element(a, c), element(b, c));
        return true;
    }

    /// Each channel of `from` becomes one or several channels of `to`.
    bool reshape(ValueId from, ValueId to)
    {
        const auto before = channels(from);
        const auto after = channels(to);
        if (before == 0 || after == 0 || after % before != 0)
            return false;
        const auto elements = volume(*dims(from), 1);
        const auto left = volume(*dims(to), 1);
        if (!elements || elements != left)
            return false;
        for (std::int64_t c = 0; c < after; ++c)
            join(element(from, c / (after / before)), element(to, c));
        return true;
    }

    /// A sum or the like of activations of one shape and constants that broadcast to them.
    bool combine(NodeId id, const Node& node)
    {
        const ValueId output = node.outputs[0];
        std::vector<ScaledOperand> operands;
        for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
            const ValueId input = node.inputs[slot];
            if (!m_graph.isConstant(input)) {
                if (channels(input) != channels(output) || dims(input)->size() != dims(output)->size())
                    return false;
            } else if (m_graph.value(input).constant->dtype() != DType::Float32
                || m_graph.value(input).constant->shape().rank() > std::ssize(*dims(output))) {
                return false;
            } else {
                operands.push_back({ id, slot, output });
            }
        }
        if (channels(output) == 0 || operands.size() == node.inputs.size())
            return false;
        for (const ValueId input : node.inputs)
            if (!m_graph.isConstant(input))
                same(input, output);
        m_found.m_operands.insert(m_found.m_operands.end(), operands.begin(), operands.end());
        return true;
    }

    bool reducesPlacesOnly(const Node& node) const
    {
        const auto axes = integers(m_graph, node, "axes", 1);
        const auto rank = dims(node.inputs[0]) ? std::ssize(*dims(node.inputs[0])) : 0;
        return axes && !axes->empty() && std::ranges::all_of(*axes, [rank](std::int64_t axis) {
            return axis >= 2 || (axis < 0 && axis + rank >= 2);
        });
    }

    bool clip(NodeId id, const Node& node)
    {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const auto low = clipBound(m_graph, node, "min", 1, -infinity);
        const auto high = clipBound(m_graph, node, "max", 2, infinity);
        const bool lowFollows = low && (*low == 0 || *low == -infinity);
        if (!lowFollows || !high || !(*high > 0) || !same(node.inputs[0], node.outputs[0]))
            return false;
        if (*high < infinity)
            m_found.m_caps.push_back(id);
        return true;
    }

    bool padsPlacesWithZeros(const Node& node) const
    {
        const auto pads = integers(m_graph, node, "pads", 1);
        if (!pads || node.hasInput(3) || pads->size() < 4) // input 3: axes of the pads
            return false;
        const std::size_t half = pads->size() / 2;
        if ((*pads)[0] != 0 || (*pads)[1] != 0 || (*pads)[half] != 0 || (*pads)[half + 1] != 0)
            return false;
        if (node.stringAttribute("mode", "constant") != "constant")
            return true;
        if (!node.hasInput(2))
            return node.floatAttribute("value", 0) == 0;
        const auto& fill = m_graph.value(node.inputs[2]).constant;
        return fill && std::ranges::all_of(tensor::toDoubles(fill->view()), [](double v) { return v == 0; });
    }

    /// By a constant; Div: through one.
    bool multiply(const Node& node)
    {
        const std::size_t moving = m_graph.isConstant(node.inputs[0]) ? 1 : 0;
        if (!m_graph.isConstant(node.inputs[1 - moving]) || (node.opType == "Div" && moving == 1))
            return false;
        const auto& input = dims(node.inputs[moving]);
        const auto& output = dims(node.outputs[0]);
        return input && output && input->size() == output->size() && same(node.inputs[moving], node.outputs[0]);
    }

    /// Concat and Split along channels, or along places, where channels stay what they are.
    bool rearrange(const Node& node)
    {
        const bool concatenates = node.opType == "Concat";
        const ValueId whole = concatenates ? node.inputs[0] : node.outputs[0];
        if (!dims(whole))
            return false;
        const auto rank = std::ssize(*dims(whole));
        auto axis = node.intAttribute("axis", 0);
        axis += axis < 0 ? rank : 0;
        if (axis == 0)
            return false;
        const auto& parts = concatenates ? node.inputs : node.outputs;
        const ValueId joined = concatenates ? node.outputs[0] : node.inputs[0];
        std::int64_t total = 0;
        for (const ValueId part : parts) {
            if (!part.valid() || channels(part) == 0)
                return false;
            total = axis == 1 ? total + channels(part) : channels(part);
        }
        if (total != channels(joined))
            return false;
        std::int64_t offset = 0;
        for (const ValueId part : parts) {
            for (std::int64_t c = 0; c < channels(part); ++c)
                join(element(part, c), element(joined, offset + c));
            offset += axis == 1 ? channels(part) : 0;
        }
        return true;
    }

    /// Classes in the order of their first channel.
    void number()
    {
        std::map<std::size_t, int> numbers { { 0, ChannelClasses::fixed } };
        m_found.m_classes.resize(m_parent.size());
        for (std::size_t i = 0; i < m_parent.size(); ++i)
            m_found.m_classes[i] = numbers.try_emplace(root(i), static_cast<int>(numbers.size()) - 1).first->second;
        m_found.m_size = numbers.size() - 1;
    }

    const Graph& m_graph;
    ChannelClasses& m_found;
    std::vector<std::vector<NodeId>> m_consumers;
    std::vector<std::size_t> m_parent;
};

ChannelClasses::ChannelClasses(const Graph& graph) { ClassFinder(graph, *this).run(); }

int ChannelClasses::classOf(ValueId value, std::int64_t channel) const
{
    const auto first = m_first[value.index()];
    return first < 0 ? fixed : m_classes[static_cast<std::size_t>(first + channel)];
}

} // namespace quantoscope::planning
