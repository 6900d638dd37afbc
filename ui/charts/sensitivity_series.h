// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include <QString>
#include <QStringList>

#include "core/sweep/sensitivity.h"

namespace quantoscope::ui {

/// Sensitivities made ready to draw: a line for each layer, weights above activations, and on it a mark for each
/// word-length.
struct SensitivitySeries {
    struct Mark {
        double y = 0; ///< line, counted downwards from 0
        double value = 0; ///< points of top-1 lost, or nats of divergence where nothing was measured
        double low = 0; ///< interval of what was measured; otherwise the value
        double high = 0;
        std::size_t index = 0; ///< into SensitivityResult::points
    };
    struct WordLength {
        int bits = 0;
        QString label;
        double position = 0; ///< 0: fewest bits, 1: most; for the colour
        std::vector<Mark> marks; ///< in the order of lines
    };
    struct Line {
        double y = 0;
        QString label;
        bool heading = false;
        std::size_t unit = 0; ///< into SensitivityResult::units, unless it is a heading
    };

    bool measured = false;
    QString valueTitle;
    std::vector<Line> lines;
    std::vector<WordLength> wordLengths; ///< fewest bits first
    QString title;
    QStringList captions;

    bool empty() const { return wordLengths.empty(); }
};

/// In which order layers stand under the heading of their kind. Harm: what loses most at the fewest bits first, among
/// equal ones at the next.
enum class SensitivityOrder { Network, Harm };

SensitivitySeries sensitivitySeries(
    const sweep::SensitivityResult& result, SensitivityOrder order = SensitivityOrder::Network);

} // namespace quantoscope::ui
