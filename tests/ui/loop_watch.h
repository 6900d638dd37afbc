// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include <QObject>
#include <QTimer>

#include <unistd.h>

namespace quantoscope::test {

/// Measures how long the event loop of this thread does not come round. On a machine that is busy with other programs
/// a thread also waits for its turn; Linux tells for how long (/proc/self/task/TID/schedstat), and `busy` leaves that
/// out.
class LoopWatch : public QObject {
public:
    LoopWatch()
        : m_schedstat("/proc/self/task/" + std::to_string(::gettid()) + "/schedstat")
    {
        m_timer.setTimerType(Qt::PreciseTimer);
        connect(&m_timer, &QTimer::timeout, this, [this] { tick(); });
        m_last = now();
        m_lastWait = waited();
        m_timer.start(period);
    }

    /// Longest gap beyond the timer's period, milliseconds.
    double longest() const { return m_longest; }
    double longestBusy() const { return m_longestBusy; }
    int ticks() const { return m_ticks; }

private:
    static constexpr int period = 2;
    using Clock = std::chrono::steady_clock;
    static double now() { return std::chrono::duration<double, std::milli>(Clock::now().time_since_epoch()).count(); }

    /// Milliseconds this thread was ready and not running; 0 where the system does not tell.
    double waited() const
    {
        std::ifstream file(m_schedstat);
        double running = 0;
        double waiting = 0;
        return file >> running >> waiting ? waiting / 1e6 : 0;
    }

    void tick()
    {
        const double time = now();
        const double wait = waited();
        const double gap = time - m_last - period;
        m_longest = std::max(m_longest, gap);
        m_longestBusy = std::max(m_longestBusy, gap - (wait - m_lastWait));
        m_last = time;
        m_lastWait = wait;
        ++m_ticks;
    }

    std::string m_schedstat;
    QTimer m_timer;
    double m_last = 0;
    double m_lastWait = 0;
    double m_longest = 0;
    double m_longestBusy = 0;
    int m_ticks = 0;
};

} // namespace quantoscope::test
