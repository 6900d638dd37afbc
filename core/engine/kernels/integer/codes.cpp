// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/integer/codes.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace quantoscope::engine {

std::optional<CodeGrid> CodeGrid::of(const quant::Encoding& encoding)
{
    if (encoding.perChannel() || encoding.rounding == quant::Rounding::Stochastic
        || std::int64_t { encoding.qmax } - encoding.qmin > 255)
        return std::nullopt;
    return CodeGrid(encoding);
}

std::pair<float, float> CodeGrid::levelBounds(const std::optional<Clamp>& clamp) const
{
    const auto lowest = static_cast<float>(-zeroPoint());
    const auto highest = static_cast<float>(largest() - zeroPoint());
    if (!clamp)
        return { lowest, highest };
    return { std::clamp(std::nearbyint(clamp->low / scale()), lowest, highest),
        std::clamp(std::nearbyint(clamp->high / scale()), lowest, highest) };
}

bool CodeGrid::keepsCodesOf(const CodeGrid& other) const
{
    const bool nearest
        = m_encoding.rounding == quant::Rounding::HalfEven || m_encoding.rounding == quant::Rounding::HalfAway;
    return nearest && scale() == other.scale() && zeroPoint() == other.zeroPoint() && largest() == other.largest();
}

CodeTable requantizationTable(const CodeGrid& from, const CodeGrid& to)
{
    std::array<float, 256> values {};
    for (std::int32_t code = 0; code <= from.largest(); ++code)
        values[static_cast<std::size_t>(code)] = from.value(code);
    CodeTable table {};
    toCodes(to, values, table);
    return table;
}

void toCodes(const CodeGrid& grid, std::span<const float> values, std::span<std::uint8_t> codes)
{
    std::vector<std::int32_t> levels(values.size());
    quant::quantize(grid.encoding(), Shape { std::ssize(values) }, values, levels);
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<std::uint8_t>(levels[i] - grid.encoding().qmin);
}

} // namespace quantoscope::engine
