// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "app/cli/report.h"
#include "core/base/error.h"
#include "core/cost/energy.h"
#include "core/project/project.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// What energy figures are made of.
struct EnergyOption {
    std::string name; ///< empty: the project's, or the default

    void addTo(CLI::App& command);
    /// Whether there is such a model. Errors: wrong usage.
    Result<void> check() const;
    /// What was named, or else what the project keeps, or else the default. `project` may be null.
    Result<cost::EnergyModel> model(const project::Project* project) const;
};

/// Puts the whole model into the document, since figures mean nothing without it.
void describeEnergy(Report& report, const cost::EnergyModel& model);

} // namespace quantoscope::cli
