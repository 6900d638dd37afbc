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
    };
    struct Group {
        QString name;
        double position = 0; ///< of ordered groups, 0: fewest bits, 1: most; for the colour
        std::vector<Point> points; ///< by cost
    };

    cost::Metric metric = cost::Metric::Bops;
    bool ordered = false; ///< groups are word-lengths rather than kinds
    std::vector<Group> groups;
    std::vector<Point> front; ///< points that none is both cheaper and more accurate than, by cost
    std::optional<double> floatTop1;
    QString xTitle;
    QString title;
    QStringList captions;

    bool empty() const { return groups.empty(); }
};

/// Groups: activation bits.
CostSeries costSeries(const sweep::SweepResult& result, cost::Metric metric);
/// Groups: weights, activations. Nothing if nothing was measured.
CostSeries costSeries(const sweep::SensitivityResult& result, cost::Metric metric);
/// Groups: uniform, mixed.
CostSeries costSeries(const sweep::SearchResult& result, cost::Metric metric);
/// Groups: sets of corrections.
CostSeries costSeries(const sweep::OptionsStudy& study, cost::Metric metric);
/// Groups: models.
CostSeries costSeries(const std::vector<sweep::StudiedModel>& models, cost::Metric metric);

} // namespace quantoscope::ui
