// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// Transcendental functions without branches or calls, so that loops over them vectorise. For float32; float64 goes to
/// the standard library. Coefficients: Cephes (Moshier 1989), expf.c and tanhf.c.
namespace quantoscope::engine {

/// Adding and subtracting it rounds a float of magnitude below 2^22 to an integer, half to even.
constexpr float roundingBias = 0x1.8p23F;

/// 2^n for n in [-126, 127], from bits.
inline float powerOfTwo(std::uint32_t n) { return std::bit_cast<float>((n + 127U) << 23); }

/// e^x within 2 units in the last place; infinity and subnormals as they should be, NaN stays.
inline float exponential(float x)
{
    const float atLeast = x < -104.0F ? -104.0F : x;
    const float bounded = atLeast > 89.0F ? 89.0F : atLeast;
    const float biased = bounded * 1.44269504088896341F + roundingBias;
    const float n = biased - roundingBias;
    const float high = bounded - n * 0.693359375F;
    const float r = high - n * -2.12194440e-4F;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    const float mantissa = p * r * r + r + 1.0F;
    // In two steps, as 2^128 and the subnormals have no exponent of their own.
    const std::uint32_t exponent = std::bit_cast<std::uint32_t>(biased) - std::bit_cast<std::uint32_t>(roundingBias);
    const std::uint32_t half = static_cast<std::uint32_t>(static_cast<std::int32_t>(exponent) >> 1);
    return mantissa * powerOfTwo(half) * powerOfTwo(exponent - half);
}

inline double exponential(double x) { return std::exp(x); }

inline float hyperbolicTangent(float x)
{
    const float z = x * x;
    float p = -5.70498872745e-3F;
    p = p * z + 2.06390887954e-2F;
    p = p * z - 5.37397155531e-2F;
    p = p * z + 1.33314422036e-1F;
    p = p * z - 3.33332819422e-1F;
    const float nearZero = p * z * x + x;
    const float magnitude = std::abs(x);
    const float farOut = std::copysign(1.0F - 2.0F / (exponential(2.0F * magnitude) + 1.0F), x);
    return magnitude > 0.625F ? farOut : nearZero;
}

inline double hyperbolicTangent(double x) { return std::tanh(x); }

} // namespace quantoscope::engine
