// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

namespace quantoscope::base {

/// A stop token that is asked to stop when another one is, or when time is up, whichever comes first. Its own thread
/// watches the clock, so that work which only looks at its token is interrupted in the middle.
class TimeLimit {
public:
    using Clock = std::chrono::steady_clock;

    TimeLimit(std::stop_token outer, Clock::time_point deadline);

    std::stop_token token() const { return m_source.get_token(); }
    bool over() const { return Clock::now() >= m_deadline; }

private:
    Clock::time_point m_deadline;
    std::stop_source m_source;
    std::stop_callback<std::function<void()>> m_outer;
    std::jthread m_watch;
};

} // namespace quantoscope::base
