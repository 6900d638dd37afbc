// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/sensitivity_trial.h"

#include <utility>

#include "core/calibration/feed.h"
#include "core/evaluation/reuse.h"
#include "core/evaluation/shared_evaluation.h"
#include "core/flow/kept_fidelities.h"

namespace quantoscope::sweep {

TrialRunner::TrialRunner(const flow::Quantizer& quantizer, const dataset::SampleSet* samples,
    evaluation::EvaluationOptions options, TrialWish wish)
    : m_quantizer(quantizer)
    , m_samples(samples)
    , m_options(std::move(options))
    , m_wish { wish.measure && samples, wish.estimate }
{
    m_options.partOfStage = true;
    if (!m_options.reuse)
        m_options.reuse = std::make_shared<evaluation::Reuse>();
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

Result<std::vector<Trial>> TrialRunner::runAll(
    std::span<const flow::QuantizedNetwork> networks, const base::Job& job) const
{
    std::vector<calibration::Network> bare;
    for (const auto& network : networks)
        bare.push_back({ network.graph.get(), network.plan.get() });
    std::vector<Trial> trials(networks.size());
    if (m_wish.measure) {
        QS_TRY(const auto results, evaluation::evaluateAll(bare, *m_samples, m_options, job));
        for (std::size_t i = 0; i < trials.size(); ++i)
            trials[i].measured = results[i];
    }
    if (m_wish.estimate) {
        QS_TRY(auto fidelities, flow::keptFidelities(m_quantizer, bare, m_options.reuse, job));
        for (std::size_t i = 0; i < trials.size(); ++i)
            trials[i].fidelity = std::move(fidelities[i]);
    }
    return trials;
}

Result<Trial> TrialRunner::run(const flow::QuantizedNetwork& network, const base::Job& job) const
{
    QS_TRY(auto trials, runAll({ &network, 1 }, job));
    return std::move(trials.front());
}

std::int64_t TrialRunner::imagesPerTrial() const
{
    const auto calibration = m_quantizer.calibration();
    return (m_wish.measure ? m_samples->size() : 0) + (m_wish.estimate && calibration ? calibration->size() : 0);
}

} // namespace quantoscope::sweep
