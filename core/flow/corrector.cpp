// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/corrector.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/flow/guard.h"

namespace quantoscope::flow {

namespace {

void add(std::vector<std::string> notes, QuantizedNetwork& network)
{
    std::ranges::move(notes, std::back_inserter(network.notes));
}

} // namespace

Corrector::Corrector(planning::CorrectionData fitting, const evaluation::FloatReference* reference)
    : m_fitting(std::move(fitting))
    , m_reference(reference)
{
}

Result<void> Corrector::run(const std::vector<Correction>& corrections, quant::QuantizationPlan& plan,
    QuantizedNetwork& network, const base::Job& job) const
{
    if (corrections.empty())
        return {};
    if (!m_reference)
        return runUnguarded(corrections, plan, network, job);
    const Guard guard(*m_reference, m_fitting);
    QS_TRY(JudgedPlan judged, guard.judge(std::move(plan), job));
    for (const auto& correction : corrections) {
        QS_TRY(auto result, guard.apply(judged, correction, job));
        judged = std::move(result.judged);
        add(std::move(result.notes), network);
        network.corrections.push_back(std::move(result.outcome));
    }
    plan = std::move(judged.plan);
    return {};
}

Result<void> Corrector::runUnguarded(const std::vector<Correction>& corrections, quant::QuantizationPlan& plan,
    QuantizedNetwork& network, const base::Job& job) const
{
    for (const auto& correction : corrections) {
        QS_TRY(auto corrected, correction.apply(m_fitting, plan, job));
        plan = std::move(corrected.plan);
        add(std::move(corrected.notes), network);
        network.corrections.push_back({ .correction = correction.name, .kept = true, .reason = "kept unchecked" });
    }
    return {};
}

} // namespace quantoscope::flow
