// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/vectors/depthwise.h"

#include <algorithm>

#include "core/engine/kernels/fused_quantizers.h"
#include "core/engine/kernels/vectors/depthwise_plan.h"
#include "core/engine/kernels/vectors/vector_functions.h"
#include "core/engine/kernels/vectors/vector_types.h"

namespace quantoscope::engine {

namespace {

using depthwise::channelGroup;
using depthwise::Plan;

/// [C, 1, kH, kW] -> [C / channelGroup][kH][kW][channelGroup].
Tensor packedWeight(const Tensor& weight)
{
    const std::int64_t channels = weight.shape()[0];
    const std::int64_t taps = weight.size() / channels;
    Tensor result(DType::Float32, Shape { weight.size() });
    const auto packed = result.as<float>();
    const auto values = weight.as<float>();
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t t = 0; t < taps; ++t)
            packed[static_cast<std::size_t>((c / channelGroup * taps + t) * channelGroup + c % channelGroup)]
                = values[static_cast<std::size_t>(c * taps + t)];
    return result;
}

/// Chunks of about the same size.
std::int64_t chunkOf(std::int64_t channels)
{
    const std::int64_t chunks = (channels + depthwise::chunkChannels - 1) / depthwise::chunkChannels;
    const std::int64_t groups = channels / channelGroup;
    return (groups + chunks - 1) / chunks * channelGroup;
}

VectorQuantizer outputOf(const KernelRequest& request)
{
    const Clamp clamp = request.activation.value_or(Clamp {});
    return request.outputQuantizer ? *VectorQuantizer::of(*request.outputQuantizer, clamp.low, clamp.high)
                                   : VectorQuantizer::clamp(clamp.low, clamp.high);
}

class DepthwiseKernel : public Kernel {
public:
    DepthwiseKernel(const KernelRequest& request, const Window& window)
        : m_weight(packedWeight(*request.inputs[1].constant))
        , m_bias(request.has(2) ? *request.inputs[2].constant
                                : Tensor(DType::Float32, Shape { request.inputs[0].shape[1] }))
    {
        const Shape& input = request.inputs[0].shape;
        const Shape& output = request.outputs[0].shape;
        m_plan = { .batch = input[0],
            .channels = input[1],
            .height = input[2],
            .width = input[3],
            .outputHeight = output[2],
            .outputWidth = output[3],
            .kernelHeight = window.kernel[0],
            .kernelWidth = window.kernel[1],
            .strideDown = window.strides[0],
            .strideAcross = window.strides[1],
            .padTop = window.padsBegin[0],
            .padLeft = window.padsBegin[1],
            .chunk = chunkOf(input[1]),
            .weight = m_weight.as<float>().data(),
            .bias = m_bias.as<float>().data(),
            .input = request.inputQuantizer ? *VectorQuantizer::of(*request.inputQuantizer) : VectorQuantizer::none(),
            .output = outputOf(request) };
    }

    void run(const KernelArguments& arguments) const override
    {
        vectorFunctions()->depthwise(m_plan, arguments.inputs[0].in<float>(), arguments.outputs[0].out<float>(),
            reinterpret_cast<float*>(arguments.scratch));
    }
    std::size_t scratchBytes() const override
    {
        return static_cast<std::size_t>(m_plan.bufferFloats()) * sizeof(float);
    }
    bool readsInput(std::size_t index) const override { return index == 0; }
    std::string_view implementation() const override
    {
        if (m_plan.input.quantizes)
            return m_plan.output.quantizes ? "depthwise between quantizers" : "depthwise behind a quantizer";
        return m_plan.output.quantizes ? "depthwise before a quantizer" : "depthwise";
    }

private:
    Tensor m_weight; ///< aligned, as vectors like it
    Tensor m_bias;
    Plan m_plan;
};

} // namespace

bool depthwiseSuits(const KernelRequest& request, const Window& window, std::int64_t groups)
{
    const auto isOne = [](std::int64_t step) { return step == 1; };
    const auto isNegative = [](std::int64_t pad) { return pad < 0; };
    const bool isConstant = request.inputs[1].constant && (!request.has(2) || request.inputs[2].constant);
    if (floatLanes() == 0 || deliversBoth(request) || !isConstant || window.axes() != 2
        || !std::ranges::all_of(window.dilations, isOne) || std::ranges::any_of(window.padsBegin, isNegative)
        || window.kernel[0] > depthwise::maxKernelHeight)
        return false;
    const Clamp clamp = request.activation.value_or(Clamp {});
    if (request.inputQuantizer && !VectorQuantizer::of(*request.inputQuantizer))
        return false;
    if (request.outputQuantizer && !VectorQuantizer::of(*request.outputQuantizer, clamp.low, clamp.high))
        return false;
    return groups == request.inputs[0].shape[1] && groups == request.outputs[0].shape[1] && groups % channelGroup == 0;
}

Result<KernelPtr> makeDepthwise(const KernelRequest& request, const Window& window)
{
    return std::make_unique<DepthwiseKernel>(request, window);
}

} // namespace quantoscope::engine
