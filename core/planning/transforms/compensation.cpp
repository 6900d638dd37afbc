// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/compensation.h"

#include <memory>
#include <string>
#include <utility>

#include "core/planning/transforms/chosen_layers.h"
#include "core/planning/transforms/layer_samples.h"
#include "core/planning/transforms/replay.h"
#include "core/planning/transforms/weight_rounding.h"

namespace quantoscope::planning {

namespace {

class Compensation {
public:
    Compensation(const CorrectionData& data, const CompensationOptions& options, std::shared_ptr<const Stage> stage,
        const quant::QuantizationPlan& plan, const base::Job& job)
        : m_data(data)
        , m_options(options)
        , m_job(job)
        , m_stage(std::move(stage))
        , m_replay(m_stage, data.threads, options.activationMemory)
    {
        m_result.plan = plan;
    }

    Result<CorrectedPlan> run(const std::vector<graph::Layer>& layers)
    {
        m_job.begin("Compensating weights", std::ssize(layers), "layers");
        for (const auto& chosen : layers) {
            QS_CHECK(correct(chosen));
            m_job.advance();
        }
        m_job.finish();
        return std::move(m_result);
    }

private:
    Result<void> correct(const graph::Layer& chosen)
    {
        // Ids of the stage's graph differ from those of the graph the layer was found in only where nodes were folded.
        const auto layer = graph::computeLayer(m_stage->graph(), chosen.node);
        if (!layer || !layer->weight.valid())
            return {};
        const auto& weight = m_stage->graph().value(layer->weight);
        const auto* quantizer = m_result.plan.find(weight.name);
        if (!quantizer)
            return {};
        const auto matrix = LayerMatrix::create(m_stage->graph(), *layer);
        if (!matrix || matrix->positions() % m_stage->batch() != 0)
            return note(*layer, matrix ? "its positions do not divide among the images" : matrix.error().what);
        if (matrix->columns() > m_options.columns)
            return note(*layer, "each output reads " + std::to_string(matrix->columns()) + " inputs");
        QS_CHECK(m_replay.advance(m_result.plan, layer->node, m_job));
        QS_TRY(const auto moments, inputMoments(*layer, *matrix));
        QS_TRY(const auto factors, factorizeGroups(moments, m_options.damping, m_data.threads, m_job));
        QS_TRY(auto rounded,
            roundWeights(
                *matrix, quantizer->encoding, factors, *weight.constant, { .threads = m_data.threads }, m_job));
        m_result.plan.setConstant(weight.name, std::make_shared<const Tensor>(std::move(rounded.values)));
        return {};
    }

    Result<void> note(const graph::Layer& layer, const std::string& why)
    {
        m_result.notes.push_back("layer '" + layer.name + "' is rounded to nearest: " + why);
        return {};
    }

    Result<SecondMoments> inputMoments(const graph::Layer& layer, const LayerMatrix& matrix)
    {
        const PositionSampler sampler(
            matrix, m_stage->images(), m_stage->batch(), m_options.positions, m_options.sampleMemory, m_data.seed);
        SampleMatrix samples = sampler.makeMatrix();
        const std::string input = m_stage->graph().value(layer.input).name;
        const auto* quantizer = m_result.plan.scope == quant::Scope::Compute ? m_result.plan.find(input) : nullptr;
        QS_CHECK(m_replay.run(
            m_result.plan, { layer.input },
            [&](std::int64_t batch, std::span<const TensorView> values) {
                if (!quantizer)
                    return sampler.collect(batch, values[0], samples);
                const Tensor seen = quant::fakeQuantize(quantizer->encoding, values[0], m_result.plan.seedFor(input));
                sampler.collect(batch, seen.view(), samples);
            },
            m_job));
        return secondMoments(samples, m_data.threads, m_job);
    }

    const CorrectionData& m_data;
    const CompensationOptions& m_options;
    const base::Job& m_job;
    std::shared_ptr<const Stage> m_stage;
    Replay m_replay;
    CorrectedPlan m_result;
};

} // namespace

Result<CorrectedPlan> compensateWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const CompensationOptions& options, const base::Job& job)
{
    QS_TRY(const auto layers, chosenLayers(data));
    QS_TRY(auto stage, Stage::create(data.graph, data.samples, data.images));
    return Compensation(data, options, std::move(stage), plan, job).run(layers);
}

} // namespace quantoscope::planning
