// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/op_schema.h"

#include <algorithm>

#include "core/graph/schemas/families.h"

namespace quantoscope::graph {

InferenceContext::InferenceContext(const Graph& graph, NodeId node, const PartialValues* partial)
    : m_graph(graph)
    , m_id(node)
    , m_partial(partial)
    , m_node(graph.node(node))
    , m_opset(graph.opset())
    , m_outputs(m_node.outputs.size())
{
}

const ValueType& InferenceContext::input(std::size_t i) const
{
    static const ValueType absent;
    return hasInput(i) ? m_graph.value(m_node.inputs[i]).type : absent;
}

std::optional<Shape> InferenceContext::inputShape(std::size_t i) const { return input(i).shape(); }

TensorPtr InferenceContext::inputConstant(std::size_t i) const
{
    return hasInput(i) ? m_graph.value(m_node.inputs[i]).constant : nullptr;
}

std::optional<std::vector<std::int64_t>> InferenceContext::inputInts(std::size_t i) const
{
    const TensorPtr constant = inputConstant(i);
    if (!constant || !tensor::isInteger(constant->dtype()))
        return std::nullopt;
    return tensor::toInt64s(constant->view());
}

std::optional<Elements> InferenceContext::inputElements(std::size_t i) const
{
    static const PartialValues none;
    return hasInput(i) ? (m_partial ? m_partial : &none)->of(m_graph, m_node.inputs[i]) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> InferenceContext::attributeOrInputInts(
    std::string_view key, std::size_t i) const
{
    if (m_node.hasAttribute(key))
        return m_node.intsAttribute(key);
    return inputInts(i);
}

void InferenceContext::setOutput(std::size_t i, ValueType type)
{
    if (i < m_outputs.size())
        m_outputs[i] = std::move(type);
}

std::string InferenceContext::where() const { return "node '" + m_graph.label(m_id) + "' (" + m_node.opType + ")"; }

tl::unexpected<Error> InferenceContext::error(std::string what, std::string hint) const
{
    return fail(ErrorCode::InvalidInput, std::move(what), where(), std::move(hint));
}

namespace {

std::vector<OpSchema> sortedSchemas()
{
    std::vector<OpSchema> all;
    for (const auto family :
        { schemas::arithmetic(), schemas::activations(), schemas::convolutions(), schemas::linear(),
            schemas::normalizations(), schemas::reshaping(), schemas::joining(), schemas::indexing(),
            schemas::resampling(), schemas::reductions(), schemas::sources(), schemas::quantization() })
        all.insert(all.end(), family.begin(), family.end());
    std::ranges::sort(all, {}, &OpSchema::opType);
    return all;
}

} // namespace

std::span<const OpSchema> opSchemas()
{
    static const std::vector<OpSchema> all = sortedSchemas();
    return all;
}

const OpSchema* findSchema(const Node& node)
{
    if (!node.domain.empty() && node.domain != "ai.onnx")
        return nullptr;
    const auto all = opSchemas();
    const auto it = std::ranges::lower_bound(all, std::string_view(node.opType), {}, &OpSchema::opType);
    return it != all.end() && it->opType == node.opType ? &*it : nullptr;
}

} // namespace quantoscope::graph
