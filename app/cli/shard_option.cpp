// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/shard_option.h"

#include <CLI/CLI.hpp>

namespace quantoscope::cli {

void ShardOption::addTo(CLI::App& command)
{
    command.add_option("--shard", text, "Only part I of N of the work: I/N; merge joins the projects")
        ->needs("--project");
}

} // namespace quantoscope::cli
