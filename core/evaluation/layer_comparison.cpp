// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "core/base/ordered_merge.h"
#include "core/base/parallel.h"
#include "core/calibration/feed.h"
#include "core/evaluation/evaluator.h"

namespace quantoscope::evaluation {

namespace {

using calibration::Feed;
using calibration::FeedOptions;
using calibration::FeedWorkers;
using quant::QuantizationError;

/// One activation's errors over some images.
struct ActivationErrors {
    QuantizationError total; ///< float value against the quantized network's, quantized
    QuantizationError own; ///< float value against itself quantized
    QuantizationError inherited; ///< float value against the quantized network's before its own quantizer
    QuantizationError clipping; ///< the quantized network's value against itself quantized

    ActivationErrors& operator+=(const ActivationErrors& other)
    {
        total += other.total;
        own += other.own;
        inherited += other.inherited;
        clipping += other.clipping;
        return *this;
    }
};

/// The part of a tapped batch that belongs to real images.
TensorView realPart(const TensorView& value, std::int64_t batch, std::int64_t count)
{
    if (count == batch || value.shape().rank() == 0 || value.shape()[0] != batch)
        return value;
    Shape shape = value.shape();
    shape[0] = count;
    return { value.dtype(), std::move(shape), value.data() };
}

ActivationErrors compareActivation(
    const quant::Encoding& encoding, const Tensor& reference, const TensorView& actual, std::uint64_t seed)
{
    const Tensor quantized = quant::fakeQuantize(encoding, actual, seed);
    ActivationErrors errors;
    errors.total = quant::measureError(reference.as<float>(), quantized.as<float>());
    errors.own = quant::measureError(encoding, reference.view());
    errors.inherited = quant::measureError(reference.as<float>(), actual.as<float>());
    errors.clipping = quant::measureError(encoding, actual);
    return errors;
}

/// Both networks on one thread, and what the float one showed at every tap for the batch in hand.
class SideBySide {
public:
    SideBySide(const Feed& reference, const Feed& quantized, int threads)
        : m_quantizedFeed(quantized)
        , m_reference(reference, threads)
        , m_quantized(quantized, threads)
    {
    }

    Result<std::vector<ActivationErrors>> run(
        int worker, std::int64_t item, const std::vector<const quant::Encoding*>& encodings, std::uint64_t seed)
    {
        const std::int64_t batch = m_quantizedFeed.batch();
        const std::int64_t count = m_quantizedFeed.count(item);
        std::vector<Tensor> seen(encodings.size());
        const auto keep = [&](std::size_t tap, const TensorView& value) {
            const TensorView real = realPart(value, batch, count);
            seen[tap] = Tensor::from(real.shape(), real.as<float>());
        };
        QS_CHECK(m_reference[worker].run(item, keep));
        std::vector<ActivationErrors> errors(encodings.size());
        const auto compare = [&](std::size_t tap, const TensorView& value) {
            errors[tap] = compareActivation(*encodings[tap], seen[tap], realPart(value, batch, count), seed);
        };
        QS_CHECK(m_quantized[worker].run(item, compare));
        return errors;
    }

private:
    const Feed& m_quantizedFeed;
    FeedWorkers m_reference;
    FeedWorkers m_quantized;
};

TensorError describe(const std::string& name, const quant::TensorQuantizer& quantizer)
{
    TensorError error;
    error.name = name;
    error.role = quantizer.role;
    // A bias has 32 bits, more than a config can ask for.
    error.bits = quantizer.role == quant::Role::Bias ? quantizer.encoding.bits() : quantizer.config.bits;
    error.encoding = quantizer.encoding;
    return error;
}

void setTotal(TensorError& error, const QuantizationError& total)
{
    error.sqnrDb = total.sqnrDb();
    error.cosine = total.cosine();
    error.mse = total.mse();
}

graph::TensorPtr constantOf(const graph::Graph& graph, const std::string& name)
{
    const auto value = graph.find(name);
    return value && graph.isConstant(*value) ? graph.value(*value).constant : nullptr;
}

/// The error that `encoding` and, where a correction changed the values, that correction made of a constant.
/// `reference` is the float value, `stored` what is quantized.
QuantizationError errorOfConstant(
    const quant::Encoding& encoding, const Tensor& reference, const Tensor& stored, std::uint64_t seed)
{
    if (&reference == &stored)
        return quant::measureError(encoding, reference.view());
    const Tensor quantized = quant::fakeQuantize(encoding, stored.view(), seed);
    QuantizationError error = quant::measureError(reference.as<float>(), quantized.as<float>());
    // Clipped is what the encoding alone would not represent, wherever the correction put it.
    const Tensor nearest = quant::fakeQuantize(encoding, reference.view(), seed);
    std::int64_t inner = 1;
    for (int axis = encoding.axis + 1; encoding.perChannel() && axis < reference.shape().rank(); ++axis)
        inner *= reference.shape()[axis];
    const auto channels = static_cast<std::int64_t>(encoding.scale.size());
    const auto values = reference.as<float>();
    for (std::int64_t i = 0; i < reference.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const double step = encoding.scale[static_cast<std::size_t>(i / inner % channels)];
        if (std::abs(static_cast<double>(values[at]) - nearest.as<float>()[at]) <= step / 2 * (1 + 1e-6))
            continue;
        const double noise = static_cast<double>(values[at]) - quantized.as<float>()[at];
        ++error.clipped;
        error.clippingPower += noise * noise;
    }
    return error;
}

void setOwn(TensorError& error, const QuantizationError& own)
{
    error.ownError = own.mse();
    error.clippingError = own.count > 0 ? own.clippingPower / static_cast<double>(own.count) : 0;
    error.roundingError = std::max(0.0, error.ownError - error.clippingError);
}

/// A weight or bias: what it is in the quantized network against the float network's, all of it its own error. A bias
/// that a correction added is compared with itself before it was rounded.
Result<TensorError> constantError(const graph::Graph& graph, const graph::Graph& corrected, const std::string& name,
    const quant::QuantizationPlan& plan)
{
    const auto& quantizer = *plan.find(name);
    const auto stored = constantOf(corrected, name);
    if (!stored)
        return fail(ErrorCode::NotFound, "the plan names a constant that the graph does not have",
            "tensor '" + name + "'", "make the plan for this model");
    const auto known = constantOf(graph, name);
    const Tensor& reference = known ? *known : *stored;
    const QuantizationError own = errorOfConstant(quantizer.encoding, reference, *stored, plan.seedFor(name));
    TensorError error = describe(name, quantizer);
    setTotal(error, own);
    setOwn(error, own);
    error.clippedPercent = own.clippedPercent();
    return error;
}

/// Sums of every activation over all samples, in the order of the feeds' taps.
Result<std::vector<ActivationErrors>> accumulate(const Feed& reference, const Feed& quantized,
    const quant::QuantizationPlan& plan, const EvaluationOptions& options, const base::Job& job)
{
    std::vector<const quant::Encoding*> encodings;
    for (const auto& tap : quantized.compiled().taps())
        encodings.push_back(&plan.find(tap.name)->encoding);
    std::vector<ActivationErrors> sums(encodings.size());
    using Merge = base::OrderedMerge<std::vector<ActivationErrors>>;
    Merge merge(options.threads, [&](std::vector<ActivationErrors>&& part) {
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += part[i];
    });
    SideBySide networks(reference, quantized, options.threads);
    const auto work = [&](int worker, std::int64_t item) -> Result<void> {
        Merge::Turn turn(merge, item);
        QS_TRY(auto errors, networks.run(worker, item, encodings, plan.seed));
        QS_CHECK(turn.deliver(std::move(errors), job.stop));
        job.advance(quantized.count(item));
        return {};
    };
    QS_CHECK(base::parallelFor(options.threads, quantized.batches(), job.stop, work));
    return sums;
}

/// Appends the errors of `activations` to `result`.
Result<void> compareActivations(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::vector<std::string> activations, const EvaluationOptions& options,
    const base::Job& job, std::vector<TensorError>& result)
{
    const FeedOptions feedOptions { .batch = options.batch, .taps = std::move(activations) };
    QS_TRY(const Feed reference, Feed::create(graph, {}, samples, feedOptions));
    QS_TRY(const Feed quantized, Feed::create(graph, plan, samples, feedOptions));
    if (!options.partOfStage)
        job.begin("Comparing layers", samples.size(), "images");
    QS_TRY(const auto sums, accumulate(reference, quantized, plan, options, job));
    if (!options.partOfStage)
        job.finish();
    const auto& taps = quantized.compiled().taps();
    for (std::size_t i = 0; i < taps.size(); ++i) {
        TensorError error = describe(taps[i].name, *plan.find(taps[i].name));
        setTotal(error, sums[i].total);
        error.clippedPercent = sums[i].clipping.clippedPercent();
        setOwn(error, sums[i].own);
        error.inheritedError = sums[i].inherited.mse();
        result.push_back(std::move(error));
    }
    return {};
}

/// Sorted by the first node, in topological order, that reads or makes the tensor.
Result<std::vector<TensorError>> inComputationOrder(const graph::Graph& graph, std::vector<TensorError> errors)
{
    QS_TRY(const auto order, graph.topologicalOrder());
    std::unordered_map<std::string, std::size_t> rank;
    const auto visit = [&](const std::vector<graph::ValueId>& values) {
        for (const auto value : values)
            if (value.valid())
                rank.try_emplace(graph.value(value).name, rank.size());
    };
    for (const auto id : order) {
        visit(graph.node(id).inputs);
        visit(graph.node(id).outputs);
    }
    std::stable_sort(errors.begin(), errors.end(),
        [&](const TensorError& a, const TensorError& b) { return rank.at(a.name) < rank.at(b.name); });
    return errors;
}

} // namespace

Result<std::vector<TensorError>> compareLayers(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationOptions& options, const base::Job& job)
{
    QS_TRY(const auto corrected, quant::correctedGraph(graph, plan));
    std::vector<std::string> activations;
    std::vector<TensorError> result;
    for (const auto& [name, quantizer] : plan.tensors()) {
        if (quantizer.role == quant::Role::Activation) {
            activations.push_back(name);
            continue;
        }
        QS_TRY(auto error, constantError(graph, corrected, name, plan));
        result.push_back(std::move(error));
    }
    if (!activations.empty())
        QS_CHECK(compareActivations(graph, plan, samples, std::move(activations), options, job, result));
    return inComputationOrder(corrected, std::move(result));
}

} // namespace quantoscope::evaluation
