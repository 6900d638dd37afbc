// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/engine/kernel.h"

namespace quantoscope::engine {

// Every kernel file ends with one of these tables; registry.cpp lists them. Where two tables of one set name the same
// operator, the one listed first wins.

// kernels/onednn/: float32 through oneDNN; whatever they refuse goes to the reference kernels.
std::span<const KernelRegistration> onednnConvolutionKernels(); ///< Conv, ConvTranspose
std::span<const KernelRegistration> onednnMatmulKernels(); ///< MatMul, Gemm
std::span<const KernelRegistration> onednnPoolingKernels(); ///< pools and global pools
std::span<const KernelRegistration> onednnNormalizationKernels(); ///< BatchNormalization, LRN, Softmax, LogSoftmax

// kernels/: vectorised loops.
std::span<const KernelRegistration> mathKernels(); ///< Abs ... Tanh, rounding, IsNaN, IsInf, Not
std::span<const KernelRegistration> activationKernels(); ///< Relu ... Mish, Clip
std::span<const KernelRegistration> arithmeticKernels(); ///< Add, Sub, Mul, Div, Pow, Mod, PRelu, BitShift
std::span<const KernelRegistration> comparisonKernels(); ///< Equal, Less, ..., And, Or, Xor, Where
std::span<const KernelRegistration> variadicKernels(); ///< Min, Max, Sum, Mean
std::span<const KernelRegistration> concatKernels(); ///< Concat, Split, Slice
std::span<const KernelRegistration> padKernels(); ///< Pad
std::span<const KernelRegistration> permuteKernels(); ///< Transpose, Expand, Tile, DepthToSpace, SpaceToDepth
std::span<const KernelRegistration> shapeKernels(); ///< Reshape and its like, Dropout, Shape, Size, Cast
std::span<const KernelRegistration> generatorKernels(); ///< Constant, ConstantOfShape, Range, EyeLike, OneHot
std::span<const KernelRegistration> gatherKernels(); ///< Gather, Scatter and their relatives
std::span<const KernelRegistration> scanKernels(); ///< CumSum, Trilu
std::span<const KernelRegistration> resizeKernels(); ///< Resize, Upsample
std::span<const KernelRegistration> reductionKernels(); ///< Reduce*
std::span<const KernelRegistration> selectionKernels(); ///< ArgMax, ArgMin, TopK, Hardmax
std::span<const KernelRegistration> normalizationKernels(); ///< LpNormalization, MeanVarianceNormalization, ...
std::span<const KernelRegistration> quantizeKernels(); ///< QuantizeLinear, DequantizeLinear

// kernels/reference/: plain loops in double precision that mirror the definitions.
std::span<const KernelRegistration> referenceConvolutionKernels(); ///< Conv, ConvTranspose
std::span<const KernelRegistration> referenceMatmulKernels(); ///< MatMul, Gemm
std::span<const KernelRegistration> referencePoolingKernels(); ///< pools and global pools, also Lp and with Indices
std::span<const KernelRegistration> referenceNormalizationKernels(); ///< batch, instance, layer, group, LRN
std::span<const KernelRegistration> referenceSoftmaxKernels(); ///< Softmax, LogSoftmax
std::span<const KernelRegistration> referenceElementwiseKernels(); ///< arithmetic and activations
std::span<const KernelRegistration> referenceMovementKernels(); ///< Slice, Transpose, Concat, Pad
std::span<const KernelRegistration> referenceReductionKernels(); ///< Reduce*

} // namespace quantoscope::engine
