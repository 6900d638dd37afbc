// SPDX-License-Identifier: GPL-3.0-or-later
// CumSum, Trilu and ReverseSequence: element order along an axis or against a diagonal matters.
#include <algorithm>
#include <array>

#include "core/engine/kernels/axis_blocks.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

Result<KernelPtr> createCumSum(const KernelRequest& request)
{
    const auto given = request.ints(1);
    if (!given || given->size() != 1)
        return request.unsupported("CumSum along an axis that is not a constant");
    QS_TRY(const int axis, checkedAxis(request, given->front(), request.inputs[0].shape.rank()));
    const AxisBlocks blocks(request.inputs[0].shape, axis);
    const bool exclusive = request.node.intAttribute("exclusive", 0) != 0;
    const bool reverse = request.node.intAttribute("reverse", 0) != 0;
    return dispatch(request, request.inputs[0].dtype,
        Types<float, double, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t> {}, [&]<typename T>(Type<T>) {
            return makeKernel([=](const KernelArguments& arguments) {
                blocks.forEachLine([&](std::int64_t start) {
                    const T* x = arguments.inputs[0].in<T>() + start;
                    T* y = arguments.outputs[0].out<T>() + start;
                    std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t> sum = 0;
                    for (std::int64_t i = 0; i < blocks.extent; ++i) {
                        const std::int64_t at = (reverse ? blocks.extent - 1 - i : i) * blocks.inner;
                        const auto value = static_cast<decltype(sum)>(x[at]);
                        y[at] = static_cast<T>(exclusive ? sum : sum + value);
                        sum += value;
                    }
                });
            });
        });
}

Result<KernelPtr> createTrilu(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs[0].dtype));
    const auto diagonal = request.has(1) ? request.ints(1) : std::vector<std::int64_t> { 0 };
    if (!diagonal || diagonal->size() != 1)
        return request.unsupported("Trilu with a diagonal that is not a constant");
    if (shape.rank() < 2)
        return request.invalid("Trilu of shape " + shape.toString() + ", expected matrices");
    const bool upper = request.node.intAttribute("upper", 1) != 0;
    const std::int64_t rows = shape[shape.rank() - 2];
    const std::int64_t columns = shape[shape.rank() - 1];
    return withWidth(width, [&]<typename T>(Type<T>) {
        return makeKernel([=, k = diagonal->front()](const KernelArguments& arguments) {
            const T* x = arguments.inputs[0].in<T>();
            T* y = arguments.outputs[0].out<T>();
            const std::int64_t count = arguments.outputs[0].size();
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t aboveDiagonal = i % columns - i / columns % rows - k;
                y[i] = (upper ? aboveDiagonal >= 0 : aboveDiagonal <= 0) ? x[i] : T(0);
            }
        });
    });
}

Result<KernelPtr> createReverseSequence(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs[0].dtype));
    const std::int64_t batchAxis = request.node.intAttribute("batch_axis", 1);
    const std::int64_t timeAxis = request.node.intAttribute("time_axis", 0);
    if (shape.rank() < 2 || batchAxis < 0 || batchAxis > 1 || timeAxis != 1 - batchAxis
        || request.inputs[1].shape != Shape { shape[static_cast<int>(batchAxis)] })
        return request.invalid("batch_axis and time_axis must be 0 and 1, with one length a batch item");
    const Strides strides = shape.strides();
    const std::int64_t batchStride = strides[static_cast<std::size_t>(batchAxis)];
    const std::int64_t timeStride = strides[static_cast<std::size_t>(timeAxis)];
    const std::int64_t batches = shape[static_cast<int>(batchAxis)];
    const std::int64_t times = shape[static_cast<int>(timeAxis)];
    const auto block = static_cast<std::size_t>(std::min(batchStride, timeStride)) * width;
    return makeKernel([=](const KernelArguments& arguments) {
        const auto* x = arguments.inputs[0].in<std::byte>();
        auto* y = arguments.outputs[0].out<std::byte>();
        for (std::int64_t b = 0; b < batches; ++b) {
            const std::int64_t length = std::clamp<std::int64_t>(arguments.inputs[1].in<std::int64_t>()[b], 0, times);
            for (std::int64_t t = 0; t < times; ++t) {
                const std::int64_t source = t < length ? length - 1 - t : t;
                const auto place = [&](std::int64_t time) {
                    return static_cast<std::size_t>(b * batchStride + time * timeStride) * width;
                };
                std::copy_n(x + place(source), block, y + place(t));
            }
        }
    });
}

constexpr std::array table {
    KernelRegistration { "CumSum", viaFloat32<createCumSum> },
    KernelRegistration { "Trilu", createTrilu },
    KernelRegistration { "ReverseSequence", createReverseSequence },
};

} // namespace

std::span<const KernelRegistration> scanKernels() { return table; }

} // namespace quantoscope::engine
