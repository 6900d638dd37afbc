// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"
#include "ui/session/state.h"

/// Whether images suit a model. For workers.
namespace quantoscope::ui {

/// Some images as the network would get them. `model` may be null: then nothing is said of its input. Errors: as
/// dataset::openDataset() and SampleSet::load().
Result<DataPreviewPtr> previewData(const DataRequest& request, const LoadedModel* model, const base::Job& job = {});

/// Tries the usual preparations (order of channels; scale, mean and standard deviation) on some of the images, and
/// returns the best if it is right clearly more often than the one asked for: more than twice as often as guessing, and
/// the 95 % intervals apart. Null if none is. Errors: as evaluation::evaluate().
Result<DataVariantPtr> findVariant(const DataRequest& request, const LoadedModel& model, const base::Job& job = {});

} // namespace quantoscope::ui
