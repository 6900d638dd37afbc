// SPDX-License-Identifier: GPL-3.0-or-later
// Operators that only rename a tensor's shape, and those that ask for it.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/engine/kernels/support.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

/// The output is the input's bytes. run() is for planners that could not share the buffer.
KernelPtr makeAlias()
{
    return makeKernel(
        [](const KernelArguments& arguments) {
            const Buffer& from = arguments.inputs[0];
            const Buffer& to = arguments.outputs[0];
            if (from.data != to.data)
                std::memcpy(to.data, from.data, tensor::byteSize(to.dtype, static_cast<std::size_t>(to.size())));
        },
        { .inPlaceInput = 0, .alias = true, .implementation = "alias" });
}

Result<KernelPtr> createReshape(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    if (in.shape.size() != out.shape.size())
        return request.invalid(in.shape.toString() + " cannot become " + out.shape.toString());
    return makeAlias();
}

Result<KernelPtr> createDropout(const KernelRequest& request)
{
    if (request.has(2)) {
        const auto training = request.ints(2);
        if (!training || (!training->empty() && training->front() != 0))
            return request.unsupported("Dropout in training mode", "export the model for inference");
    }
    if (request.outputs.size() < 2 || !request.outputs[1].present)
        return makeAlias();
    return makeKernel([](const KernelArguments& arguments) {
        const Buffer& from = arguments.inputs[0];
        const Buffer& to = arguments.outputs[0];
        const Buffer& mask = arguments.outputs[1];
        const auto count = static_cast<std::size_t>(to.size());
        if (to.data)
            std::memcpy(to.data, from.data, tensor::byteSize(to.dtype, count));
        if (mask.dtype == DType::Float32) // opsets before 10
            std::fill_n(mask.out<float>(), count, 1.0F);
        else
            std::memset(mask.data, 1, count);
    });
}

Result<KernelPtr> createShape(const KernelRequest& request)
{
    const Shape& shape = request.inputs.front().shape;
    const std::int64_t rank = shape.rank();
    const auto bound = [rank](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
    const std::int64_t start = bound(request.node.intAttribute("start", 0));
    const std::int64_t end = std::max(start, bound(request.node.intAttribute("end", rank)));
    std::vector<std::int64_t> extents(shape.begin() + start, shape.begin() + end);
    if (request.outputs.front().shape.size() != static_cast<std::int64_t>(extents.size()))
        return request.invalid("output of shape " + request.outputs.front().shape.toString());
    return makeKernel([extents](const KernelArguments& arguments) {
        std::ranges::copy(extents, arguments.outputs[0].out<std::int64_t>());
    });
}

Result<KernelPtr> createSize(const KernelRequest& request)
{
    return makeKernel([size = request.inputs.front().shape.size()](
                          const KernelArguments& arguments) { *arguments.outputs[0].out<std::int64_t>() = size; });
}

/// Shape and Size do not look at the elements, so that any layout will do.
LayoutChoice ignoreInput(const KernelRequest& request)
{
    return { { request.inputs.front().layout }, { Layout::Plain } };
}

Result<KernelPtr> createCast(const KernelRequest& request)
{
    return makeKernel(
        [](const KernelArguments& arguments) {
            const Buffer& from = arguments.inputs[0];
            const Buffer& to = arguments.outputs[0];
            tensor::convertElements(from.dtype, from.data, to.dtype, to.data, from.size());
        },
        { .inPlaceInput = request.inputs[0].dtype == request.outputs[0].dtype && mayShareBuffer(request, 0) ? 0 : -1 });
}

constexpr std::array table {
    KernelRegistration { "Reshape", createReshape },
    KernelRegistration { "Flatten", createReshape },
    KernelRegistration { "Squeeze", createReshape },
    KernelRegistration { "Unsqueeze", createReshape },
    KernelRegistration { "Identity", createReshape, passThroughLayouts },
    KernelRegistration { "Dropout", createDropout },
    KernelRegistration { "Shape", createShape, ignoreInput },
    KernelRegistration { "Size", createSize, ignoreInput },
    KernelRegistration { "Cast", createCast, passThroughLayouts },
    KernelRegistration { "CastLike", createCast, passThroughLayouts },
};

} // namespace

std::span<const KernelRegistration> shapeKernels() { return table; }

} // namespace quantoscope::engine
