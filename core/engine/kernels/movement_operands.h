// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/engine/kernels/support.h"

// What the operands of Slice, Pad and Transpose say, in every form they have had.
namespace quantoscope::engine {

/// Of equal length; axes are as written, not yet normalised.
struct SliceOperands {
    std::vector<std::int64_t> starts;
    std::vector<std::int64_t> ends;
    std::vector<std::int64_t> axes;
    std::vector<std::int64_t> steps; ///< never 0
};
Result<SliceOperands> readSliceOperands(const KernelRequest& request);

/// Pads at the beginning of every axis of the input; those at the end follow from the output's shape, which is checked.
Result<std::vector<std::int64_t>> readPadBegins(const KernelRequest& request);

/// The bytes of one element of the data's type: attribute `value`, otherwise zero.
std::array<std::byte, 8> attributePadValue(const KernelRequest& request);

/// Attribute `perm`, or the axes reversed.
Result<std::vector<int>> readPermutation(const KernelRequest& request);

} // namespace quantoscope::engine
