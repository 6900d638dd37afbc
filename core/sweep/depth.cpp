// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/depth.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/sweep/options_study.h"

namespace quantoscope::sweep {

namespace {

std::string fixed(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

bool sameImages(const SweepResult& a, const SweepResult& b)
{
    if (!a.floatResult || !b.floatResult)
        return false;
    const auto label = [](const evaluation::ImageOutcome& o) { return o.label; };
    return a.data == b.data && std::ranges::equal(a.floatResult->outcomes, b.floatResult->outcomes, {}, label, label);
}

/// What quantizing changed of each answer: 1 where it became right, -1 where it became wrong.
std::vector<int> changes(const SweepResult& result, const SweepPoint& point)
{
    std::vector<int> changed;
    const auto& before = result.floatResult->outcomes;
    for (std::size_t i = 0; i < before.size() && i < point.predictions.size(); ++i)
        changed.push_back(
            (point.predictions[i] == before[i].label ? 1 : 0) - (before[i].prediction == before[i].label ? 1 : 0));
    return changed;
}

DepthDifference difference(
    const SweepResult& shallow, const SweepPoint& low, const SweepResult& deep, const SweepPoint& high)
{
    DepthDifference found { .weightBits = low.weightBits,
        .activationBits = low.activationBits,
        .shallowDelta = low.againstFloat.delta,
        .deepDelta = high.againstFloat.delta };
    const auto ofShallow = changes(shallow, low);
    const auto ofDeep = changes(deep, high);
    const auto images = static_cast<double>(std::min(ofShallow.size(), ofDeep.size()));
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < std::min(ofShallow.size(), ofDeep.size()); ++i) {
        const double more = ofShallow[i] - ofDeep[i];
        sum += more;
        squares += more * more;
    }
    if (images < 2)
        return found;
    const double mean = sum / images;
    const double error = std::sqrt(std::max(0.0, squares / images - mean * mean) / (images - 1));
    constexpr double z = 1.959963984540054;
    found.more = 100 * mean;
    found.interval = { 100 * (mean - z * error), 100 * (mean + z * error) };
    found.pValue = error > 0 ? std::erfc(std::abs(mean) / error / std::sqrt(2.0)) : mean == 0 ? 1 : 0;
    return found;
}

std::string sentenceFor(const DepthComparison& c)
{
    const auto total = std::to_string(c.points.size());
    const std::string pair = c.deep + " (" + std::to_string(c.deepLayers) + " layers) and " + c.shallow + " ("
        + std::to_string(c.shallowLayers) + ")";
    const std::string evidence = " of " + total
        + " word-lengths; paired differences of the drops on the same images, "
          "Holm, 5 %";
    std::string text;
    if (c.deeperLosesMore == 0 && c.deeperLosesLess == 0)
        text = "Nothing says that the trend depends on depth: the drops of " + pair + " differ significantly at none"
            + evidence;
    else
        text = "The drops of " + pair + " differ significantly at "
            + std::to_string(c.deeperLosesMore + c.deeperLosesLess) + evidence + ": the deeper one loses more at "
            + std::to_string(c.deeperLosesMore) + ", less at " + std::to_string(c.deeperLosesLess);
    const auto largest = std::ranges::max_element(c.points, {}, [](const auto& p) { return std::abs(p.more); });
    return text + ". The largest difference: at W" + toString(largest->weightBits) + " A"
        + toString(largest->activationBits) + " the deeper one changes by " + fixed(largest->deepDelta)
        + " points, the other by " + fixed(largest->shallowDelta) + "; " + fixed(std::abs(largest->more)) + " points "
        + (largest->more >= 0 ? "more lost [" + fixed(largest->interval.low) + ", " + fixed(largest->interval.high)
                              : "less lost [" + fixed(-largest->interval.high) + ", " + fixed(-largest->interval.low))
        + "].";
}

Json bitsJson(Bits bits) { return bits ? Json(*bits) : Json("float"); }

} // namespace

std::optional<DepthComparison> compareDepths(const std::vector<StudiedModel>& models)
{
    if (models.size() < 2)
        return std::nullopt;
    const auto [shallow, deep] = std::ranges::minmax_element(models, {}, &StudiedModel::layers);
    if (shallow->layers == deep->layers || !sameImages(*shallow->result, *deep->result))
        return std::nullopt;
    DepthComparison comparison { shallow->name, deep->name, shallow->layers, deep->layers, {}, 0, 0, {} };
    std::vector<double> pValues;
    for (const auto& low : shallow->result->points) {
        const auto high = std::ranges::find_if(deep->result->points, [&](const SweepPoint& p) {
            return p.weightBits == low.weightBits && p.activationBits == low.activationBits;
        });
        if (high == deep->result->points.end() || low.stoppedEarly || high->stoppedEarly)
            continue; // differences are of the same images
        comparison.points.push_back(difference(*shallow->result, low, *deep->result, *high));
        pValues.push_back(comparison.points.back().pValue);
    }
    if (comparison.points.empty())
        return std::nullopt;
    const auto corrected = holm(std::move(pValues));
    for (std::size_t i = 0; i < corrected.size(); ++i) {
        auto& point = comparison.points[i];
        point.pValue = corrected[i];
        if (point.pValue < studySignificance)
            ++(point.more > 0 ? comparison.deeperLosesMore : comparison.deeperLosesLess);
    }
    comparison.sentence = sentenceFor(comparison);
    return comparison;
}

Json toJson(const DepthComparison& comparison)
{
    Json json { { "shallow", comparison.shallow }, { "shallow_layers", comparison.shallowLayers },
        { "deep", comparison.deep }, { "deep_layers", comparison.deepLayers },
        { "deeper_loses_more", comparison.deeperLosesMore }, { "deeper_loses_less", comparison.deeperLosesLess },
        { "sentence", comparison.sentence }, { "points", Json::array() } };
    for (const auto& point : comparison.points)
        json["points"].push_back(
            { { "weight_bits", bitsJson(point.weightBits) }, { "activation_bits", bitsJson(point.activationBits) },
                { "shallow_delta", point.shallowDelta }, { "deep_delta", point.deepDelta }, { "more_lost", point.more },
                { "more_lost_ci95", { point.interval.low, point.interval.high } }, { "p_value", point.pValue } });
    return json;
}

std::string toCsv(const std::vector<StudiedModel>& models)
{
    std::string text;
    for (const auto& model : models) {
        std::istringstream lines(toCsv(*model.result));
        std::string name = model.name;
        std::ranges::replace(name, '"', '\'');
        std::string line;
        for (int number = 0; std::getline(lines, line); ++number) {
            if (number == 0)
                text += text.empty() ? line + "\n" : std::string();
            else if (number == 1)
                text += &model == &models.front() ? "model,layers," + line + "\n" : std::string();
            else
                text += "\"" + name + "\"," + std::to_string(model.layers) + "," + line + "\n";
        }
    }
    return text;
}

} // namespace quantoscope::sweep
