// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "app/cli/options.h"
#include "app/cli/report.h"
#include "core/base/error.h"
#include "core/base/progress.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// One command of the program: declares its options when it is made, then turns them into values, then does the work.
class Command {
public:
    virtual ~Command() = default;

    /// An error is wrong usage.
    virtual Result<void> readOptions() { return {}; }
    /// Does the work and puts what it found into `report`. An error is failed work, Cancelled among them; what the
    /// report holds by then is printed if `worthPrinting()`.
    virtual Result<void> run(const base::Job& job, Report& report) = 0;
    /// Whether a cancelled run has found something to show.
    virtual bool worthPrinting() const { return false; }

    const CommonOptions& common() const { return m_common; }

protected:
    CommonOptions m_common;
};
using CommandPtr = std::unique_ptr<Command>;

CommandPtr makeInspect(CLI::App& command);
CommandPtr makeEvaluate(CLI::App& command);
CommandPtr makeSweep(CLI::App& command);
CommandPtr makeSensitivity(CLI::App& command);
CommandPtr makeSearch(CLI::App& command);
CommandPtr makeOptions(CLI::App& command);
CommandPtr makeLayers(CLI::App& command);
CommandPtr makeFlips(CLI::App& command);
CommandPtr makeCompare(CLI::App& command);
CommandPtr makeExport(CLI::App& command);
CommandPtr makeReport(CLI::App& command);
CommandPtr makeMerge(CLI::App& command);
CommandPtr makeEnergy(CLI::App& command);
CommandPtr makeProfiles(CLI::App& command);
CommandPtr makeOperators(CLI::App& command);

} // namespace quantoscope::cli
