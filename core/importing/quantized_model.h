// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/graph/passes/passes.h"
#include "core/quant/plan.h"

namespace quantoscope::importing {

/// A quantized model taken apart: the float network, and what was quantized in it.
struct QuantizedModel {
    graph::Model model; ///< float32; constants have the values that their integers stood for
    quant::QuantizationPlan plan; ///< for the graph that engine::prepareGraph(model, preparation()) makes
    std::vector<std::string> notes; ///< quantizers that stay nodes, and why
};

/// Whether the graph has quantizers as nodes: DequantizeLinear, Quant of QONNX, or operators with integers in one.
bool isQuantized(const graph::Graph& graph);

/// Takes QuantizeLinear, Clip and DequantizeLinear (QDQ, QCDQ), Quant (QONNX) and integer operators (see
/// expandIntegerOperators()) out of a model, whoever made it, and puts what they do into a plan. Word-lengths come from
/// the element types, an integer Clip, Max and Min before the quantizer, the bitwidth of Quant, and for stored integers
/// from the smallest word-length that holds them all. Where the metadata have a plan of ours (`quantoscope.plan`) whose
/// numbers are the same, its configs and words are taken over. The scope is compute where only compute layers see
/// quantized values, integer otherwise; a value that is also read as it was gets a copy (Identity) that is quantized.
/// The network computes the same as the file's. Names are those before quantization: a stored `w_quantized` is `w`, an
/// output keeps its name. What cannot be said in a plan (blocks, scales that are computed, types other than float32)
/// stays as it is and is noted. Errors: InvalidInput for parameters that do not fit their tensor.
Result<QuantizedModel> readQuantizedModel(graph::Model model);

/// How to prepare such a model: batch norm stays, since weights are on their grids already, and so do the copies.
graph::PassOptions preparation();

} // namespace quantoscope::importing
