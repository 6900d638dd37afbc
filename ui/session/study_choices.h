// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <QStringList>

#include "core/base/error.h"
#include "core/sweep/options_study.h"
#include "ui/session/session.h"

namespace quantoscope::ui {

/// What a person picks for a comparison of options: words as the command line has them. An empty list stands for what
/// the current options say.
struct StudyChoices {
    QString weightBits; ///< "4,8", "2..8,float"
    QString activationBits;
    QStringList weightRanges; ///< "mse", "percentile:99.99"
    QStringList activationRanges;
    QStringList weightSchemes;
    QStringList activationSchemes;
    QStringList weightGranularities; ///< "tensor", "channel"
    QStringList activationGranularities;
    QStringList corrections; ///< words of quant::correctionTexts() joined with '+', or "none"
};

/// The sets of corrections worth comparing, in the order in which to offer them.
QStringList usualCorrectionSets();
QString correctionSetName(const QString& set); ///< "compensation + bias correction"

/// The choices crossed with what `request` says of everything else. InvalidInput for word-lengths that are none.
Result<sweep::OptionsStudySettings> studySettings(const StudyChoices& choices, const planning::PlanRequest& request);

/// Seconds for the images of all combinations, at the speed of the latest evaluation; corrections come on top. Empty
/// while nothing has been evaluated.
std::optional<double> studySeconds(const Session& session, const sweep::OptionsStudySettings& settings);

/// Seconds for `points` evaluations of all images, at the speed of the latest one. Empty while there was none.
std::optional<double> secondsFor(const Session& session, std::int64_t points);

/// Word-lengths as "2,4" or "2..8", ascending; empty text: none. InvalidInput for anything else, float among it.
Result<std::vector<int>> numbersOnly(const QString& text);

} // namespace quantoscope::ui
