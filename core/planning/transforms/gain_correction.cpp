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
        m_job.begin("Restoring gains", std::ssize(layers), "layers");
        for (const auto& layer : layers) {
            if (m_job.stopRequested())
                return base::cancelled();
            correct(layer);
            m_job.advance();
        }
        m_job.finish();
        summarize();
        return std::move(m_corrected);
    }

private:
    void correct(const Layer& layer)
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
        const auto& exact = m_graph.value(layer.weight).constant;
        const auto known = m_corrected.plan.constants().find(name);
        const auto& values = known == m_corrected.plan.constants().end() ? exact : known->second;
        const auto& encoding = quantizer->encoding;
        const Shape& shape = values->shape();
        std::vector<std::int32_t> levels(static_cast<std::size_t>(shape.size()));
        quant::quantize(encoding, shape, values->as<float>(), levels, m_corrected.plan.seedFor(name));
        Tensor rounded(DType::Float32, shape);
        quant::dequantize(encoding, shape, levels, rounded.as<float>());

        const std::size_t inner = encoding.perChannel()
            ? static_cast<std::size_t>(shape.strides()[static_cast<std::size_t>(encoding.axis)])
            : 1;
        const auto factors = gains(exact->as<float>(), rounded.as<float>(), encoding.scale.size(), inner);
        apply(name, factors, levels, std::move(rounded));
        m_all.insert(m_all.end(), factors.begin(), factors.end());
    }

    /// Multiplies the scales of a weight, and of the biases that are stored at a multiple of them.
    void apply(const std::string& name, const std::vector<double>& factors, const std::vector<std::int32_t>& levels,
        Tensor values)
    {
        auto weight = *m_corrected.plan.find(name);
        scale(weight.encoding, factors);
        // The integers are chosen; reading them back must not round anything but the last bit of a float.
        weight.encoding.rounding = quant::Rounding::HalfEven;
        quant::dequantize(weight.encoding, values.shape(), levels, values.as<float>());
        m_corrected.plan.set(name, std::move(weight));
        m_corrected.plan.setConstant(name, std::make_shared<const Tensor>(std::move(values)));
        for (const auto& layer : graph::computeLayers(m_graph)) {
            if (!layer.weight.valid() || m_graph.value(layer.weight).name != name)
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
    std::vector<double> m_all;
};

} // namespace

Result<CorrectedPlan> correctGain(const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)
{
    return GainCorrector(data, plan, job).run();
}

} // namespace quantoscope::planning
