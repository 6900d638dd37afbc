// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/error.h"

namespace quantoscope::onnx_io {

/// What bytes that are no ONNX model look like instead, as the error to show: empty, text (HTML, JSON, a Git LFS
/// pointer), another well-known format, cut off (with the byte where), or damaged.
Error explainUnreadable(std::span<const std::uint8_t> bytes);

} // namespace quantoscope::onnx_io
