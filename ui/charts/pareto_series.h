// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QString>
#include <QStringList>

#include "core/sweep/search.h"

namespace quantoscope::ui {

/// A search made ready to draw: measured accuracy over price, uniform and mixed word-lengths apart.
struct ParetoSeries {
    struct Point {
        double x = 0; ///< price in percent of the float network's
        double top1 = 0; ///< percent, as low and high
        double low = 0;
        double high = 0;
        std::size_t index = 0; ///< into SearchResult::points
        QString label; ///< "W4 A8" of uniform ones on their own front; otherwise empty
    };

    std::vector<Point> uniform; ///< by price
    std::vector<Point> mixed; ///< by price
    std::vector<Point> front; ///< of both together, by price: stairs
    std::optional<Point> chosen;
    std::optional<double> budget; ///< percent of the float network's price
    std::optional<double> floatTop1;
    QString xTitle;
    QString title;
    QStringList captions;

    bool empty() const { return uniform.empty() && mixed.empty(); }
};

ParetoSeries paretoSeries(const sweep::SearchResult& result);

} // namespace quantoscope::ui
