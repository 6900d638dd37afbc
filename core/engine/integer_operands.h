// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/engine/kernels/integer/integer_kernels.h"
#include "core/engine/lowering.h"
#include "core/graph/layers.h"

namespace quantoscope::engine {

/// The numbers of a compute layer as its integer kernel wants them; see IntegerLayer.
struct IntegerOperands {
    Tensor weight; ///< int8
    std::vector<double> scale;
    std::vector<double> bias;
};

/// What `layer` computes with where its input lies on `input` (empty: on no grid that integers can stand for).
/// Unsupported says why it cannot be done exactly in integers.
Result<IntegerOperands> integerOperands(
    const Lowered& lowered, const graph::Layer& layer, const std::optional<CodeGrid>& input);

} // namespace quantoscope::engine
