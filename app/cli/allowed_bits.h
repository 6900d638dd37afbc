// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/quant/hardware_profile.h"
#include "core/sweep/sweep.h"

namespace quantoscope::cli {

/// Takes the word-lengths out that the profile does not allow, and says which in `notes`. InvalidInput if none is left.
Result<void> leaveOutForbidden(const quant::HardwareProfile& hardware, quant::Role role, std::vector<sweep::Bits>& bits,
    std::vector<std::string>& notes);

} // namespace quantoscope::cli
