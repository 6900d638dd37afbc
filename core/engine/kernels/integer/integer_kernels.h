// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/engine/kernel.h"
#include "core/engine/kernels/integer/codes.h"

// Kernels on codes (see CodeGrid) that lowering puts in the place of float operators.
namespace quantoscope::engine {

/// A compute layer in integers: sums of (code - zero point) x weight, exact in int32.
struct IntegerLayer {
    CodeGrid input;
    std::optional<CodeGrid> output; ///< empty: the layer delivers float32
    const Tensor& weight; ///< int8: levels less the zero point, shape as the operator has it
    std::vector<double> scale; ///< what a sum is worth: s_x s_w, one or one an output channel
    std::vector<double> bias; ///< in units of `scale`, one an output channel; empty: none
    std::optional<Clamp> activation;
};

/// From an int32 sum to what is stored: v = (float(sum) + bias) multiplier, then clamp; codes:
/// clamp(round_half_even(v), low, high) + zeroPoint. All in float32, in this order.
struct Epilogue {
    std::vector<float> multiplier; ///< one or one a channel
    std::vector<float> bias; ///< one a channel; empty: none
    bool toCodes = false;
    std::int32_t zeroPoint = 0;
    float low = 0; ///< whole numbers where toCodes
    float high = 0;
};

/// `inputSums`, one a channel: what a sum contains because every input is larger by the zero point; empty: nothing.
Epilogue epilogueOf(const IntegerLayer& layer, const std::vector<std::int64_t>& inputSums);

/// Whether a layer is exact where engine::addsInFullWidth() does not hold: 2 (2^a - 1) 2^(w-1) <= 32767, with the
/// bounds that the grids really have.
bool fitsPairs(std::int32_t largestCode, std::int32_t largestWeight);

/// Conv on codes [N, C, D...] in channels-last order; `request` is that of the float operator. Unsupported where only
/// loops slower than float arithmetic could compute it.
Result<KernelPtr> makeIntegerConvolution(const KernelRequest& request, const IntegerLayer& layer);
/// Gemm and MatMul of codes by a constant matrix.
Result<KernelPtr> makeIntegerMatmul(const KernelRequest& request, const IntegerLayer& layer);

/// float32 -> codes, bit for bit as quant::quantize().
KernelPtr makeQuantizeToCodes(const CodeGrid& grid, std::int64_t size);
/// Codes -> float32, bit for bit as quant::dequantize().
KernelPtr makeDequantizeCodes(const CodeGrid& grid, std::int64_t size);
/// Every code replaced by another.
KernelPtr makeTableLookup(const CodeTable& table, std::int64_t size);
/// The quantized, clamped sum of two tensors of one shape: the same codes as dequantizing, adding and quantizing in
/// float32 would give.
KernelPtr makeIntegerAdd(const CodeGrid& a, const CodeGrid& b, const CodeGrid& output,
    const std::optional<Clamp>& activation, std::int64_t size);
/// The quantized mean over all positions of codes [N, C, D...] in channels-last order.
KernelPtr makeIntegerGlobalAverage(const Shape& input, const CodeGrid& grid, const CodeGrid& output);
/// The quantized AveragePool of codes [N, C, D...] in channels-last order; `request` is that of the float operator.
/// Unsupported with ceil_mode and dilations.
Result<KernelPtr> makeIntegerAverage(const KernelRequest& request, const CodeGrid& grid, const CodeGrid& output);

} // namespace quantoscope::engine
