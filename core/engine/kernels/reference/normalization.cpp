// SPDX-License-Identifier: GPL-3.0-or-later
// Batch, instance, layer and local response normalisation as their definitions say.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/engine/kernels/axis_blocks.h"
#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

Result<void> requirePerChannel(const KernelRequest& request, std::size_t first, std::size_t last)
{
    const Shape& x = request.inputs[0].shape;
    if (x.rank() < 2)
        return request.invalid("input of shape " + x.toString() + ", expected [N, C, ...]");
    for (std::size_t i = first; i <= last; ++i)
        if (!request.has(i) || request.inputs[i].shape != Shape { x[1] }
            || request.inputs[i].dtype != request.inputs[0].dtype)
            return request.invalid("operand " + std::to_string(i) + " must hold one value a channel of " + x.toString()
                + ", in the input's type");
    return {};
}

Result<KernelPtr> createBatch(const KernelRequest& request)
{
    if (request.node.intAttribute("training_mode", 0) != 0)
        return request.unsupported("training mode", "export the model for inference");
    QS_CHECK(requirePerChannel(request, 1, 4));
    const AxisBlocks blocks(request.inputs[0].shape, 1);
    const double epsilon = request.node.floatAttribute("epsilon", 1e-5F);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [blocks, epsilon](const KernelArguments& arguments) {
                const auto parameter = [&](std::size_t input, std::int64_t channel) {
                    return static_cast<double>(arguments.inputs[input].in<T>()[channel]);
                };
                const T* x = arguments.inputs[0].in<T>();
                T* y = arguments.outputs[0].out<T>();
                for (std::int64_t i = 0; i < arguments.inputs[0].size(); ++i) {
                    const std::int64_t c = i / blocks.inner % blocks.extent;
                    y[i] = static_cast<T>(parameter(1, c) * (static_cast<double>(x[i]) - parameter(3, c))
                            / std::sqrt(parameter(4, c) + epsilon)
                        + parameter(2, c));
                }
            },
            traits);
    });
}

/// Mean and 1 / sqrt(variance + epsilon) of n neighbouring elements.
template <typename T> std::pair<double, double> standardization(const T* x, std::int64_t n, double epsilon)
{
    double mean = 0;
    for (std::int64_t i = 0; i < n; ++i)
        mean += static_cast<double>(x[i]) / static_cast<double>(n);
    double variance = 0;
    for (std::int64_t i = 0; i < n; ++i)
        variance += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean) / static_cast<double>(n);
    return { mean, 1 / std::sqrt(variance + epsilon) };
}

Result<KernelPtr> createInstance(const KernelRequest& request)
{
    QS_CHECK(requirePerChannel(request, 1, 2));
    const AxisBlocks blocks(request.inputs[0].shape, 1);
    const double epsilon = request.node.floatAttribute("epsilon", 1e-5F);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [blocks, epsilon](const KernelArguments& arguments) {
                for (std::int64_t map = 0; map < blocks.outer * blocks.extent; ++map) {
                    const T* x = arguments.inputs[0].in<T>() + map * blocks.inner;
                    T* y = arguments.outputs[0].out<T>() + map * blocks.inner;
                    const auto scale = static_cast<double>(arguments.inputs[1].in<T>()[map % blocks.extent]);
                    const auto bias = static_cast<double>(arguments.inputs[2].in<T>()[map % blocks.extent]);
                    const auto [mean, inverse] = standardization(x, blocks.inner, epsilon);
                    for (std::int64_t i = 0; i < blocks.inner; ++i)
                        y[i] = static_cast<T>((static_cast<double>(x[i]) - mean) * inverse * scale + bias);
                }
            },
            traits);
    });
}

/// Scale and bias broadcast to the normalised axes; Mean and InvStdDev are the optional outputs.
Result<KernelPtr> createLayer(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", -1), shape.rank()));
    const Shape normalized({ shape.begin() + axis, shape.end() });
    std::array<Strides, 2> strides;
    for (const std::size_t i : { 1U, 2U }) {
        if (!request.has(i))
            continue;
        const auto merged = tensor::broadcast(request.inputs[i].shape, normalized);
        if (!merged || *merged != normalized || request.inputs[i].dtype != request.inputs[0].dtype)
            return request.invalid("operand " + std::to_string(i) + " of shape " + request.inputs[i].shape.toString()
                + " for normalised axes " + normalized.toString());
        strides[i - 1] = broadcastStrides(request.inputs[i].shape, Layout::Plain, normalized);
    }
    const AxisBlocks blocks(shape, axis, shape.rank());
    const double epsilon = request.node.floatAttribute("epsilon", 1e-5F);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [blocks, epsilon, strides, extents = normalized.dims()](const KernelArguments& arguments) {
                const auto parameter = [&](std::size_t input, const Index& index, double fallback) {
                    if (arguments.inputs.size() <= input || !arguments.inputs[input].data)
                        return fallback;
                    std::int64_t offset = 0;
                    for (std::size_t d = 0; d < extents.size(); ++d)
                        offset += index[d] * strides[input - 1][d];
                    return static_cast<double>(arguments.inputs[input].in<T>()[offset]);
                };
                for (std::int64_t row = 0; row < blocks.outer; ++row) {
                    const T* x = arguments.inputs[0].in<T>() + row * blocks.extent;
                    T* y = arguments.outputs[0].out<T>() + row * blocks.extent;
                    const auto [mean, inverse] = standardization(x, blocks.extent, epsilon);
                    forEachIndex(extents, [&, m = mean, s = inverse](const Index& index) {
                        const double value = (static_cast<double>(*x++) - m) * s;
                        *y++ = static_cast<T>(value * parameter(1, index, 1) + parameter(2, index, 0));
                    });
                    if (arguments.outputs.size() > 1 && arguments.outputs[1].data)
                        arguments.outputs[1].out<T>()[row] = static_cast<T>(mean);
                    if (arguments.outputs.size() > 2 && arguments.outputs[2].data)
                        arguments.outputs[2].out<T>()[row] = static_cast<T>(inverse);
                }
            },
            traits);
    });
}

/// y = x / (bias + alpha / size * sum of x^2 over the neighbouring channels)^beta
Result<KernelPtr> createLocalResponse(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    const std::int64_t size = request.node.intAttribute("size", 0);
    if (shape.rank() < 2 || size < 1)
        return request.invalid("size " + std::to_string(size) + " over the channels of " + shape.toString());
    const AxisBlocks blocks(shape, 1);
    const double alpha = request.node.floatAttribute("alpha", 1e-4F);
    const double beta = request.node.floatAttribute("beta", 0.75F);
    const double bias = request.node.floatAttribute("bias", 1.0F);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [=](const KernelArguments& arguments) {
                blocks.forEachLine([&](std::int64_t start) {
                    const T* x = arguments.inputs[0].in<T>() + start;
                    T* y = arguments.outputs[0].out<T>() + start;
                    for (std::int64_t c = 0; c < blocks.extent; ++c) {
                        double squares = 0;
                        const std::int64_t last = std::min(blocks.extent - 1, c + size / 2);
                        for (std::int64_t k = std::max<std::int64_t>(0, c - (size - 1) / 2); k <= last; ++k)
                            squares
                                += static_cast<double>(x[k * blocks.inner]) * static_cast<double>(x[k * blocks.inner]);
                        const double divisor = std::pow(bias + alpha / static_cast<double>(size) * squares, beta);
                        y[c * blocks.inner] = static_cast<T>(static_cast<double>(x[c * blocks.inner]) / divisor);
                    }
                });
            },
            traits);
    });
}

constexpr std::array table {
    KernelRegistration { "BatchNormalization", viaFloat32<createBatch> },
    KernelRegistration { "InstanceNormalization", viaFloat32<createInstance> },
    KernelRegistration { "LayerNormalization", viaFloat32<createLayer> },
    KernelRegistration { "LRN", viaFloat32<createLocalResponse> },
};

} // namespace

std::span<const KernelRegistration> referenceNormalizationKernels() { return table; }

} // namespace quantoscope::engine
