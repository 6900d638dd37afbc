// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/sum_unit.h"

#include <algorithm>
#include <array>

namespace quantoscope::parity {

namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

const Node* producerOf(const Graph& graph, ValueId value)
{
    const auto producer = graph.value(value).producer;
    return producer.valid() ? &graph.node(producer) : nullptr;
}

template <std::size_t Count> bool isOneOf(const Node& node, const std::array<const char*, Count>& ops)
{
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

/// The scales of a DequantizeLinear, if `value` comes from one.
std::vector<double> scalesOf(const Graph& graph, ValueId value)
{
    const auto* node = producerOf(graph, value);
    if (!node || node->opType != "DequantizeLinear" || !graph.isConstant(node->inputs[1]))
        return {};
    return tensor::toDoubles(graph.value(node->inputs[1]).constant->view());
}

} // namespace

std::optional<SumUnit> unitOf(const Graph& file, ValueId value)
{
    const auto* node = producerOf(file, value);
    while (node && isOneOf(*node, std::array { "Relu", "Clip", "Max", "Min" }))
        node = producerOf(file, node->inputs.front());
    if (!node || !isOneOf(*node, std::array { "Conv", "Gemm", "MatMul" }))
        return std::nullopt;
    if (node->hasInput(2) && scalesOf(file, node->inputs[2]).empty())
        return std::nullopt;
    const auto input = scalesOf(file, node->inputs[0]);
    SumUnit unit { scalesOf(file, node->inputs[1]), node->opType == "Conv" ? 1 : -1 };
    if (input.size() != 1 || unit.perChannel.empty())
        return std::nullopt;
    for (auto& scale : unit.perChannel)
        scale *= input.front();
    return unit;
}

} // namespace quantoscope::parity
