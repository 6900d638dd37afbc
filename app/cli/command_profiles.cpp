// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "core/quant/hardware_profile.h"

namespace quantoscope::cli {

namespace {

std::string listed(const std::vector<int>& bits, bool mayBeFloat)
{
    std::string text;
    for (const int b : bits)
        text += (text.empty() ? "" : ", ") + std::to_string(b);
    return text + (mayBeFloat ? text.empty() ? "float" : ", float" : "");
}

std::string schemesOf(const quant::HardwareProfile::Operand& operand)
{
    std::string text;
    for (const auto& scheme : operand.schemes)
        text += (text.empty() ? " bits, " : " or ") + scheme;
    for (std::size_t i = 0; i < operand.granularities.size(); ++i)
        text += (i == 0 ? ", per " : " or ") + quant::toString(operand.granularities[i]);
    return text;
}

/// The hardware profiles that are built in: what each takes, its own choice first.
class Profiles : public Command {
public:
    explicit Profiles(CLI::App& command)
    {
        command.add_flag("--json", m_common.json, "One JSON document on standard output, nothing else");
    }

    Result<void> run(const base::Job&, Report& report) override
    {
        Json rows = Json::array();
        for (const auto& profile : quant::builtInProfiles()) {
            rows.push_back(profile.toJson());
            report.text(describe(profile));
        }
        report.json()["profiles"] = std::move(rows);
        return {};
    }

private:
    static std::string describe(const quant::HardwareProfile& profile)
    {
        std::string text = profile.name + "\n    " + profile.description + "\n    scope        ";
        for (std::size_t i = 0; i < profile.scopes.size(); ++i)
            text += (i == 0 ? "" : " or ") + quant::toString(profile.scopes[i]);
        text += "\n    weights      " + listed(profile.weights.bits, profile.weights.mayBeFloat)
            + schemesOf(profile.weights) + "\n    activations  "
            + listed(profile.activations.bits, profile.activations.mayBeFloat) + schemesOf(profile.activations)
            + "\n    biases       " + listed(profile.bias.bits, profile.bias.mayBeFloat) + "\n";
        if (profile.accumulatorBits)
            text += "    accumulator  " + std::to_string(*profile.accumulatorBits) + " bits\n";
        if (profile.firstLastBits)
            text += "    first, last  " + std::to_string(*profile.firstLastBits) + " bits\n";
        for (const auto& op : profile.floatOperators)
            text += "    float        " + op + "\n";
        return text;
    }
};

} // namespace

CommandPtr makeProfiles(CLI::App& command) { return std::make_unique<Profiles>(command); }

} // namespace quantoscope::cli
