// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <limits>
#include <numeric>

#include "core/graph/onnx_types.h"
#include "core/graph/op_schema.h"
#include "core/graph/passes/passes.h"

namespace quantoscope::graph {

namespace {

using Ints = std::vector<std::int64_t>;

bool keepsType(const InferenceContext& context)
{
    const auto from = context.input(0).dtype;
    return from && dtypeFromOnnx(context.node().intAttribute("to", 0)) == from;
}

/// Inference form, and nobody reads the mask.
bool isPlainDropout(const Graph& graph, const InferenceContext& context)
{
    const Node& node = context.node();
    if (node.hasOutput(1) && (graph.isOutput(node.outputs[1]) || !graph.consumers(node.outputs[1]).empty()))
        return false;
    if (!context.hasInput(2))
        return true;
    const TensorPtr training = context.inputConstant(2);
    return training && tensor::toInt64s(training->view()) == Ints { 0 };
}

bool padsNothing(const InferenceContext& context)
{
    const auto pads = context.attributeOrInputInts("pads", 1);
    return pads && std::ranges::all_of(*pads, [](std::int64_t pad) { return pad == 0; });
}

/// Every axis from its start to its end in steps of 1.
bool slicesAll(const InferenceContext& context)
{
    const auto& dims = context.input(0).dims;
    const auto starts = context.attributeOrInputInts("starts", 1);
    const auto ends = context.attributeOrInputInts("ends", 2);
    if (!dims || !starts || !ends || starts->size() != ends->size() || starts->size() > dims->size())
        return false;
    Ints axes(starts->size());
    std::iota(axes.begin(), axes.end(), std::int64_t { 0 });
    if (context.node().hasAttribute("axes") || context.hasInput(3))
        axes = context.attributeOrInputInts("axes", 3).value_or(Ints {});
    const Ints steps = context.hasInput(4) ? context.inputInts(4).value_or(Ints {}) : Ints(starts->size(), 1);
    if (axes.size() != starts->size() || steps.size() != starts->size())
        return false;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto axis = tensor::normalizeAxis(axes[i], static_cast<int>(dims->size()));
        if (!axis || steps[i] != 1)
            return false;
        const Dim& dim = (*dims)[static_cast<std::size_t>(*axis)];
        const bool fromStart = (*starts)[i] == 0 || (dim.known() && (*starts)[i] <= -dim.value);
        const bool toEnd
            = (*ends)[i] >= std::numeric_limits<std::int32_t>::max() || (dim.known() && (*ends)[i] >= dim.value);
        if (!fromStart || !toEnd)
            return false;
    }
    return true;
}

/// The shape operand is constant and the result has the input's shape. One axis may be unknown on either side: its
/// extent follows from the others, which are the same.
bool reshapesNothing(const Graph& graph, const InferenceContext& context)
{
    const auto& from = context.input(0).dims;
    const auto& to = graph.value(context.node().outputs[0]).type.dims;
    if (!from || !to || from->size() != to->size() || (context.node().opType == "Reshape" && !context.inputConstant(1)))
        return false;
    int open = 0;
    for (std::size_t i = 0; i < from->size(); ++i) {
        const Dim& a = (*from)[i];
        const Dim& b = (*to)[i];
        if (!a.known() || !b.known())
            ++open;
        else if (a.value != b.value || (a.value == 0 && from->size() > 1))
            return false;
    }
    return open <= 1;
}

bool permutesNothing(const InferenceContext& context)
{
    const auto& dims = context.input(0).dims;
    if (!context.node().hasAttribute("perm"))
        return dims && dims->size() < 2;
    const Ints order = context.node().intsAttribute("perm");
    Ints unchanged(order.size());
    std::iota(unchanged.begin(), unchanged.end(), std::int64_t { 0 });
    return order == unchanged;
}

bool changesNothing(const Graph& graph, NodeId id)
{
    const Node& node = graph.node(id);
    if (!findSchema(node) || !node.hasInput(0) || !node.hasOutput(0))
        return false;
    const InferenceContext context(graph, id);
    if (node.opType == "Identity")
        return true;
    if (node.opType == "Dropout")
        return isPlainDropout(graph, context);
    if (node.opType == "Cast")
        return keepsType(context);
    if (node.opType == "Pad")
        return padsNothing(context);
    if (node.opType == "Slice")
        return slicesAll(context);
    if (node.opType == "Reshape" || node.opType == "Flatten")
        return reshapesNothing(graph, context);
    if (node.opType == "Transpose")
        return permutesNothing(context);
    return node.opType == "Concat" && node.inputs.size() == 1;
}

/// False if the node must stay, because the name of a graph output hangs on it that nothing else can take over.
bool bypass(Graph& graph, NodeId id)
{
    const ValueId source = graph.node(id).inputs[0];
    const ValueId result = graph.node(id).outputs[0];
    if (!graph.isOutput(result)) {
        graph.replaceUses(result, source);
        graph.removeNode(id);
        graph.removeValue(result);
        return true;
    }
    if (graph.isConstant(source)) {
        graph.makeConstant(result, graph.value(source).constant);
        graph.removeNode(id);
        return true;
    }
    if (graph.isInput(source) || graph.isOutput(source))
        return false;
    const std::string name = graph.value(result).name;
    graph.replaceUses(result, source);
    graph.removeNode(id);
    graph.removeValue(result);
    graph.rename(source, name);
    return true;
}

} // namespace

int removeIdentities(Graph& graph)
{
    int removed = 0;
    for (const NodeId id : graph.nodes()) {
        if (changesNothing(graph, id) && bypass(graph, id))
            ++removed;
    }
    return removed;
}

} // namespace quantoscope::graph
