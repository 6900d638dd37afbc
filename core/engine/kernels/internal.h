// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/engine/kernel.h"
#include "core/quant/encoding.h"

// Kernels that no operator of a model asks for: the compiler puts them in itself.
namespace quantoscope::engine {

/// Quantize and dequantize float32 elements: bit for bit quant::fakeQuantize of the row-major tensor. `layout` must be
/// Plain unless orderMatters() denies it.
KernelPtr makeFakeQuantize(const quant::Encoding& encoding, const Shape& shape, Layout layout, std::uint64_t seed);

/// Whether an element's place in memory has a say in its quantized value: channels have scales of their own, stochastic
/// rounding draws by element index.
bool orderMatters(const quant::Encoding& encoding);

/// Moves elements from one layout to the other; an alias where both orders are the same bytes (one channel or one
/// position).
KernelPtr makeReorder(DType dtype, const Shape& shape, Layout from, Layout to);

/// Whether makeQuantizedReorder() takes such a tensor: float32 with the channels of an image, one scale, and a
/// processor with vectors and fused products and sums.
bool quantizedReorderSuits(DType dtype, const Shape& shape, const quant::Encoding& encoding);

/// Fake-quantizes on the way from Plain to ChannelsLast: bit for bit the one after the other.
KernelPtr makeQuantizedReorder(const Shape& shape, const quant::Encoding& encoding);

/// Copies bytes.
KernelPtr makeCopy(std::size_t bytes);

} // namespace quantoscope::engine
