// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/suffix_cache.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/evaluation/cuts.h"

namespace quantoscope::evaluation {

namespace {

constexpr std::size_t mostCuts = 6;
constexpr std::size_t mostColumns = 64; // bits of a mask

std::string nameOf(const calibration::Feed& feed)
{
    return feed.samples().fingerprint() + " " + std::to_string(feed.batch()) + " " + std::to_string(feed.position(0, 0))
        + " " + std::to_string(feed.size());
}

} // namespace

SuffixCache::SuffixCache(std::size_t budget)
    : m_budget(budget)
{
}

SuffixCache::~SuffixCache() = default;

std::size_t SuffixCache::bytes() const
{
    const std::scoped_lock lock(m_mutex);
    return m_bytes;
}

SuffixCache::Session::Session(const calibration::Feed& feed)
    : m_feed(&feed)
{
}

std::unique_ptr<SuffixCache::Session> SuffixCache::open(const calibration::Feed& feed)
{
    std::unique_lock lock(m_inUse, std::try_to_lock);
    if (!lock)
        return nullptr;
    if (const std::string images = nameOf(feed); images != m_images) {
        m_images = images;
        m_columns.clear();
        const std::scoped_lock counting(m_mutex);
        m_bytes = 0;
    }
    ++m_clock;
    const engine::PartialRun whole(feed.compiledGraph(), nullptr);
    for (const engine::Waypoint& value : whole.computed())
        if (const auto column = m_columns.find(value.key); column != m_columns.end())
            column->second->used = m_clock;
    addColumns(feed);
    auto session = std::make_unique<Session>(feed);
    session->m_lock = std::move(lock);
    for (const engine::Waypoint& value : whole.computed()) {
        const auto column = m_columns.find(value.key);
        if (column == m_columns.end() || std::ranges::find(session->m_keys, value.key) != session->m_keys.end()
            || session->m_keys.size() == mostColumns)
            continue;
        session->m_keys.push_back(value.key);
        session->m_columns.push_back(column->second.get());
    }
    return session;
}

/// Makes columns for the places where it pays most to keep values, as far as the budget goes. Half of it, so that what
/// an earlier evaluation left before an edit need not make room for what this one leaves behind it.
void SuffixCache::addColumns(const calibration::Feed& feed)
{
    const auto places = engine::boundaries(*feed.compiledGraph());
    const auto batches = static_cast<std::size_t>(feed.batches());
    std::vector<CutCandidate> candidates;
    for (const engine::Boundary& place : places)
        candidates.push_back({ place.step, place.bytes() * batches });
    for (const std::size_t cut : chooseCuts(timesOf(feed), candidates, m_budget / 2, mostCuts))
        for (const engine::Waypoint& value : places[cut].values) {
            if (m_columns.contains(value.key) || !makeRoom(value.bytes * batches))
                continue;
            auto column = std::make_unique<Column>();
            column->bytes = value.bytes;
            column->batches.resize(batches);
            column->used = m_clock;
            m_columns.emplace(value.key, std::move(column));
            const std::scoped_lock counting(m_mutex);
            m_bytes += value.bytes * batches;
        }
}

/// By dropping what this evaluation does not use.
bool SuffixCache::makeRoom(std::size_t bytes)
{
    if (bytes > m_budget)
        return false;
    const std::scoped_lock counting(m_mutex);
    while (m_bytes + bytes > m_budget) {
        const auto oldest
            = std::ranges::min_element(m_columns, {}, [](const auto& entry) { return entry.second->used; });
        if (oldest == m_columns.end() || oldest->second->used == m_clock)
            return false;
        m_bytes -= oldest->second->total();
        m_columns.erase(oldest);
    }
    return true;
}

/// Seconds that each step takes, measured when the network is a new one.
const std::vector<double>& SuffixCache::timesOf(const calibration::Feed& feed)
{
    std::vector<std::string> names;
    for (const auto& step : feed.compiled().steps())
        names.push_back(step.op);
    if (names == m_timedSteps)
        return m_times;
    std::vector<double> seconds(names.size(), 0.0);
    engine::Executor executor(feed.compiledGraph());
    Tensor input(DType::Float32, feed.compiled().inputs().front().shape);
    std::vector<std::int64_t> positions(static_cast<std::size_t>(feed.batch()));
    feed.gather(0, positions, input.as<float>());
    const TensorView view = input.view();
    const bool measured = executor.run({ &view, 1 }) && executor.runTimed({ &view, 1 }, seconds);
    if (!measured)
        std::ranges::fill(seconds, 1.0); // the evaluation itself will say what is wrong
    m_timedSteps = std::move(names);
    m_times = std::move(seconds);
    return m_times;
}

SuffixWorker::SuffixWorker(SuffixCache::Session& session)
    : m_session(&session)
    , m_executor(session.feed().compiled().arenaBytes())
    , m_input(DType::Float32, session.feed().compiled().inputs().front().shape)
    , m_positions(static_cast<std::size_t>(session.feed().batch()))
{
}

const SuffixWorker::Prepared& SuffixWorker::prepare(std::uint64_t present)
{
    if (const auto known = m_prepared.find(present); known != m_prepared.end())
        return known->second;
    const auto& keys = m_session->m_keys;
    const auto columnOf = [&](const engine::ValueKey& key) {
        return static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
    };
    const auto isThere = [&](const engine::ValueKey& key) {
        const std::size_t column = columnOf(key);
        return column < keys.size() && ((present >> column) & 1U) != 0;
    };
    std::unordered_set<std::size_t> taken;
    const auto isWanted = [&](const engine::ValueKey& key) {
        const std::size_t column = columnOf(key);
        return column < keys.size() && !isThere(key) && taken.insert(column).second;
    };
    Prepared prepared;
    prepared.run = std::make_shared<const engine::PartialRun>(m_session->feed().compiledGraph(), isThere, isWanted);
    prepared.number = m_executor.add(prepared.run);
    for (const engine::Waypoint& value : prepared.run->loads())
        prepared.loads.push_back(columnOf(value.key));
    for (const engine::Waypoint& value : prepared.run->saves())
        prepared.saves.push_back(columnOf(value.key));
    return m_prepared.emplace(present, std::move(prepared)).first->second;
}

Result<void> SuffixWorker::run(std::int64_t item)
{
    const auto batch = static_cast<std::size_t>(item);
    const auto& columns = m_session->m_columns;
    std::uint64_t present = 0;
    for (std::size_t i = 0; i < columns.size(); ++i)
        present |= static_cast<std::uint64_t>(columns[i]->batches[batch].size() > 0) << i;
    const Prepared& prepared = prepare(present);
    if (prepared.run->readsInputs())
        m_session->feed().gather(item, m_positions, m_input.as<float>());
    std::vector<const std::byte*> loads;
    for (const std::size_t column : prepared.loads)
        loads.push_back(columns[column]->batches[batch].data());
    std::vector<tensor::AlignedBuffer> kept;
    std::vector<std::byte*> saves;
    for (const std::size_t column : prepared.saves) {
        kept.emplace_back(columns[column]->bytes);
        saves.push_back(kept.back().data());
    }
    const TensorView input = m_input.view();
    QS_CHECK(m_executor.run(prepared.number, { &input, 1 }, loads, saves));
    for (std::size_t i = 0; i < kept.size(); ++i)
        columns[prepared.saves[i]]->batches[batch] = std::move(kept[i]);
    m_steps += prepared.run->steps();
    return {};
}

} // namespace quantoscope::evaluation
