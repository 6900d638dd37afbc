// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <QString>

#include "core/base/random.h"

namespace quantoscope::test {

/// Kinds of values that draw() knows: what networks have, and what statistics may stumble over.
inline const char* const drawnKinds[]
    = { "normal", "relu", "negative", "heavy tails", "wild exponents", "constant", "zeros" };

/// Seeded random values of a kind.
inline std::vector<float> draw(std::size_t count, std::uint64_t seed, const QString& kind)
{
    base::Random random(seed);
    std::vector<float> values(count);
    for (float& value : values) {
        const double normal = random.normal();
        if (kind == "relu")
            value = static_cast<float>(std::max(0.0, normal));
        else if (kind == "negative")
            value = static_cast<float>(-std::abs(normal) - 0.001);
        else if (kind == "heavy tails")
            value = static_cast<float>(std::pow(normal, 9.0));
        else if (kind == "wild exponents")
            value = static_cast<float>(std::ldexp(normal, static_cast<int>(random.below(240)) - 120));
        else if (kind == "constant")
            value = 3.7F;
        else if (kind == "zeros")
            value = random.below(2) == 0 ? 0.0F : -0.0F;
        else
            value = static_cast<float>(normal);
    }
    return values;
}

} // namespace quantoscope::test
