// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/accumulator_report.h"

#include <algorithm>

#include "app/cli/text.h"
#include "core/evaluation/accumulators.h"

namespace quantoscope::cli {

namespace {

using cost::Accumulator;

/// Each layer sums over many positions of an image, so that a few images come close to what more would show.
constexpr std::int64_t imagesObserved = 64;

/// The widest of all layers; observed only where every layer is.
Accumulator widest(const std::vector<Accumulator>& accumulators)
{
    Accumulator all;
    all.observedBits = 0;
    for (const auto& one : accumulators) {
        if (one.worstCaseBits > all.worstCaseBits)
            all.layer = one.layer;
        all.worstCaseBits = std::max(all.worstCaseBits, one.worstCaseBits);
        all.dataTypeBits = std::max(all.dataTypeBits, one.dataTypeBits);
        all.observedBits = all.observedBits && one.observedBits
            ? std::optional(std::max(*all.observedBits, *one.observedBits))
            : std::nullopt;
    }
    return all;
}

Json toJson(const Accumulator& accumulator)
{
    return { { "layer", accumulator.layer }, { "worst_case_bits", accumulator.worstCaseBits },
        { "data_type_bits", accumulator.dataTypeBits },
        { "observed_bits", accumulator.observedBits ? Json(*accumulator.observedBits) : Json() } };
}

/// The widest, and every layer under "layers".
Json toJson(const std::vector<Accumulator>& accumulators, std::int64_t images)
{
    Json json = toJson(widest(accumulators));
    json["images"] = images;
    json["layers"] = Json::array();
    for (const auto& one : accumulators) {
        json["layers"].push_back(toJson(one));
        json["layers"].back()["depth"] = one.depth;
    }
    return json;
}

std::string describe(const std::vector<Accumulator>& accumulators, std::int64_t images)
{
    const auto all = widest(accumulators);
    std::string text
        = "accumulator  " + std::to_string(all.worstCaseBits) + " bits in the worst case ('" + all.layer + "'), ";
    if (all.observedBits)
        text += std::to_string(*all.observedBits) + " observed on " + count(images) + " images, ";
    return text + std::to_string(all.dataTypeBits) + " by data types alone\n";
}

void noteOverflows(const std::vector<Accumulator>& accumulators, int bits, Report& report)
{
    for (const auto& one : accumulators) {
        if (one.worstCaseBits <= bits)
            continue;
        report.note("layer '" + one.layer + "' can overflow an accumulator of " + std::to_string(bits)
            + " bits: its worst case needs " + std::to_string(one.worstCaseBits)
            + (one.observedBits ? ", the images needed " + std::to_string(*one.observedBits) : ""));
    }
}

} // namespace

Result<void> reportAccumulators(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
    const QuantizationOptions& options, const CommonOptions& common, const base::Job& job, Report& report)
{
    const auto& samples = pipeline.calibrationSamples() ? pipeline.calibrationSamples() : pipeline.samples();
    evaluation::EvaluationOptions evaluation;
    evaluation.threads = common.threads;
    QS_TRY(const auto accumulators,
        evaluation::observeAccumulators(pipeline.graph(), plan, *samples, imagesObserved, evaluation, job));
    report.json()["accumulator"] = nullptr;
    if (accumulators.empty())
        return {};
    const std::int64_t images = std::min(imagesObserved, samples->size());
    report.json()["accumulator"] = toJson(accumulators, images);
    report.text(describe(accumulators, images));
    QS_TRY(const auto hardware, options.hardwareProfile());
    if (hardware && hardware->accumulatorBits)
        noteOverflows(accumulators, *hardware->accumulatorBits, report);
    return {};
}

} // namespace quantoscope::cli
