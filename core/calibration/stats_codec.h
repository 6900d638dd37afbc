// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/stats.h"

/// Statistics as bytes, for keeping them in a file; private to this module.
namespace quantoscope::calibration::detail {

/// Changes whenever files of an earlier one would be misunderstood, or what they hold is no longer what calibrate()
/// gives.
constexpr std::uint32_t statsFormatVersion = 2; ///< 1 may hold what a stopped calibration left

/// Magic, version, content, and the SHA-256 of all that. Counts take a byte each while they are below 128. The same
/// bytes on every machine.
std::vector<std::uint8_t> encodeStats(const CalibrationStats& stats);

/// What encodeStats() was given, bit for bit. InvalidInput for anything else: another version, a byte changed, a file
/// cut off, content that contradicts itself. Never reads or allocates beyond what the bytes justify.
Result<CalibrationStatsPtr> decodeStats(std::span<const std::uint8_t> bytes);

} // namespace quantoscope::calibration::detail
