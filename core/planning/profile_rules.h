// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/planning/request.h"
#include "core/quant/hardware_profile.h"
#include "core/quant/plan.h"

/// What a hardware profile leaves of the choices of a plan, and why.
namespace quantoscope::planning {

/// A choice that a profile does not allow.
struct Violation {
    std::string setting; ///< "weights, bits", "layer 'conv*', activations, scheme", "scope"
    std::string reason; ///< a sentence: "generic-int8 cannot take weights with bits 4: its multipliers take ... (8)"
    friend bool operator==(const Violation&, const Violation&) = default;
};

/// `base` with the first choice of every list of the profile.
PlanRequest defaultsFor(const quant::HardwareProfile& profile, PlanRequest base = {});

/// Everything in a request that the profile does not allow; empty: it fits.
std::vector<Violation> check(const quant::HardwareProfile& profile, const PlanRequest& request);
/// The same for a finished plan, tensor by tensor. The word-length of first and last layers is allowed everywhere.
std::vector<Violation> check(const quant::HardwareProfile& profile, const quant::QuantizationPlan& plan);
/// Whether the profile takes a word-length, empty for float, for weights and activations (`role`); the reason if not.
std::optional<Violation> checkBits(const quant::HardwareProfile& profile, quant::Role role, std::optional<int> bits);

/// The nearest request that the profile allows: the nearest word-length (the larger of two), otherwise the first
/// choice.
struct Constrained {
    PlanRequest request;
    std::vector<std::string> notes; ///< what was changed and why, one sentence each
};
Constrained constrain(const quant::HardwareProfile& profile, PlanRequest request);

} // namespace quantoscope::planning
