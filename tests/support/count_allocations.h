// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Counts what a test program allocates. It defines the operators themselves, so include it in one file of a program.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <new>

namespace quantoscope::test {

inline std::atomic<bool> counting { false };
inline std::atomic<int> allocations { 0 };

/// Counts while it lives, on all threads.
class AllocationCount {
public:
    AllocationCount()
    {
        allocations = 0;
        counting = true;
    }
    ~AllocationCount() { counting = false; }
    AllocationCount(const AllocationCount&) = delete;
    AllocationCount& operator=(const AllocationCount&) = delete;
    int stop() const
    {
        counting = false;
        return allocations;
    }
};

/// oneDNN builds a small map of arguments for every primitive it executes; that is not ours to change.
inline bool isOneDnn(void* caller)
{
    Dl_info info {};
    return dladdr(caller, &info) != 0 && info.dli_fname && std::strstr(info.dli_fname, "libdnnl");
}

inline void* allocateOrNull(std::size_t bytes, void* caller) noexcept
{
    if (counting && !isOneDnn(caller))
        ++allocations;
    return std::malloc(bytes == 0 ? 1 : bytes);
}

inline void* allocate(std::size_t bytes, void* caller)
{
    if (void* memory = allocateOrNull(bytes, caller))
        return memory;
    throw std::bad_alloc();
}

inline void* allocateAligned(std::size_t bytes, std::size_t alignment, void* caller)
{
    if (counting && !isOneDnn(caller))
        ++allocations;
    if (void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment))
        return memory;
    throw std::bad_alloc();
}

} // namespace quantoscope::test

void* operator new(std::size_t bytes) { return quantoscope::test::allocate(bytes, __builtin_return_address(0)); }
void* operator new[](std::size_t bytes) { return quantoscope::test::allocate(bytes, __builtin_return_address(0)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept
{
    return quantoscope::test::allocateOrNull(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept
{
    return quantoscope::test::allocateOrNull(bytes, __builtin_return_address(0));
}
void* operator new(std::size_t bytes, std::align_val_t alignment)
{
    return quantoscope::test::allocateAligned(bytes, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment)
{
    return quantoscope::test::allocateAligned(bytes, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
