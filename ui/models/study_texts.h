// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

#include <QString>

#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"

/// What was found of one point of a study, as rich text.
namespace quantoscope::ui {

/// `ownLayers`: how many layers have a word-length of their own.
QString describePoint(const sweep::SweepResult& result, std::size_t point, int ownLayers = 0);
QString describePoint(const sweep::SensitivityResult& result, std::size_t point);
QString describePoint(const sweep::SearchResult& result, std::size_t point);
/// "weights: 2 layers at 3 bits, 20 at 4; activations: 22 layers at 8 bits"; empty for uniform ones.
QString describeMix(const sweep::SearchResult& result, std::size_t point);

/// Which estimate without labels orders the layers as the measured drops do, and how well.
QString trustText(const sweep::SensitivityResult& result);

/// "weights of conv1"
QString unitName(const sweep::QuantizedUnit& unit);

} // namespace quantoscope::ui
