// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/high_bias.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "core/graph/passes/activation_fusion.h"
#include "core/planning/transforms/channel_classes.h"
#include "core/planning/transforms/channel_scaling.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

bool pads(const Node& node)
{
    const auto extents = node.intsAttribute("pads");
    return node.stringAttribute("auto_pad", "NOTSET") != "NOTSET"
        || std::ranges::any_of(extents, [](std::int64_t pad) { return pad != 0; });
}

class Absorber {
public:
    Absorber(const Graph& graph, const calibration::CalibrationStats& stats)
        : m_graph(graph)
        , m_stats(stats)
        , m_fusion(graph)
        , m_consumers(graph.allConsumers())
    {
        const ChannelClasses classes(graph);
        for (const auto& layer : classes.layers())
            m_layers.emplace(layer.layer.node, layer);
    }

    Result<AbsorbedBiases> run()
    {
        std::size_t channels = 0;
        std::size_t tensors = 0;
        for (const auto& [node, layer] : m_layers) {
            const auto activation = m_fusion.finalOutput(m_graph, node);
            if (!canShift(layer, activation))
                continue;
            QS_TRY(const auto offsets, offsetsOf(layer, activation));
            const auto shifted = std::ranges::count_if(offsets, [](double c) { return c > 0; });
            if (shifted == 0)
                continue;
            move(layer, activation, offsets);
            channels += static_cast<std::size_t>(shifted);
            ++tensors;
        }
        m_absorbed.notes.push_back("high biases of " + std::to_string(channels) + " channels of "
            + std::to_string(tensors) + " tensors absorbed");
        return std::move(m_absorbed);
    }

private:
    /// What a Gemm multiplies its bias with; 1 for other layers.
    float betaOf(graph::NodeId layer) const { return m_graph.node(layer).floatAttribute("beta", 1); }

    /// A Relu, capped or not, between this layer and layers that can take up what is taken off.
    bool canShift(const ScalableLayer& layer, ValueId activation) const
    {
        const auto fused = m_fusion.after(layer.layer.node);
        const auto* caps = capsOf(activation);
        if (!fused || m_graph.node(fused->node).opType != "Relu" || !layer.layer.bias.valid()
            || (caps && !boundsEachChannel(*caps, layer, activation)) || m_graph.isOutput(activation)
            || m_consumers[activation.index()].empty())
            return false;
        return std::ranges::all_of(m_consumers[activation.index()], [&](graph::NodeId reader) {
            const auto found = m_layers.find(reader);
            return found != m_layers.end() && found->second.layer.bias.valid()
                && found->second.layer.op != "ConvTranspose" && !pads(m_graph.node(reader))
                && m_graph.node(reader).floatAttribute("alpha", 1) == betaOf(reader);
        });
    }

    bool boundsEachChannel(const Tensor& caps, const ScalableLayer& layer, ValueId activation) const
    {
        return caps.size() == layer.outputs && caps.shape().rank() == std::ssize(*m_graph.value(activation).type.dims)
            && caps.shape()[1] == layer.outputs && m_consumers[capOperand(activation).index()].size() == 1;
    }

    /// What each channel never falls below; 0 for those that the bound alone holds up.
    Result<std::vector<double>> offsetsOf(const ScalableLayer& layer, ValueId activation)
    {
        const auto& name = m_graph.value(activation).name;
        const auto* seen = m_stats.find(name);
        if (!seen || std::ssize(seen->channels()) != layer.outputs)
            return fail(ErrorCode::InvalidInput, "calibration has no statistics of its channels",
                "tensor '" + name + "'", "calibrate this model, prepared and equalized the same way");
        std::vector<double> offsets;
        for (const auto& channel : seen->channels())
            offsets.push_back(std::max(0.0, static_cast<double>(channel.min)));
        if (const auto* caps = capsOf(activation))
            for (std::size_t c = 0; c < offsets.size(); ++c)
                if (offsets[c] >= static_cast<double>(caps->as<float>()[c]))
                    offsets[c] = 0;
        return offsets;
    }

    ValueId capOperand(ValueId activation) const
    {
        const auto producer = m_graph.value(activation).producer;
        if (!m_fusion.isCap(producer))
            return {};
        const Node& min = m_graph.node(producer);
        return m_graph.isConstant(min.inputs[0]) ? min.inputs[0] : min.inputs[1];
    }
    const Tensor* capsOf(ValueId activation) const
    {
        const auto operand = capOperand(activation);
        return operand.valid() ? m_graph.value(operand).constant.get() : nullptr;
    }

    void move(const ScalableLayer& layer, ValueId activation, const std::vector<double>& offsets)
    {
        const auto factor = static_cast<double>(betaOf(layer.layer.node));
        add(layer.layer.bias, [&](std::size_t c) { return -offsets[c] / factor; });
        if (const auto caps = capOperand(activation); caps.valid())
            add(caps, [&](std::size_t c) { return -offsets[c]; });
        for (const auto reader : m_consumers[activation.index()]) {
            const auto& behind = m_layers.at(reader);
            const WeightIndex index(m_graph, behind);
            const auto weights = m_graph.value(behind.layer.weight).constant->as<float>();
            std::vector<double> sums(static_cast<std::size_t>(behind.outputs), 0.0);
            for (std::size_t i = 0; i < weights.size(); ++i)
                sums[static_cast<std::size_t>(index.output(i))]
                    += static_cast<double>(weights[i]) * offsets[static_cast<std::size_t>(index.input(i))];
            add(behind.layer.bias, [&](std::size_t c) { return sums[c]; });
        }
    }

    template <typename Change> void add(ValueId id, const Change& change)
    {
        const auto& value = m_graph.value(id);
        const auto known = m_absorbed.constants.find(value.name);
        Tensor tensor = known == m_absorbed.constants.end() ? *value.constant : *known->second;
        const auto elements = tensor.as<float>();
        for (std::size_t i = 0; i < elements.size(); ++i)
            elements[i] = static_cast<float>(static_cast<double>(elements[i]) + change(i));
        m_absorbed.constants.insert_or_assign(value.name, std::make_shared<const Tensor>(std::move(tensor)));
    }

    const Graph& m_graph;
    const calibration::CalibrationStats& m_stats;
    graph::ActivationFusion m_fusion;
    std::vector<std::vector<graph::NodeId>> m_consumers;
    std::map<graph::NodeId, ScalableLayer> m_layers;
    AbsorbedBiases m_absorbed;
};

} // namespace

Result<AbsorbedBiases> absorbHighBiases(const Graph& graph, const calibration::CalibrationStats& stats)
{
    return Absorber(graph, stats).run();
}

} // namespace quantoscope::planning
