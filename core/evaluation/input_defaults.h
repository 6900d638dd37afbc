// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"

namespace quantoscope::evaluation {

/// What to do with images when nobody said.
struct InputDefaults {
    dataset::Preprocessing preprocessing;
    std::string reason; ///< why, in a few words: "named by the model"
};

/// The model's metadata entry `preprocess` names the scaling, "unit" without one; channels and layout follow from the
/// extents of its image input. InvalidInput if the metadata name something unknown.
Result<InputDefaults> inputDefaults(const graph::Model& model);

} // namespace quantoscope::evaluation
