// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"
#include "tests/parity/network.h"
#include "tests/parity/subject.h"

namespace quantoscope::parity {

/// How sums are taken here.
struct Way {
    engine::KernelSet kernels = engine::KernelSet::Fast;
    engine::Arithmetic arithmetic = engine::Arithmetic::Float;
};
inline constexpr Way floats {};
inline constexpr Way integers { engine::KernelSet::Fast, engine::Arithmetic::Auto };
inline constexpr Way exactly { engine::KernelSet::Reference }; ///< sums in double precision; slow

/// What the network gives for these images, one image at a time.
Result<Outputs> compute(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::span<const std::int64_t> images, const Way& way);
std::vector<std::int64_t> allImages(const dataset::SampleSet& samples);

/// The same network with its sums in another order, and which that is: the channels of every inner tensor reversed,
/// where the float network shows that this leaves it as it is; in integers where the network is not made for that.
struct OtherOrder {
    std::string name; ///< "channels reversed", "in integers"
    Outputs outputs;
};
Result<OtherOrder> computeInOtherOrder(const Subject& subject, const QuantizedNetwork& network);

/// Mean absolute difference over all outputs.
double meanDifference(const Outputs& a, const Outputs& b);
double largestMagnitude(const Outputs& outputs);

} // namespace quantoscope::parity
