// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/bias_correction.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/calibration/feed.h"
#include "core/planning/transforms/channel_means.h"
#include "core/planning/transforms/chosen_layers.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Layer;

/// A layer whose bias can be moved.
struct Target {
    Layer layer;
    ChannelValue output;
    std::int64_t channels = 0;
    double factor = 1; ///< what the layer multiplies its bias with
    std::size_t depth = 0; ///< compute layers on the longest way to it
};

/// How many compute layers lie on the longest way to each value, by ValueId::index(), the one that produces it
/// included.
std::vector<std::size_t> depths(const Graph& graph)
{
    std::vector<std::size_t> depth(graph.values().empty() ? 0 : graph.values().back().index() + 1, 0);
    const auto order = graph.topologicalOrder();
    for (const auto id : order ? *order : graph.nodes()) {
        const auto& node = graph.node(id);
        std::size_t deepest = 0;
        for (const auto input : node.inputs)
            if (input.valid())
                deepest = std::max(deepest, depth[input.index()]);
        for (const auto output : node.outputs)
            if (output.valid())
                depth[output.index()] = deepest + (graph::computeLayer(graph, id) ? 1 : 0);
    }
    return depth;
}

/// Why the layer's bias cannot be moved; empty if it can.
std::string obstacle(const Graph& graph, const Layer& layer, std::int64_t channels, double factor)
{
    if (!layer.weight.valid())
        return "it multiplies two activations";
    if (layer.weightIsLeft)
        return "its weight is the left operand, whose channels lie along the rows";
    if (graph.value(layer.output).type.dtype != DType::Float32)
        return "it does not compute in float32";
    if (factor == 0)
        return "its Gemm multiplies the bias by zero";
    if (!layer.bias.valid())
        return {};
    if (!graph.isConstant(layer.bias))
        return "its bias is not constant";
    if (graph.consumers(layer.bias).size() > 1 || graph.isOutput(layer.bias))
        return "others read its bias too";
    const auto& shape = graph.value(layer.bias).constant->shape();
    if (shape.size() != channels || shape.rank() == 0 || shape[shape.rank() - 1] != channels)
        return "its bias of shape " + shape.toString() + " does not have an element a channel";
    return {};
}

std::string rounded(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

class BiasCorrector {
public:
    BiasCorrector(const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)
        : m_data(data)
        , m_graph(data.graph)
        , m_job(job)
        , m_corrected { plan, {} }
    {
    }

    Result<CorrectedPlan> run()
    {
        QS_CHECK(findTargets());
        if (m_targets.empty() || m_corrected.plan.empty())
            return std::move(m_corrected);
        QS_TRY(const auto batch, calibration::chooseBatch(m_graph, m_data.samples));
        const auto images = m_data.images < 0 ? m_data.samples.size() : m_data.images;
        const auto groups = depthGroups();
        m_job.begin("Correcting biases", images * static_cast<std::int64_t>(groups.size() + 1), "images");
        QS_TRY(const auto wanted, channelMeans(m_data, {}, valuesOf(m_targets), batch, m_job));
        std::size_t first = 0;
        for (const auto& group : groups) {
            QS_TRY(const auto found, channelMeans(m_data, m_corrected.plan, valuesOf(group), batch, m_job));
            for (std::size_t i = 0; i < group.size(); ++i)
                shift(group[i], wanted[first + i], found[i]);
            first += group.size();
        }
        m_job.finish();
        summarize();
        return std::move(m_corrected);
    }

private:
    Result<void> findTargets()
    {
        QS_TRY(const auto layers, chosenLayers(m_data));
        const auto depth = depths(m_graph);
        for (const auto& layer : layers) {
            Target target;
            target.layer = layer;
            const bool convolves = layer.op == "Conv" || layer.op == "ConvTranspose";
            const auto& dims = m_graph.value(layer.output).type.dims;
            target.output.name = m_graph.value(layer.output).name;
            target.output.axis = convolves || !dims ? 1 : static_cast<int>(dims->size()) - 1;
            if (layer.weight.valid()) {
                const auto& weight = m_graph.value(layer.weight).constant->shape();
                target.channels = weight.rank() > 0 ? weight[layer.weightChannelAxis] : 0;
                target.channels *= layer.op == "ConvTranspose" ? layer.groups : 1;
            }
            if (layer.op == "Gemm")
                target.factor = static_cast<double>(m_graph.node(layer.node).floatAttribute("beta", 1));
            target.depth = depth[layer.output.index()];
            if (const auto why = obstacle(m_graph, layer, target.channels, target.factor); !why.empty())
                m_corrected.notes.push_back("layer '" + layer.name + "': bias not corrected: " + why);
            else
                m_targets.push_back(std::move(target));
        }
        std::ranges::stable_sort(m_targets, {}, &Target::depth);
        return {};
    }

    /// Targets that no way leads between, from the input on.
    std::vector<std::vector<Target>> depthGroups() const
    {
        std::vector<std::vector<Target>> groups;
        for (const auto& target : m_targets) {
            if (groups.empty() || groups.back().front().depth != target.depth)
                groups.emplace_back();
            groups.back().push_back(target);
        }
        return groups;
    }

    static std::vector<ChannelValue> valuesOf(const std::vector<Target>& targets)
    {
        std::vector<ChannelValue> values;
        for (const auto& target : targets)
            values.push_back(target.output);
        return values;
    }

    void shift(const Target& target, const std::vector<double>& wanted, const std::vector<double>& found)
    {
        const bool added = !target.layer.bias.valid();
        Tensor bias = currentBias(target);
        const auto values = bias.as<float>();
        for (std::size_t c = 0; c < values.size(); ++c) {
            const double by = wanted[c] - found[c];
            if (std::abs(by) > m_largestShift) {
                m_largestShift = std::abs(by);
                m_mostShifted = target.layer.name;
            }
            values[c] = static_cast<float>(static_cast<double>(values[c]) + by / target.factor);
        }
        const auto name = biasName(target.layer);
        if (added && !m_corrected.plan.find(name))
            addQuantizer(target.layer, target.channels, name);
        clip(target.layer, name, bias);
        auto values32 = std::make_shared<const Tensor>(std::move(bias));
        if (added)
            m_corrected.plan.setAddedBias(target.layer.name, std::move(values32));
        else
            m_corrected.plan.setConstant(name, std::move(values32));
    }

    std::string biasName(const Layer& layer) const
    {
        return layer.bias.valid() ? m_graph.value(layer.bias).name : quant::addedBiasName(layer.name);
    }

    /// As the plan has it by now; zeros where there is none.
    Tensor currentBias(const Target& target) const
    {
        const auto& plan = m_corrected.plan;
        const bool added = !target.layer.bias.valid();
        const auto& known = added ? plan.addedBiases() : plan.constants();
        if (const auto found = known.find(added ? target.layer.name : biasName(target.layer)); found != known.end())
            return tensor::convert(found->second->view(), DType::Float32);
        if (added)
            return Tensor(DType::Float32, Shape { target.channels });
        return tensor::convert(m_graph.value(target.layer.bias).constant->view(), DType::Float32);
    }

    /// The word-length of the plan's biases; empty where it leaves them float.
    std::optional<quant::Encoding> biasWordLength() const
    {
        bool any = false;
        for (const auto& layer : graph::computeLayers(m_graph)) {
            any = any || layer.bias.valid();
            const auto* quantizer = layer.bias.valid() ? m_corrected.plan.find(biasName(layer)) : nullptr;
            if (quantizer)
                return quantizer->encoding;
        }
        if (any)
            return std::nullopt;
        quant::Encoding encoding;
        encoding.qmin = std::numeric_limits<std::int32_t>::min();
        encoding.qmax = std::numeric_limits<std::int32_t>::max();
        return encoding;
    }

    /// A bias that was not there gets the quantizer it would have had: s_x s_w, z = 0.
    void addQuantizer(const Layer& layer, std::int64_t channels, const std::string& name)
    {
        const auto& plan = m_corrected.plan;
        const auto* input = plan.find(m_graph.value(layer.input).name);
        const auto* weight = plan.find(m_graph.value(layer.weight).name);
        const auto wordLength = biasWordLength();
        if (plan.scope != quant::Scope::Integer || !input || !weight || !wordLength || input->encoding.perChannel())
            return;
        if (weight->encoding.perChannel() && std::ssize(weight->encoding.scale) != channels)
            return;
        quant::TensorQuantizer quantizer;
        quantizer.role = quant::Role::Bias;
        quantizer.overridden = weight->overridden;
        auto& encoding = quantizer.encoding;
        encoding = *wordLength;
        encoding.axis = weight->encoding.perChannel() ? 0 : -1;
        encoding.scale.clear();
        for (const float scale : weight->encoding.scale)
            encoding.scale.push_back(std::max(input->encoding.scale[0] * scale, std::numeric_limits<float>::min()));
        encoding.zeroPoint.assign(encoding.scale.size(), 0);
        m_corrected.plan.set(name, std::move(quantizer));
    }

    void clip(const Layer& layer, const std::string& name, Tensor& bias)
    {
        const auto* quantizer = m_corrected.plan.find(name);
        if (!quantizer)
            return;
        const auto& encoding = quantizer->encoding;
        const auto values = bias.as<float>();
        std::size_t clipped = 0;
        for (std::size_t c = 0; c < values.size(); ++c) {
            const std::size_t channel = encoding.perChannel() ? c : 0;
            const float fitting = std::clamp(values[c], encoding.low(channel), encoding.high(channel));
            clipped += fitting != values[c] ? 1 : 0;
            values[c] = fitting;
        }
        if (clipped > 0)
            m_corrected.notes.push_back("layer '" + layer.name + "': the corrected bias does not fit int"
                + std::to_string(encoding.bits()) + " on " + std::to_string(clipped)
                + (clipped == 1 ? " channel" : " channels") + " and is clipped there");
    }

    void summarize()
    {
        m_corrected.notes.push_back("biases of " + std::to_string(m_targets.size())
            + (m_targets.size() == 1 ? " layer" : " layers") + " corrected, by at most " + rounded(m_largestShift)
            + (m_mostShifted.empty() ? "" : " (layer '" + m_mostShifted + "')"));
    }

    const CorrectionData& m_data;
    const Graph& m_graph;
    const base::Job& m_job;
    CorrectedPlan m_corrected;
    std::vector<Target> m_targets; ///< by depth
    double m_largestShift = 0;
    std::string m_mostShifted;
};

} // namespace

Result<CorrectedPlan> correctBias(const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)
{
    return BiasCorrector(data, plan, job).run();
}

} // namespace quantoscope::planning
