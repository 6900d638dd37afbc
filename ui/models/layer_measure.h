// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QString>

#include "ui/session/session.h"

namespace quantoscope::ui {

/// One figure for every layer, and where it stands between the worst and the best of them.
struct LayerMeasure {
    Measure measure = Measure::None;
    std::vector<double> values; ///< as LoadedModel::layers; NaN: not known; empty: nothing is known of any
    double worst = 0; ///< of the finite values; larger than `best` where less is better
    double best = 0;
    QString unit; ///< of the values: "dB", "points"; empty: counts with a letter
    QString at; ///< of a sensitivity the word-length it was measured at: "2 bits", "W2 A4"

    /// 0: the worst layer, 1: the best one; empty where it is not known.
    std::optional<double> position(std::size_t layer) const;
    bool empty() const { return values.empty(); }
    QString text(double value) const; ///< "31.4 dB", "8.8 points at 2 bits"
    QString number(double value) const; ///< the same without what it was measured in and at, where that is told once
};

/// What the session knows of its measure now.
LayerMeasure measureLayers(const Session& session);
LayerMeasure measureLayers(const Session& session, Measure measure);

QString measureName(Measure measure); ///< "SQNR of weights"
QString measureTip(Measure measure); ///< what it is, in a sentence
QString formatMeasure(Measure measure, double value); ///< "31.4 dB"
QString measureMissing(Measure measure); ///< what to do to know it

constexpr Measure measures[] = { Measure::None, Measure::WeightSqnr, Measure::ActivationSqnr, Measure::Sensitivity,
    Measure::Macs, Measure::Bops, Measure::Size };

} // namespace quantoscope::ui
