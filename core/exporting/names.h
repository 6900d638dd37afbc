// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/graph/graph.h"

namespace quantoscope::exporting {

/// `wanted`, or `wanted_2`, `wanted_3`... where the graph has a value of that name already.
std::string unusedName(const graph::Graph& graph, const std::string& wanted);

} // namespace quantoscope::exporting
