// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/quant/plan.h"

namespace quantoscope::exporting {

/// The two layouts of AIMET's encodings files that tools read.
enum class EncodingsVersion {
    V061, ///< "0.6.1": dictionaries from tensor to a list with an entry a channel
    V100, ///< "1.0.0": lists of tensors
};
Result<EncodingsVersion> parseEncodingsVersion(const std::string& text);
std::string toString(EncodingsVersion version);

/// The plan's encodings as AIMET writes them: activations apart from parameters (weights, biases, constants). offset is
/// minus the zero point of the unsigned grid of that word-length; is_sym tells the signed grid, whose offset is
/// -2^(b-1), from it. Per-channel entries do not say along which axis: that is the axis of the parameter's output
/// channels. The same plan gives the same bytes.
Json aimetEncodings(const quant::QuantizationPlan& plan, EncodingsVersion version);

/// A line a channel under a header: tensor, kind, bits, axis, channel, scale, zero_point, qmin, qmax, low, high,
/// rounding. Numbers are the shortest decimals that read back as the same float32; text is quoted where it has to be
/// (RFC 4180).
std::string encodingsCsv(const quant::QuantizationPlan& plan);

} // namespace quantoscope::exporting
