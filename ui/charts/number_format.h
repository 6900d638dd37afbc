// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <QString>

/// Numbers as people read them: the same everywhere in the window and its charts.
namespace quantoscope::ui {

QString formatCount(qint64 value); ///< "270,896"
QString formatSignificant(double value, int digits = 3); ///< "0.0123", "1,230"; infinity as a sign
QString formatPercent(double percent, int decimals = 2); ///< "91.50 %"
QString formatSignedPercent(double points, int decimals = 2); ///< "+0.30", "-1.20" (percentage points)
/// Decimals of a share of `images` images in percent, and of a difference of two: 1 up to 1,000 images, which is what
/// one of them counts for, and 2 beyond.
int top1Decimals(qint64 images);
QString formatTop1(double percent, qint64 images); ///< "93.2 %" of 1,000 images, "93.21 %" of 10,000
QString formatPoints(double points, qint64 images); ///< "+0.3", "−1.2" (percentage points)
/// "91.5 % to 94.6 %" and the like is written of these, without a unit: "91.5".
QString formatShare(double percent, qint64 images);
QString formatBytes(double bytes); ///< "1.08 MB", decimal units
QString formatEnergy(double picojoules); ///< "3.21 uJ"
QString formatMetric(double value); ///< "40.8 M": thousands by letter
QString formatDuration(double seconds); ///< "0:31", "1:02:03"
QString formatProbability(double p); ///< "0.031", "< 0.001"
QString formatBits(std::optional<int> bits); ///< "4", "float"
QString formatWordLengths(std::optional<int> weights, std::optional<int> activations); ///< "W4 A8", "W4, A float"
/// What `number` looks like on the screen: a real minus sign, and "1.23×10⁻⁵" for "1.23e-05".
QString typeset(QString number);
/// The same figure for a spreadsheet or a script: undoes typeset(), and spaces are plain.
QString plainNumber(QString text);
QString formatDecibel(double db); ///< "31.4", exact as an infinity sign, not a number as a dash

} // namespace quantoscope::ui
