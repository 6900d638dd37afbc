// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/correction_options.h"
#include "core/base/error.h"
#include "core/flow/best_flow.h"
#include "core/planning/plan_changes.h"
#include "core/planning/profile_rules.h"
#include "core/planning/request.h"
#include "core/quant/hardware_profile.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// Word-lengths as a command takes them: one of each, or a grid.
enum class WordLengths { Single, Grid };

/// What is said of weights or of activations; empty where nothing is.
struct OperandOptions {
    std::string bits;
    std::string granularity;
    std::string scheme;
    std::string range;
    std::string sign;
    std::string narrow;
    std::string rounding;

    bool given() const;
    /// Everything but the word-length, which may be a grid.
    Result<planning::WishChange> change() const;
};

/// What to quantize and how.
struct QuantizationOptions {
    OperandOptions weights;
    OperandOptions activations;
    std::string scope; ///< as all the others: empty if not given
    std::string rounding;
    std::optional<int> firstLastBits;
    std::string biasBits;
    std::string biasRoom;
    std::vector<std::string> layers;
    std::string profile;
    std::string encodings; ///< a file whose encodings replace those of the plan
    std::string engine = "auto";
    CorrectionOptions corrections;

    void addTo(CLI::App& command, WordLengths wordLengths);
    /// What these options make of `base`, or of the profile's choices; of the word-lengths only a single pair.
    /// InvalidInput for wrong usage, which is also what the profile does not allow.
    Result<planning::PlanRequest> request(planning::PlanRequest base, WordLengths wordLengths) const;
    /// What these options change in a request that is already there; the profile's choices are not put in.
    Result<planning::PlanRequest> changed(planning::PlanRequest request, WordLengths wordLengths) const;
    /// The profile, if one is named.
    Result<std::optional<quant::HardwareProfile>> hardwareProfile() const;
    /// Which tensors of a saved plan the options are about, besides those of --layer.
    planning::ChangedTensors changedTensors() const;
    bool changeAnything() const;
    /// What --flow best leaves alone, because it was said; empty without --flow best.
    std::optional<flow::FixedOptions> bestFlow() const;
};

/// InvalidInput with the first violation and how many more there are; nothing if there is none.
Result<void> refuse(const std::vector<planning::Violation>& violations, const std::string& hint);

} // namespace quantoscope::cli
