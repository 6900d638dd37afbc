// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/exporting/containers.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::exporting {

/// Activations before whose quantizer ONNX Runtime would change the network. With optimisation on it takes a Conv,
/// ConvTranspose or Gemm with quantized input, whose result goes through nothing but Relu, Clip and data movement
/// (MaxPool, Reshape, Transpose and the like, which it moves quantizers across) into one QuantizeLinear, for a layer to
/// be computed in integers, and to make it one it rounds what is float there: a bias to int32 at s_x s_w, weights to
/// int8 per tensor (WeightBiasQuantization in its optimizer/qdq_transformer). With 8-bit weights that moves a bias by
/// thousandths of a step of the result; with 4-bit weights it may be half a step, and predictions change. Named here
/// are results of layers with float weights, and of those whose bias would move by more than float sums in another
/// order move it anyway. And results of a Softmax between 8-bit quantizers: that it computes by table, and cuts the
/// fraction of a step off where the file says to round (QLinearSoftmax), so that most probabilities come out too small.
/// Anything else before the quantizer keeps all these as they are. `graph` and `plan` are those to be written, before
/// any quantizer is in the graph.
std::set<graph::ValueId> changedByRuntimes(const graph::Graph& graph, const quant::QuantizationPlan& plan);

/// What ONNX Runtime computes one layer of a QDQ file in.
struct LayerArithmetic {
    graph::Layer layer;
    std::string inFloat; ///< why it is computed in float: "its bias is float"; empty: in integers
};

/// The compute layers in topological order, and what ONNX Runtime makes of each: it is computed in integers where
/// input, weight and result are of 8-bit types, its bias is quantized or absent, and only quantizers read the result. A
/// float bias keeps it in float, and so do other types.
std::vector<LayerArithmetic> layerArithmetic(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, Containers containers);

} // namespace quantoscope::exporting
