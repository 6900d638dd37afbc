// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::graph {

/// Structural soundness: every input of every node exists and has a producer, a constant or is a graph input; names are
/// unique; no value has two producers; no cycle; outputs exist; arities fit the schemas; constants have the size their
/// shape claims and, where `requireFinite`, no NaN or infinity in any floating constant that a node reads (the error
/// names tensor and index). One clear error: the first found in file order.
struct VerifyOptions {
    bool requireFinite = true;
};
Result<void> verify(const Graph& graph, const VerifyOptions& options = {});

} // namespace quantoscope::graph
