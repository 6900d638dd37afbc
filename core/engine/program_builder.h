// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/engine/compiled_graph.h"
#include "core/engine/lowering.h"

namespace quantoscope::engine {

/// Chooses a kernel and layouts for every node and puts the steps in order, with reorders where a layout changes. Slots
/// in the arena have no offsets yet. Graph inputs become the slots of Place::Input in the order of
/// `lowered.graph.inputs()`, those that are constant left out.
Result<Program> buildProgram(const Lowered& lowered, const CompileOptions& options);

/// The request for one node whose operand types are known: operands plain, constants attached. Unsupported if a type or
/// shape is known only when it runs.
Result<KernelRequest> requestFor(const graph::Graph& graph, graph::NodeId node);

/// The error for a node whose operator no table lists.
tl::unexpected<Error> noKernel(const graph::Graph& graph, graph::NodeId node);

} // namespace quantoscope::engine
