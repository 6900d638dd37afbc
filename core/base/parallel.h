// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "core/base/error.h"

namespace quantoscope::base {

/// Cores this process may use (its affinity mask), at least 1.
int availableThreads();

/// `requested` if positive, otherwise availableThreads().
int resolveThreads(int requested);

/// Work done by one worker on one item. `worker` is in [0, threads), `item` in [0, items).
/// Calls with the same `worker` never overlap, so per-worker state (a stream, an arena) needs no lock.
using WorkFunction = std::function<Result<void>(int worker, std::int64_t item)>;

/// Runs `work` once for every item on `threads` workers that take items from a shared counter: independent streams, no
/// barrier inside. Inside each worker OpenMP is limited to one thread. Items start in ascending order; which worker
/// gets which item is not determined, so results must be stored by item. With one thread everything runs on a worker
/// thread as well, so the caller's OpenMP settings stay untouched.
/// Returns the error of the lowest-numbered failed item, or `Cancelled` when `stop` was requested before all items
/// were done; no new item starts after a failure or a stop request. Blocks until every worker has ended.
/// An exception in `work` becomes an Internal error (std::bad_alloc: OutOfMemory).
Result<void> parallelFor(int threads, std::int64_t items, std::stop_token stop, const WorkFunction& work);

} // namespace quantoscope::base
