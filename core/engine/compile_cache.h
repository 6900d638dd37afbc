// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/error.h"
#include "core/base/lru_cache.h"
#include "core/engine/kernel.h"
#include "core/engine/value_key.h"

namespace quantoscope::engine {

/// Kernels with their packed weights, and fake-quantized weights, of graphs that were compiled: configurations that
/// quantize a layer alike share them, and what a graph was compiled from once need not be made again. Least recently
/// used goes first. Thread safe.
class CompileCache {
public:
    /// `budget` in bytes of weights, which is about what kernels take up.
    explicit CompileCache(std::size_t budget)
        : m_kernels(budget)
    {
    }

    /// The kernel of that key; if there is none, what `make` makes.
    Result<std::shared_ptr<const Kernel>> kernel(
        const ValueKey& key, std::size_t bytes, const std::function<Result<KernelPtr>()>& make);

    std::size_t budget() const { return m_kernels.budget(); }
    std::size_t bytes() const { return m_kernels.bytes(); }
    std::size_t size() const { return m_kernels.size(); }

private:
    base::LruCache<ValueKey, Kernel, ValueKeyHash> m_kernels;
};

/// The same without a cache where `cache` is null.
Result<std::shared_ptr<const Kernel>> kernelFrom(
    CompileCache* cache, const ValueKey& key, std::size_t bytes, const std::function<Result<KernelPtr>()>& make);

} // namespace quantoscope::engine
