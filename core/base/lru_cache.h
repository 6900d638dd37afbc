// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace quantoscope::base {

/// Shared values by key within a budget of bytes: the one that was not asked for longest goes first. A value that is
/// dropped lives on where it is in use. Thread safe.
template <typename Key, typename Value, typename Hash = std::hash<Key>> class LruCache {
public:
    using Pointer = std::shared_ptr<const Value>;

    explicit LruCache(std::size_t budget)
        : m_budget(budget)
    {
    }

    /// Null if it is not there (any more).
    Pointer find(const Key& key)
    {
        const std::scoped_lock lock(m_mutex);
        const auto found = m_entries.find(key);
        if (found == m_entries.end())
            return nullptr;
        m_order.splice(m_order.begin(), m_order, found->second.position);
        return found->second.value;
    }

    /// Keeps a value that takes up `bytes`, unless the key has one: the one that is kept then. A value larger than the
    /// whole budget is handed back and not kept.
    Pointer keep(const Key& key, Pointer value, std::size_t bytes)
    {
        const std::scoped_lock lock(m_mutex);
        if (const auto found = m_entries.find(key); found != m_entries.end())
            return found->second.value;
        if (bytes > m_budget)
            return value;
        m_order.push_front(key);
        m_entries.emplace(key, Entry { value, bytes, m_order.begin() });
        m_bytes += bytes;
        while (m_bytes > m_budget) {
            const auto oldest = m_entries.find(m_order.back());
            m_bytes -= oldest->second.bytes;
            m_entries.erase(oldest);
            m_order.pop_back();
        }
        return value;
    }

    std::size_t budget() const { return m_budget; }
    std::size_t bytes() const
    {
        const std::scoped_lock lock(m_mutex);
        return m_bytes;
    }
    std::size_t size() const
    {
        const std::scoped_lock lock(m_mutex);
        return m_entries.size();
    }

private:
    struct Entry {
        Pointer value;
        std::size_t bytes = 0;
        typename std::list<Key>::iterator position;
    };

    std::size_t m_budget;
    mutable std::mutex m_mutex;
    std::list<Key> m_order; ///< asked for last first
    std::unordered_map<Key, Entry, Hash> m_entries;
    std::size_t m_bytes = 0;
};

} // namespace quantoscope::base
