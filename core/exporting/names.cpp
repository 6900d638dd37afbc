// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/names.h"

namespace quantoscope::exporting {

std::string unusedName(const graph::Graph& graph, const std::string& wanted)
{
    std::string name = wanted;
    for (int i = 2; graph.find(name); ++i)
        name = wanted + "_" + std::to_string(i);
    return name;
}

} // namespace quantoscope::exporting
