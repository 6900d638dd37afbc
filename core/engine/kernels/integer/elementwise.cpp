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

/// There are only so many pairs of codes: whether the short way is right for all of them.
bool agree(const LinearSum& sum, const DefinedSum& definition, const CodeGrid& a, const CodeGrid& b)
{
    std::array<std::uint8_t, 256> left {};
    std::iota(left.begin(), left.end(), std::uint8_t { 0 });
    std::array<std::uint8_t, 256> right {};
    std::array<std::uint8_t, 256> found {};
    std::array<std::uint8_t, 256> wanted {};
    for (std::int32_t code = 0; code <= b.largest(); ++code) {
        right.fill(static_cast<std::uint8_t>(code));
        addCodes(sum, left.data(), right.data(), found.data(), a.largest() + 1);
        addCodes(definition, left.data(), right.data(), wanted.data(), a.largest() + 1);
        if (!std::equal(found.begin(), found.begin() + a.largest() + 1, wanted.begin()))
            return false;
    }
    return true;
}

template <typename Sum> KernelPtr makeSum(const Sum& sum, std::int64_t size, std::string_view implementation)
{
    return makeKernel(
        [sum, size](const KernelArguments& arguments) {
            addCodes(sum, arguments.inputs[0].in<std::uint8_t>(), arguments.inputs[1].in<std::uint8_t>(),
                arguments.outputs[0].out<std::uint8_t>(), size);
        },
        { .inPlaceInput = 0, .implementation = implementation });
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
    const DefinedSum definition = definedSum(a, b, output, activation);
    return agree(sum, definition, a, b) ? makeSum(sum, size, "sum of codes")
                                        : makeSum(definition, size, "sum of values");
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
