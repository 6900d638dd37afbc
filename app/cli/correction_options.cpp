// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/correction_options.h"

#include <CLI/CLI.hpp>

#include "core/quant/option_texts.h"

namespace quantoscope::cli {

void CorrectionOptions::addTo(CLI::App& command)
{
    constexpr const char* group = "Corrections without retraining";
    const auto flag = [&](const std::string& word, bool& value) {
        const auto* text = quant::findText(quant::correctionTexts(), word);
        command.add_flag("--" + word, value, text ? std::string(text->sentence) : std::string())->group(group);
    };
    flag("equalize", corrections.equalize);
    flag("balance", corrections.balance);
    flag("absorb-high-bias", corrections.absorbHighBias);
    flag("reconstruct", corrections.reconstruct);
    flag("compensate", corrections.compensate);
    flag("adaptive-rounding", corrections.adaptiveRounding);
    flag("gain-correction", corrections.gain);
    flag("bias-correction", corrections.bias);
    const auto* best = quant::findText(quant::correctionTexts(), "flow-best");
    command
        .add_option("--flow", flow,
            "best: " + std::string(best ? best->sentence : std::string_view())
                + " What is given beside it is fixed. Default none: the options as given")
        ->check(CLI::IsMember({ "best", "none" }))
        ->group(group);
    command
        .add_option("--guard", guard,
            "Undo a correction, where it does so, that brings the network farther from float on calibration images "
            "held back; default on")
        ->check(CLI::IsMember({ "on", "off" }))
        ->group(group);
}

} // namespace quantoscope::cli
