// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quantoscope::base {

/// Base64 with padding, without line breaks (RFC 4648, section 4).
std::string toBase64(std::span<const std::byte> bytes);
/// Empty if `text` is not exactly what toBase64() would write.
std::optional<std::vector<std::byte>> fromBase64(std::string_view text);

} // namespace quantoscope::base
