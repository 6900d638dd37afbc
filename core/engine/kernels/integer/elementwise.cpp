// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>

#include "core/engine/kernels/integer/instruction_sets.h"
#include "core/engine/kernels/integer/integer_kernels.h"
#include "core/engine/kernels/support.h"

namespace quantoscope::engine {

namespace {

constexpr std::int64_t blockSize = 1024; ///< elements whose levels stay in the nearest cache

/// level = clamp(round(a fa + b fb + offset)): fewer roundings than the definition has, and no division.
struct LinearSum {
    float factorA = 0;
    float factorB = 0;
    float offset = 0;
    float low = 0; ///< levels relative to the zero point
    float high = 0;
    std::int32_t zeroPoint = 0;
};

void addCodes(const LinearSum& sum, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out, std::int64_t size)
{
    withWidestVectors([=]() __attribute__((always_inline)) {
        constexpr float magic = 0x1.8p23F; // half to even, as in quant/rounding_loops
        const auto [factorA, factorB, offset, low, high, zeroPoint] = sum; // apart from the bytes, which alias anything
        const std::int64_t count = size;
        const std::uint8_t* const left = a;
        const std::uint8_t* const right = b;
        std::uint8_t* const target = out;
#pragma GCC ivdep // in place or apart
        for (std::int64_t i = 0; i < count; ++i) {
            float v = static_cast<float>(left[i]) * factorA + (static_cast<float>(right[i]) * factorB + offset);
            v = v > low ? v : low;
            v = v < high ? v : high;
            target[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>((v + magic) - magic) + zeroPoint);
        }
    });
}

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

LinearSum linearSum(
    const CodeGrid& a, const CodeGrid& b, const CodeGrid& output, const std::optional<Clamp>& activation)
{
    const double scale = static_cast<double>(output.scale());
    const double atZero
        = a.zeroPoint() * static_cast<double>(a.scale()) + b.zeroPoint() * static_cast<double>(b.scale());
    LinearSum sum;
    sum.factorA = static_cast<float>(static_cast<double>(a.scale()) / scale);
    sum.factorB = static_cast<float>(static_cast<double>(b.scale()) / scale);
    sum.offset = static_cast<float>(-atZero / scale);
    std::tie(sum.low, sum.high) = output.levelBounds(activation);
    sum.zeroPoint = output.zeroPoint();
    return sum;
}

using SumTable = std::vector<std::uint8_t>; ///< [b][a], 256 x 256

/// What float arithmetic makes of every pair of codes.
SumTable exactSums(const CodeGrid& a, const CodeGrid& b, const CodeGrid& output, const std::optional<Clamp>& activation)
{
    SumTable table(std::size_t { 256 } * 256);
    std::vector<float> sums(static_cast<std::size_t>(a.largest()) + 1);
    for (std::int32_t right = 0; right <= b.largest(); ++right) {
        for (std::size_t left = 0; left < sums.size(); ++left) {
            const float sum = a.value(static_cast<std::int32_t>(left)) + b.value(right);
            sums[left] = activation ? std::min(std::max(sum, activation->low), activation->high) : sum;
        }
        toCodes(output, sums, std::span(table).subspan(256 * static_cast<std::size_t>(right), sums.size()));
    }
    return table;
}

/// There are only so many pairs of codes: whether the short way is right for all of them.
bool agrees(const LinearSum& sum, const SumTable& table, const CodeGrid& a, const CodeGrid& b)
{
    std::array<std::uint8_t, 256> left {};
    std::iota(left.begin(), left.end(), std::uint8_t { 0 });
    std::array<std::uint8_t, 256> right {};
    std::array<std::uint8_t, 256> found {};
    for (std::int32_t code = 0; code <= b.largest(); ++code) {
        right.fill(static_cast<std::uint8_t>(code));
        addCodes(sum, left.data(), right.data(), found.data(), a.largest() + 1);
        if (!std::equal(found.begin(), found.begin() + a.largest() + 1, table.begin() + 256 * code))
            return false;
    }
    return true;
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
    const LinearSum sum = linearSum(a, b, output, activation);
    SumTable table = exactSums(a, b, output, activation);
    if (agrees(sum, table, a, b))
        return makeKernel(
            [sum, size](const KernelArguments& arguments) {
                addCodes(sum, arguments.inputs[0].in<std::uint8_t>(), arguments.inputs[1].in<std::uint8_t>(),
                    arguments.outputs[0].out<std::uint8_t>(), size);
            },
            { .inPlaceInput = 0, .implementation = "sum of codes" });
    return makeKernel(
        [table = std::move(table), size](const KernelArguments& arguments) {
            const std::uint8_t* left = arguments.inputs[0].in<std::uint8_t>();
            const std::uint8_t* right = arguments.inputs[1].in<std::uint8_t>();
            std::uint8_t* out = arguments.outputs[0].out<std::uint8_t>();
            for (std::int64_t i = 0; i < size; ++i)
                out[i] = table[std::size_t { 256 } * right[i] + left[i]];
        },
        { .inPlaceInput = 0, .implementation = "table of sums" });
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
