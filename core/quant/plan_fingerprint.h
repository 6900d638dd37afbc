// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/quant/plan.h"

namespace quantoscope::quant {

/// SHA-256, as 64 digits, of everything a plan says: scope, title, seed, every tensor's quantizer and the elements of
/// every corrected constant. Equal plans have equal fingerprints, also after a way through JSON. About 2 GB/s.
std::string fingerprint(const QuantizationPlan& plan);

} // namespace quantoscope::quant
