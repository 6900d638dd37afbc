// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <utility>

#include "core/calibration/feed.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

namespace {

using evaluation::EvaluationResultPtr;

/// One grid on its way: what every point needs.
class GridRun {
public:
    GridRun(const flow::Quantizer& quantizer, const dataset::SampleSet& samples, const GridOptions& options,
        const base::Job& job)
        : m_quantizer(quantizer)
        , m_samples(samples)
        , m_options(options)
        , m_job(job)
        , m_evaluation(options.evaluation)
    {
        m_evaluation.partOfStage = true;
    }

    /// One batch for all points, so that they differ by their quantizers and by nothing else.
    Result<void> chooseBatch()
    {
        if (m_evaluation.batch == 0) {
            QS_TRY(m_evaluation.batch, calibration::chooseBatch(*m_quantizer.graph(), m_samples));
        }
        return {};
    }

    Result<EvaluationResultPtr> evaluateFloat() const
    {
        return evaluation::evaluate(*m_quantizer.graph(), {}, m_samples, m_evaluation, m_job);
    }

    Result<SweepPoint> evaluatePoint(Bits weightBits, Bits activationBits, const EvaluationResultPtr& floatResult) const
    {
        planning::PlanRequest request = m_options.request;
        request.weights.bits = weightBits;
        request.activations.bits = activationBits;
        QS_TRY(auto network, quantize(request));
        EvaluationResultPtr result = floatResult;
        if (!network.plan->empty()) {
            QS_TRY(result, evaluation::evaluate(*network.graph, *network.plan, m_samples, m_evaluation, m_job));
        } else {
            m_job.advance(m_samples.size());
        }
        SweepPoint point;
        point.weightBits = weightBits;
        point.activationBits = activationBits;
        point.cost = cost::computeCost(*network.graph, *network.plan, m_options.energy);
        point.cost.layers.clear();
        point.plan = std::move(network.plan);
        point.corrections = std::move(network.corrections);
        describe(point, *result, *floatResult);
        return point;
    }

private:
    Result<flow::QuantizedNetwork> quantize(const planning::PlanRequest& request) const
    {
        base::PartOfJob part(m_job);
        if (!m_options.best)
            return m_quantizer.quantize(request, part.job());
        flow::BestFlowOptions best { .request = request, .fixed = *m_options.best };
        QS_TRY(auto found, flow::findBestFlow(m_quantizer, best, part.job()));
        return std::move(found.network);
    }

    static void describe(
        SweepPoint& point, const evaluation::EvaluationResult& result, const evaluation::EvaluationResult& floatResult)
    {
        point.images = result.images();
        point.top1 = result.top1();
        point.top5 = result.top5();
        point.loss = result.loss();
        point.top1Interval = result.top1Interval();
        point.againstFloat = evaluation::compare(floatResult.outcomes, result.outcomes);
        point.predictions.reserve(result.outcomes.size());
        for (const auto& outcome : result.outcomes)
            point.predictions.push_back(outcome.prediction);
    }

    const flow::Quantizer& m_quantizer;
    const dataset::SampleSet& m_samples;
    const GridOptions& m_options;
    const base::Job& m_job;
    evaluation::EvaluationOptions m_evaluation;
};

Result<void> checkGrid(const GridOptions& options)
{
    if (options.weightBits.empty() || options.activationBits.empty())
        return fail(
            ErrorCode::InvalidInput, "the grid has no points", {}, "give weight and activation word-lengths: 2..8");
    for (const Bits weightBits : options.weightBits) {
        for (const Bits activationBits : options.activationBits) {
            planning::PlanRequest request = options.request;
            request.weights.bits = weightBits;
            request.activations.bits = activationBits;
            QS_CHECK(request.validate());
        }
    }
    return {};
}

/// What is quantized and how, with the word-lengths of the whole grid.
std::string describeScope(const GridOptions& options)
{
    const auto quantizes = [](Bits bits) { return bits.has_value(); };
    planning::PlanRequest request = options.request;
    if (!std::ranges::any_of(options.weightBits, quantizes))
        request.weights.bits.reset();
    if (!std::ranges::any_of(options.activationBits, quantizes))
        request.activations.bits.reset();
    return "W" + toString(options.weightBits) + " A" + toString(options.activationBits) + " "
        + request.describeOptions();
}

/// The word-lengths of every point of the shard: weight bits outer, activation bits inner.
std::vector<std::pair<Bits, Bits>> pointsOf(const GridOptions& options)
{
    std::vector<std::pair<Bits, Bits>> points;
    std::int64_t number = 0;
    for (const Bits weightBits : options.weightBits)
        for (const Bits activationBits : options.activationBits)
            if (options.shard.takes(number++))
                points.emplace_back(weightBits, activationBits);
    return points;
}

bool wasCancelled(const Error& error) { return error.code == ErrorCode::Cancelled; }

} // namespace

Result<SweepResult> runGrid(const flow::Quantizer& quantizer, const dataset::SampleSet& samples,
    const GridOptions& options, const base::Job& job, EvaluationResultPtr floatResult)
{
    QS_CHECK(checkGrid(options));
    GridRun run(quantizer, samples, options, job);
    QS_CHECK(run.chooseBatch());

    SweepResult sweep;
    sweep.scope = describeScope(options);
    sweep.data = samples.description() + "; " + samples.preprocessing().describe();
    const auto points = pointsOf(options);
    job.begin("Sweep " + toString(options.weightBits) + " x " + toString(options.activationBits),
        static_cast<std::int64_t>(points.size() + (floatResult ? 0 : 1)) * samples.size(), "images");
    if (!floatResult) {
        QS_TRY(floatResult, run.evaluateFloat());
    }
    sweep.floatResult = floatResult;
    for (const auto& [weightBits, activationBits] : points) {
        auto point = run.evaluatePoint(weightBits, activationBits, floatResult);
        if (!point && wasCancelled(point.error())) {
            sweep.complete = false;
            return sweep;
        }
        if (!point)
            return tl::make_unexpected(std::move(point).error());
        if (options.onPoint)
            options.onPoint(*point);
        sweep.points.push_back(*std::move(point));
    }
    job.finish();
    return sweep;
}

} // namespace quantoscope::sweep
