// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/capped_activation.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace quantoscope::planning {

namespace {

/// An attribute up to opset 10, a constant since.
double bound(const graph::Graph& graph, const graph::Node& node, std::string_view key, std::size_t slot, double open)
{
    if (node.hasInput(slot))
        return tensor::toDoubles(graph.value(node.inputs[slot]).constant->view()).front();
    return node.hasAttribute(key) ? static_cast<double>(node.floatAttribute(key, 0)) : open;
}

} // namespace

double upperBound(const graph::Graph& graph, graph::NodeId clip)
{
    return bound(graph, graph.node(clip), "max", 2, std::numeric_limits<double>::infinity());
}

void capChannels(graph::Graph& graph, graph::NodeId clip, const std::vector<float>& caps)
{
    const graph::Node old = graph.node(clip);
    const auto output = old.outputs[0];
    const auto rank = graph.value(output).type.dims->size();
    const bool rectifies = bound(graph, old, "min", 1, -std::numeric_limits<double>::infinity()) == 0;
    const std::string name = graph.value(output).name;
    graph.removeNode(clip);

    auto capped = old.inputs[0];
    if (rectifies) {
        graph::Node relu;
        relu.name = old.name;
        relu.opType = "Relu";
        relu.inputs = { capped };
        capped = graph.addValue(graph.uniqueName(name + " uncapped"), graph.value(output).type);
        relu.outputs = { capped };
        graph.addNode(std::move(relu));
    }
    std::vector<std::int64_t> extents(rank, 1);
    extents[1] = std::ssize(caps);
    graph::Node min;
    min.name = rectifies ? name + " cap" : old.name;
    min.opType = "Min";
    min.inputs = { capped,
        graph.addConstant(graph.uniqueName(name + " caps"),
            std::make_shared<const Tensor>(Tensor::from<float>(Shape(std::move(extents)), caps))) };
    min.outputs = { output };
    graph.addNode(std::move(min));
}

} // namespace quantoscope::planning
