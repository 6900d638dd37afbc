// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/study_document.h"

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/planning/request_json.h"
#include "core/sweep/trend.h"

namespace quantoscope::sweep {

namespace {

using evaluation::Fidelity;

Json bitsJson(Bits bits) { return bits ? Json(*bits) : Json("float"); }
Json intervalJson(const evaluation::Interval& interval) { return Json::array({ interval.low, interval.high }); }
Json agreement(const Fidelity& fidelity) { return fidelity.classifies ? Json(fidelity.agreement()) : Json(); }
Json divergence(const Fidelity& fidelity) { return fidelity.images > 0 ? Json(fidelity.divergence) : Json(); }

/// "min-max;mse"
template <typename T, typename ToText>
std::string joined(const std::vector<T>& list, const char* separator, ToText toText)
{
    std::string text;
    for (const T& entry : list)
        text += (text.empty() ? std::string() : separator) + toText(entry);
    return text;
}

/// What all studies are asked.
Json common(const planning::PlanRequest& request, const cost::EnergyModel& energy,
    const evaluation::EvaluationOptions& evaluation)
{
    return { { "request", planning::toJson(request) }, { "energy", energy.toJson() },
        { "engine", engine::toString(evaluation.arithmetic) } };
}

} // namespace

Json toJson(const std::vector<flow::CorrectionOutcome>& outcomes)
{
    Json rows = Json::array();
    for (const auto& outcome : outcomes)
        rows.push_back({ { "name", outcome.correction }, { "kept", outcome.kept },
            { "agreement_before", agreement(outcome.before) }, { "agreement_after", agreement(outcome.after) },
            { "divergence_before", divergence(outcome.before) }, { "divergence_after", divergence(outcome.after) },
            { "dropped_layers", outcome.droppedLayers }, { "kept_layers", outcome.keptLayers },
            { "reason", outcome.reason } });
    return rows;
}

Json toJson(const SweepPoint& point)
{
    return { { "weight_bits", bitsJson(point.weightBits) }, { "activation_bits", bitsJson(point.activationBits) },
        { "images", point.images }, { "stopped_early", point.stoppedEarly }, { "top1", point.top1 },
        { "top5", point.top5 }, { "loss", point.loss }, { "top1_ci95", intervalJson(point.top1Interval) },
        { "delta_top1", point.againstFloat.delta },
        { "delta_top1_ci95", intervalJson(point.againstFloat.deltaInterval) }, { "p_value", point.againstFloat.pValue },
        { "agreement", point.againstFloat.agreement }, { "cost", cost::toJson(point.cost) },
        { "corrections", toJson(point.corrections) } };
}

Json toJson(const SweepResult& result, double drop)
{
    const auto& reference = *result.floatResult;
    Json json { { "images", reference.images() },
        { "float",
            { { "top1", reference.top1() }, { "top5", reference.top5() },
                { "top1_ci95", intervalJson(reference.top1Interval()) }, { "loss", reference.loss() } } },
        { "points", Json::array() }, { "complete", result.complete } };
    for (const auto& point : result.points)
        json["points"].push_back(toJson(point));
    json["trend"] = toJson(readTrend(result, drop));
    return json;
}

Json settingsOf(const GridOptions& options)
{
    Json json = common(options.request, options.energy, options.evaluation);
    json["weight_bits"] = toString(options.weightBits);
    json["activation_bits"] = toString(options.activationBits);
    if (options.racing)
        json["race"] = options.racing->drop;
    if (const auto& best = options.best)
        json["best_flow"] = { { "weight_range", best->weightRange }, { "activation_range", best->activationRange },
            { "corrections", planning::toJson(best->corrections) } };
    return json;
}

Json settingsOf(const SensitivityOptions& options)
{
    Json json = common(
        options.keepOwnBits ? options.request : withoutOwnBits(options.request), options.energy, options.evaluation);
    json["weight_bits"] = options.weightBits;
    json["activation_bits"] = options.activationBits;
    json["measure"] = options.measure;
    return json;
}

Json settingsOf(const SearchOptions& options)
{
    Json json = common(options.request, options.energy, options.evaluation);
    json["weight_bits"] = options.weightBits;
    json["activation_bits"] = options.activationBits;
    json["budget"] = options.budget.toString();
    json["minimize"] = toString(options.minimize);
    json["estimate"] = toString(options.estimate);
    json["refinements"] = options.refinements;
    json["uniform"] = options.uniform ? "on" : "off";
    return json;
}

Json settingsOf(const OptionsStudySettings& settings)
{
    Json json = common(settings.request, settings.energy, settings.evaluation);
    json["weight_bits"] = toString(settings.weightBits);
    json["activation_bits"] = toString(settings.activationBits);
    const auto ranges = [](const auto& list) {
        return joined(list, ";", [](const quant::RangeSpec& range) { return range.toString(); });
    };
    const auto words = [](const auto& list) { return joined(list, ",", [](const std::string& word) { return word; }); };
    const auto grains = [](const std::vector<bool>& list) {
        std::string text;
        for (const bool perChannel : list)
            text += std::string(text.empty() ? "" : ",") + (perChannel ? "channel" : "tensor");
        return text;
    };
    json["weight_ranges"] = ranges(settings.weightRanges);
    json["activation_ranges"] = ranges(settings.activationRanges);
    json["weight_schemes"] = words(settings.weightSchemes);
    json["activation_schemes"] = words(settings.activationSchemes);
    json["weight_granularities"] = grains(settings.weightPerChannel);
    json["activation_granularities"] = grains(settings.activationPerChannel);
    json["corrections"] = Json::array();
    for (const auto& set : settings.corrections)
        json["corrections"].push_back(planning::toJson(set));
    return json;
}

} // namespace quantoscope::sweep
