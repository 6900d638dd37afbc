// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "core/engine/kernel.h"
#include "core/quant/encoding.h"

namespace quantoscope::engine {

/// A tensor of bytes that stands for numbers: x^ = (code - zeroPoint) scale with code = level - qmin. Signed grids are
/// shifted so that every code is unsigned: u8 x s8 is the one product that all processors have, and the shift is a zero
/// point like any other.
class CodeGrid {
public:
    /// The grid of an encoding; empty unless it is per tensor, has at most 256 levels and rounds by value alone.
    static std::optional<CodeGrid> of(const quant::Encoding& encoding);

    float scale() const { return m_encoding.scale.front(); }
    std::int32_t zeroPoint() const { return m_encoding.zeroPoint.front() - m_encoding.qmin; }
    std::int32_t largest() const { return m_encoding.qmax - m_encoding.qmin; }
    const quant::Encoding& encoding() const { return m_encoding; }
    /// Rounds ties to even, as arithmetic units do.
    bool roundsHalfEven() const { return m_encoding.rounding == quant::Rounding::HalfEven; }
    float value(std::int32_t code) const { return static_cast<float>(code - zeroPoint()) * scale(); }
    /// Levels relative to the zero point within the bounds of a clamp before the quantizer; rounding and clamping may
    /// change places because both are monotone.
    std::pair<float, float> levelBounds(const std::optional<Clamp>& clamp) const;
    /// Whether quantizing values of `other` to this grid gives the same codes again.
    bool keepsCodesOf(const CodeGrid& other) const;

private:
    explicit CodeGrid(quant::Encoding encoding)
        : m_encoding(std::move(encoding))
    {
    }
    quant::Encoding m_encoding;
};

/// What becomes of every code when its value is quantized to another grid.
using CodeTable = std::array<std::uint8_t, 256>;
CodeTable requantizationTable(const CodeGrid& from, const CodeGrid& to);

/// The codes of single values, as quant::quantize() finds them.
void toCodes(const CodeGrid& grid, std::span<const float> values, std::span<std::uint8_t> codes);

} // namespace quantoscope::engine
