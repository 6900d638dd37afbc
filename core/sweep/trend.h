// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

/// Word-lengths that lose no more than was allowed, where nothing smaller does.
struct SmallestPair {
    Bits weightBits;
    Bits activationBits;
    evaluation::PairedComparison againstFloat;
    bool certain = false; ///< the whole 95 % interval of the difference keeps to the drop, not only the difference
};

/// From one point of the grid: a bit more for weights against a bit more for activations, on the same images.
struct BitChoice {
    int weightBits = 0; ///< of the point
    int activationBits = 0;
    double weightGain = 0; ///< top-1 of (weightBits + 1, activationBits) less that of the point, percentage points
    double activationGain = 0;
    evaluation::PairedComparison comparison; ///< delta: activationGain - weightGain
    double pValue = 1; ///< exact McNemar, corrected over all choices after Holm
};

/// What a grid of word-lengths says, with its evidence.
struct Trend {
    enum class Better { Weights, Activations, Depends, Undecided };

    double drop = 0; ///< points of top-1 that may be lost
    double floatTop1 = 0;
    std::vector<SmallestPair> smallest; ///< none is at most another in both; by weight bits
    /// Fewest bits for the one within the drop while the other has the most that were measured; float counts as the
    /// most. Outer empty: none.
    std::optional<Bits> weightsAlone;
    std::optional<Bits> activationsAlone;
    Bits mostWeightBits;
    Bits mostActivationBits;
    std::vector<BitChoice> choices; ///< where the point loses more than the drop, so that a bit is needed
    int forWeights = 0; ///< choices that are significant (5 %)
    int forActivations = 0;
    Better better = Better::Undecided;
    std::vector<std::string> sentences; ///< all of that in words
};

/// Reads a finished or partial grid. A pair counts as within the drop if it and every larger pair that was measured
/// lose no more, so that one lucky point says nothing.
Trend readTrend(const SweepResult& result, double drop);

/// One model of a study.
struct NamedTrend {
    std::string name;
    Trend trend;
};
/// What the models have in common and where they differ, in the order given; nothing for a single one.
std::vector<std::string> compareTrends(const std::vector<NamedTrend>& models);

Json toJson(const Trend& trend);

} // namespace quantoscope::sweep
