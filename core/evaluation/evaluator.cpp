// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/evaluator.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/base/ordered_merge.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/calibration/feed.h"
#include "core/evaluation/classifier.h"
#include "core/evaluation/result_store.h"
#include "core/evaluation/reuse.h"

namespace quantoscope::evaluation {

namespace {

using calibration::Feed;
using calibration::FeedWorkers;
using Clock = std::chrono::steady_clock;

constexpr auto noticeInterval = std::chrono::milliseconds(50);
constexpr std::int64_t firstBlock = 64; ///< images that a first estimate takes

template <typename Predicate> std::int64_t countIf(const std::vector<ImageOutcome>& outcomes, Predicate predicate)
{
    return std::count_if(outcomes.begin(), outcomes.end(), predicate);
}

double percent(std::int64_t part, std::int64_t whole)
{
    return whole > 0 ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// "top-1 91.2 % [90.1, 92.2] so far"
std::string describePartial(std::int64_t images, std::int64_t correct)
{
    const Interval interval = wilson(correct, images);
    char text[64];
    std::snprintf(text, sizeof text, "top-1 %.1f %% [%.1f, %.1f] so far", percent(correct, images), 100 * interval.low,
        100 * interval.high);
    return text;
}

/// Tells options.onPartial, and the job where it is all of a stage, how things stand over the images so far; not more
/// often than a person can see.
class PartialReport {
public:
    struct Counts {
        std::int64_t images = 0;
        std::int64_t correct = 0;
    };
    using Merge = base::OrderedMerge<Counts>;

    PartialReport(const EvaluationOptions& options, const base::Job& job, std::int64_t total)
        : m_options(options)
        , m_progress(options.partOfStage ? nullptr : job.progress)
        , m_total(total)
        , m_merge(options.threads, [this](Counts&& counts) { add(counts); })
    {
    }

    Merge& merge() { return m_merge; }

private:
    void add(const Counts& counts)
    {
        if (!m_options.onPartial && !m_progress)
            return;
        m_sum.images += counts.images;
        m_sum.correct += counts.correct;
        const auto now = Clock::now();
        const bool early = m_sum.images < firstBlock || now - m_last < noticeInterval;
        if (early && m_sum.images < m_total)
            return;
        m_last = now;
        if (m_options.onPartial)
            m_options.onPartial(m_sum.images, m_sum.correct);
        if (m_progress)
            m_progress->setDetail(describePartial(m_sum.images, m_sum.correct));
    }

    const EvaluationOptions& m_options;
    base::Progress* m_progress;
    std::int64_t m_total;
    Counts m_sum;
    Clock::time_point m_last;
    Merge m_merge;
};

/// Whether every output has one leading row an image, so that rows can be taken apart.
bool rowsArePerImage(const Feed& feed)
{
    const auto& ports = feed.compiled().outputs();
    return feed.batch() == 1 || std::all_of(ports.begin(), ports.end(), [&](const engine::PortInfo& port) {
        return port.shape.rank() > 0 && port.shape[0] == feed.batch();
    });
}

/// [count, ...]: the extents of `port` with the batch replaced, or put in front where it has none.
Shape stackedShape(const engine::PortInfo& port, std::int64_t batch, std::int64_t count)
{
    std::vector<std::int64_t> dims = port.shape.dims();
    if (!dims.empty() && dims.front() == batch)
        dims.front() = count;
    else
        dims.insert(dims.begin(), count);
    return Shape(std::move(dims));
}

/// The workers of one evaluation: they begin behind what an earlier one left, or at the images.
class EvaluationWorkers {
public:
    EvaluationWorkers(const Feed& feed, const EvaluationOptions& options)
        : m_plain(feed, options.threads)
    {
        if (options.reuse && options.reuse->suffixes())
            m_session = options.reuse->suffixes()->open(feed);
        if (m_session)
            m_resuming.resize(static_cast<std::size_t>(base::resolveThreads(options.threads)));
    }

    /// Runs a batch; the output is valid until the worker's next.
    Result<const TensorView*> run(int worker, std::int64_t item, std::size_t output)
    {
        if (!m_session) {
            QS_CHECK(m_plain[worker].run(item));
            return &m_plain[worker].output(output);
        }
        auto& own = m_resuming[static_cast<std::size_t>(worker)];
        if (!own)
            own.emplace(*m_session);
        QS_CHECK(own->run(item));
        return &own->output(output);
    }

private:
    FeedWorkers m_plain;
    std::unique_ptr<SuffixCache::Session> m_session;
    std::vector<std::optional<SuffixWorker>> m_resuming;
};

/// The evaluation itself, whatever was kept of an earlier one.
Result<EvaluationResultPtr> compute(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationOptions& options, const base::Job& job)
{
    QS_TRY(const Feed feed,
        Feed::create(graph, plan, samples,
            { .batch = options.batch,
                .arithmetic = options.arithmetic,
                .cache = options.reuse ? options.reuse->kernels() : nullptr,
                .order = imageOrder(samples.size()) }));
    QS_TRY(const Classifier classifier, Classifier::create(graph, feed.compiled(), samples));

    auto result = std::make_shared<EvaluationResult>(classifier.emptyResult(feed.compiled(), plan));
    result->outcomes.resize(static_cast<std::size_t>(samples.size()));
    EvaluationWorkers workers(feed, options);
    PartialReport partial(options, job, samples.size());
    if (!options.partOfStage)
        job.begin("Evaluating", samples.size(), "images");
    const auto work = [&](int worker, std::int64_t item) -> Result<void> {
        PartialReport::Merge::Turn turn(partial.merge(), item);
        QS_TRY(const TensorView* const scores, workers.run(worker, item, classifier.output()));
        QS_TRY(const std::int64_t correct, classifier.judgeBatch(*scores, feed, item, result->outcomes));
        QS_CHECK(turn.deliver({ feed.count(item), correct }, job.stop));
        job.advance(feed.count(item));
        return {};
    };
    const auto start = Clock::now();
    QS_CHECK(base::parallelFor(options.threads, feed.batches(), job.stop, work));
    result->seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!options.partOfStage)
        job.finish();
    return result;
}

/// Tells of a result that was at hand as if it had been computed.
void reportKept(const EvaluationResult& result, const EvaluationOptions& options, const base::Job& job)
{
    if (!options.partOfStage)
        job.begin("Evaluating", result.images(), "images");
    if (options.onPartial)
        options.onPartial(result.images(), countIf(result.outcomes, [](const auto& o) { return o.correct(); }));
    job.advance(result.images());
    if (!options.partOfStage)
        job.finish();
}

} // namespace

double EvaluationResult::top1() const
{
    return percent(countIf(outcomes, [](const auto& o) { return o.correct(); }), images());
}

double EvaluationResult::top5() const
{
    return percent(countIf(outcomes, [](const auto& o) { return o.top5; }), images());
}

double EvaluationResult::loss() const
{
    const double sum = std::accumulate(
        outcomes.begin(), outcomes.end(), 0.0, [](double s, const ImageOutcome& o) { return s + o.loss; });
    return outcomes.empty() ? 0 : sum / static_cast<double>(outcomes.size());
}

Interval EvaluationResult::top1Interval() const
{
    const Interval interval = wilson(countIf(outcomes, [](const auto& o) { return o.correct(); }), images());
    return { 100 * interval.low, 100 * interval.high };
}

double EvaluationResult::imagesPerSecond() const { return seconds > 0 ? static_cast<double>(images()) / seconds : 0; }

Result<bool> isClassifier(const graph::Graph& graph, const dataset::SampleSet& samples)
{
    QS_TRY(const Feed one, Feed::create(graph, {}, samples, { .batch = 1 }));
    if (!findScores(graph, one.compiled()))
        return false;
    QS_CHECK(Classifier::create(graph, one.compiled(), samples));
    return true;
}

std::shared_ptr<const std::vector<std::int64_t>> imageOrder(std::int64_t images)
{
    constexpr std::uint64_t seed = 20;
    return std::make_shared<const std::vector<std::int64_t>>(base::permutation(images, seed));
}

Result<EvaluationResultPtr> evaluate(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationOptions& options, const base::Job& job)
{
    if (!options.store)
        return compute(graph, plan, samples, options, job);
    EvaluationOptions resolved = options;
    if (resolved.batch == 0) {
        QS_TRY(resolved.batch, calibration::chooseBatch(graph, samples));
    }
    const ResultOrigin origin { graph, plan, samples, resolved.batch, resolved.arithmetic };
    const std::string key = origin.key();
    QS_TRY(auto result, options.store->findResult(key));
    if (result && result->images() == samples.size()) {
        reportKept(*result, options, job);
        return result;
    }
    QS_TRY(result, compute(graph, plan, samples, resolved, job));
    QS_CHECK(options.store->keepResult(key, origin, *result));
    return result;
}

Result<std::vector<Tensor>> runSamples(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::int64_t first, std::int64_t count)
{
    QS_TRY(Feed feed, Feed::create(graph, plan, samples, { .first = first, .count = count }));
    if (!rowsArePerImage(feed)) {
        QS_TRY(feed, Feed::create(graph, plan, samples, { .batch = 1, .first = first, .count = count }));
    }
    std::vector<Tensor> outputs;
    for (const auto& port : feed.compiled().outputs())
        outputs.emplace_back(port.dtype, stackedShape(port, feed.batch(), count));
    FeedWorkers workers(feed, 0);
    const auto work = [&](int worker, std::int64_t item) -> Result<void> {
        QS_CHECK(workers[worker].run(item));
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const TensorView view = workers[worker].output(i);
            const std::size_t row = view.bytes() / static_cast<std::size_t>(feed.batch());
            auto* rows = static_cast<std::byte*>(outputs[i].data());
            std::memcpy(rows + static_cast<std::size_t>(feed.first(item) - first) * row, view.data(),
                static_cast<std::size_t>(feed.count(item)) * row);
        }
        return {};
    };
    QS_CHECK(base::parallelFor(0, feed.batches(), {}, work));
    return outputs;
}

} // namespace quantoscope::evaluation
