// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <locale>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/sweep/sensitivity.h"

namespace quantoscope::sweep {

namespace {

constexpr std::pair<Estimate, const char*> words[] { { Estimate::Divergence, "kl" },
    { Estimate::LogitError, "logit-mse" }, { Estimate::SecondOrder, "second-order" }, { Estimate::Noise, "noise" } };

Json interval(const evaluation::Interval& interval) { return Json::array({ interval.low, interval.high }); }
/// JSON knows no infinity.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json estimatesOf(const SensitivityPoint& point)
{
    Json json = Json::object();
    for (const auto& [estimate, word] : words)
        json[word] = number(point.estimate(estimate));
    return json;
}

Json toJson(const SensitivityPoint& point, const QuantizedUnit& unit)
{
    Json json { { "name", unit.name }, { "kind", quant::toString(unit.role) }, { "bits", point.bits },
        { "sqnr_db", number(point.sqnrDb) }, { "estimates", estimatesOf(point) }, { "cost", cost::toJson(point.cost) },
        { "tensors", unit.tensors }, { "readers", unit.layers } };
    if (!point.measured)
        return json;
    const auto& measured = *point.measured;
    json["top1"] = measured.top1;
    json["top1_ci95"] = interval(measured.top1Interval);
    json["delta_top1"] = measured.againstFloat.delta;
    json["delta_top1_ci95"] = interval(measured.againstFloat.deltaInterval);
    json["p_value"] = measured.againstFloat.pValue;
    json["agreement"] = measured.againstFloat.agreement;
    json["loss"] = measured.loss;
    return json;
}

Json toJson(const EstimateTrust& trust)
{
    const auto& c = trust.correlation;
    Json json { { "estimate", toString(trust.estimate) },
        { "kind", trust.role ? Json(quant::toString(*trust.role)) : Json("both") },
        { "bits", trust.bits ? Json(*trust.bits) : Json("all") }, { "points", c.pairs } };
    json["spearman"] = c.spearman ? Json(*c.spearman) : Json();
    json["spearman_ci95"] = interval(c.spearmanInterval);
    json["kendall"] = c.kendall ? Json(*c.kendall) : Json();
    json["kendall_ci95"] = interval(c.kendallInterval);
    return json;
}

std::string comment(const SensitivityResult& result)
{
    std::string text = "each tensor alone; " + result.scope + "; " + (result.data.empty() ? "" : result.data + "; ")
        + "estimates on " + result.estimatedOn + (result.complete ? "" : "; cancelled, incomplete");
    std::ranges::replace(text, '\n', ' ');
    return text;
}

std::string quoted(std::string text)
{
    std::ranges::replace(text, '"', '\'');
    return '"' + text + '"';
}

std::string fixed(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

} // namespace

std::string toString(Estimate estimate)
{
    return std::ranges::find(words, estimate, [](const auto& entry) { return entry.first; })->second;
}

Result<Estimate> parseEstimate(const std::string& text)
{
    for (const auto& [estimate, word] : words)
        if (text == word)
            return estimate;
    return fail(ErrorCode::InvalidInput, "estimate '" + text + "' is not known", {},
        "use kl, logit-mse, second-order or noise");
}

std::string describeTrust(const SensitivityResult& result)
{
    const EstimateTrust* best = nullptr;
    for (const auto& trust : result.trust) {
        const bool whole = !trust.role && !trust.bits && trust.correlation.spearman;
        if (whole && (!best || *trust.correlation.spearman > *best->correlation.spearman))
            best = &trust;
    }
    if (!best)
        return {};
    const auto& c = best->correlation;
    if (c.spearmanInterval.low <= 0)
        return "None of the estimates without labels is known to order the tensors as the measured drops do: the "
               "closest, "
            + toString(best->estimate) + ", has Spearman " + fixed(*c.spearman) + " [" + fixed(c.spearmanInterval.low)
            + ", " + fixed(c.spearmanInterval.high) + "] over " + std::to_string(c.pairs)
            + " points. Drops that are smaller than their intervals have no order to agree "
              "with; more images would help.";
    return "Of the estimates without labels, " + toString(best->estimate)
        + " comes closest to the order of the measured drops: Spearman " + fixed(*c.spearman) + " ["
        + fixed(c.spearmanInterval.low) + ", " + fixed(c.spearmanInterval.high) + "] over " + std::to_string(c.pairs)
        + " points. Drops that are smaller than their intervals have no order to agree with.";
}

std::string toCsv(const SensitivityResult& result)
{
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(10);
    out << "# " << comment(result) << '\n' << "layer,kind,bits,sqnr_db";
    for (const auto& [estimate, word] : words)
        out << ',' << word;
    out << ",images,top1,top1_low,top1_high,delta_top1,delta_low,delta_high,p_value,agreement,loss\n";
    for (const auto& point : result.points) {
        const auto& unit = result.units[point.unit];
        out << quoted(unit.name) << ',' << quant::toString(unit.role) << ',' << point.bits << ',' << point.sqnrDb;
        for (const auto& [estimate, word] : words) {
            out << ',';
            if (!std::isnan(point.estimate(estimate)))
                out << point.estimate(estimate);
        }
        if (!point.measured) {
            out << ",,,,,,,,,,\n";
            continue;
        }
        const auto& measured = *point.measured;
        const auto& paired = measured.againstFloat;
        out << ',' << paired.images << ',' << measured.top1 << ',' << measured.top1Interval.low << ','
            << measured.top1Interval.high << ',' << paired.delta << ',' << paired.deltaInterval.low << ','
            << paired.deltaInterval.high << ',' << paired.pValue << ',' << paired.agreement << ',' << measured.loss
            << '\n';
    }
    return out.str();
}

Json toJson(const SensitivityResult& result)
{
    Json json { { "scope", result.scope }, { "data", result.data }, { "estimated_on", result.estimatedOn },
        { "layers", Json::array() }, { "trust", Json::array() }, { "trust_in_words", describeTrust(result) },
        { "complete", result.complete } };
    if (result.floatResult)
        json["float"] = { { "top1", result.floatResult->top1() }, { "top5", result.floatResult->top5() },
            { "top1_ci95", interval(result.floatResult->top1Interval()) }, { "loss", result.floatResult->loss() } };
    for (const auto& point : result.points)
        json["layers"].push_back(toJson(point, result.units[point.unit]));
    for (const auto& trust : result.trust)
        json["trust"].push_back(toJson(trust));
    return json;
}

} // namespace quantoscope::sweep
