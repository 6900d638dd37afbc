// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstdio>
#include <locale>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/sweep/options_study.h"

namespace quantoscope::sweep {

namespace {

std::string fixed(double value, int decimals)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

/// What of the corrections asked for is in the network.
std::string applied(const StudyRow& row)
{
    std::string dropped;
    for (const auto& outcome : row.outcomes)
        if (!outcome.kept)
            (dropped += dropped.empty() ? "" : ", ") += outcome.correction;
    return row.corrections + (dropped.empty() ? "" : " (dropped: " + dropped + ")");
}

std::string granularity(bool perChannel) { return perChannel ? "channel" : "tensor"; }

std::string comment(const OptionsStudy& study)
{
    std::string text = study.scope + "; " + study.data + (study.complete ? "" : "; cancelled, incomplete");
    std::ranges::replace(text, '\n', ' ');
    return text;
}

std::string quoted(std::string text)
{
    std::ranges::replace(text, '"', '\'');
    return '"' + text + '"';
}

Json interval(const evaluation::Interval& interval) { return Json::array({ interval.low, interval.high }); }
Json bits(Bits bits) { return bits ? Json(*bits) : Json("float"); }

Json toJson(const StudyRow& row)
{
    const auto& request = row.request;
    const auto side = [](const planning::TensorWish& wish, auto value) { return wish.bits ? Json(value) : Json(); };
    const auto both = [&](auto value) {
        return Json { { "weights", side(request.weights, value(request.weights)) },
            { "activations", side(request.activations, value(request.activations)) } };
    };
    Json outcomes = Json::array();
    for (const auto& outcome : row.outcomes)
        outcomes.push_back({ { "name", outcome.correction }, { "kept", outcome.kept },
            { "dropped_layers", outcome.droppedLayers }, { "kept_layers", outcome.keptLayers } });
    return { { "range", both([](const auto& wish) { return wish.range.toString(); }) },
        { "granularity", both([](const auto& wish) { return granularity(wish.perChannel); }) },
        { "scheme", both([](const auto& wish) { return wish.scheme; }) }, { "corrections", row.corrections },
        { "outcomes", std::move(outcomes) }, { "weight_bits", bits(row.weightBits()) },
        { "activation_bits", bits(row.activationBits()) }, { "images", row.images }, { "top1", row.top1 },
        { "top1_ci95", interval(row.top1Interval) }, { "top5", row.top5 }, { "loss", row.loss },
        { "delta_top1", row.againstFloat.delta }, { "delta_top1_ci95", interval(row.againstFloat.deltaInterval) },
        { "p_value", row.againstFloat.pValue }, { "agreement", row.againstFloat.agreement },
        { "cost", cost::toJson(row.cost) }, { "rank", row.rank }, { "tier", row.tier },
        { "p_against_best", row.pAgainstBest }, { "beats", row.beats }, { "beaten_by", row.beatenBy } };
}

} // namespace

std::string toCsv(const OptionsStudy& study)
{
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(10);
    out << "# " << comment(study) << '\n'
        << "weight_bits,activation_bits,weight_scheme,weight_granularity,weight_range,activation_scheme,"
           "activation_granularity,activation_range,corrections,dropped,images,top1,top1_low,top1_high,top5,loss,"
           "delta_top1,delta_low,delta_high,agreement,rank,tier,p_against_best,beats,beaten_by,size_bytes,bops,energy_"
           "pj\n";
    const auto wish = [&](const planning::TensorWish& w) {
        if (w.bits)
            out << w.scheme << ',' << granularity(w.perChannel) << ',' << quoted(w.range.toString()) << ',';
        else
            out << "float,,,";
    };
    for (const auto& row : study.rows) {
        std::string dropped;
        for (const auto& outcome : row.outcomes)
            if (!outcome.kept)
                (dropped += dropped.empty() ? "" : " ") += outcome.correction;
        out << toString(row.weightBits()) << ',' << toString(row.activationBits()) << ',';
        wish(row.request.weights);
        wish(row.request.activations);
        out << quoted(row.corrections) << ',' << quoted(dropped) << ',' << row.images << ',' << row.top1 << ','
            << row.top1Interval.low << ',' << row.top1Interval.high << ',' << row.top5 << ',' << row.loss << ','
            << row.againstFloat.delta << ',' << row.againstFloat.deltaInterval.low << ','
            << row.againstFloat.deltaInterval.high << ',' << row.againstFloat.agreement << ',' << row.rank << ','
            << row.tier << ',' << row.pAgainstBest << ',' << row.beats << ',' << row.beatenBy << ','
            << row.cost.sizeBytes << ',' << row.cost.bops << ',' << row.cost.energyPj << '\n';
    }
    return out.str();
}

Json toJson(const OptionsStudy& study)
{
    Json json { { "scope", study.scope }, { "data", study.data }, { "rows", Json::array() },
        { "left_out", Json::array() }, { "significance", studySignificance }, { "complete", study.complete } };
    if (study.floatResult)
        json["float"] = { { "top1", study.floatResult->top1() }, { "top5", study.floatResult->top5() },
            { "top1_ci95", interval(study.floatResult->top1Interval()) }, { "loss", study.floatResult->loss() } };
    for (const auto& row : study.rows)
        json["rows"].push_back(toJson(row));
    for (const auto& entry : study.leftOut)
        json["left_out"].push_back({ { "what", entry.what }, { "why", entry.why } });
    return json;
}

std::string toMarkdown(const OptionsStudy& study)
{
    std::string text = comment(study) + ".";
    if (study.floatResult)
        text += " Float: " + fixed(study.floatResult->top1(), 2) + " % top-1 ["
            + fixed(study.floatResult->top1Interval().low, 2) + ", " + fixed(study.floatResult->top1Interval().high, 2)
            + "].";
    text += "\n\nTop-1 in percent with its 95 % interval, difference from float in points. Rows of one group cannot be "
            "told from its first row (exact McNemar test on the same images, 5 % after Holm over all pairs of a "
            "table).\n";
    const StudyRow* last = nullptr;
    for (const auto& row : study.rows) {
        if (!last || last->weightBits() != row.weightBits() || last->activationBits() != row.activationBits())
            text += "\n## " + planning::describeBits(row.weightBits(), row.activationBits())
                + "\n\n| # | group | weights | activations | corrections | top-1 | 95 % | difference |\n"
                  "| ---: | ---: | --- | --- | --- | ---: | --- | ---: |\n";
        last = &row;
        text += "| " + std::to_string(row.rank) + " | " + std::to_string(row.tier) + " | " + row.weights + " | "
            + row.activations + " | " + applied(row) + " | " + fixed(row.top1, 2) + " | "
            + fixed(row.top1Interval.low, 2) + " to " + fixed(row.top1Interval.high, 2) + " | "
            + (row.againstFloat.delta > 0 ? "+" : "") + fixed(row.againstFloat.delta, 2) + " |\n";
    }
    return text;
}

} // namespace quantoscope::sweep
