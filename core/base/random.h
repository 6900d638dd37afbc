// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace quantoscope::base {

/// SplitMix64 (Steele, Lea, Flood 2014): the same sequence for the same seed on every platform, unlike the standard
/// library's distributions. Satisfies UniformRandomBitGenerator. Not thread safe; make one per worker from a sub-seed.
class Random {
public:
    using result_type = std::uint64_t;

    explicit Random(std::uint64_t seed)
        : m_state(seed)
    {
    }

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~result_type { 0 }; }

    result_type operator()();
    std::uint64_t below(std::uint64_t bound); ///< uniform in [0, bound), bound > 0, without modulo bias
    double uniform(); ///< uniform in [0, 1)
    double normal(); ///< standard normal (Box-Muller)

private:
    std::uint64_t m_state;
};

/// The numbers 0..count-1 in a seeded random order (Fisher-Yates). A shorter prefix is a uniform sample.
std::vector<std::int64_t> permutation(std::int64_t count, std::uint64_t seed);

} // namespace quantoscope::base
