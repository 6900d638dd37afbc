// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdlib>
#include <string_view>

namespace quantoscope::engine {

/// Calls `loop`, compiled for the widest vectors that this processor has. `loop` is a lambda with
/// __attribute__((always_inline)), so that it takes over the instructions of its caller. Products and sums stay apart
/// (-ffp-contract=off for this folder), so every instruction set gives the same bits.
#if defined(__x86_64__) && defined(__GNUC__)

enum class InstructionSet { Baseline, Avx2, Avx512 };

/// What the processor has, within the limit that ONEDNN_MAX_CPU_ISA sets for oneDNN's kernels.
inline InstructionSet instructionSet()
{
    static const InstructionSet set = [] {
        const char* const variable = std::getenv("ONEDNN_MAX_CPU_ISA");
        const std::string_view limit = variable ? variable : "";
        if (limit == "SSE41" || limit == "AVX")
            return InstructionSet::Baseline;
        if (!limit.starts_with("AVX2") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl"))
            return InstructionSet::Avx512;
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? InstructionSet::Avx2
                                                                               : InstructionSet::Baseline;
    }();
    return set;
}

template <typename Loop> [[gnu::target("avx2,fma")]] void callWithAvx2(const Loop& loop) { loop(); }

template <typename Loop>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void callWithAvx512(const Loop& loop)
{
    loop();
}

template <typename Loop> void withWidestVectors(const Loop& loop)
{
    switch (instructionSet()) {
    case InstructionSet::Avx512:
        return callWithAvx512(loop);
    case InstructionSet::Avx2:
        return callWithAvx2(loop);
    case InstructionSet::Baseline:
        break;
    }
    loop();
}

#else

enum class InstructionSet { Baseline, Avx2, Avx512 };

inline InstructionSet instructionSet() { return InstructionSet::Baseline; }

template <typename Loop> void withWidestVectors(const Loop& loop) { loop(); }

#endif

} // namespace quantoscope::engine
