// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/accumulators.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/base/parallel.h"
#include "core/calibration/feed.h"
#include "core/graph/layers.h"

namespace quantoscope::evaluation {

namespace {

using calibration::Feed;
using graph::Graph;
using graph::Layer;

/// How a layer's output is read as sums: (y - offset[c]) / step[c] with c running over an axis of the output.
struct SumReading {
    std::string layer;
    std::string output;
    std::vector<double> step;
    std::vector<double> offset;
    int axisFromEnd = 0; ///< of the output channels: 1 is the last axis; 0: axis 1, whatever the rank
};

/// Ends of the sums seen.
struct Ends {
    double low = 0;
    double high = 0;

    void merge(const Ends& other)
    {
        low = std::min(low, other.low);
        high = std::max(high, other.high);
    }
};

/// The part of the output that is not in the accumulator: a bias that stays float, one value a channel or one for all.
std::optional<std::vector<double>> offsetOf(
    const Graph& graph, const quant::QuantizationPlan& plan, const Layer& layer, double beta)
{
    if (!layer.bias.valid() || plan.find(graph.value(layer.bias).name))
        return std::vector<double> { 0 };
    if (!graph.isConstant(layer.bias))
        return std::nullopt;
    const auto& bias = *graph.value(layer.bias).constant;
    const int axis = bias.shape().rank() - (layer.weightIsLeft ? 2 : 1);
    if (bias.size() != 1 && (axis < 0 || bias.shape()[axis] != bias.size()))
        return std::nullopt;
    auto values = tensor::toDoubles(bias.view());
    for (double& value : values)
        value *= beta;
    return values;
}

std::optional<SumReading> readingOf(const Graph& graph, const quant::QuantizationPlan& plan, const Layer& layer)
{
    const auto other = layer.weight.valid() ? layer.weight : layer.secondInput;
    const auto* input = plan.find(graph.value(layer.input).name);
    const auto* weight = plan.find(graph.value(other).name);
    const bool commonStep
        = input && weight && !input->encoding.perChannel() && (layer.weight.valid() || !weight->encoding.perChannel());
    if (!commonStep)
        return std::nullopt;
    const auto& node = graph.node(layer.node);
    const bool isGemm = layer.op == "Gemm";
    auto offset = offsetOf(graph, plan, layer, isGemm ? static_cast<double>(node.floatAttribute("beta", 1)) : 1);
    if (!offset)
        return std::nullopt;
    SumReading reading { layer.name, graph.value(layer.output).name, {}, *std::move(offset), 0 };
    const double alpha = isGemm ? static_cast<double>(node.floatAttribute("alpha", 1)) : 1;
    for (const float scale : weight->encoding.scale)
        reading.step.push_back(alpha * static_cast<double>(input->encoding.scale[0]) * static_cast<double>(scale));
    if (isGemm || layer.op == "MatMul")
        reading.axisFromEnd = layer.weightIsLeft ? 2 : 1;
    return reading;
}

Ends endsOf(const SumReading& reading, const TensorView& output)
{
    const int rank = output.shape().rank();
    const int axis = reading.axisFromEnd > 0 ? rank - reading.axisFromEnd : 1;
    const bool hasChannels = axis >= 0 && axis < rank;
    const auto channels = hasChannels ? static_cast<std::size_t>(output.shape()[axis]) : 1;
    const auto inner
        = hasChannels ? static_cast<std::size_t>(output.shape().strides()[static_cast<std::size_t>(axis)]) : 1;
    const auto values = output.as<float>();
    Ends ends;
    for (std::size_t at = 0; at < values.size(); at += inner) {
        const std::size_t channel = at / inner % channels;
        const double step = reading.step[channel % reading.step.size()];
        const double offset = reading.offset[channel % reading.offset.size()];
        const auto [low, high] = std::ranges::minmax(values.subspan(at, std::min(inner, values.size() - at)));
        for (const float value : { low, high }) {
            const double sum = std::round((static_cast<double>(value) - offset) / step);
            ends.merge({ sum, sum });
        }
    }
    return ends;
}

Result<std::vector<Ends>> observe(
    const Feed& feed, const std::vector<SumReading>& readings, const EvaluationOptions& options, const base::Job& job)
{
    std::vector<Ends> all(readings.size());
    std::mutex mutex;
    calibration::FeedWorkers workers(feed, options.threads);
    const auto work = [&](int worker, std::int64_t item) -> Result<void> {
        std::vector<Ends> seen(readings.size());
        // What fills up the last batch is an image that was there before: it moves no end.
        QS_CHECK(workers[worker].run(
            item, [&](std::size_t tap, const TensorView& value) { seen[tap] = endsOf(readings[tap], value); }));
        const std::scoped_lock lock(mutex);
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i].merge(seen[i]);
        job.advance(feed.count(item));
        return {};
    };
    QS_CHECK(base::parallelFor(options.threads, feed.batches(), job.stop, work));
    return all;
}

} // namespace

Result<std::vector<cost::Accumulator>> observeAccumulators(const graph::Graph& graph,
    const quant::QuantizationPlan& plan, const dataset::SampleSet& samples, std::int64_t images,
    const EvaluationOptions& options, const base::Job& job)
{
    QS_TRY(auto result, cost::accumulators(graph, plan));
    QS_TRY(const Graph corrected, quant::correctedGraph(graph, plan));
    std::vector<SumReading> readings;
    calibration::FeedOptions feedOptions { .batch = options.batch };
    if (images > 0)
        feedOptions.count = std::min(images, samples.size());
    for (const Layer& layer : graph::computeLayers(corrected))
        if (auto reading = readingOf(corrected, plan, layer)) {
            feedOptions.taps.push_back(reading->output);
            readings.push_back(*std::move(reading));
        }
    if (readings.empty())
        return result;
    QS_TRY(const Feed feed, Feed::create(graph, plan, samples, std::move(feedOptions)));
    if (!options.partOfStage)
        job.begin("Observing accumulators", feed.size(), "images");
    QS_TRY(const auto ends, observe(feed, readings, options, job));
    if (!options.partOfStage)
        job.finish();
    for (std::size_t i = 0; i < readings.size(); ++i) {
        const auto found = std::ranges::find(result, readings[i].layer, &cost::Accumulator::layer);
        if (found != result.end())
            found->observedBits = cost::signedBits(ends[i].low, ends[i].high);
    }
    return result;
}

} // namespace quantoscope::evaluation
