// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/program_family.h"

#include <algorithm>
#include <cassert>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace quantoscope::engine {

namespace {

constexpr std::size_t alignment = 64;

using KeySet = std::unordered_set<ValueKey, ValueKeyHash>;
/// Values that later members take over, with their bytes.
using Shared = std::unordered_map<ValueKey, std::size_t, ValueKeyHash>;

/// What the members take over from earlier ones, where the values in `banned` must not be.
Shared sharedValues(const std::vector<CompiledGraphPtr>& members, const KeySet& banned)
{
    Shared shared;
    KeySet known;
    for (const CompiledGraphPtr& member : members) {
        const PartialRun run(member, [&](const ValueKey& key) { return known.contains(key) && !banned.contains(key); });
        for (const Waypoint& value : run.loads())
            shared.emplace(value.key, value.bytes);
        for (const Waypoint& value : run.computed())
            known.insert(value.key);
    }
    return shared;
}

std::size_t roundedUp(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// Shared values that fit the budget: the largest are given up first, as those before them or behind them are as good a
/// place to start from.
Shared affordableValues(const std::vector<CompiledGraphPtr>& members, std::size_t budget)
{
    KeySet banned;
    while (true) {
        Shared shared = sharedValues(members, banned);
        std::size_t total = 0;
        for (const auto& [key, bytes] : shared)
            total += roundedUp(bytes);
        if (total <= budget)
            return shared;
        std::vector<std::pair<std::size_t, ValueKey>> largest;
        for (const auto& [key, bytes] : shared)
            largest.emplace_back(bytes, key);
        std::ranges::sort(largest, std::greater {});
        for (const auto& [bytes, key] : largest) {
            if (total <= budget)
                break;
            banned.insert(key);
            total -= roundedUp(bytes);
        }
    }
}

} // namespace

ProgramFamily::ProgramFamily(std::vector<CompiledGraphPtr> members, std::size_t budget)
{
    const Shared shared = affordableValues(members, budget);
    std::unordered_map<ValueKey, std::size_t, ValueKeyHash> offsets; // of values that a member has computed
    for (CompiledGraphPtr& member : members) {
        m_arenaBytes = std::max(m_arenaBytes, member->arenaBytes());
        const auto known = [&](const ValueKey& key) { return offsets.contains(key); };
        const auto wanted = [&](const ValueKey& key) { return shared.contains(key) && !offsets.contains(key); };
        auto run = std::make_shared<const PartialRun>(std::move(member), known, wanted);
        Offsets& loads = m_loads.emplace_back();
        for (const Waypoint& value : run->loads())
            loads.push_back(offsets.at(value.key));
        Offsets& saves = m_saves.emplace_back();
        for (const Waypoint& value : run->saves()) {
            const auto [place, isNew] = offsets.emplace(value.key, m_storedBytes);
            if (isNew)
                m_storedBytes += roundedUp(value.bytes);
            saves.push_back(place->second);
        }
        m_runs.push_back(std::move(run));
    }
}

double ProgramFamily::partThatRuns() const
{
    std::size_t run = 0;
    std::size_t all = 0;
    for (const PartialRunPtr& member : m_runs) {
        run += member->steps();
        all += member->compiled()->steps().size();
    }
    return all == 0 ? 1 : static_cast<double>(run) / static_cast<double>(all);
}

FamilyExecutor::FamilyExecutor(ProgramFamilyPtr family)
    : m_family(std::move(family))
    , m_executor(m_family->m_arenaBytes)
    , m_store(m_family->m_storedBytes)
{
    std::size_t loads = 0;
    std::size_t saves = 0;
    for (const PartialRunPtr& run : m_family->m_runs) {
        m_executor.add(run);
        loads = std::max(loads, run->loads().size());
        saves = std::max(saves, run->saves().size());
    }
    m_loads.reserve(loads);
    m_saves.reserve(saves);
}

Result<void> FamilyExecutor::run(std::size_t member, std::span<const TensorView> inputs)
{
    m_loads.clear();
    for (const std::size_t offset : m_family->m_loads[member])
        m_loads.push_back(m_store.data() + offset);
    m_saves.clear();
    for (const std::size_t offset : m_family->m_saves[member])
        m_saves.push_back(m_store.data() + offset);
    return m_executor.run(member, inputs, m_loads, m_saves);
}

} // namespace quantoscope::engine
