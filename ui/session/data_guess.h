// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/dataset/dataset.h"
#include "ui/session/state.h"

/// What images on disk tell of how they are to be prepared. For workers.
namespace quantoscope::ui {

/// Channels, order, resize and crop that bring these images to the model's input, and the scaling if the model names
/// one; the rest stays as it was `before`. `model` may be null. Errors: those of Dataset::image().
Result<dataset::Preprocessing> guessPreprocessing(
    const dataset::Dataset& data, const dataset::Preprocessing& before, const LoadedModel* model);

/// What a person should know before these are used together: calibration images that are of another kind, a crop that
/// would be filled up with zeros. Empty: nothing. Errors: those of dataset::openDataset() for the calibration images
/// and of Dataset::image().
Result<QString> dataWarning(const DataRequest& request, const dataset::DatasetPtr& data);

} // namespace quantoscope::ui
