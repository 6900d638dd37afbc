// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/cost/metric.h"
#include "core/exporting/report/cost_chart.h"
#include "core/exporting/report/markup.h"
#include "core/exporting/report/plot.h"
#include "core/exporting/report/sections.h"

namespace quantoscope::exporting::report {

namespace {

std::string brief(double value)
{
    if (!std::isfinite(value))
        return "–";
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

/// Points of top-1 lost, or nats of divergence where nothing was measured.
double harmOf(const Json& point, bool measured)
{
    return measured ? -number(point, "delta_top1") : number(part(point, "estimates"), "kl");
}

std::string sensitivityChart(const Json& points, const std::string& kind, bool measured)
{
    const auto drawn
        = [&kind](const Json& point) { return text(point, "kind") == kind && part(point, "bits").is_number_integer(); };
    std::set<int> bits;
    for (const auto& point : points)
        if (drawn(point))
            bits.insert(part(point, "bits").get<int>());
    if (bits.empty())
        return {};
    BarChart chart { .title = "Sensitivity of each " + kind,
        .xTitle = measured ? "Top-1 lost with this one alone quantized [points]" : "Divergence from float [nat]",
        .groups = {},
        .lines = {} };
    for (const int b : bits)
        chart.groups.push_back(std::to_string(b) + " bits");
    for (const auto& point : points) {
        if (!drawn(point))
            continue;
        if (chart.lines.empty() || chart.lines.back().label != text(point, "name"))
            chart.lines.push_back({ text(point, "name"), std::vector<std::optional<BarChart::Bar>>(bits.size()) });
        const auto at = std::distance(bits.begin(), bits.find(part(point, "bits").get<int>()));
        const double harm = harmOf(point, measured);
        chart.lines.back().bars[static_cast<std::size_t>(at)] = BarChart::Bar { harm,
            text(point, "name") + " at " + text(point, "bits") + " bits: "
                + (measured ? signedFixed(-harm) + " points " + rangeText(part(point, "delta_top1_ci95"))
                            : brief(harm) + " nat")
                + ", SQNR " + brief(number(point, "sqnr_db")) + " dB" };
    }
    return heading(3, kind == "weight" ? "Weights" : "Activations") + toSvg(chart);
}

std::string sensitivityTable(const Json& points, bool measured)
{
    HtmlTable table({ "layer", "kind", "bits", "top-1 [%]", "difference", "95 % interval", "SQNR [dB]", "KL [nat]",
        "logit MSE", "second order" });
    for (const auto& point : points) {
        const auto& estimates = part(point, "estimates");
        table.add({ text(point, "name"), text(point, "kind"), text(point, "bits"),
            measured ? fixed(number(point, "top1")) : "", measured ? signedFixed(number(point, "delta_top1")) : "",
            rangeText(part(point, "delta_top1_ci95")), brief(number(point, "sqnr_db")), brief(number(estimates, "kl")),
            brief(number(estimates, "logit-mse")), brief(number(estimates, "second-order")) });
    }
    return folded(std::to_string(table.size()) + " points as a table", table.toString());
}

std::string trustTable(const Json& document)
{
    HtmlTable table({ "estimate", "kind", "bits", "points", "Spearman", "95 % interval", "Kendall", "95 % interval" });
    for (const auto& trust : part(document, "trust"))
        table.add({ text(trust, "estimate"), text(trust, "kind"), bitsText(part(trust, "bits")), text(trust, "points"),
            signedFixed(number(trust, "spearman")), rangeText(part(trust, "spearman_ci95")),
            signedFixed(number(trust, "kendall")), rangeText(part(trust, "kendall_ci95")) });
    if (table.empty())
        return {};
    return heading(3, "How far to trust what needs no labels") + paragraph(text(document, "trust_in_words"))
        + folded("Rank correlations with the measured drops", table.toString());
}

std::vector<const Json*> pointsOf(const Json& points, bool mixed)
{
    std::vector<const Json*> list;
    for (const auto& point : points)
        if ((part(point, "mixed") == Json(true)) == mixed)
            list.push_back(&point);
    return list;
}

std::string labelOf(const Json& point) { return text(point, "label"); }

/// Measured accuracy over what the search was to save, with the front as stairs.
std::string frontChart(const Json& document)
{
    const auto& points = part(document, "points");
    const auto price = cost::parseMetric(text(document, "price"));
    Plot plot { .title = "Accuracy against price",
        .x = { price ? cost::titleOf(*price) : "Price", true, price ? cost::unitOf(*price) : std::string() },
        .y = { "Top-1 accuracy [%]" },
        .series = {} };
    const auto place = [](const Json& point) {
        const auto& reach = part(point, "top1_ci95");
        return PlotPoint { number(point, "price"), number(point, "top1"), bound(reach, 0), bound(reach, 1),
            labelOf(point) + ": " + fixed(number(point, "top1")) + " % " + rangeText(reach) };
    };
    PlotSeries front { .name = "none better", .colour = "#8c8c8c", .points = {}, .stairs = true, .marks = false };
    for (const auto& point : part(document, "front")) {
        front.points.push_back(place(point));
        front.points.back().low = nothing;
    }
    plot.series.push_back(std::move(front));
    for (const bool mixed : { false, true }) {
        PlotSeries series { .name = mixed ? "mixed" : "uniform", .colour = category(mixed ? 5 : 0), .points = {} };
        for (const auto* point : pointsOf(points, mixed))
            series.points.push_back(place(*point));
        plot.series.push_back(std::move(series));
    }
    if (const auto& chosen = part(document, "chosen"); chosen.is_object()) {
        plot.series.push_back({ .name = "chosen", .colour = "#8c8c8c", .points = { place(chosen) }, .ring = true });
        plot.series.back().points.back().low = nothing;
    }
    if (const double top1 = number(part(document, "float"), "top1"); std::isfinite(top1))
        plot.levels.emplace_back(top1, "float " + fixed(top1) + " %");
    const double allowed = number(document, "allowed");
    if (std::isfinite(allowed) && !text(document, "budget").starts_with("drop"))
        plot.limit = allowed;
    return heading(3, "Accuracy against price") + toSvg(plot);
}

std::string pointsTable(const Json& points, const Json& chosen)
{
    HtmlTable table({ "word-lengths", "top-1 [%]", "95 % interval", "difference", "95 % interval", "size",
        "bit operations", "energy" });
    for (const auto& point : points) {
        const auto& cost = part(point, "cost");
        table.add({ labelOf(point), fixed(number(point, "top1")), rangeText(part(point, "top1_ci95")),
                      signedFixed(number(point, "delta_top1")), rangeText(part(point, "delta_top1_ci95")),
                      metric(number(cost, "size_bytes"), "B"), metric(number(cost, "bops"), "BOP"),
                      metric(number(cost, "energy_pj"), "pJ") },
            point == chosen);
    }
    return table.toString();
}

std::string replacements(const Json& list, const std::string& title)
{
    if (!list.is_array() || list.empty())
        return {};
    HtmlTable table(
        { "uniform", "top-1 [%]", "price", "mixed: of it [%]", "top-1 [%]", "difference", "95 % interval", "p" });
    for (const auto& entry : list)
        table.add({ text(entry, "uniform"), fixed(number(entry, "uniform_top1")),
            metric(number(entry, "uniform_price"), ""), fixed(100 * number(entry, "price_ratio"), 1),
            fixed(number(entry, "mixed_top1")), signedFixed(number(entry, "delta_top1")),
            rangeText(part(entry, "delta_top1_ci95")), brief(number(entry, "p_value")) });
    return heading(3, title) + table.toString();
}

std::string chosenTable(const Json& chosen)
{
    std::vector<std::string> layers;
    std::map<std::string, std::pair<std::string, std::string>> bits;
    for (const auto& entry : part(chosen, "plan")) {
        const auto name = text(entry, "name");
        if (!bits.contains(name))
            layers.push_back(name);
        auto& [weight, activation] = bits[name];
        (text(entry, "kind") == "weight" ? weight : activation) = text(entry, "bits");
    }
    HtmlTable table({ "layer", "weight bits", "activation bits" });
    for (const auto& layer : layers)
        table.add({ layer, bits[layer].first, bits[layer].second });
    return table.empty() ? std::string() : folded("Word-lengths of what was chosen", table.toString());
}

} // namespace

std::string sensitivitySection(const Json& document)
{
    const auto& points = part(document, "layers");
    if (!points.is_array() || points.empty())
        return {};
    const bool measured = std::ranges::any_of(points, [](const Json& p) { return p.contains("delta_top1"); });
    std::string page;
    for (const auto* kind : { "weight", "activation" })
        page += sensitivityChart(points, kind, measured);
    std::vector<CostSeries> series;
    for (const auto* kind : { "weight", "activation" }) {
        series.push_back({ std::string(kind) + "s", category(series.empty() ? 0 : 1), {} });
        for (const auto& point : points)
            if (text(point, "kind") == kind)
                series.back().points.push_back(&point);
    }
    page += costCharts(series, number(part(document, "float"), "top1"),
        [](const Json& point) { return text(point, "name") + " at " + text(point, "bits") + " bits"; });
    return page + trustTable(document) + sensitivityTable(points, measured);
}

std::string searchSection(const Json& document)
{
    const auto& points = part(document, "points");
    if (!points.is_array() || points.empty())
        return {};
    const auto& chosen = part(document, "chosen");
    std::string page = paragraph("Budget " + text(document, "budget")
        + ". Word-lengths were chosen without labels; "
          "every accuracy below was measured.");
    page += frontChart(document);
    if (const auto sentence = text(document, "front_in_words"); !sentence.empty())
        page += paragraph(sentence);
    page += costCharts(
        { { "uniform", category(0), pointsOf(points, false) }, { "mixed", category(5), pointsOf(points, true) } },
        number(part(document, "float"), "top1"), labelOf);
    page += heading(3, "None is both cheaper and more accurate") + pointsTable(part(document, "front"), chosen);
    page += replacements(part(document, "at_equal_price"), "At most the price of uniform word-lengths");
    page += replacements(
        part(document, "at_equal_accuracy"), "Cheapest with at least the accuracy of uniform word-lengths");
    return page + chosenTable(chosen) + folded("All that was measured", pointsTable(points, chosen));
}

std::string optionsSection(const Json& document)
{
    const auto& rows = part(document, "rows");
    if (!rows.is_array() || rows.empty())
        return {};
    HtmlTable table({ "W", "A", "#", "group", "weights", "activations", "corrections", "top-1 [%]", "95 % interval",
        "difference" });
    const auto side = [](const Json& row, const char* which) {
        const auto of = [&](const char* key) { return text(part(row, key), which); };
        return of("scheme").empty() ? std::string("float")
                                    : of("scheme") + " per " + of("granularity") + ", " + of("range");
    };
    CostSeries series { "combinations", category(0), {} };
    for (const auto& row : rows) {
        table.add(
            { bitsText(part(row, "weight_bits")), bitsText(part(row, "activation_bits")), text(row, "rank"),
                text(row, "tier"), side(row, "weights"), side(row, "activations"), text(row, "corrections"),
                fixed(number(row, "top1")), rangeText(part(row, "top1_ci95")), signedFixed(number(row, "delta_top1")) },
            text(row, "rank") == "1");
        series.points.push_back(&row);
    }
    return table.toString()
        + paragraph(
            "Rows of one group cannot be told from its first row: exact McNemar test on the same images, 5 % after "
            "Holm over all pairs with the same word-lengths.")
        + costCharts({ series }, number(part(document, "float"), "top1"), [&](const Json& row) {
              return "W" + bitsText(part(row, "weight_bits")) + " A" + bitsText(part(row, "activation_bits"))
                  + ", weights " + side(row, "weights") + ", activations " + side(row, "activations") + ", "
                  + text(row, "corrections");
          });
}

} // namespace quantoscope::exporting::report
