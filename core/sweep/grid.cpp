// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <span>
#include <utility>

#include "core/calibration/feed.h"
#include "core/evaluation/reuse.h"
#include "core/evaluation/shared_evaluation.h"
#include "core/sweep/sweep.h"
#include "core/sweep/wave.h"

namespace quantoscope::sweep {

namespace {

using evaluation::EvaluationResultPtr;
using evaluation::RacedResult;

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
        if (!m_evaluation.reuse)
            m_evaluation.reuse = std::make_shared<evaluation::Reuse>();
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

    /// How many points to evaluate together. Those that take long to plan are told of one by one.
    std::size_t pointsAWave(const evaluation::EvaluationResult& floatResult) const
    {
        if (m_options.best || m_options.request.corrections.any())
            return 1;
        const std::size_t affordable
            = m_evaluation.reuse->kernels()->budget() / std::max<std::size_t>(1, weightBytes(*m_quantizer.graph()));
        return std::max<std::size_t>(1, std::min(waveSize(&floatResult, waves), affordable));
    }

    /// Points of these word-lengths, told of as they are finished: all that have something in common together.
    Result<void> evaluatePoints(std::span<const std::pair<Bits, Bits>> wordLengths,
        const EvaluationResultPtr& floatResult, const std::function<void(SweepPoint)>& finished) const
    {
        std::vector<flow::QuantizedNetwork> networks;
        std::vector<evaluation::Network> toRun;
        std::vector<std::size_t> places; // of each of them among all
        for (const auto& [weightBits, activationBits] : wordLengths) {
            planning::PlanRequest request = m_options.request;
            request.weights.bits = weightBits;
            request.activations.bits = activationBits;
            QS_TRY(networks.emplace_back(), quantize(request));
            const auto& network = networks.back();
            if (network.plan->empty()) {
                m_job.advance(m_samples.size());
                continue;
            }
            toRun.push_back({ network.graph.get(), network.plan.get() });
            places.push_back(networks.size() - 1);
        }
        // Results come in the order of the networks, except for what the store had, which comes first.
        std::vector<RacedResult> results(networks.size());
        std::size_t told = 0;
        const auto tell = [&] {
            for (; told < networks.size() && results[told].result; ++told) {
                SweepPoint point = describe(networks[told], results[told], *floatResult);
                point.weightBits = wordLengths[told].first;
                point.activationBits = wordLengths[told].second;
                finished(std::move(point));
            }
        };
        for (std::size_t i = 0; i < networks.size(); ++i)
            if (networks[i].plan->empty())
                results[i].result = floatResult;
        const auto onResult = [&](std::size_t network, const EvaluationResultPtr& result) {
            results[places[network]] = { result, {}, false };
            tell();
        };
        if (!m_options.racing) {
            QS_CHECK(evaluation::evaluateAll(toRun, m_samples, m_evaluation, m_job, onResult));
        } else {
            for (std::size_t i = 0; i < toRun.size(); ++i) {
                QS_TRY(results[places[i]],
                    evaluation::race(*toRun[i].graph, *toRun[i].plan, m_samples, *floatResult, *m_options.racing,
                        m_evaluation, m_job));
                tell();
            }
        }
        tell();
        return {};
    }

private:
    static constexpr WaveLimits waves { .seconds = 10, .least = 1, .most = 16 };
    static constexpr std::int32_t notRun = -1; ///< prediction of an image

    Result<flow::QuantizedNetwork> quantize(const planning::PlanRequest& request) const
    {
        base::PartOfJob part(m_job);
        if (!m_options.best)
            return m_quantizer.quantize(request, part.job());
        flow::BestFlowOptions best { .request = request, .fixed = *m_options.best };
        QS_TRY(auto found, flow::findBestFlow(m_quantizer, best, part.job()));
        return std::move(found.network);
    }

    SweepPoint describe(
        flow::QuantizedNetwork network, const RacedResult& raced, const evaluation::EvaluationResult& floatResult) const
    {
        const auto& result = *raced.result;
        SweepPoint point;
        point.cost = cost::computeCost(*network.graph, *network.plan, m_options.energy);
        point.cost.layers.clear();
        point.plan = std::move(network.plan);
        point.corrections = std::move(network.corrections);
        point.images = result.images();
        point.top1 = result.top1();
        point.top5 = result.top5();
        point.loss = result.loss();
        point.top1Interval = result.top1Interval();
        point.stoppedEarly = raced.stopped;
        point.predictions.assign(floatResult.outcomes.size(), notRun);
        std::vector<evaluation::ImageOutcome> reference;
        for (std::size_t i = 0; i < result.outcomes.size(); ++i) {
            const std::size_t position = raced.stopped ? static_cast<std::size_t>(raced.positions[i]) : i;
            point.predictions[position] = result.outcomes[i].prediction;
            reference.push_back(floatResult.outcomes[position]);
        }
        point.againstFloat = evaluation::compare(reference, result.outcomes);
        return point;
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
    sweep.weightBits = options.weightBits;
    sweep.activationBits = options.activationBits;
    sweep.data = samples.description() + "; " + samples.preprocessing().describe();
    const auto points = pointsOf(options);
    job.begin("Sweep " + toString(options.weightBits) + " x " + toString(options.activationBits),
        static_cast<std::int64_t>(points.size() + (floatResult ? 0 : 1)) * samples.size(), "images");
    if (!floatResult) {
        QS_TRY(floatResult, run.evaluateFloat());
    }
    sweep.floatResult = floatResult;
    const std::size_t atOnce = run.pointsAWave(*floatResult);
    for (std::size_t first = 0; first < points.size(); first += atOnce) {
        const auto wave = std::span(points).subspan(first, std::min(atOnce, points.size() - first));
        const auto done = run.evaluatePoints(wave, floatResult, [&](SweepPoint point) {
            if (options.onPoint)
                options.onPoint(point);
            sweep.points.push_back(std::move(point));
        });
        if (!done && wasCancelled(done.error())) {
            sweep.complete = false;
            return sweep;
        }
        QS_CHECK(done);
    }
    job.finish();
    return sweep;
}

} // namespace quantoscope::sweep
