// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "core/flow/best_flow.h"
#include "core/planning/corrections.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// What is done to weights and biases so that quantization hurts less.
struct CorrectionOptions {
    planning::Corrections corrections; ///< those asked for
    std::string flow = "none"; ///< or "best"
    std::string guard = "on"; ///< or "off"

    void addTo(CLI::App& command);
    bool best() const { return flow == "best"; }
    bool given() const { return corrections.any() || best(); }
    flow::QuantizerOptions quantizer(int threads) const { return { threads, guard == "on" }; }
};

} // namespace quantoscope::cli
