// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"

/// Images that a network hardly recognises were often only prepared otherwise than for its training.
namespace quantoscope::evaluation {

/// Percent of images that are right when classes are guessed.
double chance(int classes);

/// Whether the network does so little better than guessing, below twice as well by the lower end of its interval, that
/// images and model may not fit. False on fewer than 20 images.
bool isNearChance(const EvaluationResult& result);

/// A preparation that suits the network better than the one asked for.
struct PreprocessingVariant {
    dataset::Preprocessing preprocessing;
    bool otherChannelOrder = false; ///< than asked for
    std::string_view scaling; ///< in words, English, for a person: "values from 0 to 1"; empty: as asked for
    std::int64_t images = 0; ///< that both were tried on
    double before = 0; ///< top-1 in percent, as asked for
    double after = 0; ///< top-1 in percent
};

/// Tries the usual preparations (order of channels; scale, mean and standard deviation) on at most `count` of the
/// images, and returns the best if it is right clearly more often than the one asked for: more than twice as often as
/// guessing, and the Wilson 95 % intervals apart. Progress in preparations. Thread safe. Errors: as SampleSet::load()
/// and evaluate().
Result<std::optional<PreprocessingVariant>> findBetterPreprocessing(const graph::Graph& graph,
    const dataset::DatasetPtr& data, const dataset::Preprocessing& asked, std::int64_t count,
    const base::Job& job = {});

} // namespace quantoscope::evaluation
