// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/parity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/evaluation/evaluator.h"
#include "core/evaluation/metrics.h"

namespace quantoscope::exporting {

namespace {

/// Predictions are compared on every image; raw outputs, which take far longer to go through, on a prefix.
constexpr std::int64_t outputsCompared = 256;
constexpr std::int64_t outputsAtATime = 32;
/// Enough to find where two networks part.
constexpr std::int64_t tensorsCompared = 2;

double largestDifference(const TensorView& a, const TensorView& b)
{
    double largest = 0;
    const auto left = tensor::toDoubles(a);
    const auto right = tensor::toDoubles(b);
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
        largest = std::max(largest, std::abs(left[i] - right[i]));
    return left.size() == right.size() ? largest : std::numeric_limits<double>::infinity();
}

Result<void> compareOutputs(const Network& written, const Network& reread, const dataset::SampleSet& samples,
    const base::Job& job, ExportReport& report)
{
    const auto count = std::min(samples.size(), outputsCompared);
    job.begin("Comparing outputs", count, "images");
    for (const auto output : written.graph.outputs())
        report.outputs.push_back({ written.graph.value(output).name, 0 });
    report.maxAbsDiff = 0;
    for (std::int64_t first = 0; first < count; first += outputsAtATime) {
        if (job.stopRequested())
            return base::cancelled();
        const auto now = std::min(outputsAtATime, count - first);
        QS_TRY(const auto expected, evaluation::runSamples(written.graph, written.plan, samples, first, now));
        QS_TRY(const auto actual, evaluation::runSamples(reread.graph, reread.plan, samples, first, now));
        for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
            auto& largest = report.outputs[i].maxAbsDiff;
            largest = std::max(largest, largestDifference(expected[i].view(), actual[i].view()));
            report.maxAbsDiff = std::max(report.maxAbsDiff, largest);
        }
        job.advance(now);
    }
    job.finish();
    return {};
}

/// What a file read back calls the value that the simulation delivers under `name`: with quantizers as nodes, and
/// quantized where it is produced, the one behind them.
std::string nameIn(const Network& reread, const Network& written, const std::string& name)
{
    const auto behind = name + "_dequantized";
    const bool isNode = written.plan.scope == quant::Scope::Integer && reread.plan.empty();
    return isNode && reread.graph.find(behind) ? behind : name;
}

/// The plan's activations in the order they are computed, as far as both graphs have them.
std::vector<std::string> sharedActivations(const Network& written, const Network& reread)
{
    std::vector<std::string> names;
    const auto consider = [&](graph::ValueId id) {
        if (!id.valid())
            return;
        const auto& name = written.graph.value(id).name;
        const auto* quantizer = written.plan.find(name);
        if (quantizer && quantizer->role == quant::Role::Activation && reread.graph.find(name))
            names.push_back(name);
    };
    std::ranges::for_each(written.graph.inputs(), consider);
    if (const auto order = written.graph.topologicalOrder())
        for (const auto node : *order)
            std::ranges::for_each(written.graph.node(node).outputs, consider);
    return names;
}

/// `graph` with one of its values as the only output.
graph::Graph delivering(const graph::Graph& graph, const std::string& name)
{
    graph::Graph result = graph;
    result.setOutputs({ *result.find(name) });
    return result;
}

Result<std::string> firstDifference(const Network& written, const Network& reread, const dataset::SampleSet& samples)
{
    const auto names = sharedActivations(written, reread);
    const auto count = std::min(samples.size(), tensorsCompared);
    for (const auto& name : names) {
        QS_TRY(const auto expected,
            evaluation::runSamples(delivering(written.graph, name), written.plan, samples, 0, count));
        const auto theirs = nameIn(reread, written, name);
        QS_TRY(const auto actual,
            evaluation::runSamples(delivering(reread.graph, theirs), reread.plan, samples, 0, count));
        const auto& scales = written.plan.find(name)->encoding.scale;
        if (largestDifference(expected.front().view(), actual.front().view()) > *std::ranges::max_element(scales))
            return name;
    }
    return std::string();
}

} // namespace

Result<void> compareNetworks(const Network& written, const Network& reread, const dataset::SampleSet& samples,
    bool classifies, const base::Job& job, ExportReport& report)
{
    evaluation::EvaluationOptions options;
    options.arithmetic = engine::Arithmetic::Float;
    if (classifies) {
        QS_TRY(const auto simulated, evaluation::evaluate(written.graph, written.plan, samples, options, job));
        QS_TRY(const auto reloaded, evaluation::evaluate(reread.graph, reread.plan, samples, options, job));
        report.reloadTop1 = reloaded->top1();
        report.agreement = evaluation::compare(simulated->outcomes, reloaded->outcomes).agreement;
    }
    report.images = samples.size();
    QS_CHECK(compareOutputs(written, reread, samples, job, report));
    if (report.maxAbsDiff > 0) {
        QS_TRY(report.firstDifference, firstDifference(written, reread, samples));
    }
    return {};
}

} // namespace quantoscope::exporting
