// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/time_limit.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace quantoscope::base {

TimeLimit::TimeLimit(std::stop_token outer, Clock::time_point deadline)
    : m_deadline(deadline)
    , m_outer(std::move(outer), [this] { m_source.request_stop(); })
    , m_watch([this](const std::stop_token& ended) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any clock;
        clock.wait_until(lock, ended, m_deadline, [] { return false; });
        if (!ended.stop_requested())
            m_source.request_stop();
    })
{
}

} // namespace quantoscope::base
