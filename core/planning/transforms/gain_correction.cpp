// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/gain_correction.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/planning/transforms/chosen_layers.h"
#include "core/planning/transforms/output_gain.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Layer;

/// <w, w> / <w, w~> of each of `channels` channels along an axis whose elements lie `inner` apart; 1 where the product
/// is not positive.
std::vector<double> gains(
    std::span<const float> exact, std::span<const float> rounded, std::size_t channels, std::size_t inner)
{
    std::vector<double> power(channels, 0.0);
    std::vector<double> product(channels, 0.0);
    for (std::size_t i = 0; i < exact.size(); ++i) {
        const std::size_t c = i / inner % channels;
        const auto w = static_cast<double>(exact[i]);
        power[c] += w * w;
        product[c] += w * static_cast<double>(rounded[i]);
    }
    for (std::size_t c = 0; c < channels; ++c)
        power[c] = product[c] > 0 ? power[c] / product[c] : 1;
    return power;
}

class GainCorrector {
public:
    GainCorrector(const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)
        : m_data(data)
        , m_graph(data.graph)
        , m_job(job)
        , m_corrected { plan, {} }
    {
    }

    Result<CorrectedPlan> run()
    {
        QS_TRY(const auto layers, chosenLayers(m_data));
        for (const auto& layer : layers)
            round(layer);
        m_job.begin("Restoring gains", std::ssize(m_rounded), "layers");
        std::vector<GainTarget> measured;
        for (const auto& weight : m_rounded)
            if (weight.measured)
                measured.push_back(weight.target);
        std::vector<std::vector<double>> found;
        if (!measured.empty()) {
            QS_TRY(found, outputGains(m_data, measured, m_job));
        }
        auto next = found.begin();
        for (const auto& weight : m_rounded) {
            if (m_job.stopRequested())
                return base::cancelled();
            apply(weight, weight.measured ? *next++ : gainsOfWeight(weight));
        }
        m_job.finish();
        summarize();
        return std::move(m_corrected);
    }

private:
    /// A weight as the plan has it.
    struct Rounded {
        std::string name;
        std::vector<std::int32_t> levels;
        GainTarget target;
        bool measured; ///< on images; otherwise judged by itself
    };

    void round(const Layer& layer)
    {
        if (!layer.weight.valid())
            return;
        const auto& name = m_graph.value(layer.weight).name;
        const auto* quantizer = m_corrected.plan.find(name);
        if (!quantizer || !m_done.insert(name).second)
            return;
        if (quantizer->config.scale == quant::ScaleRestriction::PowerOfTwo) {
            m_corrected.notes.push_back("layer '" + layer.name + "': gain not restored: its scales are powers of two");
            return;
        }
        const auto known = m_corrected.plan.constants().find(name);
        const auto& values
            = known != m_corrected.plan.constants().end() ? known->second : m_graph.value(layer.weight).constant;
        const auto& encoding = quantizer->encoding;
        std::vector<std::int32_t> levels(static_cast<std::size_t>(values->size()));
        quant::quantize(encoding, values->shape(), values->as<float>(), levels, m_corrected.plan.seedFor(name));
        Tensor rounded(DType::Float32, values->shape());
        quant::dequantize(encoding, values->shape(), levels, rounded.as<float>());
        m_rounded.push_back({ name, std::move(levels),
            { layer, std::make_shared<const Tensor>(std::move(rounded)), encoding.scale.size() },
            m_data.images != 0 && !layer.weightIsLeft });
    }

    std::vector<double> gainsOfWeight(const Rounded& weight) const
    {
        const auto& encoding = m_corrected.plan.find(weight.name)->encoding;
        const auto& rounded = *weight.target.rounded;
        const std::size_t inner = encoding.perChannel()
            ? static_cast<std::size_t>(rounded.shape().strides()[static_cast<std::size_t>(encoding.axis)])
            : 1;
        return gains(m_graph.value(weight.target.layer.weight).constant->as<float>(), rounded.as<float>(),
            encoding.scale.size(), inner);
    }

    /// Multiplies the scales of a weight, and of the biases that are stored at a multiple of them.
    void apply(const Rounded& rounded, const std::vector<double>& factors)
    {
        m_all.insert(m_all.end(), factors.begin(), factors.end());
        auto weight = *m_corrected.plan.find(rounded.name);
        scale(weight.encoding, factors);
        // The integers are chosen; reading them back must not round anything but the last bit of a float.
        weight.encoding.rounding = quant::Rounding::HalfEven;
        Tensor values(DType::Float32, rounded.target.rounded->shape());
        quant::dequantize(weight.encoding, values.shape(), rounded.levels, values.as<float>());
        m_corrected.plan.set(rounded.name, std::move(weight));
        m_corrected.plan.setConstant(rounded.name, std::make_shared<const Tensor>(std::move(values)));
        for (const auto& layer : graph::computeLayers(m_graph)) {
            if (!layer.weight.valid() || m_graph.value(layer.weight).name != rounded.name)
                continue;
            const auto biasName
                = layer.bias.valid() ? m_graph.value(layer.bias).name : quant::addedBiasName(layer.name);
            if (const auto* known = m_corrected.plan.find(biasName); known && known->role == quant::Role::Bias) {
                auto bias = *known;
                scale(bias.encoding, factors);
                m_corrected.plan.set(biasName, std::move(bias));
            }
        }
    }

    static void scale(quant::Encoding& encoding, const std::vector<double>& factors)
    {
        for (std::size_t c = 0; c < encoding.scale.size(); ++c)
            encoding.scale[c]
                = static_cast<float>(static_cast<double>(encoding.scale[c]) * factors[factors.size() == 1 ? 0 : c]);
    }

    void summarize()
    {
        if (m_all.empty())
            return;
        const auto middle = m_all.begin() + std::ssize(m_all) / 2;
        std::ranges::nth_element(m_all, middle);
        char text[96];
        std::snprintf(text, sizeof text, "gains of %zu %s restored, median factor %.3f", m_all.size(),
            m_all.size() == 1 ? "channel" : "channels", *middle);
        m_corrected.notes.emplace_back(text);
    }

    const CorrectionData& m_data;
    const Graph& m_graph;
    const base::Job& m_job;
    CorrectedPlan m_corrected;
    std::set<std::string> m_done;
    std::vector<Rounded> m_rounded;
    std::vector<double> m_all;
};

} // namespace

Result<CorrectedPlan> correctGain(const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)
{
    return GainCorrector(data, plan, job).run();
}

} // namespace quantoscope::planning
