// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/parallel.h"

namespace quantoscope::base {

/// Takes results of items that finish in any order and hands them on in item order 0, 1, 2, ..., so that sums come out
/// the same for any number of threads. Holds back at most two results a thread, so that memory stays bounded: whoever
/// is too far ahead waits. Thread safe; `consume` is never called twice at a time.
template <typename T> class OrderedMerge {
public:
    /// `threads` as parallelFor() takes it.
    OrderedMerge(int threads, std::function<void(T&&)> consume)
        : m_consume(std::move(consume))
        , m_waiting(2 * static_cast<std::size_t>(resolveThreads(threads)))
    {
    }

    /// A worker's duty to hand in one item. Items start in ascending order, so the one that all others wait for is
    /// always being worked on; a turn that ends without a result (an error, an exception) sends everyone who waits
    /// away.
    class Turn {
    public:
        Turn(OrderedMerge& merge, std::int64_t item)
            : m_merge(merge)
            , m_item(item)
        {
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn()
        {
            if (!m_delivered)
                m_merge.abandon();
        }
        /// Cancelled if the job was stopped and the result went nowhere: what was merged is then not the whole, also
        /// when this was the last item. Where another turn ended without a result, that one has the error.
        [[nodiscard]] Result<void> deliver(T result, const std::stop_token& stop)
        {
            QS_CHECK(m_merge.put(m_item, std::move(result), stop));
            m_delivered = true;
            return {};
        }

    private:
        OrderedMerge& m_merge;
        std::int64_t m_item;
        bool m_delivered = false;
    };

private:
    Result<void> put(std::int64_t item, T result, const std::stop_token& stop)
    {
        std::unique_lock lock(m_mutex);
        m_moved.wait(lock, stop, [&] { return m_abandoned || item < m_next + std::ssize(m_waiting); });
        if (m_abandoned)
            return {};
        if (stop.stop_requested())
            return cancelled();
        placeOf(item) = std::move(result);
        for (; placeOf(m_next); ++m_next)
            m_consume(*std::exchange(placeOf(m_next), std::nullopt));
        m_moved.notify_all();
        return {};
    }

    void abandon()
    {
        const std::lock_guard lock(m_mutex);
        m_abandoned = true;
        m_moved.notify_all();
    }

    std::optional<T>& placeOf(std::int64_t item)
    {
        return m_waiting[static_cast<std::size_t>(item) % m_waiting.size()];
    }

    std::function<void(T&&)> m_consume;
    std::mutex m_mutex;
    std::condition_variable_any m_moved;
    std::vector<std::optional<T>> m_waiting; ///< the window from m_next on, an item in its place modulo its size
    std::int64_t m_next = 0;
    bool m_abandoned = false;
};

} // namespace quantoscope::base
