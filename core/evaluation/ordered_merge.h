// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace quantoscope::evaluation {

/// Takes what workers finish in any order and hands it on in item order 0, 1, 2, ..., so that sums come out the same
/// for any number of threads. Holds only what overtook a slower item. Thread safe; `merge` is never called twice at a
/// time.
template <typename T> class OrderedMerge {
public:
    using MergeFunction = std::function<void(T&& part)>;

    explicit OrderedMerge(MergeFunction merge)
        : m_merge(std::move(merge))
    {
    }

    void add(std::int64_t item, T part)
    {
        const std::scoped_lock lock(m_mutex);
        m_pending.emplace(item, std::move(part));
        while (!m_pending.empty() && m_pending.begin()->first == m_next) {
            m_merge(std::move(m_pending.begin()->second));
            m_pending.erase(m_pending.begin());
            ++m_next;
        }
    }

private:
    MergeFunction m_merge;
    std::mutex m_mutex;
    std::map<std::int64_t, T> m_pending;
    std::int64_t m_next = 0;
};

} // namespace quantoscope::evaluation
