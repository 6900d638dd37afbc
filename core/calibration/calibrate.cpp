// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ordered_merge.h"
#include "core/base/parallel.h"
#include "core/calibration/stats.h"
#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::calibration {

namespace {

/// Every floating value a quantizer could sit on: graph inputs and what nodes produce, except between a node and the
/// activation that is fused onto it.
std::vector<std::string> observableValues(const graph::Graph& graph)
{
    const graph::ActivationFusion fusion(graph);
    std::vector<std::string> names;
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        const bool floating = value.type.dtype && tensor::isFloating(*value.type.dtype);
        const bool computed = value.producer.valid() && fusion.finalOutput(graph, value.producer) == id;
        const bool sideOutput = value.producer.valid() && graph.node(value.producer).outputs.front() != id;
        if (floating && !value.constant && (graph.isInput(id) || computed || sideOutput))
            names.push_back(value.name);
    }
    return names;
}

/// One batch's statistics, in the order of the taps.
using BatchStats = std::vector<TensorStats>;

/// The graph compiled for whole batches and for the rest that is left at the end.
struct Programs {
    InputBinding binding;
    engine::CompiledGraphPtr whole;
    engine::CompiledGraphPtr rest; ///< nullptr if nothing is left over
};

Result<engine::CompiledGraphPtr> compileFor(
    const graph::Graph& graph, const std::string& input, const Shape& shape, const std::vector<std::string>& taps)
{
    engine::CompileOptions options;
    options.inputShapes = { { input, shape } };
    options.taps = taps;
    return engine::compile(graph, {}, options);
}

Result<Programs> compilePrograms(const graph::Graph& graph, const dataset::SampleSet& samples, std::int64_t batch)
{
    Programs programs;
    QS_TRY(programs.binding, bindInput(graph, samples, batch));
    const auto taps = observableValues(graph);
    const auto& binding = programs.binding;
    QS_TRY(programs.whole, compileFor(graph, binding.input, binding.shape, taps));
    Shape restShape = binding.shape;
    restShape[0] = samples.size() % binding.batch;
    if (restShape[0] > 0) {
        QS_TRY(programs.rest, compileFor(graph, binding.input, restShape, taps));
    }
    return programs;
}

/// What one worker needs to run batches.
struct Worker {
    std::unique_ptr<engine::Executor> whole;
    std::unique_ptr<engine::Executor> rest;
    Tensor input;
};

class Calibration {
public:
    Calibration(const dataset::SampleSet& samples, Programs programs, bool perChannel)
        : m_samples(samples)
        , m_programs(std::move(programs))
        , m_perChannel(perChannel)
    {
    }

    std::int64_t batches() const { return m_samples.size() / m_programs.binding.batch + (m_programs.rest ? 1 : 0); }
    std::int64_t imagesIn(std::int64_t item) const
    {
        return std::min(m_programs.binding.batch, m_samples.size() - item * m_programs.binding.batch);
    }

    Result<BatchStats> run(Worker& worker, std::int64_t item) const
    {
        const bool whole = imagesIn(item) == m_programs.binding.batch;
        const auto& compiled = whole ? m_programs.whole : m_programs.rest;
        auto& executor = whole ? worker.whole : worker.rest;
        if (!executor)
            executor = std::make_unique<engine::Executor>(compiled);
        Shape shape = m_programs.binding.shape;
        shape[0] = imagesIn(item);
        if (worker.input.shape() != shape)
            worker.input = Tensor(DType::Float32, shape);
        m_samples.fill(item * m_programs.binding.batch, shape[0], worker.input.as<float>());

        BatchStats stats;
        for (const auto& tap : compiled->taps())
            stats.emplace_back(m_perChannel && tap.shape.rank() >= 2 ? tap.shape[1] : 0);
        const TensorView input = worker.input.view();
        QS_CHECK(executor->run(
            { &input, 1 }, [&stats](std::size_t tap, const TensorView& value) { stats[tap].observe(value); }));
        for (std::size_t tap = 0; tap < stats.size(); ++tap)
            if (stats[tap].nonFinite() > 0)
                return fail(ErrorCode::InvalidInput,
                    std::to_string(stats[tap].nonFinite()) + " values are NaN or infinite on images "
                        + std::to_string(item * m_programs.binding.batch) + ".."
                        + std::to_string(item * m_programs.binding.batch + shape[0] - 1),
                    "tensor '" + compiled->taps()[tap].name + "'",
                    "check the pre-processing; the float model itself overflows here");
        return stats;
    }

    std::map<std::string, TensorStats, std::less<>> named(BatchStats merged) const
    {
        std::map<std::string, TensorStats, std::less<>> tensors;
        for (std::size_t tap = 0; tap < merged.size(); ++tap)
            tensors.emplace(m_programs.whole->taps()[tap].name, std::move(merged[tap]));
        return tensors;
    }

private:
    const dataset::SampleSet& m_samples;
    Programs m_programs;
    bool m_perChannel;
};

void mergeInto(BatchStats& total, BatchStats&& batch)
{
    if (total.empty()) {
        total = std::move(batch);
        return;
    }
    for (std::size_t tap = 0; tap < total.size(); ++tap)
        total[tap].merge(batch[tap]);
}

} // namespace

Result<CalibrationStatsPtr> calibrate(const graph::Graph& graph, const dataset::SampleSet& samples,
    const CalibrationOptions& options, const base::Job& job)
{
    if (samples.size() == 0)
        return fail(ErrorCode::InvalidInput, "there is no image to calibrate with", {},
            "choose a calibration set with at least one image");
    QS_TRY(auto programs, compilePrograms(graph, samples, options.batch));
    const Calibration calibration(samples, std::move(programs), options.perChannel);
    const int threads = base::resolveThreads(options.threads);

    BatchStats total;
    base::OrderedMerge<BatchStats> merge(threads, [&total](BatchStats&& batch) { mergeInto(total, std::move(batch)); });
    std::vector<Worker> workers(static_cast<std::size_t>(threads));
    job.begin("Calibrating", samples.size(), "images");
    QS_CHECK(
        base::parallelFor(threads, calibration.batches(), job.stop, [&](int worker, std::int64_t item) -> Result<void> {
            base::OrderedMerge<BatchStats>::Turn turn(merge, item);
            QS_TRY(auto stats, calibration.run(workers[static_cast<std::size_t>(worker)], item));
            turn.deliver(std::move(stats), job.stop);
            job.advance(calibration.imagesIn(item));
            return {};
        }));
    job.finish();

    auto result = std::make_shared<CalibrationStats>();
    result->images = samples.size();
    result->description = samples.description() + "; " + samples.preprocessing().describe();
    result->tensors = calibration.named(std::move(total));
    return CalibrationStatsPtr(std::move(result));
}

} // namespace quantoscope::calibration
