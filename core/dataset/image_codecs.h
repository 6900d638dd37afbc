// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/dataset/dataset.h"

namespace quantoscope::dataset {

Result<Image> decodeJpeg(std::span<const std::uint8_t> bytes, const std::string& where);
Result<Image> decodePng(std::span<const std::uint8_t> bytes, const std::string& where);

/// Refuses what a header claims before memory is taken for it.
Result<void> checkImageExtent(std::uint64_t height, std::uint64_t width, const std::string& where);

} // namespace quantoscope::dataset
