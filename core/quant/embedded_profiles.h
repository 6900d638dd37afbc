// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace quantoscope::quant::detail {

/// The texts of resources/profiles/*.json; CMake writes the source.
std::span<const std::string_view> embeddedProfiles();

} // namespace quantoscope::quant::detail
