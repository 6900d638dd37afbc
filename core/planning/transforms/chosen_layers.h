// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "core/base/error.h"
#include "core/graph/layers.h"
#include "core/planning/transforms/transforms.h"

namespace quantoscope::planning {

/// The compute layers that data.layers names, in topological order; all of them if it names none. NotFound for a name
/// that is no compute layer's.
Result<std::vector<graph::Layer>> chosenLayers(const CorrectionData& data);

} // namespace quantoscope::planning
