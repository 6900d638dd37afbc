// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/best_flow.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/time_limit.h"
#include "core/flow/network_store.h"
#include "core/planning/request_json.h"
#include "core/quant/option_texts.h"

namespace quantoscope::flow {

namespace {

using evaluation::Fidelity;
using planning::Corrections;
using planning::PlanRequest;

/// One way to go on from a request.
struct Alternative {
    std::string name;
    PlanRequest request;
};

/// Which of the images an alternative is judged by.
enum class Images { HeldBack, All };

struct Tried {
    PlanRequest request;
    Images images = Images::HeldBack;
    QuantizedNetwork network;
    Fidelity fidelity;
};

/// The first, unless a later one is clearly closer to float than the best before it.
std::size_t closest(const std::vector<Tried>& tried)
{
    std::size_t chosen = 0;
    for (std::size_t i = 1; i < tried.size(); ++i)
        if (evaluation::clearlyCloser(tried[i].fidelity, tried[chosen].fidelity))
            chosen = i;
    return chosen;
}

std::vector<Alternative> ranges(
    const PlanRequest& request, planning::TensorWish PlanRequest::*side, const std::vector<const char*>& spellings)
{
    std::vector<Alternative> list;
    for (const auto* spelling : spellings) {
        const auto spec = quant::RangeSpec::parse(spelling);
        Alternative alternative { spelling, request };
        (alternative.request.*side).range = *spec;
        list.push_back(std::move(alternative));
    }
    return list;
}

/// Everything that decides what is found.
Json describe(const BestFlowOptions& options)
{
    const auto& [request, fixed, seconds] = options;
    return { { "request", planning::toJson(request) }, { "weight_range", fixed.weightRange },
        { "activation_range", fixed.activationRange }, { "corrections", planning::toJson(fixed.corrections) },
        { "seconds", seconds } };
}

class Search {
public:
    Search(const Quantizer& quantizer, const BestFlowOptions& options, const base::Job& job)
        : m_quantizer(quantizer)
        , m_fixed(options.fixed)
        , m_job(job)
        , m_limit(job.stop, deadlineAfter(options.seconds))
    {
        m_best.request = options.request;
    }

    Result<BestFlow> run()
    {
        m_job.begin("Choosing ranges and corrections", mostSteps, "steps");
        QS_TRY(m_current, attempt(m_best.request, Images::HeldBack, m_job.stop));
        m_best.plain = m_current.fidelity;
        QS_CHECK(chooseActivationRange());
        QS_CHECK(chooseWeightRange());
        QS_CHECK(chooseBalance());
        QS_CHECK(chooseReconstruction());
        QS_CHECK(chooseEqualization());
        QS_CHECK(dropCorrections());
        return finish();
    }

private:
    /// Attempts of all stages; what the network at hand is is not tried again.
    static constexpr std::int64_t mostSteps = 1 + 6 + 2 + 1 + 1 + 1 + 3;

    static base::TimeLimit::Clock::time_point deadlineAfter(double seconds)
    {
        using base::TimeLimit;
        constexpr double longest = 1e9; // for ever, as far as a clock goes
        const std::chrono::duration<double> limit(std::min(seconds, longest));
        return TimeLimit::Clock::now() + std::chrono::duration_cast<TimeLimit::Clock::duration>(limit);
    }

    /// Whether there is no time for another stage.
    bool late()
    {
        m_cutShort = m_cutShort || m_limit.over();
        return m_limit.over();
    }

    Result<Tried> attempt(const PlanRequest& request, Images images, const std::stop_token& stop) const
    {
        if (m_current.network.plan && m_current.images == images && m_current.request == request)
            return m_current;
        if (stop.stop_requested())
            return base::cancelled();
        base::PartOfJob part({ m_job.progress, stop });
        QS_TRY(auto network, m_quantizer.tryOut(request, part.job()));
        QS_TRY(const auto fidelity,
            images == Images::All ? m_quantizer.fidelityOnAll(network, part.job())
                                  : m_quantizer.fidelity(network, part.job()));
        m_job.advance();
        return Tried { request, images, std::move(network), fidelity };
    }

    /// Tries all alternatives and returns the number of the one that comes closest to float; empty if time was up
    /// before the first was done. What cannot be planned is passed over; the first must be possible.
    Result<std::optional<std::size_t>> choose(
        const std::string& stage, const std::vector<Alternative>& alternatives, Images images = Images::HeldBack)
    {
        m_tried.clear();
        std::vector<std::size_t> numbers;
        for (std::size_t i = 0; i < alternatives.size(); ++i) {
            auto tried = attempt(alternatives[i].request, images, m_limit.token());
            const bool possible = tried.has_value();
            if (!possible && tried.error().code == ErrorCode::Cancelled && !m_job.stopRequested()) {
                m_cutShort = true;
                break;
            }
            if (!possible && (i == 0 || tried.error().code == ErrorCode::Cancelled))
                return tl::make_unexpected(std::move(tried).error());
            if (!possible)
                continue;
            numbers.push_back(i);
            m_tried.push_back(*std::move(tried));
            m_best.steps.push_back({ stage, alternatives[i].name, m_tried.back().fidelity, false });
        }
        if (m_tried.empty())
            return std::nullopt;
        const std::size_t chosen = closest(m_tried);
        m_best.steps[m_best.steps.size() - m_tried.size() + chosen].chosen = true;
        if (const auto other = strongestBeside(chosen))
            explain(stage, alternatives[numbers[chosen]].name, alternatives[numbers[*other]].name,
                m_tried[*other].fidelity, m_tried[chosen].fidelity);
        m_current = std::move(m_tried[chosen]);
        return numbers[chosen];
    }

    /// Of those tried: the first, which the choice had to beat, or if that was chosen the closest to float of the rest.
    std::optional<std::size_t> strongestBeside(std::size_t chosen) const
    {
        if (chosen > 0 || m_tried.size() < 2)
            return chosen > 0 ? std::optional<std::size_t>(0) : std::nullopt;
        std::size_t strongest = 1;
        for (std::size_t i = 2; i < m_tried.size(); ++i)
            if (evaluation::notWorse(m_tried[i].fidelity, m_tried[strongest].fidelity))
                strongest = i;
        return strongest;
    }

    void explain(const std::string& stage, const std::string& choice, const std::string& other, const Fidelity& from,
        const Fidelity& to)
    {
        char figures[80];
        if (to.classifies)
            std::snprintf(figures, sizeof figures, "agreement %.1f -> %.1f %%, divergence %.3g -> %.3g",
                from.agreement(), to.agreement(), from.divergence, to.divergence);
        else
            std::snprintf(
                figures, sizeof figures, "relative output error %.3g -> %.3g", from.divergence, to.divergence);
        m_reasons.push_back(stage + ": " + choice + " rather than " + other + ": " + figures);
    }

    Result<void> chooseActivationRange()
    {
        auto& request = m_best.request;
        if (m_fixed.activationRange || !request.activations.bits)
            return {};
        PlanRequest alone = request; // so that what weights suffer does not hide what activations do
        alone.weights.bits.reset();
        alone.corrections = {};
        const auto alternatives = ranges(alone, &PlanRequest::activations,
            { "mse", "min-max", "percentile:99.99", "percentile:99.9", "aciq", "entropy" });
        QS_TRY(const auto chosen, choose("ranges of activations", alternatives, Images::All));
        if (chosen)
            request.activations.range = alternatives[*chosen].request.activations.range;
        return {};
    }

    Result<void> chooseWeightRange()
    {
        if (!m_best.request.weights.bits)
            return takeAsItIs();
        PlanRequest request = m_best.request;
        request.corrections.compensate = request.corrections.gain = request.corrections.bias = true;
        auto alternatives = m_fixed.weightRange
            ? std::vector<Alternative> { { request.weights.range.toString(), request } }
            : ranges(request, &PlanRequest::weights, { "mse", "min-max" });
        QS_TRY(const auto chosen, choose("ranges of weights, corrected", alternatives));
        if (!chosen)
            return takeAsItIs();
        m_best.request = alternatives[*chosen].request;
        return {};
    }

    /// The request without any correction that was not asked for, however long it takes.
    Result<void> takeAsItIs()
    {
        QS_TRY(m_current, attempt(m_best.request, Images::HeldBack, m_job.stop));
        m_best.steps.push_back({ "as it is", "no correction of weights", m_current.fidelity, true });
        return {};
    }

    Result<void> chooseBalance()
    {
        auto& request = m_best.request;
        if (m_fixed.corrections.balance || request.corrections.equalize || late())
            return {};
        std::vector<Alternative> alternatives { { "as it is", request }, { "balanced", request } };
        alternatives[1].request.corrections.balance = true;
        return replace(request, "balance of channels", alternatives);
    }

    Result<void> chooseReconstruction()
    {
        auto& request = m_best.request;
        if (!request.weights.bits || m_fixed.corrections.reconstruct || late())
            return {};
        std::vector<Alternative> alternatives { { "as it is", request }, { "reconstructed", request } };
        alternatives[1].request.corrections.reconstruct = true;
        return replace(request, "reconstruction", alternatives);
    }

    /// The alternative that is chosen, if any could be, takes the place of `request`.
    Result<void> replace(PlanRequest& request, const std::string& stage, const std::vector<Alternative>& alternatives)
    {
        QS_TRY(const auto chosen, choose(stage, alternatives));
        if (chosen)
            request = alternatives[*chosen].request;
        return {};
    }

    Result<void> chooseEqualization()
    {
        auto& request = m_best.request;
        if (m_fixed.corrections.equalize || request.corrections.equalize || request.corrections.balance || late())
            return {};
        std::vector<Alternative> alternatives { { "as it is", request }, { "equalized", request } };
        alternatives[1].request.corrections.equalize = true;
        return replace(request, "equalization", alternatives);
    }

    Result<void> dropCorrections()
    {
        if (m_best.request.corrections.reconstruct) // which takes the place of all three
            return {};
        const std::pair<const char*, bool Corrections::*> members[] { { "without compensation",
                                                                          &Corrections::compensate },
            { "without gain correction", &Corrections::gain }, { "without bias correction", &Corrections::bias } };
        for (const auto& [name, member] : members) {
            auto& request = m_best.request;
            if (m_fixed.corrections.*member || !(request.corrections.*member) || late())
                continue;
            std::vector<Alternative> alternatives { { "with it", request }, { name, request } };
            alternatives[1].request.corrections.*member = false;
            QS_CHECK(replace(request, "corrections", alternatives));
        }
        return {};
    }

    Result<BestFlow> finish()
    {
        m_best.best = m_current.fidelity;
        m_best.network = std::move(m_current.network);
        if (m_cutShort)
            m_reasons.push_back("the time for the search was over before every alternative was tried");
        auto& notes = m_best.network.notes;
        notes.insert(notes.begin(), m_reasons.begin(), m_reasons.end());
        m_job.finish();
        return std::move(m_best);
    }

    const Quantizer& m_quantizer;
    const FixedOptions& m_fixed;
    base::Job m_job;
    base::TimeLimit m_limit;
    BestFlow m_best;
    Tried m_current;
    std::vector<Tried> m_tried; ///< of the stage in hand
    std::vector<std::string> m_reasons;
    bool m_cutShort = false;
};

} // namespace

Result<BestFlow> findBestFlow(const Quantizer& quantizer, const BestFlowOptions& options, const base::Job& job)
{
    QS_CHECK(options.request.validate());
    const auto& store = quantizer.options().store;
    if (!store)
        return Search(quantizer, options, job).run();
    const std::string key = quantizer.keyFor("best flow " + describe(options).dump());
    QS_TRY(auto kept, store->findBestFlow(key));
    if (!kept) {
        QS_TRY(kept, Search(quantizer, options, job).run());
        QS_CHECK(store->keepBestFlow(key, options.request, *kept));
    }
    QS_TRY(kept->network.graph, quantizer.graphFor(*kept->network.plan)); // as Quantizer::quantize()
    return *std::move(kept);
}

} // namespace quantoscope::flow
