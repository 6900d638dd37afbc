// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/quant/config.h"
#include "core/quant/plan.h"
#include "tests/parity/subject.h"

namespace quantoscope::parity {

/// Word-lengths of a row of the table.
struct Configuration {
    std::string name;
    int weightBits = 8;
    int activationBits = 8;
    bool isMixed = false; ///< first and last layer at 8 bits, of the others in turn W4A4, W8A8 and W6A5
    /// Equalized, high biases absorbed, weights reconstructed, gains and biases corrected: only for networks that say
    /// so, since it takes long.
    bool isCorrected = false;
    /// Scales are powers of two: with integer biases float sums are then exact in every order.
    bool isPowerOfTwo = false;
};
const std::vector<Configuration>& configurations();

/// All that makes a row besides the network.
struct Setting {
    Configuration configuration;
    quant::Scope scope = quant::Scope::Compute;
    bool perChannel = false;
    std::optional<quant::RangeSpec> activationRange = {}; ///< empty: the default

    std::string title() const; ///< "W4A4 | integer | per channel"
};

/// What is written and run.
struct QuantizedNetwork {
    std::shared_ptr<const graph::Graph> graph; ///< prepared; equalized where the plan says so
    std::shared_ptr<const quant::QuantizationPlan> plan;
};
Result<QuantizedNetwork> quantize(const Subject& subject, const Setting& setting);

} // namespace quantoscope::parity
