// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/shared_evaluation.h"

#include <cassert>
#include <chrono>
#include <numeric>
#include <optional>
#include <utility>

#include "core/base/parallel.h"
#include "core/evaluation/classifier.h"
#include "core/evaluation/result_store.h"
#include "core/evaluation/reuse.h"

namespace quantoscope::evaluation {

namespace {

using calibration::SharedFeed;
using calibration::SharedFeedWorker;
using Clock = std::chrono::steady_clock;
using Results = std::vector<std::shared_ptr<EvaluationResult>>;

/// Networks on their way through the samples.
class SharedRun {
public:
    SharedRun(std::span<const Network> networks, const dataset::SampleSet& samples, const EvaluationOptions& options,
        const base::Job& job)
        : m_networks(networks)
        , m_samples(samples)
        , m_options(options)
        , m_job(job)
        , m_reuse(options.reuse ? options.reuse : std::make_shared<Reuse>())
    {
    }

    Result<void> run(
        const std::function<Result<void>(std::size_t network, const EvaluationResultPtr& result)>& finished)
    {
        QS_TRY(const SharedFeed feed,
            SharedFeed::create(m_networks, m_samples,
                { .batch = m_options.batch,
                    .arithmetic = m_options.arithmetic,
                    .cache = m_reuse->kernels(),
                    .order = imageOrder(m_samples.size()) },
                m_options.threads, m_reuse->sharedValues(), m_job.stop));
        QS_CHECK(describe(feed));
        const auto workers = static_cast<std::size_t>(base::resolveThreads(m_options.threads));
        m_seconds.assign(workers, std::vector<double>(m_networks.size(), 0.0));
        for (const SharedFeed::Group& group : feed.groups()) {
            m_workers.clear();
            m_workers.resize(workers);
            const auto work = [&](int worker, std::int64_t item) { return runBatch(feed, group, worker, item); };
            QS_CHECK(base::parallelFor(m_options.threads, feed.first().batches(), m_job.stop, work));
            for (std::size_t i = group.begin; i < group.begin + group.family->size(); ++i) {
                for (const auto& seconds : m_seconds)
                    m_results[i]->seconds += seconds[i] / static_cast<double>(workers);
                QS_CHECK(finished(i, m_results[i]));
            }
        }
        return {};
    }

private:
    Result<void> describe(const SharedFeed& feed)
    {
        for (std::size_t i = 0; i < m_networks.size(); ++i) {
            const auto& [graph, plan] = m_networks[i];
            QS_TRY(auto classifier, Classifier::create(*graph, feed.feed(i).compiled(), m_samples));
            auto result = std::make_shared<EvaluationResult>(classifier.emptyResult(feed.feed(i).compiled(), *plan));
            result->outcomes.resize(static_cast<std::size_t>(m_samples.size()));
            m_classifiers.push_back(std::move(classifier));
            m_results.push_back(std::move(result));
        }
        return {};
    }

    /// One batch through all networks. Stops between two of them: all together may take long.
    Result<void> runBatch(const SharedFeed& feed, const SharedFeed::Group& group, int worker, std::int64_t item)
    {
        auto& own = m_workers[static_cast<std::size_t>(worker)];
        if (!own)
            own.emplace(feed, group);
        auto& seconds = m_seconds[static_cast<std::size_t>(worker)];
        const std::int64_t count = feed.first().count(item);
        Clock::time_point before = Clock::now();
        own->begin(item);
        for (std::size_t i = group.begin; i < group.begin + group.family->size(); ++i) {
            if (m_job.stopRequested())
                return base::cancelled();
            QS_CHECK(own->run(i - group.begin));
            const auto& classifier = m_classifiers[i];
            QS_CHECK(
                classifier.judgeBatch(own->output(classifier.output()), feed.first(), item, m_results[i]->outcomes));
            m_job.advance(count);
            const Clock::time_point after = Clock::now();
            seconds[i] += std::chrono::duration<double>(after - before).count();
            before = after;
        }
        return {};
    }

    std::span<const Network> m_networks;
    const dataset::SampleSet& m_samples;
    const EvaluationOptions& m_options;
    const base::Job& m_job;
    std::shared_ptr<Reuse> m_reuse;
    std::vector<Classifier> m_classifiers;
    Results m_results;
    std::vector<std::optional<SharedFeedWorker>> m_workers;
    std::vector<std::vector<double>> m_seconds; ///< by worker, by network
};

} // namespace

Result<std::vector<EvaluationResultPtr>> evaluateAll(std::span<const Network> networks,
    const dataset::SampleSet& samples, const EvaluationOptions& options, const base::Job& job,
    const ResultCallback& onResult)
{
    assert(options.batch > 0);
    std::vector<EvaluationResultPtr> results(networks.size());
    std::vector<std::string> keys(networks.size());
    std::vector<Network> missing;
    std::vector<std::size_t> places;
    const auto originOf = [&](std::size_t i) {
        return ResultOrigin { *networks[i].graph, *networks[i].plan, samples, options.batch, options.arithmetic };
    };
    for (std::size_t i = 0; i < networks.size(); ++i) {
        if (options.store) {
            keys[i] = originOf(i).key();
            QS_TRY(results[i], options.store->findResult(keys[i]));
        }
        if (results[i] && results[i]->images() == samples.size()) {
            job.advance(samples.size());
            if (onResult)
                onResult(i, results[i]);
            continue;
        }
        missing.push_back(networks[i]);
        places.push_back(i);
    }
    if (missing.empty())
        return results;
    const auto finished = [&](std::size_t m, const EvaluationResultPtr& result) -> Result<void> {
        const std::size_t i = places[m];
        results[i] = result;
        if (options.store)
            QS_CHECK(options.store->keepResult(keys[i], originOf(i), *result));
        if (onResult)
            onResult(i, result);
        return {};
    };
    const auto done = SharedRun(missing, samples, options, job).run(finished);
    if (done)
        return results;
    if (done.error().code == ErrorCode::Cancelled || missing.size() == 1)
        return tl::make_unexpected(done.error());
    // One by one, so that those before the one that fails are finished and told of.
    for (std::size_t m = 0; m < missing.size(); ++m) {
        const auto alone = [&](std::size_t, const EvaluationResultPtr& result) { return finished(m, result); };
        if (!results[places[m]])
            QS_CHECK(SharedRun(std::span(missing).subspan(m, 1), samples, options, job).run(alone));
    }
    return results;
}

} // namespace quantoscope::evaluation
