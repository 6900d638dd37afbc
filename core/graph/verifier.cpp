// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/verifier.h"

#include <set>
#include <string>

#include "core/graph/op_schema.h"

namespace quantoscope::graph {

namespace {

tl::unexpected<Error> invalid(std::string what, std::string where, std::string hint = "export the model again")
{
    return fail(ErrorCode::InvalidInput, std::move(what), std::move(where), std::move(hint));
}

std::string nodeLabel(const Graph& graph, NodeId id)
{
    return "node '" + graph.label(id) + "' (" + graph.node(id).opType + ")";
}

Result<void> checkNames(const Graph& graph)
{
    std::set<std::string> seen;
    for (const ValueId id : graph.values()) {
        if (!seen.insert(graph.value(id).name).second)
            return invalid("two tensors have this name", "tensor '" + graph.value(id).name + "'");
    }
    return {};
}

Result<void> checkArity(const Graph& graph, NodeId id)
{
    const Node& node = graph.node(id);
    const OpSchema* schema = findSchema(node);
    if (!schema)
        return {};
    const auto given = static_cast<int>(node.inputs.size());
    if (given < schema->minInputs || (schema->maxInputs >= 0 && given > schema->maxInputs)) {
        std::string expected = std::to_string(schema->minInputs);
        if (schema->maxInputs != schema->minInputs)
            expected = schema->maxInputs < 0 ? "at least " + expected
                                             : expected + " to " + std::to_string(schema->maxInputs);
        return invalid("has " + std::to_string(given) + " inputs, expected " + expected, nodeLabel(graph, id));
    }
    for (int i = 0; i < schema->minInputs; ++i) {
        if (!node.hasInput(static_cast<std::size_t>(i)))
            return invalid("input " + std::to_string(i) + " is required but left out", nodeLabel(graph, id));
    }
    return {};
}

Result<void> checkFinite(const Graph& graph, NodeId reader, ValueId id)
{
    const Value& value = graph.value(id);
    const std::int64_t at = tensor::firstNonFinite(value.constant->view());
    if (at < 0)
        return {};
    const double number = tensor::toDoubles(value.constant->view())[static_cast<std::size_t>(at)];
    const char* kind = number != number ? "NaN" : "infinite";
    return invalid("element " + std::to_string(at) + " is " + kind,
        "tensor '" + value.name + "', read by " + nodeLabel(graph, reader), "train or export the model again");
}

Result<void> checkNode(const Graph& graph, NodeId id, const VerifyOptions& options, std::vector<bool>& finite)
{
    QS_CHECK(checkArity(graph, id));
    const Node& node = graph.node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        if (!input.valid())
            continue;
        const std::string slot = "input " + std::to_string(i);
        if (!graph.contains(input))
            return invalid(slot + " refers to a tensor that does not exist", nodeLabel(graph, id));
        const Value& value = graph.value(input);
        if (!value.constant && !graph.contains(value.producer) && !graph.isInput(input))
            return invalid(
                slot + ", tensor '" + value.name + "', is neither an input, nor an initializer, nor computed by a node",
                nodeLabel(graph, id), "the file is incomplete: export the model again");
        if (value.constant && options.requireFinite && !finite[input.index()]) {
            QS_CHECK(checkFinite(graph, id, input));
            finite[input.index()] = true;
        }
    }
    for (const ValueId output : node.outputs) {
        if (!output.valid())
            continue;
        if (!graph.contains(output))
            return invalid("an output refers to a tensor that does not exist", nodeLabel(graph, id));
        const Value& value = graph.value(output);
        if (value.producer != id || value.constant || graph.isInput(output))
            return invalid("tensor '" + value.name + "' is computed here, but it comes from somewhere else too",
                nodeLabel(graph, id));
    }
    return {};
}

Result<void> checkConstants(const Graph& graph)
{
    for (const ValueId id : graph.values()) {
        const Value& value = graph.value(id);
        if (!value.constant)
            continue;
        const auto declared = value.type.shape();
        const bool otherType = value.type.dtype && *value.type.dtype != value.constant->dtype();
        const bool otherShape = value.type.dims && declared != value.constant->shape();
        if (otherType || otherShape)
            return invalid("is declared as " + value.type.toString() + ", but holds "
                    + ValueType { value.constant->dtype(), toDims(value.constant->shape()) }.toString(),
                "tensor '" + value.name + "'");
    }
    return {};
}

Result<void> checkOutputs(const Graph& graph)
{
    if (graph.outputs().empty())
        return invalid("the graph has no outputs", {});
    for (const ValueId id : graph.outputs()) {
        if (!graph.contains(id))
            return invalid("an output of the graph refers to a tensor that does not exist", {});
        const Value& value = graph.value(id);
        if (!value.constant && !graph.contains(value.producer) && !graph.isInput(id))
            return invalid("the graph's output is not computed by any node", "tensor '" + value.name + "'");
    }
    return {};
}

} // namespace

Result<void> verify(const Graph& graph, const VerifyOptions& options)
{
    QS_CHECK(checkNames(graph));
    QS_CHECK(checkConstants(graph));
    std::size_t values = 0;
    for (const ValueId id : graph.values())
        values = std::max(values, id.index() + 1);
    std::vector<bool> finite(values);
    for (const NodeId id : graph.nodes())
        QS_CHECK(checkNode(graph, id, options, finite));
    QS_CHECK(checkOutputs(graph));
    QS_CHECK(graph.topologicalOrder());
    return {};
}

} // namespace quantoscope::graph
