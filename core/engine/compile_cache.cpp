// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/compile_cache.h"

namespace quantoscope::engine {

namespace {

constexpr std::size_t leastBytes = 4096; // of a kernel without weights: primitive, descriptions

} // namespace

Result<std::shared_ptr<const Kernel>> CompileCache::kernel(
    const ValueKey& key, std::size_t bytes, const std::function<Result<KernelPtr>()>& make)
{
    if (auto known = m_kernels.find(key))
        return known;
    QS_TRY(KernelPtr made, make());
    return m_kernels.keep(key, std::shared_ptr<const Kernel>(std::move(made)), leastBytes + bytes);
}

Result<std::shared_ptr<const Kernel>> kernelFrom(
    CompileCache* cache, const ValueKey& key, std::size_t bytes, const std::function<Result<KernelPtr>()>& make)
{
    if (cache)
        return cache->kernel(key, bytes, make);
    QS_TRY(KernelPtr made, make());
    return std::shared_ptr<const Kernel>(std::move(made));
}

} // namespace quantoscope::engine
