// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/energy_option.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace quantoscope::cli {

void EnergyOption::addTo(CLI::App& command)
{
    std::string names;
    for (const auto& model : cost::builtInEnergyModels())
        names += (names.empty() ? "" : ", ") + model.name;
    command.add_option("--energy", name,
        "Energy model: " + names + ", or FILE.json; default: the project's, or " + cost::defaultEnergyModel().name);
}

Result<void> EnergyOption::check() const
{
    return name.empty() ? Result<void>() : cost::findEnergyModel(name).map([](const auto&) {});
}

Result<cost::EnergyModel> EnergyOption::model(const project::Project* project) const
{
    if (!name.empty())
        return cost::findEnergyModel(name);
    if (project) {
        QS_TRY(auto kept, project->energyModel());
        if (kept)
            return *std::move(kept);
    }
    return cost::defaultEnergyModel();
}

void describeEnergy(Report& report, const cost::EnergyModel& model) { report.json()["energy_model"] = model.toJson(); }

} // namespace quantoscope::cli
