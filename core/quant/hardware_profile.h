// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/quant/config.h"
#include "core/quant/plan.h"

namespace quantoscope::quant {

constexpr int minBiasBits = 8;
constexpr int maxBiasBits = 32;

/// What a piece of hardware can do: data, read from JSON. In every list the first entry is what is chosen where nobody
/// said otherwise. An immutable value.
struct HardwareProfile {
    /// What it takes as weights or as activations.
    struct Operand {
        std::vector<int> bits; ///< not empty unless mayBeFloat, each in minBits..maxBits
        bool mayBeFloat = false;
        std::vector<std::string> schemes; ///< what applyScheme() takes; not empty
        std::vector<Granularity::Kind> granularities; ///< PerTensor, PerChannel; not empty
        std::vector<Signedness> signs; ///< not empty
        std::vector<bool> narrow; ///< not empty
        std::vector<Rounding> roundings; ///< not empty
        std::map<std::string, std::string> why; ///< JSON name of one of the lists above -> half a sentence: the reason

        friend bool operator==(const Operand&, const Operand&) = default;
    };
    struct Bias {
        std::vector<int> bits { maxBiasBits }; ///< each in minBiasBits..maxBiasBits
        bool mayBeFloat = true;
        BiasRoom room = BiasRoom::RaiseWeightScale;
        std::string why;

        friend bool operator==(const Bias&, const Bias&) = default;
    };

    std::string name;
    std::string description; ///< one sentence
    std::vector<Scope> scopes; ///< not empty
    Operand weights;
    Operand activations;
    Bias bias;
    std::optional<int> accumulatorBits; ///< 8..64; empty: as wide as it takes
    std::optional<int> firstLastBits; ///< first and last compute layer have these, whatever the lists say
    std::vector<std::string> floatOperators; ///< operators it computes in float: "Softmax"

    /// A document with exactly the fields of toJson(); accumulator_bits, first_last_bits, float_operators and every
    /// `why` may be left out. InvalidInput names a field that is missing, unknown, or of another type or value.
    static Result<HardwareProfile> fromJson(const Json& json);
    Json toJson() const;
    friend bool operator==(const HardwareProfile&, const HardwareProfile&) = default;
};

/// Those of resources/profiles, built into the program, by name. Thread safe.
const std::vector<HardwareProfile>& builtInProfiles();

/// A built-in profile by its name, or one from a file (a path that ends in .json). NotFound lists the names.
Result<HardwareProfile> findProfile(const std::string& nameOrFile);

} // namespace quantoscope::quant
