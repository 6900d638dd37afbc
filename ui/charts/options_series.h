// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <QString>
#include <QStringList>

#include "core/sweep/options_study.h"

namespace quantoscope::ui {

/// A comparison of options made ready to draw: one line a combination, best on top, word-lengths one under the other.
struct OptionsSeries {
    struct Row {
        std::size_t index = 0; ///< into OptionsStudy::rows
        double y = 0; ///< lines count downwards from 0
        QString label; ///< what it has that not all rows have
        double top1 = 0; ///< percent, as low and high
        double low = 0;
        double high = 0;
        bool best = false; ///< cannot be told from the best of its word-lengths
    };
    struct Heading {
        double y = 0;
        QString label; ///< "W4 A8"
    };

    std::vector<Heading> headings; ///< none where all rows have the same word-lengths
    std::vector<Row> rows;
    double lines = 0; ///< headings and rows together
    std::optional<double> floatTop1;
    QString title;
    QStringList captions;

    bool empty() const { return rows.empty(); }
};

OptionsSeries optionsSeries(const sweep::OptionsStudy& study);

} // namespace quantoscope::ui
