// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::exporting {

/// Rewrites a graph so that it means the same under opset `target` of ai.onnx as it did under its own (7 or later), and
/// sets the opset. Nothing happens if the graph is there already or beyond.
///
/// Converted: axes, split sizes, pads, slice bounds, clip bounds and k that moved from attributes to inputs; Softmax
/// and LogSoftmax (until 12 over the flattened trailing axes, since 13 over one); Upsample, and Resize of opsets 10 to
/// 12; BatchNormalization and Dropout in inference form; Split into equal parts. Operators whose form did not change
/// are left alone. Value types need not be known, but where they are the result is simpler. Errors: Unsupported, naming
/// the node, for an operator without a schema and for a form that has no equivalent.
Result<void> raiseOpset(graph::Graph& graph, int target);

} // namespace quantoscope::exporting
