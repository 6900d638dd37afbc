// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace quantoscope::ui {

/// How values lie on an axis: as they are, or on a logarithmic one that goes through zero. There a value v is at
/// sign(v) log2(1 + |v| / linear): octaves of equal width, but for a small part around zero, which is as good as
/// linear.
struct ValueScale {
    double linear = 0; ///< size of that part; 0: the axis is linear

    bool logarithmic() const { return linear > 0; }
    double toAxis(double value) const;
    double toValue(double place) const;
    friend bool operator==(const ValueScale&, const ValueScale&) = default;
};

} // namespace quantoscope::ui
