// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/progress.h"

#include <algorithm>
#include <utility>

namespace quantoscope::base {

namespace {
constexpr auto noticeInterval = std::chrono::milliseconds(50);
constexpr double windowSeconds = 1.0;
constexpr double smoothing = 0.5;

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

/// "Correcting weights: 5 of 21 layers"
std::string describe(const ProgressState& part)
{
    std::string text = part.stage + ": " + std::to_string(part.done);
    if (part.total > 0)
        text += " of " + std::to_string(part.total);
    text += ' ' + part.unit;
    return part.detail.empty() ? text : text + "; " + part.detail;
}
}

Progress::Progress(Listener listener)
    : m_listener(std::move(listener))
    , m_started(Clock::now())
    , m_lastNotice(m_started)
    , m_windowStart(m_started)
{
}

void Progress::begin(std::string stage, std::int64_t total, std::string unit)
{
    std::unique_lock lock(m_mutex);
    m_state = {};
    m_state.stage = std::move(stage);
    m_state.unit = std::move(unit);
    m_state.total = total;
    m_started = m_windowStart = Clock::now();
    m_windowDone = 0;
    m_rate = 0;
    notify(lock, true);
}

void Progress::advance(std::int64_t count)
{
    std::unique_lock lock(m_mutex);
    m_state.done += count;
    m_windowDone += count;
    notify(lock, false);
}

void Progress::finish()
{
    std::unique_lock lock(m_mutex);
    notify(lock, true);
}

void Progress::setDetail(std::string detail)
{
    std::unique_lock lock(m_mutex);
    const bool cleared = detail.empty();
    m_state.detail = std::move(detail);
    notify(lock, cleared);
}

ProgressState Progress::state() const
{
    std::scoped_lock lock(m_mutex);
    return stateLocked(Clock::now());
}

void Progress::notify(std::unique_lock<std::mutex>& lock, bool always)
{
    const auto now = Clock::now();
    const double window = seconds(now - m_windowStart);
    if (window >= windowSeconds) {
        const double rate = static_cast<double>(m_windowDone) / window;
        m_rate = m_rate > 0 ? smoothing * rate + (1 - smoothing) * m_rate : rate;
        m_windowStart = now;
        m_windowDone = 0;
    }
    if (!m_listener || (!always && now - m_lastNotice < noticeInterval))
        return;
    m_lastNotice = now;
    lock.unlock();
    // Looked at when it is this thread's turn, so that a slow listener never hears of less than it heard of before.
    std::scoped_lock listening(m_listenerMutex);
    m_listener(state());
}

ProgressState Progress::stateLocked(Clock::time_point now) const
{
    ProgressState state = m_state;
    state.elapsedSeconds = seconds(now - m_started);
    const double overall = state.elapsedSeconds > 0 ? static_cast<double>(state.done) / state.elapsedSeconds : 0;
    state.perSecond = m_rate > 0 ? m_rate : overall;
    if (state.total > 0 && state.done > 0 && state.perSecond > 0)
        state.secondsLeft = static_cast<double>(std::max<std::int64_t>(0, state.total - state.done)) / state.perSecond;
    return state;
}

PartOfJob::PartOfJob(const Job& whole)
    : m_whole(whole.progress)
    , m_stop(whole.stop)
    , m_progress([this](const ProgressState& part) {
        if (m_whole)
            m_whole->setDetail(describe(part));
    })
{
}

PartOfJob::~PartOfJob()
{
    if (m_whole)
        m_whole->setDetail({});
}

} // namespace quantoscope::base
