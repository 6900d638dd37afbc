// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/value_scale.h"

#include <cmath>

namespace quantoscope::ui {

double ValueScale::toAxis(double value) const
{
    return logarithmic() ? std::copysign(std::log2(1 + std::abs(value) / linear), value) : value;
}

double ValueScale::toValue(double place) const
{
    return logarithmic() ? std::copysign((std::exp2(std::abs(place)) - 1) * linear, place) : place;
}

} // namespace quantoscope::ui
