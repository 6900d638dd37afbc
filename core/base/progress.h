// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace quantoscope::base {

/// A snapshot of how far a job has come.
struct ProgressState {
    std::string stage; ///< "Calibrating", "Sweep {2..8} x {2..8}"
    std::string unit; ///< what is counted: "images", "points"
    std::string detail; ///< the part of it in hand: "Correcting weights: 5 of 21 layers"; often empty
    std::int64_t done = 0;
    std::int64_t total = 0; ///< 0: not known
    double elapsedSeconds = 0; ///< since the stage began
    double perSecond = 0; ///< units a second, over the last few seconds
    std::optional<double> secondsLeft; ///< estimate; empty while too little is done to tell
};

/// Counts work and tells a listener about it, at most every 50 ms and always at the start and the end of a stage.
/// Thread safe: workers call advance(), the listener is called on whichever thread crossed the interval, never two at
/// a time, and must not call back into the same Progress.
class Progress {
public:
    using Listener = std::function<void(const ProgressState&)>;

    explicit Progress(Listener listener = {});

    void begin(std::string stage, std::int64_t total, std::string unit);
    void advance(std::int64_t count = 1);
    void finish();
    void setDetail(std::string detail); ///< of the stage in hand; begin() clears it

    ProgressState state() const;

private:
    using Clock = std::chrono::steady_clock;
    void notify(std::unique_lock<std::mutex>& lock, bool always);
    ProgressState stateLocked(Clock::time_point now) const;

    Listener m_listener;
    mutable std::mutex m_mutex;
    std::mutex m_listenerMutex;
    ProgressState m_state;
    Clock::time_point m_started;
    Clock::time_point m_lastNotice;
    Clock::time_point m_windowStart;
    std::int64_t m_windowDone = 0;
    double m_rate = 0;
};

/// What every long-running core function takes: where to report, and how it is told to stop.
/// The Progress must outlive the call; a default-constructed Job reports nowhere and is never cancelled.
struct Job {
    Progress* progress = nullptr;
    std::stop_token stop;

    bool stopRequested() const { return stop.stop_requested(); }
    void begin(std::string stage, std::int64_t total, std::string unit) const
    {
        if (progress)
            progress->begin(std::move(stage), total, std::move(unit));
    }
    void advance(std::int64_t count = 1) const
    {
        if (progress)
            progress->advance(count);
    }
    void finish() const
    {
        if (progress)
            progress->finish();
    }
};

/// A part of a longer job that counts on its own: what it reports becomes the detail of the whole while this lives.
class PartOfJob {
public:
    /// The job that `whole` names must outlive this.
    explicit PartOfJob(const Job& whole);
    ~PartOfJob();
    PartOfJob(const PartOfJob&) = delete;
    PartOfJob& operator=(const PartOfJob&) = delete;

    Job job() { return { &m_progress, m_stop }; }

private:
    Progress* m_whole;
    std::stop_token m_stop;
    Progress m_progress;
};

} // namespace quantoscope::base
