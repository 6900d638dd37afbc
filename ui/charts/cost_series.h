// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QString>
#include <QStringList>

#include "core/cost/metric.h"
#include "core/sweep/depth.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"

namespace quantoscope::ui {

/// Any study made ready to draw over a cost: measured accuracy, what belongs together in groups.
struct CostSeries {
    struct Point {
        double x = 0; ///< the cost, in its unit
        double top1 = 0; ///< percent, as low and high
        double low = 0;
        double high = 0;
        std::size_t index = 0; ///< into the points (rows) of the study
        QString name; ///< "W4 A8"
        QString label = {}; ///< what is written beside it; mostly empty
    };
    struct Group {
        QString name;
        double position = 0; ///< for the colour of ordered groups, 0: fewest bits, 1: most; of a search, 1: mixed
        std::vector<Point> points; ///< by cost
    };

    /// What tells groups apart: kinds of anything, word-lengths in order, or uniform (grey) and mixed ones.
    enum class Colours { Kinds, Ordered, Search };

    cost::Metric metric = cost::Metric::Bops;
    Colours colours = Colours::Kinds;
    std::vector<Group> groups;
    std::vector<Point> front; ///< points that none is both cheaper and more accurate than, by cost
    std::optional<Point> chosen; ///< the answer of a search
    std::optional<double> budget; ///< what that could spend, where it is this cost
    std::optional<double> floatTop1;
    QString xTitle;
    QString title;
    QStringList captions;

    bool empty() const { return groups.empty(); }
};

/// Where the accuracies begin that are near float, in percent: some points below it, or below what was chosen. Empty if
/// that would hide nothing, or most.
std::optional<double> nearFloat(const CostSeries& series);

/// Groups: activation bits.
CostSeries costSeries(const sweep::SweepResult& result, cost::Metric metric);
/// Groups: weights, activations. Nothing if nothing was measured.
CostSeries costSeries(const sweep::SensitivityResult& result, cost::Metric metric);
/// Groups: uniform, mixed. Uniform ones are labelled that no other uniform one is both cheaper and more accurate than.
CostSeries costSeries(const sweep::SearchResult& result, cost::Metric metric);
/// The same over what the search was to be cheap in, in percent of the float network's.
CostSeries paretoSeries(const sweep::SearchResult& result);
/// Groups: sets of corrections.
CostSeries costSeries(const sweep::OptionsStudy& study, cost::Metric metric);
/// Groups: models.
CostSeries costSeries(const std::vector<sweep::StudiedModel>& models, cost::Metric metric);

} // namespace quantoscope::ui
