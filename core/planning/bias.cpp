// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/bias.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantoscope::planning {

namespace {

using quant::Encoding;

constexpr std::int32_t lowestLevel = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t highestLevel = std::numeric_limits<std::int32_t>::max();

/// A bias that can be quantized, with the encodings its scale comes from.
struct BiasCase {
    const QuantizerSlot* slot;
    std::vector<double> values;
    int axis; ///< of the bias; -1 where one scale serves all
    std::string layer;
};

class BiasPlanner {
public:
    BiasPlanner(const graph::Graph& graph, const std::vector<graph::Layer>& layers, quant::QuantizationPlan& plan,
        std::vector<std::string>& notes)
        : m_graph(graph)
        , m_layers(layers)
        , m_plan(plan)
        , m_notes(notes)
    {
    }

    void run(const std::vector<QuantizerSlot>& slots)
    {
        std::vector<BiasCase> cases;
        for (const auto& slot : slots)
            if (slot.role == quant::Role::Bias && isWanted(slot) && isPossible(slot))
                cases.push_back(caseFor(slot));
        // A weight that two layers share gets its final scale before any bias takes it over.
        for (const auto& bias : cases)
            makeRoom(bias);
        for (const auto& bias : cases)
            quantize(bias);
    }

private:
    bool isWanted(const QuantizerSlot& slot) const
    {
        return m_plan.find(slot.biasInput) && m_plan.find(slot.biasWeight);
    }

    bool isPossible(const QuantizerSlot& slot)
    {
        if (m_plan.find(slot.biasInput)->encoding.perChannel())
            return staysFloat(slot, "its activations are quantized per channel, which leaves no common scale");
        for (const auto& layer : m_layers) {
            if (!layer.bias.valid() || m_graph.value(layer.bias).name != slot.tensor)
                continue;
            const auto& node = m_graph.node(layer.node);
            if (layer.op == "Gemm" && (node.floatAttribute("alpha", 1) != 1 || node.floatAttribute("beta", 1) != 1))
                return staysFloat(slot, "its Gemm scales product and bias differently");
            const auto* input = m_plan.find(m_graph.value(layer.input).name);
            const bool sameInput = input && input->encoding == m_plan.find(slot.biasInput)->encoding;
            if (!sameInput || m_graph.value(layer.weight).name != slot.biasWeight)
                return staysFloat(slot, "layers with different scales share it");
        }
        const auto& weight = m_plan.find(slot.biasWeight)->encoding;
        const auto& shape = constant(slot.tensor).shape();
        const auto channels = static_cast<std::int64_t>(weight.scale.size());
        if (weight.perChannel() && (shape.rank() == 0 || shape[shape.rank() - 1] != channels))
            return staysFloat(slot, "its shape " + shape.toString() + " has no place for a scale a channel");
        return true;
    }

    bool staysFloat(const QuantizerSlot& slot, const std::string& why)
    {
        m_notes.push_back("bias '" + slot.tensor + "' stays float: " + why);
        return false;
    }

    const Tensor& constant(const std::string& name) const { return *m_graph.value(*m_graph.find(name)).constant; }

    BiasCase caseFor(const QuantizerSlot& slot) const
    {
        const auto& bias = constant(slot.tensor);
        const bool perChannel = m_plan.find(slot.biasWeight)->encoding.perChannel();
        return { &slot, tensor::toDoubles(bias.view()), perChannel ? bias.shape().rank() - 1 : -1,
            slot.layers.front() };
    }

    /// Raises the weight's scale of every channel whose bias would need more than 32 bits.
    void makeRoom(const BiasCase& bias)
    {
        auto weight = *m_plan.find(bias.slot->biasWeight);
        const auto inputScale = static_cast<double>(m_plan.find(bias.slot->biasInput)->encoding.scale[0]);
        auto& scales = weight.encoding.scale;
        std::size_t raised = 0;
        for (std::size_t i = 0; i < bias.values.size(); ++i) {
            auto& scale = scales[i % scales.size()];
            // A little room to spare, since scales and their product are rounded to float32.
            const double needed = std::abs(bias.values[i]) / (inputScale * highestLevel) * (1 + 1e-6);
            if (needed <= static_cast<double>(scale))
                continue;
            scale = static_cast<float>(needed);
            ++raised;
        }
        if (raised == 0)
            return;
        m_notes.push_back("layer '" + bias.layer + "': weight scale raised on " + std::to_string(raised)
            + (raised == 1 ? " channel" : " channels") + ", the bias would not fit int32 otherwise");
        m_plan.set(bias.slot->biasWeight, std::move(weight));
    }

    void quantize(const BiasCase& bias)
    {
        const auto inputScale = static_cast<double>(m_plan.find(bias.slot->biasInput)->encoding.scale[0]);
        const auto* weight = m_plan.find(bias.slot->biasWeight);
        quant::TensorQuantizer quantizer;
        quantizer.role = quant::Role::Bias;
        quantizer.overridden = weight->overridden;
        Encoding& encoding = quantizer.encoding;
        encoding.qmin = lowestLevel;
        encoding.qmax = highestLevel;
        encoding.axis = bias.axis;
        encoding.rounding = weight->encoding.rounding;
        encoding.scale.clear();
        for (const float scale : weight->encoding.scale)
            encoding.scale.push_back(std::max(
                static_cast<float>(inputScale * static_cast<double>(scale)), std::numeric_limits<float>::min()));
        encoding.zeroPoint.assign(encoding.scale.size(), 0);
        m_plan.set(bias.slot->tensor, std::move(quantizer));
    }

    const graph::Graph& m_graph;
    const std::vector<graph::Layer>& m_layers;
    quant::QuantizationPlan& m_plan;
    std::vector<std::string>& m_notes;
};

} // namespace

void planBiases(const graph::Graph& graph, const std::vector<graph::Layer>& layers,
    const std::vector<QuantizerSlot>& slots, quant::QuantizationPlan& plan, std::vector<std::string>& notes)
{
    BiasPlanner(graph, layers, plan, notes).run(slots);
}

} // namespace quantoscope::planning
