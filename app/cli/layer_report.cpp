// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/layer_report.h"

#include "app/cli/accumulator_report.h"
#include "app/cli/findings.h"
#include "app/cli/text.h"
#include "core/evaluation/evaluator.h"

namespace quantoscope::cli {

namespace {

Json toJson(const calibration::RangeConfidence& confidence)
{
    const auto end = [](const auto& e) { return Json { { "value", e.value }, { "ci95", { e.from, e.to } } }; };
    return { { "low", end(confidence.low) }, { "high", end(confidence.high) }, { "blocks", confidence.blocks },
        { "images_per_block", confidence.imagesPerBlock }, { "more_images_help", confidence.moreImagesHelp } };
}

/// Ends of the representable range over all channels.
std::pair<float, float> bounds(const quant::Encoding& encoding)
{
    std::pair<float, float> range { encoding.low(0), encoding.high(0) };
    for (std::size_t c = 1; c < encoding.scale.size(); ++c)
        range = { std::min(range.first, encoding.low(c)), std::max(range.second, encoding.high(c)) };
    return range;
}

void describe(Report& report, const RangeConfidences& confidences)
{
    if (confidences.empty())
        return;
    std::string unsure;
    for (const auto& [name, confidence] : confidences)
        if (confidence.moreImagesHelp)
            (unsure += unsure.empty() ? "" : ", ") += name;
    report.text("+-: how far other calibration images, as many, may move an end of the range (95 %, bootstrap over "
                "blocks of images).\n"
        + (unsure.empty() ? std::string("More calibration images would not help.\n")
                          : "More calibration images would help: " + unsure + ".\n"));
}

void describe(Report& report, const std::vector<evaluation::TensorError>& errors, const RangeConfidences& confidences,
    std::int64_t images)
{
    using enum Table::Align;
    Table table({ { "tensor", Left }, { "kind", Left }, { "bits" }, { "SQNR [dB]" }, { "cosine" }, { "MSE" },
        { "clipped [%]" }, { "own MSE" }, { "rounding" }, { "clipping" }, { "inherited MSE" }, { "lowest" },
        { "highest" }, { "+-" }, { "Q format", Left } });
    Json rows = Json::array();
    for (const auto& error : errors) {
        rows.push_back({ { "name", error.name }, { "kind", quant::toString(error.role) }, { "bits", error.bits },
            { "sqnr_db", error.sqnrDb }, { "cosine", error.cosine }, { "mse", error.mse },
            { "clipped_percent", error.clippedPercent }, { "own_error", error.ownError },
            { "rounding_error", error.roundingError }, { "clipping_error", error.clippingError },
            { "inherited_error", error.inheritedError }, { "encoding", error.encoding.toJson() } });
        const auto [low, high] = bounds(error.encoding);
        const auto confidence = confidences.find(error.name);
        const bool known = confidence != confidences.end();
        rows.back()["range_confidence"] = known ? toJson(confidence->second) : Json();
        const auto format = quant::qFormat(error.encoding);
        rows.back()["q_format"] = format ? Json(*format) : Json();
        table.add({ error.name, quant::toString(error.role), std::to_string(error.bits), significant(error.sqnrDb),
            fixed(error.cosine, 5), significant(error.mse), significant(error.clippedPercent),
            significant(error.ownError), significant(error.roundingError), significant(error.clippingError),
            significant(error.inheritedError), significant(low), significant(high),
            known ? significant(confidence->second.uncertainty()) : "", format.value_or("") });
    }
    report.json()["tensors"] = std::move(rows);
    report.text(table.empty() ? "The plan quantizes nothing.\n" : table.toString());
    report.text("On " + count(images)
        + " images: SQNR, cosine and MSE of the quantized network's value against the float one; own: "
          "quantizing the float value alone, of which rounding and clipping are the parts; inherited: what arrives "
          "from layers before.\n");
    describe(report, confidences);
}

} // namespace

Result<void> reportLayers(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const QuantizationOptions& options, const CommonOptions& common,
    const base::Job& job, Report& report)
{
    evaluation::EvaluationOptions evaluation;
    evaluation.threads = common.threads;
    QS_TRY(const auto errors, evaluation::compareLayers(pipeline.graph(), plan, samples, evaluation, job));
    QS_TRY(const auto confidences, pipeline.rangeConfidences(plan));
    report.json()["images"] = samples.size();
    describe(report, errors, confidences, samples.size());
    return reportAccumulators(pipeline, plan, options, common, job, report);
}

} // namespace quantoscope::cli
