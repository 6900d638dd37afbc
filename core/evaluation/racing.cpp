// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/racing.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/base/parallel.h"
#include "core/calibration/feed.h"
#include "core/evaluation/classifier.h"
#include "core/evaluation/result_store.h"
#include "core/evaluation/reuse.h"

namespace quantoscope::evaluation {

namespace {

using calibration::Feed;
using calibration::FeedWorkers;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t firstLook = 128;
constexpr std::int64_t fewestDifferent = 10;
constexpr double standardErrors = 3.5;

/// One network on its way through the images.
class Race {
public:
    Race(const Feed& feed, const Classifier& classifier, const EvaluationOptions& options, const base::Job& job)
        : m_feed(feed)
        , m_classifier(classifier)
        , m_job(job)
        , m_threads(options.threads)
        , m_workers(feed, options.threads)
        , m_outcomes(static_cast<std::size_t>(feed.size()))
    {
    }

    /// Batches until `images` are done.
    Result<void> runUntil(std::int64_t images)
    {
        const std::int64_t end = std::min((images + m_feed.batch() - 1) / m_feed.batch(), m_feed.batches());
        const std::int64_t begin = m_batches;
        const auto work = [&](int worker, std::int64_t i) -> Result<void> {
            const std::int64_t item = begin + i;
            QS_CHECK(m_workers[worker].run(item));
            const auto& scores = m_workers[worker].output(m_classifier.output());
            QS_CHECK(m_classifier.judgeBatch(scores, m_feed, item, m_outcomes));
            m_job.advance(m_feed.count(item));
            return {};
        };
        QS_CHECK(base::parallelFor(m_threads, end - begin, m_job.stop, work));
        for (std::int64_t item = begin; item < end; ++item)
            for (std::int64_t i = 0; i < m_feed.count(item); ++i)
                m_positions.push_back(m_feed.position(item, i));
        m_batches = end;
        return {};
    }

    bool isHopelessNow(const EvaluationResult& floatResult, const Racing& racing) const
    {
        std::int64_t onlyFloat = 0;
        std::int64_t onlyNetwork = 0;
        for (const std::int64_t position : m_positions) {
            const auto at = static_cast<std::size_t>(position);
            const bool right = m_outcomes[at].correct();
            const bool floatRight = floatResult.outcomes[at].correct();
            onlyFloat += floatRight && !right;
            onlyNetwork += right && !floatRight;
        }
        return isHopeless(std::ssize(m_positions), onlyFloat, onlyNetwork, racing);
    }

    std::int64_t images() const { return std::ssize(m_positions); }

    /// Positions and outcomes of what was run, in the order of the samples.
    std::pair<std::vector<std::int64_t>, std::vector<ImageOutcome>> take()
    {
        std::ranges::sort(m_positions);
        std::vector<ImageOutcome> outcomes;
        for (const std::int64_t position : m_positions)
            outcomes.push_back(m_outcomes[static_cast<std::size_t>(position)]);
        return { std::move(m_positions), std::move(outcomes) };
    }

private:
    const Feed& m_feed;
    const Classifier& m_classifier;
    const base::Job& m_job;
    int m_threads;
    FeedWorkers m_workers;
    std::vector<ImageOutcome> m_outcomes; ///< of all samples
    std::vector<std::int64_t> m_positions; ///< of those that were run
    std::int64_t m_batches = 0;
};

Result<RacedResult> run(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationResult& floatResult, const Racing& racing,
    const EvaluationOptions& options, const base::Job& job)
{
    QS_TRY(const Feed feed,
        Feed::create(graph, plan, samples,
            { .batch = options.batch,
                .arithmetic = options.arithmetic,
                .cache = options.reuse ? options.reuse->kernels() : nullptr,
                .order = imageOrder(samples.size()) }));
    QS_TRY(const Classifier classifier, Classifier::create(graph, feed.compiled(), samples));
    auto result = std::make_shared<EvaluationResult>(classifier.emptyResult(feed.compiled(), plan));
    Race race(feed, classifier, options, job);
    RacedResult raced;
    const auto start = Clock::now();
    for (const std::int64_t look : looksOf(samples.size())) {
        QS_CHECK(race.runUntil(look));
        raced.stopped = race.images() < samples.size() && race.isHopelessNow(floatResult, racing);
        if (raced.stopped)
            break;
    }
    if (!raced.stopped)
        QS_CHECK(race.runUntil(samples.size()));
    job.advance(samples.size() - race.images());
    result->seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::tie(raced.positions, result->outcomes) = race.take();
    raced.result = std::move(result);
    return raced;
}

} // namespace

std::vector<std::int64_t> looksOf(std::int64_t images)
{
    std::vector<std::int64_t> looks;
    for (std::int64_t look = firstLook; look < images; look *= 2)
        looks.push_back(look);
    return looks;
}

bool isHopeless(std::int64_t images, std::int64_t onlyFloat, std::int64_t onlyNetwork, const Racing& racing)
{
    if (images <= 0 || onlyFloat + onlyNetwork < fewestDifferent)
        return false;
    const auto n = static_cast<double>(images);
    const auto lost = static_cast<double>(onlyFloat - onlyNetwork) / n;
    const double variance = (static_cast<double>(onlyFloat + onlyNetwork) / n - lost * lost) / n;
    const double least = lost - standardErrors * std::sqrt(std::max(0.0, variance)) - 0.5 / n;
    return 100 * least > racing.drop;
}

Result<RacedResult> race(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationResult& floatResult, const Racing& racing,
    const EvaluationOptions& options, const base::Job& job)
{
    assert(options.batch > 0 && floatResult.images() == samples.size());
    const ResultOrigin origin { graph, plan, samples, options.batch, options.arithmetic };
    std::string key;
    if (options.store) {
        key = origin.key();
        QS_TRY(auto kept, options.store->findResult(key));
        if (kept && kept->images() == samples.size()) {
            RacedResult whole { std::move(kept), std::vector<std::int64_t>(static_cast<std::size_t>(samples.size())) };
            std::iota(whole.positions.begin(), whole.positions.end(), 0);
            job.advance(samples.size());
            return whole;
        }
    }
    QS_TRY(auto raced, run(graph, plan, samples, floatResult, racing, options, job));
    if (options.store && !raced.stopped)
        QS_CHECK(options.store->keepResult(key, origin, *raced.result));
    return raced;
}

} // namespace quantoscope::evaluation
