// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/quant/plan.h"

namespace quantoscope::importing {

/// An encoding that came from somewhere else, with the config that most people would have asked for to get it and the
/// range it represents as one set by hand. A bias has neither: it takes its scale from its operands.
quant::TensorQuantizer importedQuantizer(const quant::Encoding& encoding, quant::Role role);

/// Word-lengths and scope of a plan: "W4, A8 compute", "W4..8, A float integer".
std::string describeWidths(const quant::QuantizationPlan& plan);

} // namespace quantoscope::importing
