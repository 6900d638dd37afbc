// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/cuts.h"

#include <algorithm>
#include <numeric>

namespace quantoscope::evaluation {

namespace {

constexpr double noticeable = 0.005; // of all time
constexpr double worthwhile = 0.01; // of all time, on average over the edits: what a cut must save

/// Time of the steps up to and including each one.
std::vector<double> timesUntil(std::span<const double> seconds)
{
    std::vector<double> until(seconds.size());
    std::partial_sum(seconds.begin(), seconds.end(), until.begin());
    return until;
}

/// Time that the cuts save, summed over the edits.
double savedBy(
    const std::vector<std::size_t>& cutSteps, std::span<const std::size_t> edits, const std::vector<double>& until)
{
    double saved = 0;
    for (const std::size_t edit : edits) {
        double best = 0;
        for (const std::size_t step : cutSteps)
            if (step < edit)
                best = std::max(best, until[step]);
        saved += best;
    }
    return saved;
}

} // namespace

std::vector<std::size_t> chooseCuts(
    std::span<const double> seconds, std::span<const CutCandidate> candidates, std::size_t budget, std::size_t most)
{
    if (seconds.empty())
        return {};
    const auto until = timesUntil(seconds);
    std::vector<std::size_t> edits;
    for (std::size_t step = 0; step < seconds.size(); ++step)
        if (seconds[step] > noticeable * until.back())
            edits.push_back(step);
    std::vector<std::size_t> chosen;
    std::vector<std::size_t> steps;
    double saved = 0;
    while (chosen.size() < most) {
        double bestSaved = saved + worthwhile * until.back() * static_cast<double>(edits.size());
        std::size_t best = candidates.size();
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (candidates[i].bytes > budget)
                continue;
            steps.push_back(candidates[i].step);
            const double with = savedBy(steps, edits, until);
            steps.pop_back();
            if (with > bestSaved) {
                bestSaved = with;
                best = i;
            }
        }
        if (best == candidates.size())
            break;
        chosen.push_back(best);
        steps.push_back(candidates[best].step);
        budget -= candidates[best].bytes;
        saved = bestSaved;
    }
    std::ranges::sort(chosen);
    return chosen;
}

} // namespace quantoscope::evaluation
