// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/allowed_bits.h"

#include <optional>

#include "app/cli/quantization_options.h"
#include "core/planning/profile_rules.h"

namespace quantoscope::cli {

Result<void> leaveOutForbidden(const quant::HardwareProfile& hardware, quant::Role role, std::vector<sweep::Bits>& bits,
    std::vector<std::string>& notes)
{
    std::vector<sweep::Bits> out;
    std::optional<planning::Violation> violation;
    std::erase_if(bits, [&](sweep::Bits wished) {
        auto found = planning::checkBits(hardware, role, wished);
        if (!found)
            return false;
        violation = std::move(found);
        out.push_back(wished);
        return true;
    });
    if (!violation)
        return {};
    if (bits.empty())
        return refuse({ *violation }, "ask for word-lengths that the profile takes");
    notes.push_back("left out " + quant::toString(role) + " bits " + sweep::toString(out) + ": " + violation->reason);
    return {};
}

} // namespace quantoscope::cli
