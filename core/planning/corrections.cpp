// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/corrections.h"

#include <string_view>

namespace quantoscope::planning {

std::string Corrections::describe() const
{
    std::string text;
    const auto add = [&text](bool applied, std::string_view words) {
        if (applied)
            text += (text.empty() ? "" : ", ") + std::string(words);
    };
    add(equalize, "equalized");
    add(balance, "balanced");
    add(absorbHighBias, "high biases absorbed");
    add(reconstruct, "reconstructed");
    add(compensate, "compensated");
    add(adaptiveRounding, "rounded adaptively");
    add(gain, "gain-corrected");
    add(bias, "bias-corrected");
    return text;
}

} // namespace quantoscope::planning
