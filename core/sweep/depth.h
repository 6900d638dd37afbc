// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

/// One model of a study of several.
struct StudiedModel {
    std::string name;
    std::int64_t layers = 0; ///< compute layers: its depth
    std::shared_ptr<const SweepResult> result;
};

/// How much more the deeper of two models loses at one pair of word-lengths, on the same images.
struct DepthDifference {
    Bits weightBits;
    Bits activationBits;
    double shallowDelta = 0; ///< top-1 against its own float, points
    double deepDelta = 0;
    double more = 0; ///< points that the deeper one loses more
    evaluation::Interval interval = {}; ///< 95 %, normal, of the paired difference of differences
    double pValue = 1; ///< two-sided, corrected over all word-lengths after Holm
};

/// Whether quantizing hurts a deep model more than a shallow one.
struct DepthComparison {
    std::string shallow;
    std::string deep;
    std::int64_t shallowLayers = 0;
    std::int64_t deepLayers = 0;
    std::vector<DepthDifference> points; ///< word-lengths that both have
    int deeperLosesMore = 0; ///< points that are significant (5 %)
    int deeperLosesLess = 0;
    std::string sentence; ///< all of that in words
};

/// Compares the model of fewest compute layers with that of most, image by image: what quantizing changed of the deep
/// one's answer (right: 1, wrong: 0) less what it changed of the shallow one's. Empty if all are as deep, were measured
/// on other images or have no word-lengths in common.
std::optional<DepthComparison> compareDepths(const std::vector<StudiedModel>& models);

Json toJson(const DepthComparison& comparison);

/// The points of all models as CSV, the model's name and depth first.
std::string toCsv(const std::vector<StudiedModel>& models);

} // namespace quantoscope::sweep
