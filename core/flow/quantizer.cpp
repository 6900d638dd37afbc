// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/quantizer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/sha256.h"
#include "core/flow/corrector.h"
#include "core/flow/network_store.h"
#include "core/flow/quantizer_state.h"
#include "core/graph/fingerprint.h"

namespace quantoscope::flow {

namespace {

/// The request without the corrections that did not stay.
planning::PlanRequest asKept(planning::PlanRequest request, const std::vector<CorrectionOutcome>& outcomes)
{
    auto& c = request.corrections;
    const std::pair<const char*, bool*> members[] { { "equalize", &c.equalize }, { "balance", &c.balance },
        { "absorb-high-bias", &c.absorbHighBias }, { "reconstruct", &c.reconstruct }, { "compensate", &c.compensate },
        { "adaptive-rounding", &c.adaptiveRounding }, { "gain-correction", &c.gain }, { "bias-correction", &c.bias } };
    for (const auto& outcome : outcomes)
        for (const auto& [word, member] : members)
            if (outcome.correction == word)
                *member = outcome.kept;
    return request;
}

CorrectionOutcome* outcomeOf(std::vector<CorrectionOutcome>& outcomes, std::string_view correction)
{
    const auto found = std::ranges::find(outcomes, correction, &CorrectionOutcome::correction);
    return found == outcomes.end() ? nullptr : &*found;
}

Corrector correctorFor(const Split& split, const graph::Graph& graph, const planning::PlanRequest& request,
    const QuantizerOptions& options)
{
    return Corrector({ graph, *split.fitting, {}, -1, options.threads, request.seed },
        split.reference && options.guard ? &*split.reference : nullptr);
}

/// `plan` without the corrected constants of tensors that are quantized otherwise than in `saved`, whose grids they no
/// longer lie on.
quant::QuantizationPlan withoutStaleConstants(const quant::QuantizationPlan& plan, const quant::QuantizationPlan& saved)
{
    quant::QuantizationPlan result = plan;
    for (const auto& [name, values] : plan.constants()) {
        const auto* now = plan.find(name);
        const auto* before = saved.find(name);
        if (now && now->role == quant::Role::Weight && !(before && *before == *now))
            result.eraseConstant(name);
    }
    return result;
}

} // namespace

Quantizer::Quantizer(GraphPtr graph, dataset::SampleSetPtr calibration, QuantizerOptions options)
    : m_state(std::make_unique<State>())
{
    m_state->graph = std::move(graph);
    m_state->calibration = std::move(calibration);
    m_state->options = options;
}

Quantizer::~Quantizer() = default;

void Quantizer::setStats(calibration::CalibrationStatsPtr stats)
{
    const std::scoped_lock lock(m_state->mutex);
    m_state->variants.front().stats = std::move(stats);
}

const GraphPtr& Quantizer::graph() const { return m_state->graph; }
const dataset::SampleSetPtr& Quantizer::calibration() const { return m_state->calibration; }

const QuantizerOptions& Quantizer::options() const { return m_state->options; }

std::string Quantizer::keyFor(const std::string& what) const
{
    base::Sha256 hash;
    {
        const std::scoped_lock lock(m_state->mutex);
        if (m_state->graphFingerprint.empty())
            m_state->graphFingerprint = graph::fingerprint(*m_state->graph);
        hash.add(QUANTOSCOPE_VERSION).add(m_state->graphFingerprint);
    }
    hash.add(m_state->calibration ? m_state->calibration->fingerprint() : std::string());
    hash.add(std::int64_t { m_state->options.guard }).add(what);
    return base::toHex(hash.digest());
}

Result<QuantizedNetwork> Quantizer::quantize(const planning::PlanRequest& request, const base::Job& job) const
{
    const auto& store = m_state->options.store;
    if (!store)
        return tryOut(request, job);
    const std::string key = keyFor("quantize " + planning::toJson(request).dump());
    QS_TRY(auto kept, store->findNetwork(key));
    if (!kept) {
        QS_TRY(kept, tryOut(request, job));
        QS_CHECK(store->keepNetwork(key, request, *kept));
    }
    // Also for what was just made: results are kept under the graph's fingerprint, which must be the same next time.
    QS_TRY(kept->graph, graphFor(*kept->plan));
    return *std::move(kept);
}

Result<QuantizedNetwork> Quantizer::tryOut(const planning::PlanRequest& request, const base::Job& job) const
{
    QS_TRY(auto network, corrected(request, Balancing::Judged, job));
    auto* dropped = outcomeOf(network.corrections, "balance");
    if (!dropped || dropped->kept || correctionsFor(request.corrections).empty())
        return network;

    // Balanced channels trade noise of activations for noise of weights, of which the corrections that follow take much
    // away: what loses alone may win with them.
    QS_TRY(auto other, corrected(request, Balancing::Taken, job));
    QS_TRY(const auto before, fidelity(network, job));
    QS_TRY(const auto after, fidelity(other, job));
    const bool isCloser = evaluation::clearlyCloser(after, before);
    auto& kept = isCloser ? other : network;
    auto* outcome = outcomeOf(kept.corrections, "balance");
    outcome->before = before;
    outcome->after = after;
    outcome->reason = isCloser ? "with the corrections that follow it brings the network closer to float"
                               : "with it the network is farther from float, or no closer after the other corrections";
    return std::move(kept);
}

/// The network with the corrections of weights on top.
Result<QuantizedNetwork> Quantizer::corrected(
    const planning::PlanRequest& request, Balancing balancing, const base::Job& job) const
{
    QS_TRY(auto start, m_state->start(request, balancing, job));
    auto& [network, plan] = start;
    if (request.corrections.any() && !plan.empty()) {
        QS_TRY(const auto* split, m_state->splitImages(job));
        if (!split->heldBack)
            network.notes.push_back("fewer than five calibration images: corrections are kept unchecked");
        const auto corrector = correctorFor(*split, *network.graph, request, m_state->options);
        QS_CHECK(corrector.run(correctionsFor(request.corrections), plan, network, job));
        plan.title = asKept(request, network.corrections).describe();
    }
    network.plan = std::make_shared<const quant::QuantizationPlan>(std::move(plan));
    return std::move(network);
}

Result<QuantizedNetwork> Quantizer::change(const quant::QuantizationPlan& saved, const planning::PlanRequest& request,
    planning::ChangedTensors changed, const base::Job& job) const
{
    if (request.corrections.balance && saved.channelFactors.empty())
        return fail(ErrorCode::InvalidInput, "the plan was made for the network as it is, not balanced", {},
            "make a new plan to balance");
    if (request.corrections.equalize && !saved.equalized)
        return fail(ErrorCode::InvalidInput, "the plan was made for the network as it is, not equalized", {},
            "make a new plan to equalize");
    QuantizedNetwork network;
    QS_TRY(const Variant variant, m_state->variantFor(saved, quantizesActivations(request), job));
    QS_TRY(auto built, planning::changePlan(*variant.graph, variant.stats.get(), saved, request, changed));
    network.graph = variant.graph;
    network.notes = std::move(built.notes);
    network.biasRemedies = std::move(built.biasRemedies);
    auto plan = withoutStaleConstants(built.plan, saved);
    if (request.corrections.any()) {
        QS_TRY(const auto* split, m_state->splitImages(job));
        const auto corrector = correctorFor(*split, *network.graph, request, m_state->options);
        QS_CHECK(corrector.run(correctionsFor(request.corrections), plan, network, job));
    }
    network.plan = std::make_shared<const quant::QuantizationPlan>(std::move(plan));
    return network;
}

Result<GraphPtr> Quantizer::graphFor(const quant::QuantizationPlan& plan) const
{
    QS_TRY(const Variant variant, m_state->variantFor(plan, false, {}));
    return variant.graph;
}

Result<calibration::CalibrationStatsPtr> Quantizer::statsFor(
    const quant::QuantizationPlan& plan, const base::Job& job) const
{
    QS_TRY(const Variant variant, m_state->variantFor(plan, true, job));
    return variant.stats;
}

Result<evaluation::Fidelity> Quantizer::fidelity(const QuantizedNetwork& network, const base::Job& job) const
{
    QS_TRY(const auto* split, m_state->splitImages(job));
    if (!split->reference)
        return fail(ErrorCode::InvalidInput, "fewer than five calibration images: none are held back", {},
            "give more calibration images");
    return split->reference->compare(*network.graph, *network.plan, job);
}

Result<evaluation::Fidelity> Quantizer::fidelityOnAll(const QuantizedNetwork& network, const base::Job& job) const
{
    QS_TRY(const auto* reference, m_state->referenceOnAll(job));
    return reference->compare(*network.graph, *network.plan, job);
}

Result<std::vector<evaluation::Fidelity>> Quantizer::fidelitiesOnAll(std::span<const calibration::Network> networks,
    const std::shared_ptr<evaluation::Reuse>& reuse, const base::Job& job) const
{
    QS_TRY(const auto* reference, m_state->referenceOnAll({ nullptr, job.stop }));
    return reference->compareAll(networks, reuse, job);
}

bool needsCalibration(const planning::PlanRequest& request)
{
    return quantizesActivations(request) || request.corrections.any();
}

} // namespace quantoscope::flow
