// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/sensitivity_trial.h"

#include <utility>

#include "core/calibration/feed.h"

namespace quantoscope::sweep {

TrialRunner::TrialRunner(const flow::Quantizer& quantizer, const dataset::SampleSet* samples,
    evaluation::EvaluationOptions options, TrialWish wish)
    : m_quantizer(quantizer)
    , m_samples(samples)
    , m_options(std::move(options))
    , m_wish { wish.measure && samples, wish.estimate }
{
    m_options.partOfStage = true;
}

Result<void> TrialRunner::begin(evaluation::EvaluationResultPtr floatResult, const base::Job& job)
{
    if (!m_quantizer.calibration())
        return fail(ErrorCode::InvalidInput, "sensitivity is estimated on calibration images, and there are none", {},
            "give calibration images");
    if (!m_wish.measure)
        return {};
    if (m_options.batch == 0) {
        QS_TRY(m_options.batch, calibration::chooseBatch(*m_quantizer.graph(), *m_samples));
    }
    m_float = std::move(floatResult);
    if (!m_float) {
        QS_TRY(m_float, evaluation::evaluate(*m_quantizer.graph(), {}, *m_samples, m_options, job));
    }
    return {};
}

Result<Trial> TrialRunner::run(const flow::QuantizedNetwork& network, const base::Job& job) const
{
    Trial trial;
    if (m_wish.measure) {
        QS_TRY(trial.measured, evaluation::evaluate(*network.graph, *network.plan, *m_samples, m_options, job));
    }
    if (m_wish.estimate) {
        QS_TRY(trial.fidelity, m_quantizer.fidelityOnAll(network, { nullptr, job.stop }));
        job.advance(m_quantizer.calibration()->size());
    }
    return trial;
}

std::int64_t TrialRunner::imagesPerTrial() const
{
    const auto calibration = m_quantizer.calibration();
    return (m_wish.measure ? m_samples->size() : 0) + (m_wish.estimate && calibration ? calibration->size() : 0);
}

} // namespace quantoscope::sweep
