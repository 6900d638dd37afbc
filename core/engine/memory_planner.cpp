// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/memory_planner.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace quantoscope::engine {

namespace {

constexpr std::size_t alignment = 64;

struct Placed {
    std::size_t begin = 0;
    std::size_t end = 0;
    int first = 0;
    int last = 0;
};

/// `placed` is sorted by begin.
std::size_t tightestGap(const std::vector<Placed>& placed, const BufferLifetime& buffer, std::size_t bytes)
{
    std::size_t best = 0;
    std::size_t bestSlack = std::numeric_limits<std::size_t>::max();
    std::size_t end = 0; // of everything alive at the same time so far
    for (const Placed& other : placed) {
        if (other.last < buffer.first || other.first > buffer.last)
            continue;
        if (other.begin >= end + bytes && other.begin - end - bytes < bestSlack) {
            bestSlack = other.begin - end - bytes;
            best = end;
        }
        end = std::max(end, other.end);
    }
    return bestSlack == std::numeric_limits<std::size_t>::max() ? end : best;
}

} // namespace

MemoryPlan planMemory(std::span<const BufferLifetime> buffers)
{
    std::vector<std::size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), std::size_t { 0 });
    std::stable_sort(
        order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });

    MemoryPlan plan;
    plan.offsets.resize(buffers.size());
    std::vector<Placed> placed;
    for (std::size_t i : order) {
        const BufferLifetime& buffer = buffers[i];
        const std::size_t bytes = (buffer.bytes + alignment - 1) / alignment * alignment;
        if (bytes == 0)
            continue;
        const std::size_t offset = tightestGap(placed, buffer, bytes);
        plan.offsets[i] = offset;
        plan.bytes = std::max(plan.bytes, offset + bytes);
        const Placed entry { offset, offset + bytes, buffer.first, buffer.last };
        placed.insert(std::upper_bound(placed.begin(), placed.end(), entry,
                          [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
            entry);
    }
    return plan;
}

} // namespace quantoscope::engine
