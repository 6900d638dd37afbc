// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/best_flow.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "core/quant/option_texts.h"

namespace quantoscope::flow {

namespace {

using evaluation::Fidelity;
using planning::Corrections;
using planning::PlanRequest;
using Clock = std::chrono::steady_clock;

/// One way to go on from a request.
struct Alternative {
    std::string name;
    PlanRequest request;
};

struct Tried {
    QuantizedNetwork network;
    Fidelity fidelity;
};

/// Which of the images an alternative is judged by.
enum class Images { HeldBack, All };

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

class Search {
public:
    Search(const Quantizer& quantizer, const BestFlowOptions& options, const base::Job& job)
        : m_quantizer(quantizer)
        , m_fixed(options.fixed)
        , m_job(job)
        , m_deadline(Clock::now()
              + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds)))
    {
        m_best.request = options.request;
    }

    Result<BestFlow> run()
    {
        m_job.begin("Choosing ranges and corrections", mostSteps, "steps");
        QS_TRY(auto plain, attempt(m_best.request));
        m_best.plain = plain.fidelity;
        QS_CHECK(chooseActivationRange());
        QS_CHECK(chooseWeightRange());
        QS_CHECK(chooseReconstruction());
        QS_CHECK(chooseEqualization());
        QS_CHECK(dropCorrections());
        return finish();
    }

private:
    static constexpr std::int64_t mostSteps = 16;

    bool late() const { return Clock::now() >= m_deadline; }

    Result<Tried> attempt(const PlanRequest& request, Images images = Images::HeldBack) const
    {
        const base::Job quiet { nullptr, m_job.stop };
        QS_TRY(auto network, m_quantizer.quantize(request, quiet));
        QS_TRY(const auto fidelity,
            images == Images::All ? m_quantizer.fidelityOnAll(network, quiet) : m_quantizer.fidelity(network, quiet));
        m_job.advance();
        return Tried { std::move(network), fidelity };
    }

    /// Tries all alternatives and returns the number of the one that comes closest to float. What cannot be planned is
    /// passed over; the first must be possible.
    Result<std::size_t> choose(
        const std::string& stage, const std::vector<Alternative>& alternatives, Images images = Images::HeldBack)
    {
        m_tried.clear();
        std::vector<std::size_t> numbers;
        for (std::size_t i = 0; i < alternatives.size(); ++i) {
            if (i > 0 && late()) {
                m_cutShort = true;
                break;
            }
            auto tried = attempt(alternatives[i].request, images);
            const bool possible = tried.has_value();
            if (!possible && (i == 0 || tried.error().code == ErrorCode::Cancelled))
                return tl::make_unexpected(std::move(tried).error());
            if (!possible)
                continue;
            numbers.push_back(i);
            m_tried.push_back(*std::move(tried));
            m_best.steps.push_back({ stage, alternatives[i].name, m_tried.back().fidelity, false });
        }
        const std::size_t chosen = closest(m_tried);
        m_best.steps[m_best.steps.size() - m_tried.size() + chosen].chosen = true;
        const std::size_t other = chosen > 0 ? 0 : m_tried.size() - 1;
        if (other != chosen)
            explain(stage, alternatives[numbers[chosen]].name, alternatives[numbers[other]].name,
                m_tried[other].fidelity, m_tried[chosen].fidelity);
        m_current = std::move(m_tried[chosen]);
        return numbers[chosen];
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
        request.activations.range = alternatives[chosen].request.activations.range;
        return {};
    }

    Result<void> chooseWeightRange()
    {
        auto& request = m_best.request;
        if (!request.weights.bits) {
            QS_TRY(const auto chosen, choose("as it is", { { "no correction of weights", request } }));
            (void)chosen;
            return {};
        }
        request.corrections.compensate = request.corrections.gain = request.corrections.bias = true;
        auto alternatives = m_fixed.weightRange
            ? std::vector<Alternative> { { request.weights.range.toString(), request } }
            : ranges(request, &PlanRequest::weights, { "mse", "min-max" });
        QS_TRY(const auto chosen, choose("ranges of weights, corrected", alternatives));
        request = alternatives[chosen].request;
        return {};
    }

    Result<void> chooseReconstruction()
    {
        auto& request = m_best.request;
        if (!request.weights.bits || m_fixed.corrections.reconstruct || late())
            return {};
        std::vector<Alternative> alternatives { { "as it is", request }, { "reconstructed", request } };
        alternatives[1].request.corrections.reconstruct = true;
        QS_TRY(const auto chosen, choose("reconstruction", alternatives));
        request = alternatives[chosen].request;
        return {};
    }

    Result<void> chooseEqualization()
    {
        auto& request = m_best.request;
        if (m_fixed.corrections.equalize || request.corrections.equalize || late())
            return {};
        std::vector<Alternative> alternatives { { "as it is", request }, { "equalized", request } };
        alternatives[1].request.corrections.equalize = true;
        QS_TRY(const auto chosen, choose("equalization", alternatives));
        request = alternatives[chosen].request;
        return {};
    }

    Result<void> dropCorrections()
    {
        const std::pair<const char*, bool Corrections::*> members[] { { "without compensation",
                                                                          &Corrections::compensate },
            { "without gain correction", &Corrections::gain }, { "without bias correction", &Corrections::bias } };
        for (const auto& [name, member] : members) {
            auto& request = m_best.request;
            if (m_fixed.corrections.*member || !(request.corrections.*member) || late())
                continue;
            std::vector<Alternative> alternatives { { "with it", request }, { name, request } };
            alternatives[1].request.corrections.*member = false;
            QS_TRY(const auto chosen, choose("corrections", alternatives));
            request = alternatives[chosen].request;
        }
        return {};
    }

    Result<BestFlow> finish()
    {
        m_best.best = m_current.fidelity;
        m_best.network = std::move(m_current.network);
        if (m_cutShort || late())
            m_reasons.push_back("the time for the search was over before every alternative was tried");
        auto& notes = m_best.network.notes;
        notes.insert(notes.begin(), m_reasons.begin(), m_reasons.end());
        m_job.finish();
        return std::move(m_best);
    }

    const Quantizer& m_quantizer;
    const FixedOptions& m_fixed;
    base::Job m_job;
    Clock::time_point m_deadline;
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
    return Search(quantizer, options, job).run();
}

} // namespace quantoscope::flow
