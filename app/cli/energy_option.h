// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "app/cli/report.h"
#include "core/base/error.h"
#include "core/cost/energy.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// What energy figures are made of.
struct EnergyOption {
    std::string name = cost::defaultEnergyModel().name;

    void addTo(CLI::App& command);
    /// Errors: wrong usage.
    Result<cost::EnergyModel> model() const { return cost::findEnergyModel(name); }
};

/// Puts the whole model into the document, since figures mean nothing without it.
void describeEnergy(Report& report, const cost::EnergyModel& model);

} // namespace quantoscope::cli
