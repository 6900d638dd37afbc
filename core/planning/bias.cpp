// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/bias.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace quantoscope::planning {

namespace {

using quant::Encoding;

/// A little room to spare, since scales and their product are rounded to float32.
constexpr double spare = 1 + 1e-6;

/// A bias that can be quantized, with the encodings its scale comes from.
struct BiasCase {
    const QuantizerSlot* slot;
    std::vector<double> largest; ///< |b|, for each scale of the weight
    std::vector<double> shift; ///< factor of the bias' step beyond s_x s_w, a power of two, for each scale
    int axis; ///< of the bias; -1 where one scale serves all
    std::string layer;
};

class BiasPlanner {
public:
    BiasPlanner(const graph::Graph& graph, const std::vector<graph::Layer>& layers, const BiasRules& rules,
        quant::QuantizationPlan& plan, std::vector<std::string>& notes)
        : m_graph(graph)
        , m_layers(layers)
        , m_room(rules.room)
        , m_bits(*rules.bits)
        , m_highest((std::int64_t { 1 } << (m_bits - 1)) - 1)
        , m_plan(plan)
        , m_notes(notes)
    {
    }

    std::vector<BiasRemedy> run(const std::vector<QuantizerSlot>& slots)
    {
        std::vector<BiasCase> cases;
        for (const auto& slot : slots)
            if (slot.role == quant::Role::Bias && isWanted(slot) && isPossible(slot))
                cases.push_back(caseFor(slot));
        // A weight that two layers share gets its final scale before any bias takes it over.
        for (auto& bias : cases)
            m_room == quant::BiasRoom::ShiftBias ? shiftBias(bias) : raiseWeightScale(bias);
        for (const auto& bias : cases)
            quantize(bias);
        return std::move(m_remedies);
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
        if (const int axis = channelAxis(slot);
            weight.perChannel() && (axis < 0 || shape[axis] != static_cast<std::int64_t>(weight.scale.size())))
            return staysFloat(slot, "its shape " + shape.toString() + " has no place for a scale a channel");
        return true;
    }

    bool staysFloat(const QuantizerSlot& slot, const std::string& why)
    {
        m_notes.push_back("bias '" + slot.tensor + "' stays float: " + why);
        return false;
    }

    const Tensor& constant(const std::string& name) const { return *m_graph.value(*m_graph.find(name)).constant; }

    /// The bias' axis over output channels: the last one, or the rows where the weight is the left operand; negative if
    /// it has none.
    int channelAxis(const QuantizerSlot& slot) const
    {
        const auto layer = std::ranges::find(m_layers, slot.layers.front(), &graph::Layer::name);
        const bool alongRows = layer != m_layers.end() && layer->weightIsLeft;
        return constant(slot.tensor).shape().rank() - (alongRows ? 2 : 1);
    }

    BiasCase caseFor(const QuantizerSlot& slot) const
    {
        const auto& bias = constant(slot.tensor);
        const auto& weight = m_plan.find(slot.biasWeight)->encoding;
        const int axis = weight.perChannel() ? channelAxis(slot) : -1;
        BiasCase found { &slot, std::vector<double>(weight.scale.size(), 0),
            std::vector<double>(weight.scale.size(), 1), axis, slot.layers.front() };
        const std::size_t inner
            = axis < 0 ? 1 : static_cast<std::size_t>(bias.shape().strides()[static_cast<std::size_t>(axis)]);
        const auto values = tensor::toDoubles(bias.view());
        for (std::size_t i = 0; i < values.size(); ++i) {
            auto& largest = found.largest[i / inner % found.largest.size()];
            largest = std::max(largest, std::abs(values[i]));
        }
        return found;
    }

    double inputScale(const BiasCase& bias) const
    {
        return static_cast<double>(m_plan.find(bias.slot->biasInput)->encoding.scale[0]);
    }

    void raiseWeightScale(const BiasCase& bias)
    {
        auto weight = *m_plan.find(bias.slot->biasWeight);
        auto& scales = weight.encoding.scale;
        auto remedy = remedyFor(bias);
        double noiseBefore = 0;
        double noiseAfter = 0;
        for (std::size_t c = 0; c < scales.size(); ++c) {
            const auto before = static_cast<double>(scales[c]);
            double needed = bias.largest[c] / (inputScale(bias) * static_cast<double>(m_highest)) * spare;
            if (needed > before && weight.config.scale == quant::ScaleRestriction::PowerOfTwo)
                needed = std::exp2(std::ceil(std::log2(needed)));
            if (needed > before) {
                scales[c] = static_cast<float>(needed);
                ++remedy.raised;
                remedy.largestFactor = std::max(remedy.largestFactor, needed / before);
            }
            noiseBefore += before * before;
            noiseAfter += std::max(before, needed) * std::max(before, needed);
        }
        if (remedy.raised == 0)
            return;
        remedy.weightNoiseDb = 10 * std::log10(noiseAfter / noiseBefore);
        m_plan.set(bias.slot->biasWeight, std::move(weight));
        add(std::move(remedy));
    }

    void shiftBias(BiasCase& bias)
    {
        const auto& scales = m_plan.find(bias.slot->biasWeight)->encoding.scale;
        auto remedy = remedyFor(bias);
        for (std::size_t c = 0; c < scales.size(); ++c) {
            const double levels = bias.largest[c] / (inputScale(bias) * static_cast<double>(scales[c])) * spare;
            if (levels <= static_cast<double>(m_highest))
                continue;
            bias.shift[c] = std::exp2(std::ceil(std::log2(levels / static_cast<double>(m_highest))));
            ++remedy.raised;
            remedy.largestFactor = std::max(remedy.largestFactor, bias.shift[c]);
        }
        if (remedy.raised > 0)
            add(std::move(remedy));
    }

    BiasRemedy remedyFor(const BiasCase& bias) const
    {
        BiasRemedy remedy;
        remedy.layer = bias.layer;
        remedy.weight = bias.slot->biasWeight;
        remedy.bits = m_bits;
        remedy.room = m_room;
        remedy.channels = static_cast<std::int64_t>(bias.largest.size());
        return remedy;
    }

    void add(BiasRemedy remedy)
    {
        m_notes.push_back(remedy.describe());
        m_remedies.push_back(std::move(remedy));
    }

    void quantize(const BiasCase& bias)
    {
        const auto* weight = m_plan.find(bias.slot->biasWeight);
        quant::TensorQuantizer quantizer;
        quantizer.role = quant::Role::Bias;
        quantizer.overridden = weight->overridden;
        Encoding& encoding = quantizer.encoding;
        encoding.qmin = static_cast<std::int32_t>(-m_highest - 1);
        encoding.qmax = static_cast<std::int32_t>(m_highest);
        encoding.axis = bias.axis;
        encoding.rounding = weight->encoding.rounding;
        encoding.scale.clear();
        for (std::size_t c = 0; c < bias.shift.size(); ++c)
            encoding.scale.push_back(std::max(
                static_cast<float>(inputScale(bias) * static_cast<double>(weight->encoding.scale[c]) * bias.shift[c]),
                std::numeric_limits<float>::min()));
        encoding.zeroPoint.assign(encoding.scale.size(), 0);
        m_plan.set(bias.slot->tensor, std::move(quantizer));
    }

    const graph::Graph& m_graph;
    const std::vector<graph::Layer>& m_layers;
    quant::BiasRoom m_room;
    int m_bits;
    std::int64_t m_highest; ///< largest level of a bias
    quant::QuantizationPlan& m_plan;
    std::vector<std::string>& m_notes;
    std::vector<BiasRemedy> m_remedies;
};

std::string rounded(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

} // namespace

std::string BiasRemedy::describe() const
{
    const std::string where = "layer '" + layer + "': ";
    const std::string count = channels == 1
        ? "for the whole tensor"
        : "on " + std::to_string(raised) + " of " + std::to_string(channels) + " channels";
    const std::string reason = ", the bias would not fit int" + std::to_string(bits) + " otherwise";
    if (room == quant::BiasRoom::ShiftBias)
        return where + "bias stored coarser " + count + ", by up to " + rounded(largestFactor) + " times" + reason;
    return where + "weight scale raised " + count + ", by up to " + rounded(largestFactor) + " times" + reason
        + "; rounding noise of the weight forecast to grow by " + rounded(weightNoiseDb) + " dB";
}

std::vector<BiasRemedy> planBiases(const graph::Graph& graph, const std::vector<graph::Layer>& layers,
    const std::vector<QuantizerSlot>& slots, const BiasRules& rules, quant::QuantizationPlan& plan,
    std::vector<std::string>& notes)
{
    if (!rules.bits)
        return {};
    return BiasPlanner(graph, layers, rules, plan, notes).run(slots);
}

} // namespace quantoscope::planning
