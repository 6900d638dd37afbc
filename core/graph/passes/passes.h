// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/graph/shape_inference.h"

namespace quantoscope::graph {

/// Which rewrites prepare() applies. Each is exact up to float rounding and keeps the names of what survives.
struct PassOptions {
    bool foldConstants = true;
    bool removeIdentities = true;
    bool foldBatchNorm = true;
    bool separateBiases = true;
};

/// Replaces Constant nodes and every node whose inputs are constant by constants. Returns how many nodes went.
Result<int> foldConstants(Graph& graph, const InferenceOptions& options);

/// Removes Identity, Dropout (inference), Cast and Pad and Slice and Reshape that change nothing. Returns how many.
/// A graph output keeps its name: where the identity produced it, its source takes the name over.
int removeIdentities(Graph& graph);

/// Folds BatchNormalization (inference form) into the Conv, ConvTranspose, Gemm or MatMul that alone feeds it:
/// w'_c = w_c g_c / sqrt(v_c + eps), b'_c = (b_c - m_c) g_c / sqrt(v_c + eps) + beta_c. In double, stored as float32.
/// A weight that other nodes also read is copied first. Also folds a constant per-channel Add or Mul that directly
/// follows where the operand broadcasts along channels. The fused node's output keeps the batch-norm output's name.
/// Returns how many.
int foldBatchNorm(Graph& graph);

/// Gives every compute layer a bias of its own where several nodes read one: quantized, it takes the scale of its
/// layer's operands. The first layer keeps the name. Returns how many copies were made.
int separateBiases(Graph& graph);

/// All of the chosen passes, then dead code removal and shape inference.
Result<void> prepare(Graph& graph, const PassOptions& passes, const InferenceOptions& inference);

} // namespace quantoscope::graph
