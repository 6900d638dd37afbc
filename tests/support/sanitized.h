// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace quantoscope::test {

/// Built with the address or the thread sanitizer: several times slower, with an address space that fits no limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// What limits of time are multiplied with.
inline constexpr int slowness = sanitized ? 10 : 1;

} // namespace quantoscope::test
