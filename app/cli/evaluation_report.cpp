// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/evaluation_report.h"

#include <array>
#include <chrono>
#include <string>

#include "app/cli/accumulator_report.h"
#include "app/cli/energy_option.h"
#include "app/cli/findings.h"
#include "app/cli/text.h"
#include "core/cost/cost.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/preprocessing_variants.h"

namespace quantoscope::cli {

namespace {

std::string describeArithmetic(const engine::ArithmeticUse& use)
{
    if (use.integerLayers == 0)
        return "float arithmetic";
    return "integer arithmetic on " + std::to_string(use.integerLayers) + " of "
        + std::to_string(use.integerLayers + use.floatLayers) + " layers";
}

void describe(Report& report, const evaluation::EvaluationResult& floatResult,
    const evaluation::EvaluationResult& quantized, const cost::Cost& cost, double seconds)
{
    const auto paired = evaluation::compare(floatResult.outcomes, quantized.outcomes);
    Json& json = report.json();
    json["images"] = quantized.images();
    json["output"] = quantized.output;
    json["float"] = toJson(floatResult);
    json["quantized"] = toJson(quantized);
    json["delta_top1"] = paired.delta;
    json["delta_top1_ci95"] = toJson(paired.deltaInterval);
    json["p_value"] = paired.pValue;
    json["agreement"] = paired.agreement;
    json["cost"] = toJson(cost);
    json["engine"] = quantized.arithmetic.toString();
    json["integer_layers"] = quantized.arithmetic.integerLayers;
    json["float_layers"] = quantized.arithmetic.floatLayers;
    json["images_per_second"] = quantized.imagesPerSecond();
    json["seconds"] = seconds;

    using enum Table::Align;
    Table table({ { "", Left }, { "images" }, { "top-1 [%]" }, { "95 % interval" }, { "top-5 [%]" }, { "loss" } });
    const auto add = [&](const std::string& name, const evaluation::EvaluationResult& r) {
        table.add({ name, count(r.images()), fixed(r.top1()), interval(r.top1Interval()), fixed(r.top5()),
            fixed(r.loss(), 4) });
    };
    add("float", floatResult);
    add("quantized", quantized);
    report.text(table.toString());
    report.text("difference   " + signedFixed(paired.delta) + " points " + interval(paired.deltaInterval)
        + ", p = " + probability(paired.pValue) + " (exact McNemar), agreement " + fixed(paired.agreement) + " %\n"
        + "cost         " + describeCost(cost) + "\n" + "engine       " + describeArithmetic(quantized.arithmetic)
        + ", " + describeSpeed(quantized) + ", " + significant(seconds) + " s in all\n");
}

std::string numbers(const std::array<float, 3>& values, bool gray)
{
    std::string text = significant(static_cast<double>(values[0]), 6);
    for (std::size_t i = 1; i < values.size() && !gray; ++i)
        text += " " + significant(static_cast<double>(values[i]), 6);
    return text;
}

/// The options that ask for it.
std::string optionsFor(const dataset::Preprocessing& preprocessing, bool channelsToo)
{
    const bool gray = preprocessing.channels == dataset::Channels::Gray;
    std::string text = "--scale " + significant(static_cast<double>(preprocessing.scale), 6) + " --mean "
        + numbers(preprocessing.mean, gray) + " --std " + numbers(preprocessing.std, gray);
    for (const char* name : { "unit", "imagenet", "raw" }) {
        const auto named = dataset::Preprocessing::named(name);
        if (named && named->scale == preprocessing.scale && named->mean == preprocessing.mean
            && named->std == preprocessing.std)
            text = std::string("--preprocess ") + name;
    }
    if (channelsToo)
        text += preprocessing.channels == dataset::Channels::Bgr ? " --channels bgr" : " --channels rgb";
    return text;
}

/// A network that hardly recognises its images was often given them otherwise than in its training.
Result<void> noteNearChance(
    const Pipeline& pipeline, const evaluation::EvaluationResult& floatResult, const base::Job& job, Report& report)
{
    constexpr std::int64_t triedImages = 200;
    if (!evaluation::isNearChance(floatResult))
        return {};
    const auto& samples = *pipeline.samples();
    QS_TRY(const auto better,
        evaluation::findBetterPreprocessing(
            *pipeline.floatGraph(), samples.dataset(), samples.preprocessing(), triedImages, job));
    const std::string what = "the float network is right on " + fixed(floatResult.top1())
        + " % of the images, guessing would be on " + fixed(evaluation::chance(floatResult.classes)) + " %: ";
    if (better)
        report.note(what + "with " + optionsFor(better->preprocessing, better->otherChannelOrder) + " it is right on "
            + fixed(better->after) + " % of " + count(better->images));
    else
        report.note(what + "check --channels, --mean, --std, --resize and the labels");
    return {};
}

} // namespace

Result<void> reportEvaluation(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
    const QuantizationOptions& options, const CommonOptions& common, const cost::EnergyModel& energy,
    const base::Job& job, Report& report, double seconds)
{
    const auto start = std::chrono::steady_clock::now();
    const auto evaluation = pipeline.evaluation(options);
    QS_TRY(
        const auto floatResult, evaluation::evaluate(*pipeline.floatGraph(), {}, *pipeline.samples(), evaluation, job));
    QS_CHECK(noteNearChance(pipeline, *floatResult, job, report));
    auto quantized = floatResult;
    if (!plan.empty()) {
        QS_TRY(quantized, evaluation::evaluate(pipeline.graph(), plan, *pipeline.samples(), evaluation, job));
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    describeEnergy(report, energy);
    describe(
        report, *floatResult, *quantized, cost::computeCost(pipeline.graph(), plan, energy), seconds + elapsed.count());
    QS_CHECK(reportAccumulators(pipeline, plan, options, common, job, report));
    describeFormats(report, plan);
    return {};
}

} // namespace quantoscope::cli
