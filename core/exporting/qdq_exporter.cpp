// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/qdq_exporter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/metrics.h"
#include "core/exporting/opset_conversion.h"
#include "core/exporting/qdq_builder.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"

namespace quantoscope::exporting {

namespace {

/// Predictions are compared on every image; raw outputs, which take far longer to go through, on a prefix.
constexpr std::int64_t outputsCompared = 256;
constexpr std::int64_t outputsAtATime = 32;

double largestDifference(const TensorView& a, const TensorView& b)
{
    double largest = 0;
    const auto left = tensor::toDoubles(a);
    const auto right = tensor::toDoubles(b);
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
        largest = std::max(largest, std::abs(left[i] - right[i]));
    return left.size() == right.size() ? largest : std::numeric_limits<double>::infinity();
}

Result<double> largestOutputDifference(const graph::Graph& simulated, const quant::QuantizationPlan& plan,
    const graph::Graph& exported, const dataset::SampleSet& samples, const base::Job& job)
{
    const auto count = std::min(samples.size(), outputsCompared);
    job.begin("Comparing outputs", count, "images");
    double largest = 0;
    for (std::int64_t first = 0; first < count; first += outputsAtATime) {
        if (job.stopRequested())
            return base::cancelled();
        const auto now = std::min(outputsAtATime, count - first);
        QS_TRY(const auto expected, evaluation::runSamples(simulated, plan, samples, first, now));
        QS_TRY(const auto actual, evaluation::runSamples(exported, {}, samples, first, now));
        for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i)
            largest = std::max(largest, largestDifference(expected[i].view(), actual[i].view()));
        job.advance(now);
    }
    job.finish();
    return largest;
}

/// The plan without the values of corrected constants, which the file holds as integers and biases anyway.
Json describePlan(const quant::QuantizationPlan& plan)
{
    Json json = plan.toJson();
    json.erase("constants");
    json.erase("added_biases");
    return json;
}

/// Fills in what the written file does on the samples, run like any other model, against the simulation.
Result<void> compareWithSimulation(const graph::Graph& prepared, const quant::QuantizationPlan& plan,
    const graph::Graph& exported, const dataset::SampleSet& samples, bool classifies, const base::Job& job,
    ExportReport& report)
{
    if (classifies) {
        QS_TRY(const auto simulated, evaluation::evaluate(prepared, plan, samples, {}, job));
        QS_TRY(const auto reloaded, evaluation::evaluate(exported, {}, samples, {}, job));
        report.reloadTop1 = reloaded->top1();
        report.agreement = evaluation::compare(simulated->outcomes, reloaded->outcomes).agreement;
    }
    report.images = samples.size();
    QS_TRY(report.maxAbsDiff, largestOutputDifference(prepared, plan, exported, samples, job));
    return {};
}

} // namespace

Result<graph::Model> buildQdqModel(
    const graph::Model& source, const graph::Graph& prepared, const quant::QuantizationPlan& plan)
{
    graph::Model model = source;
    model.path.clear();
    QS_TRY(model.graph, quant::correctedGraph(prepared, plan));
    model.producerName = "quantoscope";
    model.producerVersion = QUANTOSCOPE_VERSION;
    model.metadata["quantoscope.plan"] = describePlan(plan).dump();
    QS_CHECK(raiseOpset(model.graph, QdqBuilder::requiredOpset(plan)));
    QS_CHECK(QdqBuilder(model.graph, plan).run());
    model.irVersion = std::max(model.irVersion, onnx_io::minimumIrVersion(model.graph.opset()));
    return model;
}

Result<ExportReport> exportQdq(const graph::Model& source, const graph::Graph& prepared,
    const quant::QuantizationPlan& plan, const std::filesystem::path& path, const dataset::SampleSet* samples,
    const base::Job& job)
{
    QS_TRY(const auto model, buildQdqModel(source, prepared, plan));
    bool classifies = false;
    if (samples) { // before anything is written: the images may not fit the network
        QS_TRY(classifies, evaluation::isClassifier(prepared, *samples));
    }
    ExportReport report;
    report.file = path;
    report.opset = model.graph.opset();
    QS_TRY(report.bytes, onnx_io::writeModel(model, path));
    report.reloadTop1 = report.agreement = report.maxAbsDiff = std::numeric_limits<double>::quiet_NaN();
    QS_TRY(const auto reread, onnx_io::readModel(path));
    // As written: a batch norm that was kept must not be folded into weights that are quantized by now.
    QS_TRY(const auto exported, engine::prepareGraph(reread, { .foldBatchNorm = false }));
    if (samples)
        QS_CHECK(compareWithSimulation(prepared, plan, *exported, *samples, classifies, job, report));
    return report;
}

} // namespace quantoscope::exporting
