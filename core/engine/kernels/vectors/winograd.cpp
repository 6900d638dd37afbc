// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/vectors/winograd.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/engine/kernels/fused_quantizers.h"
#include "core/engine/kernels/vectors/winograd_plan.h"
#include "core/engine/kernels/vectors/vector_functions.h"
#include "core/engine/kernels/vectors/vector_types.h"

namespace quantoscope::engine {

namespace {

using winograd::inputSide;
using winograd::outputSide;
using winograd::Plan;
using winograd::points;

constexpr std::int64_t channelGroup = 16;
constexpr std::int64_t mostTiles = 16; ///< at once; more would be no faster and take more cache

using Matrix = std::array<std::array<double, 3>, 6>;

/// G of F(4, 3) with the interpolation points 0, 1, -1, 2, -2.
constexpr Matrix kernelTransform { { { 1.0 / 4, 0, 0 }, { -1.0 / 6, -1.0 / 6, -1.0 / 6 },
    { -1.0 / 6, 1.0 / 6, -1.0 / 6 }, { 1.0 / 24, 1.0 / 12, 1.0 / 6 }, { 1.0 / 24, -1.0 / 12, 1.0 / 6 }, { 0, 0, 1 } } };

/// G g G^T of one kernel [3, 3].
std::array<float, points> transformedKernel(const float* kernel)
{
    double half[inputSide][3];
    for (int i = 0; i < inputSide; ++i)
        for (int x = 0; x < 3; ++x) {
            half[i][x] = 0;
            for (int y = 0; y < 3; ++y)
                half[i][x] += kernelTransform[i][y] * static_cast<double>(kernel[y * 3 + x]);
        }
    std::array<float, points> result {};
    for (int i = 0; i < inputSide; ++i)
        for (int j = 0; j < inputSide; ++j) {
            double sum = 0;
            for (int x = 0; x < 3; ++x)
                sum += half[i][x] * kernelTransform[j][x];
            result[static_cast<std::size_t>(i * inputSide + j)] = static_cast<float>(sum);
        }
    return result;
}

/// [points][panels][channels][width], panels two vectors wide but for the last.
Tensor packedWeight(const Tensor& weight)
{
    const std::int64_t outputs = weight.shape()[0];
    const std::int64_t channels = weight.shape()[1];
    const std::int64_t panel = 2 * floatLanes();
    Tensor result(DType::Float32, Shape { points * outputs * channels });
    const auto packed = result.as<float>();
    for (std::int64_t o = 0; o < outputs; ++o) {
        const std::int64_t first = o / panel * panel;
        const std::int64_t width = std::min(panel, outputs - first);
        for (std::int64_t c = 0; c < channels; ++c) {
            const auto transformed = transformedKernel(weight.as<float>().data() + (o * channels + c) * 9);
            for (std::int64_t p = 0; p < points; ++p)
                packed[static_cast<std::size_t>(p * outputs * channels + first * channels + c * width + o - first)]
                    = transformed[static_cast<std::size_t>(p)];
        }
    }
    return result;
}

class WinogradKernel : public Kernel {
public:
    WinogradKernel(const KernelRequest& request, const Window& window)
        : m_weight(packedWeight(*request.inputs[1].constant))
        , m_zeros(DType::Float32, Shape { request.inputs[0].shape[1] })
        , m_bias(request.has(2) ? *request.inputs[2].constant
                                : Tensor(DType::Float32, Shape { request.outputs[0].shape[1] }))
    {
        const Shape& input = request.inputs[0].shape;
        const Shape& output = request.outputs[0].shape;
        const Clamp clamp = request.activation.value_or(Clamp {});
        const std::int64_t down = (output[2] + outputSide - 1) / outputSide;
        const std::int64_t across = (output[3] + outputSide - 1) / outputSide;
        m_plan = { .channels = input[1],
            .outputs = output[1],
            .height = input[2],
            .width = input[3],
            .outputHeight = output[2],
            .outputWidth = output[3],
            .padTop = window.padsBegin[0],
            .padLeft = window.padsBegin[1],
            .tilesDown = down,
            .tilesAcross = across,
            .tiles = input[0] * down * across,
            .block = 0,
            .weight = m_weight.as<float>().data(),
            .bias = m_bias.as<float>().data(),
            .zeros = m_zeros.as<float>().data(),
            .output = request.outputQuantizer ? *VectorQuantizer::of(*request.outputQuantizer, clamp.low, clamp.high)
                                              : VectorQuantizer::clamp(clamp.low, clamp.high) };
        m_plan.block
            = std::min(mostTiles, (m_plan.tiles + winograd::rowGroup - 1) / winograd::rowGroup * winograd::rowGroup);
    }

    void run(const KernelArguments& arguments) const override
    {
        vectorFunctions()->winograd(m_plan, arguments.inputs[0].in<float>(), arguments.outputs[0].out<float>(),
            reinterpret_cast<float*>(arguments.scratch));
    }
    std::size_t scratchBytes() const override
    {
        return static_cast<std::size_t>(points * (m_plan.inputPitch() + m_plan.productPitch())) * sizeof(float);
    }
    bool readsInput(std::size_t index) const override { return index == 0; }
    std::string_view implementation() const override
    {
        return m_plan.output.quantizes ? "winograd 4x4 before a quantizer" : "winograd 4x4";
    }

private:
    Tensor m_weight; ///< aligned, as vectors like it
    Tensor m_zeros;
    Tensor m_bias;
    Plan m_plan;
};

} // namespace

bool winogradWins(const KernelRequest& request, const Window& window, std::int64_t groups)
{
    const auto isOne = [](std::int64_t step) { return step == 1; };
    const bool isConstant = request.inputs[1].constant && (!request.has(2) || request.inputs[2].constant);
    if (request.directSums || request.inputQuantizer || deliversBoth(request))
        return false;
    const Clamp clamp = request.activation.value_or(Clamp {});
    if (request.outputQuantizer && !VectorQuantizer::of(*request.outputQuantizer, clamp.low, clamp.high))
        return false;
    if (floatLanes() == 0 || groups != 1 || !isConstant || window.kernel != std::vector<std::int64_t> { 3, 3 }
        || !std::ranges::all_of(window.strides, isOne) || !std::ranges::all_of(window.dilations, isOne))
        return false;
    const Shape& input = request.inputs[0].shape;
    const Shape& output = request.outputs[0].shape;
    if (input[1] % channelGroup != 0 || output[1] % channelGroup != 0)
        return false;
    // Half a tile is a whole tile's work; a large weight, four times as large, has to come from memory.
    constexpr std::int64_t largestWeight = 256 * 256;
    constexpr std::int64_t smallestSide = 6;
    return output[2] >= smallestSide && output[3] >= smallestSide && input[1] * output[1] <= largestWeight;
}

Result<KernelPtr> makeWinograd(const KernelRequest& request, const Window& window)
{
    return std::make_unique<WinogradKernel>(request, window);
}

} // namespace quantoscope::engine
