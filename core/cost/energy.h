// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace quantoscope::cost {

/// What arithmetic and memory take, in pJ: data, read from JSON (resources/energy/README.md says what each field is).
/// An immutable value.
struct EnergyModel {
    enum class Kind {
        WordLength, ///< in proportion to the mean word-length of the operands
        Bops, ///< in proportion to the product of the word-lengths
        Operations, ///< a table of operations, and memory
    };
    /// quadratic b^2 + linear b
    struct Operation {
        double quadratic = 0;
        double linear = 0;
        double at(int bits) const { return quadratic * bits * bits + linear * bits; }
        friend bool operator==(const Operation&, const Operation&) = default;
    };

    std::string name;
    std::string description; ///< one sentence
    std::string source; ///< where the numbers come from
    Kind kind = Kind::Operations;
    double picojoules = 0; ///< a bit, or a bit operation; not of Kind::Operations, and all below of that alone
    Operation multiply = {};
    Operation add = {};
    double floatMultiply = 0;
    double floatAdd = 0;
    int accumulatorBits = 32;
    double onChipBit = 0;
    double offChipBit = 0;
    bool weightsOffChip = true;
    bool activationsOffChip = false;

    /// One multiply-accumulate. Operands of 32 bits are float.
    double perMac(int weightBits, int activationBits) const;
    double perWeightBit() const { return weightsOffChip ? offChipBit : onChipBit; }
    double perActivationBit() const { return activationsOffChip ? offChipBit : onChipBit; }

    /// A document with exactly the fields of toJson(). InvalidInput names a field that is missing, unknown, of another
    /// type, negative or not finite.
    static Result<EnergyModel> fromJson(const Json& json);
    Json toJson() const;
    friend bool operator==(const EnergyModel&, const EnergyModel&) = default;
};

/// `model`, with "(edited)" behind its name if a built-in model of other numbers has that name.
EnergyModel withOwnName(EnergyModel model);

/// Those of resources/energy, built into the program, by name. Thread safe.
const std::vector<EnergyModel>& builtInEnergyModels();
/// The one used where nobody chose: "horowitz-45nm".
const EnergyModel& defaultEnergyModel();
/// A built-in model by its name, or one from a file (a path that ends in .json). NotFound lists the names.
Result<EnergyModel> findEnergyModel(const std::string& nameOrFile);

namespace detail {
/// The texts of resources/energy/*.json; CMake writes the source.
std::span<const std::string_view> embeddedEnergyModels();
}

} // namespace quantoscope::cost
