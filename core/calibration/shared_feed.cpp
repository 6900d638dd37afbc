// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/shared_feed.h"

#include <utility>

#include "core/base/parallel.h"

namespace quantoscope::calibration {

namespace {

constexpr double worthSharing = 0.9; ///< of all steps that still run

} // namespace

Result<SharedFeed> SharedFeed::create(std::span<const Network> networks, const dataset::SampleSet& samples,
    const FeedOptions& options, int threads, std::size_t budget, const std::stop_token& stop)
{
    SharedFeed shared;
    shared.m_feeds.resize(networks.size());
    const auto compileOne = [&](int, std::int64_t i) -> Result<void> {
        const Network& network = networks[static_cast<std::size_t>(i)];
        QS_TRY(auto feed, Feed::create(*network.graph, *network.plan, samples, options));
        shared.m_feeds[static_cast<std::size_t>(i)] = std::move(feed);
        return {};
    };
    QS_CHECK(base::parallelFor(threads, std::ssize(networks), stop, compileOne));
    std::vector<engine::CompiledGraphPtr> members;
    for (const auto& feed : shared.m_feeds) {
        if (feed->batch() != shared.first().batch())
            return fail(ErrorCode::Internal, "networks that are to run together take batches of different sizes");
        members.push_back(feed->compiledGraph());
    }
    const std::size_t workers = static_cast<std::size_t>(base::resolveThreads(threads));
    auto family = std::make_shared<const engine::ProgramFamily>(members, budget / workers);
    if (family->partThatRuns() <= worthSharing)
        shared.m_groups.push_back({ 0, std::move(family) });
    else
        for (std::size_t i = 0; i < members.size(); ++i)
            shared.m_groups.push_back(
                { i, std::make_shared<const engine::ProgramFamily>(std::vector { members[i] }, 0) });
    return shared;
}

SharedFeedWorker::SharedFeedWorker(const SharedFeed& feed, const SharedFeed::Group& group)
    : m_feed(&feed)
    , m_executor(group.family)
    , m_input(DType::Float32, feed.first().compiled().inputs().front().shape)
    , m_positions(static_cast<std::size_t>(feed.first().batch()))
{
}

void SharedFeedWorker::begin(std::int64_t item) { m_feed->first().gather(item, m_positions, m_input.as<float>()); }

Result<void> SharedFeedWorker::run(std::size_t network)
{
    const TensorView input = m_input.view();
    return m_executor.run(network, { &input, 1 });
}

} // namespace quantoscope::calibration
