// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/guard.h"

#include <algorithm>
#include <utility>

#include "core/flow/plan_patch.h"

namespace quantoscope::flow {

namespace {

using evaluation::notWorse;
using planning::CorrectedPlan;

/// The search for the parts of a patch that do no harm.
class Bisection {
public:
    Bisection(const Guard& guard, const PlanPatch& patch, const JudgedPlan& before, int trials, const base::Job& job)
        : m_guard(guard)
        , m_patch(patch)
        , m_job(job)
        , m_trials(trials)
        , m_best(before)
        , m_keep(patch.size(), false)
    {
    }

    /// Keeps what it can of the parts [begin, end), which are known to do harm all together.
    Result<void> split(std::size_t begin, std::size_t end)
    {
        if (end - begin < 2)
            return {};
        const std::size_t middle = begin + (end - begin) / 2;
        QS_TRY(const bool firstHalf, attempt(begin, middle));
        if (firstHalf)
            return split(middle, end); // what does harm all together must do it there
        QS_CHECK(split(begin, middle));
        QS_TRY(const bool secondHalf, attempt(middle, end));
        return secondHalf ? Result<void> {} : split(middle, end);
    }

    const JudgedPlan& best() const { return m_best; }
    const std::vector<bool>& keep() const { return m_keep; }

private:
    /// Whether [begin, end) is kept on top of what is kept already.
    Result<bool> attempt(std::size_t begin, std::size_t end)
    {
        if (m_trials <= 0)
            return false;
        --m_trials;
        auto keep = m_keep;
        std::fill(
            keep.begin() + static_cast<std::ptrdiff_t>(begin), keep.begin() + static_cast<std::ptrdiff_t>(end), true);
        QS_TRY(auto judged, m_guard.judge(m_patch.apply(keep), m_job));
        if (!notWorse(judged.fidelity, m_best.fidelity))
            return false;
        m_best = std::move(judged);
        m_keep = std::move(keep);
        return true;
    }

    const Guard& m_guard;
    const PlanPatch& m_patch;
    const base::Job& m_job;
    int m_trials;
    JudgedPlan m_best;
    std::vector<bool> m_keep;
};

std::vector<std::string> layersWhere(const PlanPatch& patch, const std::vector<bool>& keep, bool kept)
{
    std::vector<std::string> layers;
    for (std::size_t i = 0; i < patch.size(); ++i)
        if (keep[i] == kept)
            layers.insert(layers.end(), patch.layers(i).begin(), patch.layers(i).end());
    return layers;
}

} // namespace

Guard::Guard(const evaluation::FloatReference& reference, const planning::CorrectionData& fitting, int trials)
    : m_reference(reference)
    , m_fitting(fitting)
    , m_trials(trials)
{
}

Result<JudgedPlan> Guard::judge(quant::QuantizationPlan plan, const base::Job& job) const
{
    QS_TRY(const auto fidelity, m_reference.compare(m_fitting.graph, plan, job));
    return JudgedPlan { std::move(plan), fidelity };
}

Result<GuardedCorrection> Guard::apply(
    const JudgedPlan& before, const Correction& correction, const base::Job& job) const
{
    QS_TRY(auto corrected, correction.apply(m_fitting, before.plan, job));
    GuardedCorrection result;
    result.outcome.correction = correction.name;
    result.outcome.before = before.fidelity;
    QS_TRY(result.judged, judge(corrected.plan, job));
    result.outcome.after = result.judged.fidelity;
    if (notWorse(result.judged.fidelity, before.fidelity)) {
        result.outcome.kept = true;
        result.outcome.reason = "on the images held back it does no harm";
        result.notes = std::move(corrected.notes);
        return result;
    }
    QS_CHECK(keepWhatHelps(before, correction, corrected, result, job));
    return result;
}

/// The correction as a whole does harm: undoes it where it does, or everywhere.
Result<void> Guard::keepWhatHelps(const JudgedPlan& before, const Correction& correction,
    const CorrectedPlan& corrected, GuardedCorrection& result, const base::Job& job) const
{
    const std::string everywhere = "everywhere it leads to " + result.outcome.after.describe();
    const PlanPatch patch(m_fitting.graph, before.plan, corrected.plan);
    Bisection bisection(*this, patch, before, m_trials, job);
    QS_CHECK(bisection.split(0, patch.size()));
    result.judged = bisection.best();
    const auto layers = layersWhere(patch, bisection.keep(), true);
    if (layers.empty()) {
        result.outcome.reason = everywhere + ", and no part of it helps";
        return {};
    }
    // What is fitted to layers that are corrected need not fit where they are not: fit those that are kept once more.
    planning::CorrectionData data = m_fitting;
    data.layers = layers;
    QS_TRY(auto refitted, correction.apply(data, before.plan, job));
    QS_TRY(auto judged, judge(std::move(refitted.plan), job));
    if (notWorse(judged.fidelity, result.judged.fidelity))
        result.judged = std::move(judged);
    result.outcome.kept = true;
    result.outcome.after = result.judged.fidelity;
    result.outcome.droppedLayers = layersWhere(patch, bisection.keep(), false);
    result.outcome.keptLayers = static_cast<int>(layers.size());
    result.outcome.reason = everywhere;
    result.notes = std::move(refitted.notes);
    return {};
}

} // namespace quantoscope::flow
