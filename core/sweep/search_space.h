// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/sweep/search.h"
#include "core/sweep/search_groups.h"
#include "core/sweep/sensitivity.h"

namespace quantoscope::sweep {

/// What a search chooses from: units, their word-lengths, their harms alone, and what assignments cost. Immutable.
class SearchSpace {
public:
    /// Looks at every unit alone, without labels, and prices the word-lengths. Errors: as runSensitivity().
    static Result<SearchSpace> create(
        const flow::Quantizer& quantizer, const SearchOptions& options, Price price, const base::Job& job);

    const std::vector<QuantizedUnit>& units() const { return m_units; }
    const AssignmentProblem& problem() const { return *m_problem; }
    const DamageTable& damage() const { return m_damage; }
    const std::vector<std::string>& notes() const { return m_notes; }

    /// All units at these word-lengths, as far as they may have them: otherwise at the next larger one, or the largest.
    Assignment uniform(int weightBits, int activationBits) const;
    double priceOf(const Assignment& assignment) const { return m_price(assignment); }
    /// Sum of the harms of the units alone.
    double damageOf(const Assignment& assignment) const;
    /// The request that makes this assignment.
    planning::PlanRequest requestFor(const Assignment& assignment) const;

private:
    SearchSpace() = default;

    planning::PlanRequest m_request; ///< with the most bits for everything
    std::vector<QuantizedUnit> m_units;
    DamageTable m_damage;
    PriceFunction m_price;
    std::shared_ptr<const AssignmentProblem> m_problem;
    std::vector<std::string> m_notes;
};

/// How every unit alone is looked at: without labels. Of options.shard, only that part.
SensitivityOptions harmsAlone(const SearchOptions& options);

/// What every unit would add to the harm one step of word-length up and down from `at`, and 0 where it is. `harmOf`
/// says how far whole assignments are from float; it is asked for all of them at once, neighbours side by side.
using HarmFunction = std::function<Result<std::vector<double>>(const std::vector<Assignment>&)>;
Result<DamageTable> harmAround(
    const SearchSpace& space, const Assignment& at, double harmThere, const HarmFunction& harmOf);

} // namespace quantoscope::sweep
