// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/engine.h"
#include "core/engine/lowering.h"

namespace quantoscope::engine {

/// Whether a compute layer has to add up products as its operator defines it (KernelRequest::directSums). That is so
/// where its input lies on a grid of at most 8 bits, be it by a quantizer of the plan or by a DequantizeLinear of the
/// model: such sums are what integer arithmetic is compared with, and mostly exact in float32. And where values are
/// tapped, so that statistics and ranges come from the definition.
bool needsDirectSums(const Lowered& lowered, graph::NodeId node, const CompileOptions& options);

} // namespace quantoscope::engine
