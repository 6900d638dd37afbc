// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/engine/kernel.h"

namespace quantoscope::engine {

using KernelTable = std::span<const KernelRegistration> (*)();

/// The tables of a set, without the fall-back from one set to the other that findKernel() makes.
std::span<const KernelTable> kernelTables(KernelSet set);

/// Like findKernel(), but nullptr where this very set has no kernel.
const KernelRegistration* findKernelOnlyIn(std::string_view opType, KernelSet set);

} // namespace quantoscope::engine
