// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/report/sections.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/exporting/report/markup.h"

namespace quantoscope::exporting::report {

namespace {

constexpr std::size_t mostRows = 2000; // of a table; the rest is counted

std::string costText(const Json& cost)
{
    if (!cost.is_object())
        return {};
    return metric(number(cost, "size_bytes"), "B") + " of parameters, at most "
        + metric(number(cost, "peak_activation_bytes"), "B") + " of activations, " + metric(number(cost, "macs"), "MAC")
        + ", " + metric(number(cost, "bops"), "BOP") + ", accumulators of at most " + text(cost, "accumulator_bits")
        + " bits, " + metric(number(cost, "energy_pj"), "pJ") + " an image";
}

/// A number in as few digits as say something.
std::string brief(double value)
{
    if (!std::isfinite(value))
        return "–";
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

} // namespace

const Json& part(const Json& json, const std::string& key)
{
    static const Json none;
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() ? *found : none;
}

double number(const Json& json, const std::string& key)
{
    const auto& value = part(json, key);
    return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

std::string text(const Json& json, const std::string& key)
{
    const auto& value = part(json, key);
    if (value.is_string())
        return value.get<std::string>();
    return value.is_number() || value.is_boolean() ? value.dump() : std::string();
}

std::string bitsText(const Json& bits)
{
    return bits.is_number() ? bits.dump() : bits.is_string() ? bits.get<std::string>() : std::string("–");
}

double bound(const Json& interval, std::size_t which)
{
    return interval.is_array() && interval.size() == 2 && interval[which].is_number()
        ? interval[which].get<double>()
        : std::numeric_limits<double>::quiet_NaN();
}

std::string rangeText(const Json& interval, int decimals)
{
    return range(bound(interval, 0), bound(interval, 1), decimals);
}

std::string evaluateSection(const Json& document)
{
    HtmlTable table({ "", "top-1 [%]", "95 % interval", "top-5 [%]", "loss" });
    for (const auto* which : { "float", "quantized" }) {
        const auto& result = part(document, which);
        table.add({ which, fixed(number(result, "top1")), rangeText(part(result, "top1_ci95")),
            fixed(number(result, "top5")), fixed(number(result, "loss"), 4) });
    }
    std::string page = table.toString();
    page += paragraph("Difference " + signedFixed(number(document, "delta_top1")) + " points "
        + rangeText(part(document, "delta_top1_ci95")) + ", p = " + brief(number(document, "p_value"))
        + " (exact McNemar), agreement " + fixed(number(document, "agreement")) + " % on "
        + grouped(number(document, "images")) + " images.");
    page += paragraph(costText(part(document, "cost")) + ".");
    if (const auto engine = text(document, "engine"); !engine.empty())
        page += paragraph("Engine: " + engine + ".");
    return page;
}

std::string layersSection(const Json& document)
{
    HtmlTable table({ "tensor", "kind", "bits", "SQNR [dB]", "cosine", "clipped [%]", "own MSE", "inherited MSE" });
    const auto& tensors = part(document, "tensors");
    for (const auto& tensor : tensors)
        if (table.size() < mostRows)
            table.add(
                { text(tensor, "name"), text(tensor, "kind"), text(tensor, "bits"), brief(number(tensor, "sqnr_db")),
                    fixed(number(tensor, "cosine"), 5), brief(number(tensor, "clipped_percent")),
                    brief(number(tensor, "own_error")), brief(number(tensor, "inherited_error")) });
    return table.toString();
}

/// "6 (Shirt)", or the number where nothing names the class.
std::string classText(const Json& image, const char* key, const Json& names)
{
    const std::string figure = text(image, key);
    const Json& value = part(image, key);
    const auto number = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    if (!names.is_array() || number < 0 || number >= static_cast<std::int64_t>(names.size()))
        return figure;
    const Json& name = names[static_cast<std::size_t>(number)];
    return name.is_string() ? figure + " (" + name.get<std::string>() + ")" : figure;
}

std::string flipsSection(const Json& document)
{
    HtmlTable table({ "image", "label", "float says", "quantized says", "margin before", "after" });
    const auto& images = part(document, "images");
    if (!images.is_array())
        return otherSection(document);
    const auto& names = part(document, "class_names");
    for (const auto& image : images)
        if (table.size() < mostRows)
            table.add({ text(image, "index"), classText(image, "label", names),
                classText(image, "float_prediction", names), classText(image, "quantized_prediction", names),
                fixed(number(image, "margin_before"), 3), fixed(number(image, "margin_after"), 3) });
    return paragraph(std::to_string(images.size()) + " images.") + folded("Which", table.toString());
}

std::string otherSection(const Json& document)
{
    HtmlTable table({ "", "value" });
    if (document.is_object())
        for (const auto& [key, value] : document.items())
            if (value.is_primitive() && !value.is_null())
                table.add({ key, text(document, key) });
    return table.empty() ? std::string() : table.toString();
}

} // namespace quantoscope::exporting::report
