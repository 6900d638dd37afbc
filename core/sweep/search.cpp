// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "core/sweep/search_space.h"
#include "core/sweep/sensitivity_trial.h"

namespace quantoscope::sweep {

namespace {

using Origin = SearchPoint::Origin;

constexpr int dropBisections = 5;
constexpr std::size_t triedAtOnce = 64; // networks that differ in one unit and share what lies before it
constexpr int ladderSteps = 8; // prices tried where no uniform configuration gives any
constexpr double cautions[] { 1, 2, 4 }; // how much harm counts above good where steps together did worse than alone

/// Sums of prices are rounded.
double withRounding(double price) { return price * (1 + 1e-9); }

class SearchRun {
public:
    SearchRun(const flow::Quantizer& quantizer, const dataset::SampleSet& samples, const SearchOptions& options,
        const base::Job& job)
        : m_quantizer(quantizer)
        , m_options(options)
        , m_job(job)
        , m_trials(quantizer, &samples, options.evaluation, { true, true })
        , m_quickTrials(quantizer, nullptr, options.evaluation, { false, true })
    {
        m_result.data = samples.description() + "; " + samples.preprocessing().describe();
        m_result.budget = options.budget;
        m_result.price = options.budget.price.value_or(options.minimize);
    }

    Result<SearchResult> run()
    {
        QS_TRY(m_space, SearchSpace::create(m_quantizer, m_options, m_result.price, m_job));
        m_job.begin("Measuring the float network", 0, "steps");
        QS_CHECK(m_trials.begin({}, { nullptr, m_job.stop }));
        describe();
        auto done = search();
        if (!done && (done.error().code != ErrorCode::Cancelled || m_result.points.empty()))
            return tl::make_unexpected(std::move(done).error());
        m_result.complete = done.has_value();
        choose();
        compareSearchPoints(m_result);
        m_job.finish();
        return std::move(m_result);
    }

    /// What a part of a search does: see SearchOptions::shard.
    Result<SearchResult> runShard()
    {
        QS_TRY(const auto alone, runSensitivity(m_quantizer, nullptr, harmsAlone(m_options), m_job));
        if (!alone.complete)
            return base::cancelled();
        QS_CHECK(m_trials.begin({}, { nullptr, m_job.stop }));
        describe();
        m_result.notes = alone.notes;
        m_result.notes.push_back("only a part of the search: " + std::to_string(alone.points.size())
            + " harms of units alone and uniform word-lengths; the whole, with what all parts kept, does the rest");
        auto done = measureGrid();
        if (!done && done.error().code != ErrorCode::Cancelled)
            return tl::make_unexpected(std::move(done).error());
        m_result.complete = done.has_value();
        compareSearchPoints(m_result);
        return std::move(m_result);
    }

private:
    void describe()
    {
        const auto bits
            = [](const std::vector<int>& list) { return toString(std::vector<Bits>(list.begin(), list.end())); };
        m_result.scope = "W" + bits(m_options.weightBits) + " A" + bits(m_options.activationBits) + " layer by layer, "
            + m_options.request.describeOptions();
        const auto& calibration = *m_quantizer.calibration();
        m_result.estimatedOn = calibration.description() + "; " + calibration.preprocessing().describe();
        m_result.floatResult = m_trials.floatResult();
        m_result.floatCost = cost::computeCost(*m_quantizer.graph(), {}, m_options.energy);
        m_result.floatCost.layers.clear();
        if (m_space) {
            m_result.units = m_space->units();
            m_result.notes = m_space->notes();
        }
    }

    /// Uniform word-lengths, as far as they are wanted and this shard takes them.
    Result<void> measureGrid()
    {
        std::vector<std::pair<int, int>> grid;
        std::int64_t number = 0;
        if (m_options.uniform)
            for (const int w : m_options.weightBits)
                for (const int a : m_options.activationBits)
                    if (m_options.shard.takes(number++))
                        grid.emplace_back(w, a);
        const std::int64_t expected = std::ssize(grid) + (m_space ? ladderSteps : 0);
        m_job.begin("Searching word-lengths", expected * m_trials.imagesPerTrial(), "images");
        for (const auto& [w, a] : grid)
            QS_CHECK(measureUniform(w, a));
        return {};
    }

    Result<void> search()
    {
        QS_CHECK(findLimit());
        QS_CHECK(measureGrid());
        for (const double price : pricesToTry())
            QS_CHECK(measureBest(price));
        QS_CHECK(refineUniform());
        QS_CHECK(m_options.budget.price ? refine(m_result.allowed) : meetDrop());
        return refineUniformOnFront();
    }

    /// The budget as a price. InvalidInput if it buys nothing.
    Result<void> findLimit()
    {
        const auto& budget = m_options.budget;
        m_result.allowed = std::numeric_limits<double>::infinity();
        if (!budget.price)
            return {};
        m_result.allowed = budget.uniform
            ? m_space->priceOf(m_space->uniform(budget.uniform->first, budget.uniform->second))
            : priceOf(m_result.floatCost, m_result.price) * budget.limit / 100;
        if (m_space->problem().leastPrice() <= withRounding(m_result.allowed))
            return {};
        char least[64];
        std::snprintf(least, sizeof least, "%.4g %% of the float network",
            100 * m_space->problem().leastPrice() / priceOf(m_result.floatCost, m_result.price));
        return fail(ErrorCode::InvalidInput,
            "even the fewest bits cost more than the budget allows: " + std::string(least),
            "budget " + budget.toString(), "allow more, or shorter word-lengths");
    }

    /// Of the uniform configurations that none is both cheaper than and closer to float; or a ladder; and the budget.
    std::vector<double> pricesToTry() const
    {
        std::vector<double> prices;
        std::vector<Tradeoff> uniform;
        for (const auto& point : m_result.points)
            uniform.push_back({ point.price, point.divergence });
        for (const std::size_t i : paretoFront(uniform))
            prices.push_back(uniform[i].cost);
        if (uniform.empty() && !m_options.budget.price) {
            const double least = m_space->problem().leastPrice();
            const double most = m_space->priceOf(
                m_space->uniform(std::ranges::max(m_options.weightBits), std::ranges::max(m_options.activationBits)));
            for (int i = 0; i < ladderSteps; ++i)
                prices.push_back(least * std::pow(most / least, static_cast<double>(i) / (ladderSteps - 1)));
        }
        if (m_options.budget.price)
            prices.push_back(m_result.allowed);
        return prices;
    }

    Result<void> measureUniform(int weightBits, int activationBits)
    {
        planning::PlanRequest request = m_options.request;
        request.weights.bits = weightBits;
        request.activations.bits = activationBits;
        SearchPoint point;
        point.origin = Origin::Uniform;
        point.uniform = std::pair(weightBits, activationBits);
        if (m_space)
            m_known.insert(point.bits = m_space->uniform(weightBits, activationBits));
        QS_TRY(auto network, m_quantizer.quantize(request, quiet()));
        QS_CHECK(measure(point, std::move(network)));
        point.allowed = point.price;
        return keep(std::move(point));
    }

    /// Measures the assignment of least harm at a price, if there is any and it is not known yet.
    Result<void> measureBest(double price)
    {
        const auto found = m_space->problem().solve(m_space->damage(), withRounding(price));
        if (!found)
            return {};
        SearchPoint point;
        point.bits = found->assignment;
        point.allowed = price;
        point.bound = found->bound;
        point.provenBest = found->exact;
        return measureMixed(std::move(point));
    }

    Result<void> measureMixed(SearchPoint point)
    {
        if (!m_known.insert(point.bits).second)
            return {};
        QS_TRY(auto network, m_quantizer.quantize(m_space->requestFor(point.bits), quiet()));
        QS_CHECK(measure(point, std::move(network)));
        return keep(std::move(point));
    }

    Result<void> keep(SearchPoint point)
    {
        if (m_options.onPoint)
            m_options.onPoint(point);
        m_result.points.push_back(std::move(point));
        return {};
    }

    /// Fills in what the network costs and what comes of running it.
    Result<void> measure(SearchPoint& point, flow::QuantizedNetwork network)
    {
        QS_TRY(const Trial trial, m_trials.run(network, m_job));
        point.cost = cost::computeCost(*network.graph, *network.plan, m_options.energy);
        point.cost.layers.clear();
        point.price = priceOf(point.cost, m_result.price);
        if (m_space)
            point.estimatedDamage = m_space->damageOf(point.bits);
        point.divergence = trial.fidelity.divergence;
        const auto& measured = *trial.measured;
        point.images = measured.images();
        point.top1 = measured.top1();
        point.top5 = measured.top5();
        point.loss = measured.loss();
        point.top1Interval = measured.top1Interval();
        point.againstFloat = evaluation::compare(m_result.floatResult->outcomes, measured.outcomes);
        point.outcomes = measured.outcomes;
        point.graph = network.graph;
        point.plan = network.plan;
        point.corrections = std::move(network.corrections);
        return {};
    }

    /// How far networks are from float; without corrections, which take far longer than running them.
    Result<std::vector<double>> harmsOf(const std::vector<Assignment>& assignments) const
    {
        std::vector<double> harms;
        for (std::size_t first = 0; first < assignments.size(); first += triedAtOnce) {
            std::vector<flow::QuantizedNetwork> networks;
            for (std::size_t i = first; i < std::min(first + triedAtOnce, assignments.size()); ++i) {
                planning::PlanRequest request = m_space->requestFor(assignments[i]);
                request.corrections = { .equalize = request.corrections.equalize };
                QS_TRY(networks.emplace_back(), m_quantizer.quantize(request, quiet()));
            }
            QS_TRY(const auto trials, m_quickTrials.runAll(networks, m_job));
            for (const Trial& trial : trials)
                harms.push_back(trial.fidelity.divergence);
        }
        return harms;
    }

    Result<double> harmOf(const Assignment& assignment) const
    {
        QS_TRY(const auto harms, harmsOf({ assignment }));
        return harms.front();
    }

    /// Where nothing mixed is as close to float as a uniform network at its price, sums of harms have misled: goes on
    /// from the uniform one.
    Result<void> refineUniform()
    {
        std::vector<Tradeoff> networks;
        std::vector<double> prices;
        for (const auto& point : m_result.points)
            networks.push_back({ point.price, point.divergence });
        for (const std::size_t i : paretoFront(networks))
            if (m_result.points[i].origin == Origin::Uniform)
                prices.push_back(networks[i].cost);
        for (const double price : prices)
            QS_CHECK(refine(price));
        return {};
    }

    /// Uniform networks that stand on the front as measured may owe it to what makes them different from float: goes on
    /// from each of them as well. Labels say where to look further, not what is chosen at a price.
    Result<void> refineUniformOnFront()
    {
        compareSearchPoints(m_result);
        for (const std::size_t i : std::vector(m_result.front))
            if (m_result.points[i].origin == Origin::Uniform)
                QS_CHECK(refineFrom(i, m_result.points[i].price));
        return {};
    }

    /// Goes on from the best assignment within the price.
    Result<void> refine(double price)
    {
        const SearchPoint* start = closest(price);
        return start ? refineFrom(static_cast<std::size_t>(start - m_result.points.data()), price) : Result<void> {};
    }

    /// Goes on from a point while the network comes closer to float, and measures where it ends.
    Result<void> refineFrom(std::size_t from, double price)
    {
        if (m_options.refinements == 0)
            return {};
        Assignment at = m_result.points[from].bits;
        m_job.begin("Refining word-lengths",
            2 * m_options.refinements * std::ssize(at) * m_quickTrials.imagesPerTrial(), "images");
        QS_TRY(double harm, harmOf(at));
        for (int round = 0; round < m_options.refinements; ++round) {
            QS_TRY(const auto table,
                harmAround(*m_space, at, harm, [this](const auto& changed) { return harmsOf(changed); }));
            QS_TRY(const bool better, step(table, price, at, harm));
            if (!better)
                break;
        }
        if (at == m_result.points[from].bits)
            return {}; // measured already
        SearchPoint refined;
        refined.origin = Origin::Refined;
        refined.bits = at;
        refined.allowed = price;
        return measureMixed(std::move(refined));
    }

    /// Takes the steps that together promise most, and keeps them if the network is closer to float with them.
    Result<bool> step(const DamageTable& table, double price, Assignment& at, double& harm) const
    {
        std::set<Assignment> tried { at };
        for (const double caution : cautions) {
            DamageTable careful = table;
            for (auto& harms : careful)
                for (auto& [bits, change] : harms)
                    change *= change > 0 ? caution : 1;
            const auto found = m_space->problem().solve(careful, withRounding(price));
            if (!found || !tried.insert(found->assignment).second)
                continue;
            QS_TRY(const double there, harmOf(found->assignment));
            if (there < harm) {
                at = found->assignment;
                harm = there;
                return true;
            }
        }
        return false;
    }

    /// The measured point within a price that is closest to float without labels.
    const SearchPoint* closest(double price) const
    {
        const SearchPoint* best = nullptr;
        for (const auto& point : m_result.points)
            if (point.price <= withRounding(price) && (!best || point.divergence < best->divergence))
                best = &point;
        return best;
    }

    bool keepsTo(const SearchPoint& point) const
    {
        return m_options.budget.price ? point.price <= withRounding(m_result.allowed)
                                      : point.againstFloat.delta >= -m_options.budget.limit;
    }

    const SearchPoint* cheapestThatKeeps() const
    {
        const SearchPoint* best = nullptr;
        for (const auto& point : m_result.points)
            if (keepsTo(point) && (!best || point.price < best->price))
                best = &point;
        return best;
    }

    /// Narrows down the cheapest price at which the drop is kept to.
    Result<void> meetDrop()
    {
        for (int i = 0; i < dropBisections; ++i) {
            const auto* keeps = cheapestThatKeeps();
            if (!keeps)
                return {};
            double below = m_space->problem().leastPrice();
            for (const auto& point : m_result.points)
                if (point.origin != Origin::Uniform && !keepsTo(point) && point.price < keeps->price)
                    below = std::max(below, point.price);
            const std::size_t known = m_result.points.size();
            QS_CHECK(measureBest((below + keeps->price) / 2));
            if (m_result.points.size() == known)
                return {};
        }
        return {};
    }

    void choose()
    {
        const auto* best = m_options.budget.price ? closest(m_result.allowed) : cheapestThatKeeps();
        if (!best)
            return;
        m_result.chosen = static_cast<std::size_t>(best - m_result.points.data());
        if (!m_options.budget.price)
            m_result.allowed = best->price;
    }

    base::Job quiet() const { return { nullptr, m_job.stop }; }

    const flow::Quantizer& m_quantizer;
    const SearchOptions& m_options;
    const base::Job& m_job;
    TrialRunner m_trials;
    TrialRunner m_quickTrials;
    std::optional<SearchSpace> m_space; ///< empty in a shard, which does not know all harms
    SearchResult m_result;
    std::set<Assignment> m_known; ///< that were measured
};

} // namespace

std::string SearchPoint::label() const
{
    if (uniform)
        return "W" + std::to_string(uniform->first) + " A" + std::to_string(uniform->second);
    return origin == Origin::Refined ? "mixed, refined" : "mixed";
}

Result<SearchResult> runSearch(const flow::Quantizer& quantizer, const dataset::SampleSet& samples,
    const SearchOptions& options, const base::Job& job)
{
    if (options.weightBits.empty() || options.activationBits.empty())
        return fail(ErrorCode::InvalidInput, "there are no word-lengths to choose from", {},
            "give some for weights and for activations: 2..8");
    SearchRun search(quantizer, samples, options, job);
    return options.shard.isWhole() ? search.run() : search.runShard();
}

} // namespace quantoscope::sweep
