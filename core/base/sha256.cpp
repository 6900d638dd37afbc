// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace quantoscope::base {

namespace {

using State = std::array<std::uint32_t, 8>;
constexpr std::size_t blockSize = 64;

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
alignas(16) constexpr std::array<std::uint32_t, 64> roundConstants { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
    0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
    0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351,
    0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f,
    0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

std::uint32_t bigEndian(const std::byte* bytes)
{
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i)
        word = word << 8 | std::to_integer<std::uint32_t>(bytes[i]);
    return word;
}

/// FIPS 180-4, 6.2.2.
void compressBlock(State& state, const std::byte* block)
{
    std::array<std::uint32_t, 64> w;
    for (std::size_t t = 0; t < 16; ++t)
        w[t] = bigEndian(block + 4 * t);
    for (std::size_t t = 16; t < 64; ++t) {
        const std::uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
        const std::uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t t = 0; t < 64; ++t) {
        const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
        const std::uint32_t first = h + s1 + ((e & f) ^ (~e & g)) + roundConstants[t] + w[t];
        const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
        const std::uint32_t second = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    const State added { a, b, c, d, e, f, g, h };
    for (std::size_t i = 0; i < state.size(); ++i)
        state[i] += added[i];
}

void compressPlain(State& state, const std::byte* blocks, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
        compressBlock(state, blocks + i * blockSize);
}

using Compress = void (*)(State&, const std::byte*, std::size_t);

#if defined(__x86_64__) && defined(__GNUC__)

/// The same with the processor's SHA instructions (Intel, "Intel SHA Extensions", 2013), which keep the state as the
/// two vectors ABEF and CDGH and do two rounds at a time.
[[gnu::target("sha,sse4.1,ssse3")]] void compressWithInstructions(
    State& state, const std::byte* blocks, std::size_t count)
{
    const auto load = [](const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); };
    const __m128i swapBytes = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i cdab = _mm_shuffle_epi32(load(state.data()), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(load(state.data() + 4), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
    for (; count > 0; --count, blocks += blockSize) {
        const __m128i abefBefore = abef;
        const __m128i cdghBefore = cdgh;
        __m128i w[4]; // the last sixteen words of the schedule
        for (std::size_t t = 0; t < 16; ++t) {
            auto& next = w[t % 4];
            if (t < 4) {
                next = _mm_shuffle_epi8(load(blocks + 16 * t), swapBytes);
            } else {
                const __m128i before = w[(t + 3) % 4];
                const __m128i shifted = _mm_alignr_epi8(before, w[(t + 2) % 4], 4);
                next = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(next, w[(t + 1) % 4]), shifted), before);
            }
            const __m128i sum = _mm_add_epi32(next, load(roundConstants.data() + 4 * t));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
        }
        abef = _mm_add_epi32(abef, abefBefore);
        cdgh = _mm_add_epi32(cdgh, cdghBefore);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

Compress bestCompress()
{
    static const bool has = __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
    return has ? compressWithInstructions : compressPlain;
}

#else

Compress bestCompress() { return compressPlain; }

#endif

} // namespace

Sha256::Sha256(bool portable)
    : m_compress(portable ? compressPlain : bestCompress())
    , m_state { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }
{
}

void Sha256::update(std::span<const std::byte> bytes)
{
    const std::size_t held = m_size % blockSize;
    m_size += bytes.size();
    if (held > 0) {
        const std::size_t taken = std::min(bytes.size(), blockSize - held);
        std::copy_n(bytes.begin(), taken, m_block.begin() + static_cast<std::ptrdiff_t>(held));
        bytes = bytes.subspan(taken);
        if (held + taken < blockSize)
            return;
        m_compress(m_state, m_block.data(), 1);
    }
    m_compress(m_state, bytes.data(), bytes.size() / blockSize);
    const auto rest = bytes.last(bytes.size() % blockSize);
    std::ranges::copy(rest, m_block.begin());
}

Sha256& Sha256::add(std::int64_t number)
{
    std::array<std::byte, 8> bytes; // the same on every machine
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(static_cast<std::uint64_t>(number) >> 8 * i & 0xFF);
    update(bytes);
    return *this;
}

Sha256& Sha256::add(std::string_view text)
{
    add(static_cast<std::int64_t>(text.size()));
    update(std::span(text));
    return *this;
}

Sha256::Digest Sha256::digest() const
{
    Sha256 padded = *this;
    const std::uint64_t bits = m_size * 8;
    std::array<std::byte, 2 * blockSize> padding {};
    padding[0] = std::byte { 0x80 };
    const std::size_t zeros = (2 * blockSize - 9 - m_size % blockSize) % blockSize;
    for (std::size_t i = 0; i < 8; ++i)
        padding[1 + zeros + i] = static_cast<std::byte>(bits >> (56 - 8 * i) & 0xFF);
    padded.update(std::span(padding).first(zeros + 9));
    Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::uint8_t>(padded.m_state[i / 4] >> (24 - 8 * (i % 4)) & 0xFF);
    return digest;
}

std::string toHex(const Sha256::Digest& digest)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

} // namespace quantoscope::base
