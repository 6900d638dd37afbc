// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "ui/session/state.h"

/// Whether images suit a model. For workers.
namespace quantoscope::ui {

/// Some images as the network would get them. `model` may be null: then nothing is said of its input. `guess`: prepared
/// as guessPreprocessing() says, rather than as `request` does. Errors: as dataset::openDataset(), SampleSet::load()
/// and dataWarning().
Result<DataPreviewPtr> previewData(
    const DataRequest& request, const LoadedModel* model, bool guess = false, const base::Job& job = {});

/// evaluation::findBetterPreprocessing() on some of the images. Null if none is. Errors: as that, and those of
/// dataset::openDataset().
Result<DataVariantPtr> findVariant(const DataRequest& request, const LoadedModel& model, const base::Job& job = {});

} // namespace quantoscope::ui
