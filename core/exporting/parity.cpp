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
double largestDifference(const TensorView& a, const TensorView& b)
{
    double largest = 0;
    const auto left = tensor::toDoubles(a);
    const auto right = tensor::toDoubles(b);
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
        largest = std::max(largest, std::abs(left[i] - right[i]));
    return left.size() == right.size() ? largest : std::numeric_limits<double>::infinity();
}

/// Position, within `count` images' rows, of the image whose values differ most.
std::int64_t mostDifferent(const TensorView& a, const TensorView& b, std::int64_t count)
{
    const auto left = tensor::toDoubles(a);
    const auto right = tensor::toDoubles(b);
    const std::size_t row = std::max<std::size_t>(left.size() / static_cast<std::size_t>(count), 1);
    std::size_t most = 0;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
        if (std::abs(left[i] - right[i]) > std::abs(left[most] - right[most]))
            most = i;
    return std::min(static_cast<std::int64_t>(most / row), count - 1);
}

/// The image on which an output differs most.
Result<std::int64_t> compareOutputs(const Network& written, const Network& reread, const dataset::SampleSet& samples,
    const base::Job& job, ExportReport& report)
{
    const auto count = std::min(samples.size(), outputsCompared);
    job.begin("Comparing outputs", count, "images");
    for (const auto output : written.graph.outputs())
        report.outputs.push_back({ written.graph.value(output).name, 0 });
    report.maxAbsDiff = 0;
    std::int64_t worst = 0;
    for (std::int64_t first = 0; first < count; first += outputsAtATime) {
        if (job.stopRequested())
            return base::cancelled();
        const auto now = std::min(outputsAtATime, count - first);
        QS_TRY(const auto expected, evaluation::runSamples(written.graph, written.plan, samples, first, now));
        QS_TRY(const auto actual, evaluation::runSamples(reread.graph, reread.plan, samples, first, now));
        for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
            const double difference = largestDifference(expected[i].view(), actual[i].view());
            report.outputs[i].maxAbsDiff = std::max(report.outputs[i].maxAbsDiff, difference);
            if (difference <= report.maxAbsDiff)
                continue;
            report.maxAbsDiff = difference;
            worst = first + mostDifferent(expected[i].view(), actual[i].view(), now);
        }
        job.advance(now);
    }
    job.finish();
    return worst;
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

Result<std::string> firstDifference(
    const Network& written, const Network& reread, const dataset::SampleSet& samples, std::int64_t image)
{
    const auto names = sharedActivations(written, reread);
    for (const auto& name : names) {
        QS_TRY(const auto expected,
            evaluation::runSamples(delivering(written.graph, name), written.plan, samples, image, 1));
        const auto theirs = nameIn(reread, written, name);
        QS_TRY(const auto actual,
            evaluation::runSamples(delivering(reread.graph, theirs), reread.plan, samples, image, 1));
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
    QS_TRY(const auto worst, compareOutputs(written, reread, samples, job, report));
    if (report.maxAbsDiff > 0) {
        QS_TRY(report.firstDifference, firstDifference(written, reread, samples, worst));
    }
    return {};
}

} // namespace quantoscope::exporting
