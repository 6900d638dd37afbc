// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/quant/config.h"
#include "core/tensor/tensor.h"

namespace quantoscope::quant {

/// The NUMBERS of a quantizer: q = clamp(round(x / s) + z, qmin, qmax), x^ = (q - z) s.
struct Encoding {
    std::vector<float> scale { 1 }; ///< one, or one a channel; each > 0 and finite
    std::vector<std::int32_t> zeroPoint { 0 }; ///< as many as scale, each in [qmin, qmax]
    std::int32_t qmin = -128;
    std::int32_t qmax = 127;
    int axis = -1; ///< channel axis; -1: per tensor
    Rounding rounding = Rounding::HalfEven;

    bool perChannel() const { return axis >= 0; }
    bool isSigned() const { return qmin < 0; }
    int bits() const; ///< smallest word-length that holds qmin..qmax with its signedness
    float low(std::size_t channel = 0) const; ///< smallest representable value, (qmin - z) s
    float high(std::size_t channel = 0) const;
    Result<void> validate() const;
    Json toJson() const;
    static Result<Encoding> fromJson(const Json& json);
    friend bool operator==(const Encoding&, const Encoding&) = default;
};

/// The fixed-point format of a power-of-two encoding, in the convention of Texas Instruments: Qm.n has m integer bits
/// beside the sign, n fraction bits and 1 + m + n bits in all, so that 8 bits at a step of 2^-5 are "Q2.5"; unsigned
/// grids are UQm.n with m + n bits. (ARM counts the sign among the m: the same grid is its Q3.5.) m or n are negative
/// where the step is above one or all values below half. Channels that differ: from the finest to the coarsest, "Q0.7
/// to Q2.5". Empty if a step is not a power of two or zero is not the integer 0.
std::optional<std::string> qFormat(const Encoding& encoding);

/// Integer bounds of a config: signed [-2^(b-1), 2^(b-1)-1] (narrow: +1 at the low end), unsigned [0, 2^b - 1].
struct Bounds {
    std::int32_t qmin;
    std::int32_t qmax;
};
Bounds integerBounds(const QuantizerConfig& config, bool isSigned);

/// Whether a tensor whose values lie in [low, high] gets the signed grid under `config` (Signedness::Auto resolved:
/// asymmetric -> unsigned; symmetric -> unsigned if low >= 0, signed otherwise).
bool usesSignedGrid(const QuantizerConfig& config, double low, double high);

/// One channel's encoding from the range [low, high] that is to be representable. The range is first extended to
/// contain zero. Symmetric signed: s = max(|low|, |high|) / qmax, z = 0. Symmetric unsigned: s = high / qmax, z = 0
/// while low >= 0; otherwise (a signed range forced onto the unsigned grid) z = 2^(b-1) and s = max(|low|, |high|) /
/// (qmax - z). Asymmetric: s = (high - low) / (qmax - qmin), z = round_half_even(qmin - low / s) clamped. Power of two:
/// s rounded up to 2^k. A range of no extent gives s = 1 (smallest such that zero is exact). Computed in double, s
/// stored as float32; a step below the normal numbers of float32 becomes the smallest of them. `isSigned` decides the
/// grid for all channels together.
void setChannel(
    Encoding& encoding, std::size_t channel, const QuantizerConfig& config, bool isSigned, double low, double high);

/// A per-tensor encoding from a range, and a per-channel one from a range a channel.
Encoding encodingForRange(const QuantizerConfig& config, double low, double high);
Encoding encodingForRanges(
    const QuantizerConfig& config, int axis, std::span<const double> low, std::span<const double> high);

/// The integer levels, as int32, of `values` laid out with `encoding.axis` of `shape` as channel axis. float32,
/// division by s (not multiplication by 1/s), NaN -> zero point. Stochastic rounding draws from `seed` by element
/// index. Grids of more than 2^22 levels (a bias' int32) divide in double, so that no level is lost.
void quantize(const Encoding& encoding, const Shape& shape, std::span<const float> values,
    std::span<std::int32_t> levels, std::uint64_t seed = 0);
/// x^ = (q - z) s in float32.
void dequantize(
    const Encoding& encoding, const Shape& shape, std::span<const std::int32_t> levels, std::span<float> values);
/// dequantize(quantize(x)) without the integers; `in` and `out` may be the same.
void fakeQuantize(const Encoding& encoding, const Shape& shape, std::span<const float> in, std::span<float> out,
    std::uint64_t seed = 0);
Tensor fakeQuantize(const Encoding& encoding, const TensorView& tensor, std::uint64_t seed = 0);

/// sum (x - x^)^2 over values of one channel, in float64 and in an order that depends on their number only. As exact as
/// measureError(), in a fraction of its time; for searches. Stochastic rounding draws from seed 0. At most 2^22 levels
/// (asserts).
double squaredError(const Encoding& encoding, std::size_t channel, std::span<const float> values);

/// What quantizing did to a tensor.
struct QuantizationError {
    std::int64_t count = 0;
    double signalPower = 0; ///< sum x^2
    double noisePower = 0; ///< sum (x - x^)^2
    double clippingPower = 0; ///< the part of noisePower from values outside [low, high] (beyond half a step)
    double dot = 0; ///< sum x x^
    double quantizedPower = 0; ///< sum x^^2
    std::int64_t clipped = 0; ///< values outside the representable range by more than half a step

    double sqnrDb() const; ///< 10 log10(signal / noise); +inf if exact
    double mse() const;
    double cosine() const;
    double clippedPercent() const;
    QuantizationError& operator+=(const QuantizationError& other);
};
QuantizationError measureError(const Encoding& encoding, const TensorView& tensor);
/// The error between two float tensors of one size (for inherited error); clipping fields stay 0.
QuantizationError measureError(std::span<const float> reference, std::span<const float> actual);

} // namespace quantoscope::quant
