// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <omp.h>
#include <sched.h>

namespace quantoscope::base {

int availableThreads()
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof mask, &mask) == 0)
        return std::max(1, CPU_COUNT(&mask));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int resolveThreads(int requested) { return requested > 0 ? requested : availableThreads(); }

namespace {

struct FirstFailure {
    std::mutex mutex;
    std::int64_t item = -1;
    std::optional<Error> error;
    std::atomic<bool> any = false;

    void record(std::int64_t at, Error e)
    {
        std::scoped_lock lock(mutex);
        if (!error || at < item) {
            item = at;
            error = std::move(e);
        }
        any = true;
    }
};

Result<void> guarded(const WorkFunction& work, int worker, std::int64_t item)
{
    try {
        return work(worker, item);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "out of memory", {}, "use fewer threads or a smaller batch");
    } catch (const std::exception& e) {
        return fail(ErrorCode::Internal, e.what());
    } catch (...) {
        return fail(ErrorCode::Internal, "an exception of unknown type");
    }
}

} // namespace

Result<void> parallelFor(int threads, std::int64_t items, std::stop_token stop, const WorkFunction& work)
{
    std::atomic<std::int64_t> next = 0;
    std::atomic<std::int64_t> completed = 0;
    FirstFailure failure;
    const auto loop = [&](int worker) {
        omp_set_num_threads(1);
        while (!failure.any && !stop.stop_requested()) {
            const std::int64_t item = next.fetch_add(1);
            if (item >= items)
                return;
            if (auto done = guarded(work, worker, item); !done)
                failure.record(item, std::move(done).error());
            else
                ++completed;
        }
    };
    {
        const auto count = std::clamp<std::int64_t>(resolveThreads(threads), 1, std::max<std::int64_t>(1, items));
        std::vector<std::jthread> workers;
        workers.reserve(static_cast<std::size_t>(count));
        for (int w = 0; w < static_cast<int>(count); ++w)
            workers.emplace_back(loop, w);
    }
    if (failure.error)
        return tl::make_unexpected(std::move(*failure.error));
    if (completed < items)
        return cancelled();
    return {};
}

} // namespace quantoscope::base
