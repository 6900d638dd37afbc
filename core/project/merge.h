// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"
#include "core/project/project.h"

namespace quantoscope::project::detail {

/// Whether two projects hold parts of the same: as Project::merge(). `where` names the other one.
Result<void> checkSameStudies(
    const std::vector<Study>& mine, const std::vector<Study>& others, const std::string& where);

/// Adds every row of `from` whose key `to` does not have.
Result<void> copyRows(const Database& from, const Database& to);

} // namespace quantoscope::project::detail
