// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/flow/quantizer.h"
#include "core/planning/request_json.h"
#include "core/planning/transforms/balancing.h"
#include "core/planning/transforms/equalization.h"
#include "core/planning/transforms/high_bias.h"

/// What a Quantizer has made so far and starts from. Included by quantizer.cpp alone.
namespace quantoscope::flow {

constexpr std::int64_t holdBackEvery = 5; ///< calibration image

/// Positions of the calibration images that are held back, or of the others.
inline std::vector<std::int64_t> positions(std::int64_t images, bool heldBack)
{
    std::vector<std::int64_t> all(static_cast<std::size_t>(images));
    std::iota(all.begin(), all.end(), 0);
    std::erase_if(all, [heldBack](std::int64_t i) { return (i % holdBackEvery == holdBackEvery - 1) != heldBack; });
    return all;
}

/// What is done to the float network before anything is quantized; each stands on the one before.
enum class Form { Plain, Equalized, Absorbed };

/// A graph and what was seen running it.
struct Variant {
    GraphPtr graph;
    calibration::CalibrationStatsPtr stats;
    quant::QuantizationPlan::Constants constants; ///< what the graph has that planning::equalize() does not make
    std::vector<std::string> notes; ///< of what made the graph
};

/// The calibration images in two parts, and float's answers for the one held back.
struct Split {
    dataset::SampleSetPtr fitting;
    dataset::SampleSetPtr heldBack; ///< null: too few images to hold any back
    std::optional<evaluation::FloatReference> reference;
};

/// Whether balanced channels have to show at once that they do no harm.
enum class Balancing { Judged, Taken };

/// A network on its way: what it is so far, and its plan.
struct Start {
    QuantizedNetwork network;
    quant::QuantizationPlan plan;
};

inline bool quantizesActivations(const planning::PlanRequest& request)
{
    const auto asks = [](const planning::LayerOverride& o) { return o.activations.bits && *o.activations.bits; };
    return request.activations.bits || request.firstLastBits || std::ranges::any_of(request.overrides, asks);
}

struct Quantizer::State {
    GraphPtr graph;
    dataset::SampleSetPtr calibration;
    QuantizerOptions options;

    std::mutex mutex; ///< for all below
    std::string graphFingerprint; ///< empty until it is asked for
    std::array<Variant, 3> variants; ///< by Form
    std::deque<std::pair<quant::ChannelFactors, Variant>> scaled; ///< networks with channels balanced, the latest last
    std::map<std::string, quant::ChannelFactors> balanced; ///< by the request, without what has no part in it
    Split split;
    std::optional<evaluation::FloatReference> all; ///< on every calibration image

    Result<void> needImages() const
    {
        if (calibration)
            return {};
        return fail(ErrorCode::InvalidInput, "quantizing activations and correcting weights need calibration images",
            {}, "give calibration images");
    }

    Result<void> makeGraph(Variant& variant, Form form, const base::Job& job)
    {
        switch (form) {
        case Form::Plain:
            variant.graph = graph;
            return {};
        case Form::Equalized: {
            QS_TRY(auto made, planning::equalize(*graph));
            variant.graph = std::move(made.graph);
            variant.notes = std::move(made.notes);
            return {};
        }
        case Form::Absorbed:
            break;
        }
        QS_TRY(const Variant* before, complete(Form::Equalized, true, job));
        QS_TRY(auto absorbed, planning::absorbHighBiases(*before->graph, *before->stats));
        quant::QuantizationPlan changes;
        for (const auto& [name, values] : absorbed.constants)
            changes.setFloatConstant(name, values);
        QS_TRY(auto made, quant::floatGraph(*before->graph, changes));
        variant.graph = std::make_shared<const graph::Graph>(std::move(made));
        variant.constants = std::move(absorbed.constants);
        variant.notes = before->notes;
        std::ranges::move(absorbed.notes, std::back_inserter(variant.notes));
        return {};
    }

    Result<calibration::CalibrationStatsPtr> seenOn(const graph::Graph& network, const base::Job& job) const
    {
        calibration::CalibrationOptions calibrationOptions;
        calibrationOptions.threads = options.threads;
        if (!options.cache)
            return calibration::calibrate(network, *calibration, calibrationOptions, job);
        QS_TRY(const auto answer, options.cache->statsFor(network, *calibration, calibrationOptions, job));
        return answer.stats;
    }

    /// The graph in one of its forms, with statistics if they are asked for.
    Result<Variant> variant(Form form, bool withStats, const base::Job& job)
    {
        const std::scoped_lock lock(mutex);
        QS_TRY(const Variant* kept, complete(form, withStats, job));
        return *kept;
    }

    /// Whether the plan was made for the network that high biases were absorbed in by this object.
    bool isAbsorbedHere(const quant::QuantizationPlan& plan)
    {
        const std::scoped_lock lock(mutex);
        return variants[static_cast<std::size_t>(Form::Absorbed)].constants == plan.floatConstants();
    }

    /// The float network that a saved plan is for, with statistics if they are asked for.
    Result<Variant> variantFor(const quant::QuantizationPlan& plan, bool withStats, const base::Job& job)
    {
        if (!plan.channelFactors.empty())
            return scaledVariant(plan.channelFactors, withStats, job);
        const Form form = plan.equalized ? Form::Equalized : Form::Plain;
        if (plan.floatConstants().empty())
            return variant(form, withStats, job);
        if (isAbsorbedHere(plan))
            return variant(Form::Absorbed, withStats, job);
        QS_TRY(Variant result, variant(form, false, job));
        QS_TRY(auto made, quant::floatGraph(*result.graph, plan));
        result.graph = std::make_shared<const graph::Graph>(std::move(made));
        result.stats = nullptr;
        if (withStats) {
            QS_CHECK(needImages());
            QS_TRY(result.stats, seenOn(*result.graph, job));
        }
        return result;
    }

    /// The graph with channels multiplied by factors, with statistics if they are asked for.
    Result<Variant> scaledVariant(const quant::ChannelFactors& factors, bool withStats, const base::Job& job)
    {
        const std::scoped_lock lock(mutex);
        auto found = std::ranges::find(scaled, factors, &std::pair<quant::ChannelFactors, Variant>::first);
        if (found == scaled.end()) {
            QS_TRY(auto made, planning::scaledGraph(*graph, factors));
            keepScaled(factors, { std::make_shared<const graph::Graph>(std::move(made)), nullptr, {}, {} });
            found = std::prev(scaled.end());
        }
        Variant& kept = found->second;
        if (withStats && !kept.stats) {
            QS_CHECK(needImages());
            QS_TRY(kept.stats, seenOn(*kept.graph, job));
        }
        return kept;
    }

    /// Each takes the memory of a model, so only the latest are kept; the mutex must be held.
    void keepScaled(const quant::ChannelFactors& factors, Variant made)
    {
        constexpr std::size_t most = 4;
        scaled.emplace_back(factors, std::move(made));
        if (scaled.size() > most)
            scaled.pop_front();
    }

    /// Makes what is missing; the mutex must be held.
    Result<const Variant*> complete(Form form, bool withStats, const base::Job& job)
    {
        Variant& kept = variants[static_cast<std::size_t>(form)];
        if (!kept.graph)
            QS_CHECK(makeGraph(kept, form, job));
        if (withStats && !kept.stats) {
            QS_CHECK(needImages());
            QS_TRY(kept.stats, seenOn(*kept.graph, job));
        }
        return &kept;
    }

    /// Alive as long as the quantizer.
    Result<const evaluation::FloatReference*> referenceOnAll(const base::Job& job)
    {
        const std::scoped_lock lock(mutex);
        QS_CHECK(needImages());
        if (!all) {
            QS_TRY(all, evaluation::FloatReference::create(*graph, *calibration, options.threads, job));
        }
        return &*all;
    }

    /// The request's plan before corrections, and the network it is for.
    Result<Start> planFor(const planning::PlanRequest& request, Form form, const base::Job& job)
    {
        QS_TRY(const Variant at, variant(form, quantizesActivations(request), job));
        QS_TRY(auto start, planOn(at, request));
        start.plan.equalized = form != Form::Plain;
        return start;
    }

    static Result<Start> planOn(const Variant& at, const planning::PlanRequest& request)
    {
        QS_TRY(auto built, planning::buildPlan(*at.graph, at.stats.get(), request));
        for (const auto& [name, values] : at.constants)
            built.plan.setFloatConstant(name, values);
        Start start;
        start.network.graph = at.graph;
        start.network.notes = at.notes;
        std::ranges::move(built.notes, std::back_inserter(start.network.notes));
        start.network.biasRemedies = std::move(built.biasRemedies);
        start.plan = std::move(built.plan);
        return start;
    }

    /// The same with equalization, and with high biases absorbed in what that makes, where they are asked for and do no
    /// harm.
    Result<Start> start(const planning::PlanRequest& request, Balancing balancing, const base::Job& job)
    {
        QS_TRY(auto best, planFor(request, Form::Plain, job));
        if (request.corrections.equalize) {
            QS_TRY(auto other, planFor(request, Form::Equalized, job));
            QS_CHECK(offer(best, std::move(other), "equalize", job));
        }
        if (request.corrections.absorbHighBias && best.plan.equalized) {
            QS_TRY(auto other, planFor(request, Form::Absorbed, job));
            QS_CHECK(offer(best, std::move(other), "absorb-high-bias", job));
        }
        if (request.corrections.balance) {
            QS_TRY(auto other, balancedPlan(best.plan, request, job));
            if (balancing == Balancing::Judged)
                QS_CHECK(offer(best, std::move(other), "balance", job));
            else
                take(best, std::move(other), { .correction = "balance", .kept = true, .reason = "kept unchecked" });
        }
        return best;
    }

    /// The request's plan for the network whose channels are balanced for `plain`, the plan that it makes otherwise.
    Result<Start> balancedPlan(
        const quant::QuantizationPlan& plain, const planning::PlanRequest& request, const base::Job& job)
    {
        QS_TRY(const Variant before, variant(Form::Plain, true, job));
        auto relevant = request;
        relevant.corrections = {};
        relevant.seed = 0;
        const auto key = planning::toJson(relevant).dump();
        std::optional<quant::ChannelFactors> factors;
        {
            const std::scoped_lock lock(mutex);
            if (const auto kept = balanced.find(key); kept != balanced.end())
                factors = kept->second;
        }
        if (!factors) {
            QS_TRY(auto made, planning::balance(*before.graph, *before.stats, plain));
            factors = std::move(made.factors);
            const std::scoped_lock lock(mutex);
            balanced.emplace(key, *factors);
            keepScaled(*factors, { made.graph, nullptr, {}, std::move(made.notes) });
        }
        QS_TRY(const Variant at, scaledVariant(*factors, quantizesActivations(request), job));
        QS_TRY(auto start, planOn(at, request));
        start.plan.channelFactors = *factors;
        return start;
    }

    /// Puts another form of the network in the place of `best` unless it is worse on the images held back.
    Result<void> offer(Start& best, Start other, const std::string& name, const base::Job& job)
    {
        QS_TRY(const auto* images, splitImages(job));
        CorrectionOutcome outcome { .correction = name, .kept = true, .reason = "kept unchecked" };
        if (images->reference && options.guard) {
            QS_TRY(outcome.before, images->reference->compare(*best.network.graph, best.plan, job));
            QS_TRY(outcome.after, images->reference->compare(*other.network.graph, other.plan, job));
            outcome.kept = evaluation::notWorse(outcome.after, outcome.before);
            outcome.reason = outcome.kept ? "on the images held back it does no harm"
                                          : "with it the network is farther from float";
        }
        take(best, std::move(other), std::move(outcome));
        return {};
    }

    static void take(Start& best, Start other, CorrectionOutcome outcome)
    {
        auto outcomes = std::move(best.network.corrections);
        if (outcome.kept)
            best = std::move(other);
        outcomes.push_back(std::move(outcome));
        best.network.corrections = std::move(outcomes);
    }

    /// Alive as long as the quantizer.
    Result<const Split*> splitImages(const base::Job& job)
    {
        const std::scoped_lock lock(mutex);
        QS_CHECK(needImages());
        if (!split.fitting) {
            const auto heldBack = positions(calibration->size(), true);
            split.fitting = heldBack.empty() || !options.guard
                ? calibration
                : calibration->subset(positions(calibration->size(), false));
            if (!heldBack.empty())
                split.heldBack = calibration->subset(heldBack);
        }
        if (split.heldBack && !split.reference) {
            QS_TRY(split.reference, evaluation::FloatReference::create(*graph, *split.heldBack, options.threads, job));
        }
        return &split;
    }
};

} // namespace quantoscope::flow
