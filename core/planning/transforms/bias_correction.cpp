// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/bias_correction.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "core/planning/transforms/channel_means.h"
#include "core/planning/transforms/chosen_layers.h"
#include "core/planning/transforms/layer_bias.h"
#include "core/planning/transforms/replay.h"

namespace quantoscope::planning {

namespace {

using graph::Layer;

std::string rounded(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

class BiasCorrector {
public:
    BiasCorrector(
        const CorrectionData& data, const quant::QuantizationPlan& plan, std::size_t memory, const base::Job& job)
        : m_data(data)
        , m_graph(data.graph)
        , m_memory(memory)
        , m_job(job)
        , m_corrected { plan, {} }
    {
    }

    Result<CorrectedPlan> run()
    {
        QS_CHECK(findTargets());
        if (m_targets.empty() || m_corrected.plan.empty())
            return std::move(m_corrected);
        QS_TRY(m_stage, Stage::create(m_graph, m_data.samples, m_data.images));
        Replay replay(m_stage, m_data.threads, m_memory);
        m_job.begin("Correcting biases", std::ssize(m_targets) + 1, "layers");
        std::vector<ChannelValue> outputs;
        for (const auto& layer : m_targets)
            outputs.push_back(outputOf(m_graph, layer));
        QS_TRY(const auto wanted, channelMeans(m_data, {}, outputs, m_stage->batch(), { .stop = m_job.stop }));
        m_job.advance();
        for (std::size_t i = 0; i < m_targets.size(); ++i) {
            QS_CHECK(replay.advance(m_corrected.plan, m_targets[i].node, m_job));
            QS_TRY(const auto found, meansOf(m_targets[i], replay));
            shift(m_targets[i], wanted[i], found);
            m_job.advance();
        }
        m_job.finish();
        summarize();
        return std::move(m_corrected);
    }

private:
    Result<void> findTargets()
    {
        QS_TRY(auto layers, chosenLayers(m_data));
        for (auto& layer : layers) {
            if (const auto why = biasObstacle(m_graph, layer); !why.empty())
                m_corrected.notes.push_back("layer '" + layer.name + "': bias not corrected: " + why);
            else
                m_targets.push_back(std::move(layer));
        }
        return {};
    }

    /// In the quantized network, before the output's own quantizer.
    Result<std::vector<double>> meansOf(const Layer& layer, Replay& replay) const
    {
        const auto output = outputOf(m_graph, layer);
        auto plan = m_corrected.plan;
        plan.erase(output.name);
        std::vector<ChannelSums> batches(static_cast<std::size_t>(m_stage->batches()));
        QS_CHECK(replay.run(
            plan, { layer.output },
            [&](std::int64_t batch, std::span<const TensorView> values) {
                const auto left = m_stage->images() - batch * m_stage->batch();
                batches[static_cast<std::size_t>(batch)]
                    = sumChannels(values[0], output.axis, std::min(left, m_stage->batch()), m_stage->batch());
            },
            m_job));
        ChannelSums total;
        for (const auto& batch : batches)
            total += batch;
        return total.means(output.name);
    }

    /// As the quantized network has it: what its rounding does to the mean is made up for too.
    Tensor currentBias(const Layer& layer) const
    {
        Tensor bias = biasOf(m_graph, m_corrected.plan, layer);
        const auto name = layer.bias.valid() ? m_graph.value(layer.bias).name : quant::addedBiasName(layer.name);
        const auto* quantizer = m_corrected.plan.find(name);
        return quantizer ? quant::fakeQuantize(quantizer->encoding, bias.view(), m_corrected.plan.seedFor(name)) : bias;
    }

    void shift(const Layer& layer, const std::vector<double>& wanted, const std::vector<double>& found)
    {
        Tensor bias = currentBias(layer);
        const auto values = bias.as<float>();
        const double factor = biasFactor(m_graph, layer);
        for (std::size_t c = 0; c < values.size(); ++c) {
            const double by = wanted[c] - found[c];
            if (std::abs(by) > m_largestShift) {
                m_largestShift = std::abs(by);
                m_mostShifted = layer.name;
            }
            values[c] = static_cast<float>(static_cast<double>(values[c]) + by / factor);
        }
        setBias(m_graph, m_corrected.plan, layer, std::move(bias), m_corrected.notes);
    }

    void summarize()
    {
        m_corrected.notes.push_back("biases of " + std::to_string(m_targets.size())
            + (m_targets.size() == 1 ? " layer" : " layers") + " corrected, by at most " + rounded(m_largestShift)
            + (m_mostShifted.empty() ? "" : " (layer '" + m_mostShifted + "')"));
    }

    const CorrectionData& m_data;
    const graph::Graph& m_graph;
    std::size_t m_memory;
    const base::Job& m_job;
    CorrectedPlan m_corrected;
    std::shared_ptr<const Stage> m_stage;
    std::vector<Layer> m_targets; ///< in topological order
    double m_largestShift = 0;
    std::string m_mostShifted;
};

} // namespace

Result<CorrectedPlan> correctBias(const CorrectionData& data, const quant::QuantizationPlan& plan, const base::Job& job)
{
    constexpr std::size_t keptActivations = std::size_t { 256 } << 20; // bytes
    return BiasCorrector(data, plan, keptActivations, job).run();
}

} // namespace quantoscope::planning
