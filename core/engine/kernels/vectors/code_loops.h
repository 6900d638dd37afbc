// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/vectors/vector_functions.h"

// Loops over codes of one byte; see vector_loops.h.
namespace quantoscope::engine::codes {

/// Bytes of a vector, so many sums at once: four vectors of levels are packed into one of codes.
template <int lanes> inline constexpr std::int64_t atOnce = 4 * lanes;

/// clamp(round(a fa + (b fb + offset))) + zeroPoint for atOnce<lanes> pairs of codes.
template <int lanes>
[[gnu::always_inline]] inline void addVector(
    const Sum& sum, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out)
{
    if constexpr (lanes == 16) {
        constexpr __mmask16 all = 0xFFFF; // without a mask, GCC 12 warns of its own headers
        __m512i levels[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const __m128i left = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + 16 * i));
            const __m128i right = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 16 * i));
            const __m512 rest = _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(all, _mm512_maskz_cvtepu8_epi32(all, right)),
                _mm512_set1_ps(sum.factorB), _mm512_set1_ps(sum.offset));
            levels[i] = _mm512_maskz_cvtps_epi32(all,
                _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(all, _mm512_maskz_cvtepu8_epi32(all, left)),
                    _mm512_set1_ps(sum.factorA), rest));
        }
        const __m512i zero = _mm512_set1_epi16(static_cast<short>(sum.zeroPoint));
        const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(levels[0], levels[1]), zero);
        const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(levels[2], levels[3]), zero);
        // Packing goes by parts of 128 bits: four elements of each vector of levels side by side.
        const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        __m512i codes = _mm512_maskz_permutexvar_epi32(all, order, _mm512_packus_epi16(first, second));
        codes = _mm512_max_epu8(codes, _mm512_set1_epi8(static_cast<char>(sum.lowest)));
        codes = _mm512_min_epu8(codes, _mm512_set1_epi8(static_cast<char>(sum.highest)));
        _mm512_storeu_si512(out, codes);
    } else {
        __m256i levels[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const __m128i left = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(a + 8 * i));
            const __m128i right = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b + 8 * i));
            const __m256 rest = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(right)),
                _mm256_set1_ps(sum.factorB), _mm256_set1_ps(sum.offset));
            levels[i] = _mm256_cvtps_epi32(
                _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(left)), _mm256_set1_ps(sum.factorA), rest));
        }
        const __m256i zero = _mm256_set1_epi16(static_cast<short>(sum.zeroPoint));
        const __m256i first = _mm256_adds_epi16(_mm256_packs_epi32(levels[0], levels[1]), zero);
        const __m256i second = _mm256_adds_epi16(_mm256_packs_epi32(levels[2], levels[3]), zero);
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        __m256i codes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
        codes = _mm256_max_epu8(codes, _mm256_set1_epi8(static_cast<char>(sum.lowest)));
        codes = _mm256_min_epu8(codes, _mm256_set1_epi8(static_cast<char>(sum.highest)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), codes);
    }
}

/// See VectorFunctions::addCodes.
template <int lanes>
void add(const Sum& sum, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::int64_t count)
{
    const Sum own = sum; // which no store through a pointer can change
    constexpr std::int64_t step = atOnce<lanes>;
    std::int64_t i = 0;
    for (; i + step <= count; i += step)
        addVector<lanes>(own, a + i, b + i, out + i);
    if (i == count)
        return;
    std::uint8_t left[step] = {};
    std::uint8_t right[step] = {};
    const auto rest = static_cast<std::size_t>(count - i);
    std::memcpy(left, a + i, rest);
    std::memcpy(right, b + i, rest);
    addVector<lanes>(own, left, right, left);
    std::memcpy(out + i, left, rest);
}

} // namespace quantoscope::engine::codes
