// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/quantizer.h"

#include <mutex>
#include <utility>

namespace quantoscope::flow {

struct Quantizer::State {
    std::shared_ptr<const graph::Graph> graph;
    dataset::SampleSetPtr calibration;
    int threads = 0;

    std::mutex mutex; ///< for stats
    calibration::CalibrationStatsPtr stats;

    Result<calibration::CalibrationStatsPtr> statistics(const base::Job& job)
    {
        const std::scoped_lock lock(mutex);
        if (stats)
            return stats;
        if (!calibration)
            return fail(ErrorCode::InvalidInput, "activations are to be quantized and there are no calibration images",
                {}, "give calibration images");
        calibration::CalibrationOptions options;
        options.threads = threads;
        QS_TRY(stats, calibration::calibrate(*graph, *calibration, options, job));
        return stats;
    }
};

Quantizer::Quantizer(std::shared_ptr<const graph::Graph> graph, dataset::SampleSetPtr calibration, int threads)
    : m_state(std::make_unique<State>())
{
    m_state->graph = std::move(graph);
    m_state->calibration = std::move(calibration);
    m_state->threads = threads;
}

Quantizer::~Quantizer() = default;

void Quantizer::setStats(calibration::CalibrationStatsPtr stats)
{
    const std::scoped_lock lock(m_state->mutex);
    m_state->stats = std::move(stats);
}

Result<QuantizedNetwork> Quantizer::quantize(const planning::PlanRequest& request, const base::Job& job) const
{
    if (request.corrections.any())
        return fail(ErrorCode::Unsupported, "corrections are not offered", request.corrections.describe());
    QS_TRY(const auto stats, m_state->statistics(job));
    QS_TRY(auto built, planning::buildPlan(*m_state->graph, stats.get(), request));
    return QuantizedNetwork { m_state->graph, std::make_shared<const quant::QuantizationPlan>(std::move(built.plan)),
        std::move(built.notes), {} };
}

Result<std::shared_ptr<const graph::Graph>> Quantizer::graphFor(const quant::QuantizationPlan& plan) const
{
    if (plan.equalized)
        return fail(ErrorCode::Unsupported, "the plan is for an equalized graph");
    return m_state->graph;
}

} // namespace quantoscope::flow
