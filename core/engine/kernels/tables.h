// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/engine/kernel.h"

namespace quantoscope::engine {

// Every kernel file ends with one of these tables; registry.cpp lists them. Where two tables of one set name the same operator,
// the one listed first wins.

// kernels/onednn/: float32 through oneDNN; whatever they refuse goes to the reference kernels.
std::span<const KernelRegistration> onednnConvolutionKernels(); ///< Conv, ConvTranspose
std::span<const KernelRegistration> onednnMatmulKernels(); ///< MatMul, Gemm
std::span<const KernelRegistration> onednnPoolingKernels(); ///< pools and global pools
std::span<const KernelRegistration> onednnNormalizationKernels(); ///< BatchNormalization, LRN, Softmax, LogSoftmax

} // namespace quantoscope::engine
