// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/cost/cost.h"

namespace quantoscope::cost {

/// What a network can be cheap in: the figures of Cost that accuracy is drawn over.
enum class Metric { Parameters, Macs, Size, PeakActivations, Bops, Accumulator, Energy };
inline constexpr std::array allMetrics { Metric::Size, Metric::Bops, Metric::Energy, Metric::PeakActivations,
    Metric::Accumulator, Metric::Macs, Metric::Parameters };

std::string toString(
    Metric metric); ///< "parameters", "macs", "size", "peak-activations", "bops", "accumulator", "energy"
Result<Metric> parseMetric(const std::string& text);
std::string titleOf(Metric metric); ///< "Size of parameters"
std::string unitOf(Metric metric); ///< "B", "BOP", "pJ", "bit"; empty for a count
std::string keyOf(Metric metric); ///< of the figure in documents: "size_bytes"
double valueOf(const Cost& cost, Metric metric); ///< in unitOf(); of one image

/// The figures as documents have them, without the layers.
Json toJson(const Cost& cost);

} // namespace quantoscope::cost
