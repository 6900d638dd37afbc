// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/search_space.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace quantoscope::sweep {

namespace {

/// Stands for a network whose outputs are not finite.
constexpr double hopeless = 1e9;

/// A quantizer of that word-length; what it costs is all that matters.
void setBits(quant::QuantizationPlan& plan, const std::string& tensor, int bits)
{
    quant::TensorQuantizer quantizer = *plan.find(tensor);
    quantizer.encoding.qmin = 0;
    quantizer.encoding.qmax = (1 << bits) - 1;
    plan.set(tensor, std::move(quantizer));
}

/// Prices assignments by what they change in a plan for the whole network.
PriceFunction pricesFor(const flow::QuantizedNetwork& network, std::vector<QuantizedUnit> units,
    const cost::EnergyModel& energy, Price price)
{
    return [graph = network.graph, whole = network.plan, units = std::move(units), energy, price](
               const Assignment& assignment) {
        quant::QuantizationPlan plan = *whole;
        for (std::size_t unit = 0; unit < units.size(); ++unit)
            for (const auto& tensor : units[unit].tensors)
                if (plan.find(tensor))
                    setBits(plan, tensor, assignment[unit]);
        return priceOf(cost::computeCost(*graph, plan, energy), price);
    };
}

} // namespace

SensitivityOptions harmsAlone(const SearchOptions& options)
{
    return { .weightBits = options.weightBits,
        .activationBits = options.activationBits,
        .request = options.request,
        .keepOwnBits = true, // what the request fixes stays as it is
        .measure = false,
        .energy = options.energy,
        .shard = options.shard,
        .evaluation = options.evaluation,
        .onPoint = {} };
}

Result<SearchSpace> SearchSpace::create(
    const flow::Quantizer& quantizer, const SearchOptions& options, Price price, const base::Job& job)
{
    SearchSpace space;
    space.m_request = options.request;
    space.m_request.weights.bits = std::ranges::max(options.weightBits);
    space.m_request.activations.bits = std::ranges::max(options.activationBits);
    QS_TRY(const auto sensitivity, runSensitivity(quantizer, nullptr, harmsAlone(options), job));
    if (!sensitivity.complete)
        return base::cancelled();
    std::vector<std::vector<int>> candidates;
    for (std::size_t unit = 0; unit < sensitivity.units.size(); ++unit) {
        std::map<int, double> harms;
        for (const auto& point : sensitivity.points)
            if (point.unit == unit) {
                const double harm = point.estimate(options.estimate);
                harms[point.bits] = std::isfinite(harm) ? harm : hopeless;
            }
        if (harms.empty())
            continue; // stays float because the request says so
        space.m_units.push_back(sensitivity.units[unit]);
        candidates.emplace_back();
        for (const auto& [bits, harm] : harms)
            candidates.back().push_back(bits);
        space.m_damage.push_back(std::move(harms));
    }
    space.m_notes = sensitivity.notes;
    QS_TRY(const auto whole, quantizer.quantize(space.m_request, { nullptr, job.stop }));
    space.m_price = pricesFor(whole, space.m_units, options.energy, price);
    space.m_problem = std::make_shared<const AssignmentProblem>(space.m_units, std::move(candidates), space.m_price);
    if (!space.m_problem->activationsAreFree())
        space.m_notes.emplace_back("activations of layers that hang together are given one word-length: there are too "
                                   "many to choose each for itself");
    return space;
}

Assignment SearchSpace::uniform(int weightBits, int activationBits) const
{
    Assignment assignment;
    for (std::size_t unit = 0; unit < m_units.size(); ++unit) {
        const auto& candidates = m_problem->candidates()[unit];
        const int wanted = m_units[unit].role == quant::Role::Weight ? weightBits : activationBits;
        const auto found = std::ranges::lower_bound(candidates, wanted);
        assignment.push_back(found == candidates.end() ? candidates.back() : *found);
    }
    return assignment;
}

double SearchSpace::damageOf(const Assignment& assignment) const
{
    double sum = 0;
    for (std::size_t unit = 0; unit < assignment.size(); ++unit)
        sum += m_damage[unit].at(assignment[unit]);
    return sum;
}

planning::PlanRequest SearchSpace::requestFor(const Assignment& assignment) const
{
    planning::PlanRequest request = m_request;
    for (std::size_t unit = 0; unit < assignment.size(); ++unit)
        for (auto& change : overridesFor(m_units[unit], assignment[unit]))
            request.overrides.push_back(std::move(change));
    return request;
}

Result<DamageTable> harmAround(
    const SearchSpace& space, const Assignment& at, double harmThere, const HarmFunction& harmOf)
{
    DamageTable table(at.size());
    std::vector<Assignment> around;
    std::vector<std::size_t> changedUnits;
    for (std::size_t unit = 0; unit < at.size(); ++unit) {
        table[unit][at[unit]] = 0;
        const auto& candidates = space.problem().candidates()[unit];
        const auto here = std::ranges::find(candidates, at[unit]) - candidates.begin();
        for (const auto step : { here - 1, here + 1 }) {
            if (step < 0 || step >= std::ssize(candidates))
                continue;
            Assignment changed = at;
            changed[unit] = candidates[static_cast<std::size_t>(step)];
            around.push_back(std::move(changed));
            changedUnits.push_back(unit);
        }
    }
    QS_TRY(const auto harms, harmOf(around));
    for (std::size_t i = 0; i < around.size(); ++i) {
        const std::size_t unit = changedUnits[i];
        table[unit][around[i][unit]] = std::isfinite(harms[i]) ? harms[i] - harmThere : hopeless;
    }
    return table;
}

} // namespace quantoscope::sweep
