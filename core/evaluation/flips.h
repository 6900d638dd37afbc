// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluation/evaluator.h"

namespace quantoscope::evaluation {

/// What a changed prediction did to an image.
enum class FlipKind {
    Lost, ///< right before, wrong after
    Gained, ///< wrong before, right after
    Moved, ///< another wrong class, or not labelled
};
const char* toString(FlipKind kind); ///< "lost", "gained", "moved"

/// An image that two networks see as different classes.
struct Flip {
    std::int64_t image = 0; ///< position in the sample set
    FlipKind kind = FlipKind::Moved;
    ImageOutcome before;
    ImageOutcome after;

    /// By how much the margin of the label fell, in units of logits.
    double marginLoss() const { return static_cast<double>(before.margin) - after.margin; }
};

/// All images whose prediction differs between two results over the same images: lost ones first, then gained, then
/// moved; among each, those whose margin changed most come first.
std::vector<Flip> findFlips(std::span<const ImageOutcome> before, std::span<const ImageOutcome> after);

/// One cell of a confusion matrix, and what became of it.
struct ConfusionChange {
    std::int32_t label = 0;
    std::int32_t prediction = 0;
    std::int64_t before = 0; ///< images of `label` that were taken for `prediction`
    std::int64_t after = 0;

    std::int64_t change() const { return after - before; }
    friend bool operator==(const ConfusionChange&, const ConfusionChange&) = default;
};

/// The cells of the confusion matrix in which two results over the same images differ, the largest change first, then
/// by label and prediction. Images without label do not count.
std::vector<ConfusionChange> confusionChanges(
    std::span<const ImageOutcome> before, std::span<const ImageOutcome> after);

/// Where an image fares worse than images usually do.
struct Divergence {
    std::size_t tensor = 0; ///< index into what compareLayers() returned
    double sqnrDb = 0; ///< of this image
    double usualDb = 0; ///< over all images that were compared
};

/// The first activation, in the order in which the network computes, whose SQNR for one image lies at least `dB` under
/// what is usual. Both are results of compareLayers() for the same graph and plan. Empty where there is none: then the
/// image was near the border between two classes, and the usual error moved it across.
std::optional<Divergence> firstDivergence(
    std::span<const TensorError> usual, std::span<const TensorError> image, double dB = 3);

} // namespace quantoscope::evaluation
