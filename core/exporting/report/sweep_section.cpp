// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/exporting/report/cost_chart.h"
#include "core/exporting/report/markup.h"
#include "core/exporting/report/plot.h"
#include "core/exporting/report/sections.h"
#include "core/sweep/iso_cost.h"

namespace quantoscope::exporting::report {

namespace {

/// Bits as a place on an axis: float one step behind the most.
class BitAxis {
public:
    BitAxis(const Json& points, const std::string& key)
    {
        for (const auto& point : points) {
            const auto& bits = part(point, key);
            if (std::ranges::find(m_all, bits) == m_all.end())
                m_all.push_back(bits);
        }
        std::ranges::sort(m_all, {}, [](const Json& bits) { return bits.is_number() ? bits.get<double>() : 1e9; });
    }
    std::size_t size() const { return m_all.size(); }
    const Json& at(std::size_t i) const { return m_all[i]; }
    std::string label(std::size_t i) const { return bitsText(m_all[i]); }
    std::size_t indexOf(const Json& bits) const
    {
        return static_cast<std::size_t>(std::ranges::find(m_all, bits) - m_all.begin());
    }
    double place(const Json& bits) const
    {
        if (bits.is_number())
            return bits.get<double>();
        const auto most
            = std::ranges::find_if(m_all.rbegin(), m_all.rend(), [](const Json& b) { return b.is_number(); });
        return most == m_all.rend() ? 0 : most->get<double>() + 1;
    }

private:
    std::vector<Json> m_all;
};

std::string nameOf(const Json& point)
{
    return "W" + bitsText(part(point, "weight_bits")) + " A" + bitsText(part(point, "activation_bits"));
}

std::string tipOf(const Json& point)
{
    return nameOf(point) + ": " + fixed(number(point, "top1")) + " % " + rangeText(part(point, "top1_ci95")) + ", "
        + signedFixed(number(point, "delta_top1")) + " " + rangeText(part(point, "delta_top1_ci95")) + " against float";
}

double position(std::size_t i, std::size_t count)
{
    return count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.5;
}

/// Accuracy over weight bits with a line for each number of activation bits; the other way round if weights are alone.
std::string lines(const Json& points, const BitAxis& weights, const BitAxis& activations, double floatTop1)
{
    const bool overWeights = weights.size() > 1 || activations.size() <= 1;
    const auto& across = overWeights ? weights : activations;
    const auto& groups = overWeights ? activations : weights;
    const std::string acrossKey = overWeights ? "weight_bits" : "activation_bits";
    const std::string groupKey = overWeights ? "activation_bits" : "weight_bits";
    Plot plot { .title = "Accuracy against word-length",
        .x = { overWeights ? "Weight word-length [bits]" : "Activation word-length [bits]" },
        .y = { "Top-1 accuracy [%]" },
        .series = {} };
    for (std::size_t i = 0; i < across.size(); ++i)
        plot.x.ticks.emplace_back(across.place(across.at(i)), across.label(i));
    for (std::size_t g = groups.size(); g-- > 0;) {
        PlotSeries series { .name = (overWeights ? "activations " : "weights ") + groups.label(g),
            .colour = groups.at(g).is_number() ? ordinal(position(g, groups.size())) : "#8c8c8c",
            .points = {},
            .line = true,
            .band = true };
        for (const auto& point : points)
            if (part(point, groupKey) == groups.at(g))
                series.points.push_back({ across.place(part(point, acrossKey)), number(point, "top1"),
                    bound(part(point, "top1_ci95"), 0), bound(part(point, "top1_ci95"), 1), tipOf(point) });
        std::ranges::sort(series.points, {}, &PlotPoint::x);
        plot.series.push_back(std::move(series));
    }
    if (std::isfinite(floatTop1))
        plot.levels.emplace_back(floatTop1, "float " + fixed(floatTop1) + " %");
    return heading(3, "Accuracy against word-length") + toSvg(plot);
}

std::string map(const Json& points, const BitAxis& weights, const BitAxis& activations, cost::Metric which)
{
    HeatMap map { .title = "Accuracy over both word-lengths",
        .xTitle = "Weight word-length [bits]",
        .yTitle = "Activation word-length [bits]",
        .columns = {},
        .rows = {},
        .values = std::vector<double>(weights.size() * activations.size(), nothing),
        .tips = std::vector<std::string>(weights.size() * activations.size()) };
    sweep::CostGrid costs { weights.size(), activations.size(), map.values };
    for (std::size_t i = 0; i < weights.size(); ++i)
        map.columns.push_back(weights.label(i));
    for (std::size_t i = 0; i < activations.size(); ++i)
        map.rows.push_back(activations.label(i));
    for (const auto& point : points) {
        const std::size_t cell = activations.indexOf(part(point, "activation_bits")) * weights.size()
            + weights.indexOf(part(point, "weight_bits"));
        map.values[cell] = number(point, "top1");
        map.tips[cell] = tipOf(point) + "; " + metric(number(part(point, "cost"), "size_bytes"), "B") + ", "
            + metric(number(part(point, "cost"), "bops"), "BOP") + ", "
            + metric(number(part(point, "cost"), "energy_pj"), "pJ");
        costs.values[cell] = number(part(point, "cost"), cost::keyOf(which));
    }
    map.lines = sweep::isoLines(costs, sweep::isoLevels(costs));
    map.lineUnit = cost::unitOf(which);
    return toSvg(map);
}

/// One map a cost whose lines are worth drawing: energy to see, the others to unfold.
std::string maps(const Json& points, const BitAxis& weights, const BitAxis& activations)
{
    if (weights.size() < 2 || activations.size() < 2)
        return {};
    const auto titled = [&](cost::Metric which) {
        return heading(3, "Both word-lengths, with lines of equal cost: " + cost::titleOf(which))
            + map(points, weights, activations, which);
    };
    std::string others;
    for (const auto which : { cost::Metric::Bops, cost::Metric::Size, cost::Metric::PeakActivations })
        others += titled(which);
    return titled(cost::Metric::Energy) + folded("Lines of the other costs", others);
}

std::string table(const Json& points)
{
    HtmlTable table({ "W", "A", "top-1 [%]", "95 % interval", "difference", "95 % interval", "agreement [%]", "size",
        "most activations", "bit operations", "accumulator [bit]", "energy" });
    for (const auto& point : points) {
        const auto& cost = part(point, "cost");
        table.add({ bitsText(part(point, "weight_bits")), bitsText(part(point, "activation_bits")),
            fixed(number(point, "top1")), rangeText(part(point, "top1_ci95")), signedFixed(number(point, "delta_top1")),
            rangeText(part(point, "delta_top1_ci95")), fixed(number(point, "agreement")),
            metric(number(cost, "size_bytes"), "B"), metric(number(cost, "peak_activation_bytes"), "B"),
            metric(number(cost, "bops"), "BOP"), text(cost, "accumulator_bits"),
            metric(number(cost, "energy_pj"), "pJ") });
    }
    return folded(std::to_string(points.size()) + " points as a table", table.toString());
}

} // namespace

std::string sweepSection(const Json& document)
{
    std::string page;
    const auto& trend = part(document, "trend");
    for (const auto& sentence : trend.is_array() ? trend : part(trend, "sentences"))
        if (sentence.is_string())
            page += paragraph(sentence.get<std::string>());
    const auto& points = part(document, "points");
    if (!points.is_array() || points.empty())
        return page;
    const BitAxis weights(points, "weight_bits");
    const BitAxis activations(points, "activation_bits");
    const auto& reference = part(document, "float");
    const double floatTop1 = number(reference, "top1");
    page += paragraph("Float: " + fixed(floatTop1) + " % " + rangeText(part(reference, "top1_ci95")) + " top-1 on "
        + grouped(number(document, "images")) + " images.");
    page += lines(points, weights, activations, floatTop1) + maps(points, weights, activations);
    std::vector<CostSeries> series;
    for (std::size_t g = activations.size(); g-- > 0;) {
        series.push_back({ "activations " + activations.label(g),
            activations.at(g).is_number() ? ordinal(position(g, activations.size())) : "#8c8c8c", {} });
        for (const auto& point : points)
            if (part(point, "activation_bits") == activations.at(g))
                series.back().points.push_back(&point);
    }
    return page + costCharts(series, floatTop1, nameOf) + table(points);
}

std::string modelsSection(const Json& document)
{
    std::string page;
    for (const auto& sentence : part(document, "trend"))
        if (sentence.is_string())
            page += paragraph(sentence.get<std::string>());
    const auto& models = part(document, "costs");
    if (!models.is_array() || models.empty())
        return page;
    Plot plot { .title = "Top-1 lost by each model",
        .x = { "Word-length of weights and activations [bits]" },
        .y = { "Top-1 against its own float [points]" },
        .series = {} };
    std::vector<CostSeries> costs;
    for (const auto& model : models) {
        const auto colour = category(static_cast<int>(costs.size()));
        const auto name = text(model, "name");
        PlotSeries series { .name = name, .colour = colour, .points = {}, .line = true, .band = true };
        costs.push_back({ name, colour, {} });
        for (const auto& point : part(model, "points")) {
            costs.back().points.push_back(&point);
            const auto& bits = part(point, "weight_bits");
            const auto& reach = part(point, "delta_top1_ci95");
            if (bits.is_number() && bits == part(point, "activation_bits"))
                series.points.push_back({ bits.get<double>(), number(point, "delta_top1"), bound(reach, 0),
                    bound(reach, 1), name + ", " + tipOf(point) });
        }
        plot.series.push_back(std::move(series));
    }
    if (std::ranges::any_of(plot.series, [](const auto& series) { return series.points.size() > 1; }))
        page += heading(3, "What the same word-length everywhere costs each model") + toSvg(plot);
    return page + costCharts(costs, nothing, nameOf);
}

} // namespace quantoscope::exporting::report
