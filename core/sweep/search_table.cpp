// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <locale>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"

namespace quantoscope::sweep {

namespace {

bool isMixed(const SearchPoint& point) { return point.origin != SearchPoint::Origin::Uniform; }

Json interval(const evaluation::Interval& interval) { return Json::array({ interval.low, interval.high }); }

Json paired(const evaluation::PairedComparison& comparison)
{
    return { { "delta_top1", comparison.delta }, { "delta_top1_ci95", interval(comparison.deltaInterval) },
        { "p_value", comparison.pValue }, { "agreement", comparison.agreement } };
}

/// What --layer takes to make the same word-lengths.
Json planOf(const SearchResult& result, const SearchPoint& point)
{
    Json layers = Json::array();
    for (std::size_t unit = 0; unit < point.bits.size(); ++unit)
        for (const auto& layer : result.units[unit].layers)
            layers.push_back({ { "name", layer }, { "kind", quant::toString(result.units[unit].role) },
                { "bits", point.bits[unit] } });
    return layers;
}

Json toJson(const SearchResult& result, const SearchPoint& point)
{
    Json json { { "label", point.label() }, { "mixed", isMixed(point) }, { "price", point.price },
        { "allowed", point.allowed }, { "cost", cost::toJson(point.cost) }, { "images", point.images },
        { "top1", point.top1 }, { "top1_ci95", interval(point.top1Interval) }, { "top5", point.top5 },
        { "loss", point.loss } };
    json.update(paired(point.againstFloat));
    json["estimates"] = { { "divergence", point.divergence }, { "sum_of_harms", point.estimatedDamage },
        { "bound", point.bound }, { "proven_best", point.provenBest } };
    json["plan"] = planOf(result, point);
    return json;
}

Json toJson(const SearchResult& result, const std::vector<Replacement>& replacements)
{
    Json list = Json::array();
    for (const auto& [uniform, mixed, comparison, corrected] : replacements) {
        const auto& from = result.points[uniform];
        const auto& to = result.points[mixed];
        Json entry { { "uniform", from.label() }, { "uniform_top1", from.top1 }, { "uniform_price", from.price },
            { "mixed_point", mixed }, { "mixed_top1", to.top1 }, { "mixed_price", to.price },
            { "price_ratio", to.price / from.price } };
        entry.update(paired(comparison));
        entry["p_value_corrected"] = corrected;
        list.push_back(std::move(entry));
    }
    return list;
}

/// The mixed point that `better` prefers among those that `fits`; empty if there is none.
template <typename Fits, typename Better>
std::optional<std::size_t> bestMixed(const SearchResult& result, Fits fits, Better better)
{
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < result.points.size(); ++i)
        if (isMixed(result.points[i]) && fits(result.points[i])
            && (!best || better(result.points[i], result.points[*best])))
            best = i;
    return best;
}

void correct(std::vector<Replacement>& replacements)
{
    std::vector<double> pValues;
    for (const auto& entry : replacements)
        pValues.push_back(entry.comparison.pValue);
    const auto corrected = holm(std::move(pValues));
    for (std::size_t i = 0; i < replacements.size(); ++i)
        replacements[i].pCorrected = corrected[i];
}

} // namespace

void compareSearchPoints(SearchResult& result)
{
    std::vector<Tradeoff> measured;
    for (const auto& point : result.points)
        measured.push_back({ point.price, -point.top1 });
    result.front = paretoFront(measured);
    result.atEqualPrice.clear();
    result.atEqualAccuracy.clear();
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& uniform = result.points[i];
        if (isMixed(uniform))
            continue;
        const auto add = [&](std::vector<Replacement>& list, std::optional<std::size_t> mixed) {
            if (mixed)
                list.push_back({ i, *mixed, evaluation::compare(uniform.outcomes, result.points[*mixed].outcomes), 1 });
        };
        add(result.atEqualPrice,
            bestMixed(
                result, [&](const auto& point) { return point.price <= uniform.price * (1 + 1e-9); },
                [](const auto& a, const auto& b) { return a.divergence < b.divergence; }));
        add(result.atEqualAccuracy,
            bestMixed(
                result, [&](const auto& point) { return point.top1 >= uniform.top1 && point.price < uniform.price; },
                [](const auto& a, const auto& b) { return a.price < b.price; }));
    }
    correct(result.atEqualPrice);
    correct(result.atEqualAccuracy);
}

namespace {

/// How the mixed network chosen at each uniform one's price does against it, beyond chance.
std::string describeReplacements(const SearchResult& result, int uniform)
{
    const int compared = static_cast<int>(result.atEqualPrice.size());
    int ahead = 0;
    std::string behind;
    for (const auto& [at, mixed, comparison, corrected] : result.atEqualPrice) {
        if (corrected >= studySignificance || comparison.delta == 0)
            continue;
        if (comparison.delta > 0)
            ++ahead;
        else
            behind += (behind.empty() ? "" : ", ") + result.points[at].label();
    }
    std::string text;
    if (compared > 0)
        text = " The mixed network chosen without labels at their price is significantly more accurate than "
            + std::to_string(ahead) + " of " + std::to_string(compared) + " uniform ones and significantly less than "
            + (behind.empty() ? "none" : behind) + " (exact McNemar on the same images, Holm, 5 %).";
    if (compared < uniform)
        text += " For " + std::to_string(uniform - compared) + " no mixed network that costs as little was looked at.";
    return text;
}

} // namespace

std::string describeFront(const SearchResult& result)
{
    int uniform = 0;
    int beaten = 0;
    std::string onFront;
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& point = result.points[i];
        if (isMixed(point))
            continue;
        ++uniform;
        if (bestMixed(
                result,
                [&](const auto& other) { return other.price <= point.price * (1 + 1e-9) && other.top1 >= point.top1; },
                [](const auto&, const auto&) { return false; }))
            ++beaten;
        else if (std::ranges::find(result.front, i) != result.front.end())
            onFront += (onFront.empty() ? "" : ", ") + point.label();
    }
    if (uniform == 0)
        return {};
    std::string text = "For " + std::to_string(beaten) + " of " + std::to_string(uniform)
        + " uniform word-lengths a mixed network costs no more and is at least as accurate, as measured";
    if (!onFront.empty())
        text += "; on the front with the mixed ones stand " + onFront + ".";
    else
        text += std::string("; ") + (beaten == uniform ? "none" : "no other") + " is on the front.";
    return text + describeReplacements(result, uniform);
}

std::string toCsv(const SearchResult& result)
{
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(10);
    std::string comment = result.scope + "; budget " + result.budget.toString() + "; " + result.data + "; estimates on "
        + result.estimatedOn + (result.complete ? "" : "; cancelled, incomplete");
    std::ranges::replace(comment, '\n', ' ');
    out << "# " << comment << '\n'
        << "kind,weight_bits,activation_bits,on_front,chosen,images,top1,top1_low,top1_high,delta_top1,delta_low,"
           "delta_high,p_value,agreement,size_bytes,bops,energy_pj,divergence,sum_of_harms\n";
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& point = result.points[i];
        const auto& against = point.againstFloat;
        const bool onFront = std::ranges::find(result.front, i) != result.front.end();
        out << (isMixed(point) ? "mixed," : "uniform,");
        if (point.uniform)
            out << point.uniform->first << ',' << point.uniform->second;
        else
            out << ',';
        out << ',' << onFront << ',' << (result.chosen == i) << ',' << point.images << ',' << point.top1 << ','
            << point.top1Interval.low << ',' << point.top1Interval.high << ',' << against.delta << ','
            << against.deltaInterval.low << ',' << against.deltaInterval.high << ',' << against.pValue << ','
            << against.agreement << ',' << point.cost.sizeBytes << ',' << point.cost.bops << ',' << point.cost.energyPj
            << ',' << point.divergence << ',' << point.estimatedDamage << '\n';
    }
    return out.str();
}

Json toJson(const SearchResult& result)
{
    Json json { { "scope", result.scope }, { "data", result.data }, { "estimated_on", result.estimatedOn },
        { "budget", result.budget.toString() }, { "price", toString(result.price) }, { "allowed", result.allowed },
        { "front", Json::array() }, { "points", Json::array() }, { "chosen", nullptr },
        { "complete", result.complete } };
    if (result.floatResult)
        json["float"] = { { "top1", result.floatResult->top1() }, { "top5", result.floatResult->top5() },
            { "top1_ci95", interval(result.floatResult->top1Interval()) }, { "loss", result.floatResult->loss() },
            { "cost", cost::toJson(result.floatCost) } };
    for (const std::size_t i : result.front)
        json["front"].push_back(toJson(result, result.points[i]));
    for (const auto& point : result.points)
        json["points"].push_back(toJson(result, point));
    if (result.chosen)
        json["chosen"] = toJson(result, result.points[*result.chosen]);
    json["front_in_words"] = describeFront(result);
    json["at_equal_price"] = toJson(result, result.atEqualPrice);
    json["at_equal_accuracy"] = toJson(result, result.atEqualAccuracy);
    return json;
}

} // namespace quantoscope::sweep
