// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "core/engine/kernels/integer/instruction_sets.h"
#include "core/engine/kernels/integer/integer_kernels.h"
#include "core/engine/kernels/support.h"
#include "core/engine/kernels/vectors/vector_functions.h"

namespace quantoscope::engine {

namespace {

constexpr std::int64_t blockSize = 1024; ///< elements whose levels stay in the nearest cache

void narrow(const std::int32_t* levels, std::int32_t lowest, std::uint8_t* out, std::size_t count)
{
    withWidestVectors([=]() __attribute__((always_inline)) {
        const std::int32_t* const from = levels;
        const std::int32_t first = lowest;
        const std::size_t size = count;
        std::uint8_t* const target = out;
        for (std::size_t i = 0; i < size; ++i)
            target[i] = static_cast<std::uint8_t>(from[i] - first);
    });
}

/// The definition itself: dequantize both, add, clamp, quantize.
struct DefinedSum {
    float zeroA = 0;
    float zeroB = 0;
    float scaleA = 1;
    float scaleB = 1;
    Clamp clamp;
    float scale = 1;
    float low = 0; ///< levels relative to the zero point
    float high = 0;
    std::int32_t zeroPoint = 0;
};

DefinedSum definedSum(
    const CodeGrid& a, const CodeGrid& b, const CodeGrid& output, const std::optional<Clamp>& activation)
{
    const auto [low, high] = output.levelBounds(std::nullopt);
    return { static_cast<float>(a.zeroPoint()), static_cast<float>(b.zeroPoint()), a.scale(), b.scale(),
        activation.value_or(Clamp {}), output.scale(), low, high, output.zeroPoint() };
}

void addCodes(const DefinedSum& sum, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::int64_t size)
{
    withWidestVectors([=]() __attribute__((always_inline)) {
        constexpr float magic = 0x1.8p23F;
        const auto [zeroA, zeroB, scaleA, scaleB, clamp, scale, low, high, zeroPoint] = sum;
        const auto [clampLow, clampHigh] = clamp;
        const std::int64_t count = size;
        const std::uint8_t* const left = a;
        const std::uint8_t* const right = b;
        std::uint8_t* const target = out;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) {
            float v = (static_cast<float>(left[i]) - zeroA) * scaleA + (static_cast<float>(right[i]) - zeroB) * scaleB;
            v = v > clampLow ? v : clampLow;
            v = v < clampHigh ? v : clampHigh;
            v = v / scale;
            v = v > low ? v : low;
            v = v < high ? v : high;
            target[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>((v + magic) - magic) + zeroPoint);
        }
    });
}

/// Sums of all pairs of codes: there are only so many.
class PairTable {
public:
    PairTable(const DefinedSum& definition, const CodeGrid& a, const CodeGrid& b)
        : m_codes(a.largest() + 1)
        , m_rows(b.largest() + 1)
        , m_sums(static_cast<std::size_t>(m_codes * m_rows))
    {
        std::iota(m_left.begin(), m_left.end(), std::uint8_t { 0 });
        for (std::int64_t code = 0; code < m_rows; ++code) {
            m_right.fill(static_cast<std::uint8_t>(code));
            addCodes(definition, m_left.data(), m_right.data(), m_sums.data() + code * m_codes, m_codes);
        }
    }

    /// Whether the short way gives these sums.
    bool has(const codes::Sum& sum)
    {
        std::array<std::uint8_t, 256> found {};
        for (std::int64_t code = 0; code < m_rows; ++code) {
            m_right.fill(static_cast<std::uint8_t>(code));
            vectorFunctions()->addCodes(sum, m_left.data(), m_right.data(), found.data(), m_codes);
            if (!std::equal(found.begin(), found.begin() + m_codes, m_sums.begin() + code * m_codes))
                return false;
        }
        return true;
    }

private:
    std::int64_t m_codes;
    std::int64_t m_rows;
    std::vector<std::uint8_t> m_sums;
    std::array<std::uint8_t, 256> m_left {};
    std::array<std::uint8_t, 256> m_right {};
};

/// The short way, a product a summand and no division; empty where it might leave the range of an integer.
std::optional<codes::Sum> shortSum(
    const CodeGrid& a, const CodeGrid& b, const CodeGrid& output, const std::optional<Clamp>& activation)
{
    const auto scale = static_cast<double>(output.scale());
    const double factorA = static_cast<double>(a.scale()) / scale;
    const double factorB = static_cast<double>(b.scale()) / scale;
    const double offset = -(a.zeroPoint() * factorA + b.zeroPoint() * factorB);
    constexpr double most = 0x1p30;
    if (!vectorFunctions() || !(256 * (factorA + factorB) + std::abs(offset) < most))
        return std::nullopt;
    const auto [low, high] = output.levelBounds(activation);
    codes::Sum sum;
    sum.factorA = static_cast<float>(factorA);
    sum.factorB = static_cast<float>(factorB);
    sum.offset = static_cast<float>(offset);
    sum.zeroPoint = output.zeroPoint();
    sum.lowest = static_cast<std::uint8_t>(static_cast<std::int32_t>(low) + output.zeroPoint());
    sum.highest = static_cast<std::uint8_t>(static_cast<std::int32_t>(high) + output.zeroPoint());
    return sum;
}

/// A short way that is right for all pairs, if there is one. Where the definition's own rounding errors make a level of
/// a tie, or the other way round, an offset that is larger or smaller by as little is often right.
std::optional<codes::Sum> exactShortSum(const std::optional<codes::Sum>& sum, PairTable& table)
{
    constexpr int most = 24;
    constexpr float step = 0x1p-18F; // levels
    for (int tried = 0; sum && tried <= 2 * most; ++tried) {
        codes::Sum nudged = *sum;
        const auto times = static_cast<float>((tried + 1) / 2);
        nudged.offset += (tried % 2 == 0 ? times : -times) * step;
        if (table.has(nudged))
            return nudged;
    }
    return std::nullopt;
}

} // namespace

KernelPtr makeQuantizeToCodes(const CodeGrid& grid, std::int64_t size)
{
    const std::int64_t rest = size % blockSize;
    const auto run = [encoding = grid.encoding(), whole = Shape { blockSize }, last = Shape { rest }, size](
                         const KernelArguments& arguments) {
        const float* in = arguments.inputs[0].in<float>();
        std::uint8_t* out = arguments.outputs[0].out<std::uint8_t>();
        std::array<std::int32_t, blockSize> levels;
        for (std::int64_t first = 0; first < size; first += blockSize) {
            const bool isWhole = size - first >= blockSize;
            const auto count = static_cast<std::size_t>(isWhole ? blockSize : size - first);
            quant::quantize(encoding, isWhole ? whole : last, { in + first, count }, { levels.data(), count });
            narrow(levels.data(), encoding.qmin, out + first, count);
        }
    };
    return makeKernel(run, { .implementation = "quantize to codes" });
}

KernelPtr makeDequantizeCodes(const CodeGrid& grid, std::int64_t size)
{
    const auto run = [scale = grid.scale(), zero = grid.zeroPoint(), size](const KernelArguments& arguments) {
        const std::uint8_t* in = arguments.inputs[0].in<std::uint8_t>();
        float* out = arguments.outputs[0].out<float>();
        withWidestVectors([=]() __attribute__((always_inline)) {
            for (std::int64_t i = 0; i < size; ++i)
                out[i] = static_cast<float>(in[i] - zero) * scale;
        });
    };
    return makeKernel(run, { .implementation = "dequantize codes" });
}

KernelPtr makeTableLookup(const CodeTable& table, std::int64_t size)
{
    const auto run = [table, size](const KernelArguments& arguments) {
        const std::uint8_t* in = arguments.inputs[0].in<std::uint8_t>();
        std::uint8_t* out = arguments.outputs[0].out<std::uint8_t>();
        for (std::int64_t i = 0; i < size; ++i)
            out[i] = table[in[i]];
    };
    return makeKernel(run, { .inPlaceInput = 0, .implementation = "table of codes" });
}

KernelPtr makeIntegerAdd(const CodeGrid& a, const CodeGrid& b, const CodeGrid& output,
    const std::optional<Clamp>& activation, std::int64_t size)
{
    const DefinedSum definition = definedSum(a, b, output, activation);
    PairTable table(definition, a, b);
    if (const auto sum = exactShortSum(shortSum(a, b, output, activation), table))
        return makeKernel(
            [sum = *sum, size](const KernelArguments& arguments) {
                vectorFunctions()->addCodes(sum, arguments.inputs[0].in<std::uint8_t>(),
                    arguments.inputs[1].in<std::uint8_t>(), arguments.outputs[0].out<std::uint8_t>(), size);
            },
            { .inPlaceInput = 0, .implementation = "sum of codes" });
    return makeKernel(
        [definition, size](const KernelArguments& arguments) {
            addCodes(definition, arguments.inputs[0].in<std::uint8_t>(), arguments.inputs[1].in<std::uint8_t>(),
                arguments.outputs[0].out<std::uint8_t>(), size);
        },
        { .inPlaceInput = 0, .implementation = "sum of values" });
}

KernelPtr makeIntegerGlobalAverage(const Shape& input, const CodeGrid& grid, const CodeGrid& output)
{
    const std::int64_t channels = input[1];
    const std::int64_t positions = input.size() / std::max<std::int64_t>(1, input[0] * channels);
    const auto run = [batch = input[0], channels, positions, grid, output](const KernelArguments& arguments) {
        const std::uint8_t* in = arguments.inputs[0].in<std::uint8_t>();
        std::uint8_t* out = arguments.outputs[0].out<std::uint8_t>();
        auto* sums = reinterpret_cast<std::int32_t*>(arguments.scratch);
        const auto [low, high] = output.levelBounds(std::nullopt);
        const std::int64_t zero = positions * grid.zeroPoint();
        for (std::int64_t n = 0; n < batch; ++n, out += channels) {
            std::fill_n(sums, channels, 0);
            for (std::int64_t p = 0; p < positions; ++p, in += channels)
                for (std::int64_t c = 0; c < channels; ++c)
                    sums[c] += in[c];
            for (std::int64_t c = 0; c < channels; ++c) {
                const auto mean = static_cast<float>(static_cast<double>(sums[c] - zero)
                    * static_cast<double>(grid.scale()) / static_cast<double>(positions));
                const float level = std::clamp(std::nearbyint(mean / output.scale()), low, high);
                out[c] = static_cast<std::uint8_t>(static_cast<std::int32_t>(level) + output.zeroPoint());
            }
        }
    };
    return makeKernel(run,
        { .scratchBytes = static_cast<std::size_t>(channels) * sizeof(std::int32_t),
            .implementation = "mean of codes" });
}

} // namespace quantoscope::engine
