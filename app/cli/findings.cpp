// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/findings.h"

#include <map>

#include "app/cli/text.h"

namespace quantoscope::cli {

namespace {
constexpr double floatBytes = 4;
}

Json toJson(const evaluation::Interval& interval) { return Json::array({ interval.low, interval.high }); }

Json toJson(const evaluation::EvaluationResult& result)
{
    return { { "top1", result.top1() }, { "top5", result.top5() }, { "top1_ci95", toJson(result.top1Interval()) },
        { "loss", result.loss() } };
}

Json toJson(const std::vector<planning::BiasRemedy>& remedies)
{
    Json json = Json::array();
    for (const auto& remedy : remedies)
        json.push_back({ { "layer", remedy.layer }, { "bits", remedy.bits }, { "room", quant::toString(remedy.room) },
            { "channels", remedy.channels }, { "raised", remedy.raised }, { "largest_factor", remedy.largestFactor },
            { "weight_noise_db", remedy.weightNoiseDb } });
    return json;
}

Json toJson(const graph::Dims& dims)
{
    Json json = Json::array();
    for (const auto& dim : dims) {
        if (dim.known())
            json.push_back(dim.value);
        else if (!dim.symbol.empty())
            json.push_back(dim.symbol);
        else
            json.push_back(nullptr);
    }
    return json;
}

void describeFormats(Report& report, const quant::QuantizationPlan& plan)
{
    Json formats = Json::object();
    std::map<std::string, std::map<std::string, int>> counts;
    for (const auto& [name, quantizer] : plan.tensors()) {
        const bool restricted = quantizer.config.scale == quant::ScaleRestriction::PowerOfTwo;
        // A bias has the step of its operands.
        const auto format
            = restricted || quantizer.role == quant::Role::Bias ? quant::qFormat(quantizer.encoding) : std::nullopt;
        if (!format)
            continue;
        formats[name] = *format;
        ++counts[quant::toString(quantizer.role)][*format];
    }
    if (formats.empty())
        return;
    report.json()["q_formats"] = std::move(formats);
    std::string lines;
    for (const auto& [role, tensors] : counts) {
        lines += "Q formats    " + role + ": ";
        for (const auto& [format, times] : tensors)
            lines += (lines.ends_with(": ") ? "" : ", ") + format + " x " + std::to_string(times);
        lines += '\n';
    }
    report.text(lines);
}

std::string describeCost(const cost::Cost& cost)
{
    const double whole = floatBytes * static_cast<double>(cost.parameters);
    std::string text = metric(cost.sizeBytes) + "B of parameters";
    if (whole > 0)
        text += " (" + significant(100 * cost.sizeBytes / whole) + " % of float)";
    return text + ", at most " + metric(cost.peakActivationBytes) + "B of activations, "
        + metric(static_cast<double>(cost.macs)) + " MAC, " + metric(cost.bops) + " BOP, " + metric(cost.energyPj)
        + " pJ an image";
}

std::string describeSpeed(const evaluation::EvaluationResult& result)
{
    return count(result.images()) + " images at " + significant(result.imagesPerSecond()) + " images/s";
}

} // namespace quantoscope::cli
