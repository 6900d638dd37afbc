// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

/// Compiles a function for several instruction sets, one of which is chosen when the program is loaded. The thread
/// sanitizer is not set up yet by then and the program would crash in the choice, so with it there is but one.
#ifdef __SANITIZE_THREAD__
#define QS_INSTRUCTION_SETS
#else
#define QS_INSTRUCTION_SETS __attribute__((target_clones("avx512f", "fma", "default")))
#endif
