// SPDX-License-Identifier: GPL-3.0-or-later
// Gather and Scatter families. Indices count from the end where negative. A constant index outside the tensor is
// an error when the kernel is made; one that is computed is brought to the nearest element, since a running kernel
// cannot fail.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

std::int64_t product(const Shape& shape, int from, int to)
{
    std::int64_t n = 1;
    for (int axis = from; axis < to; ++axis)
        n *= shape[axis];
    return n;
}

std::int64_t indexAt(const Buffer& indices, std::int64_t i, std::int64_t extent)
{
    const std::int64_t raw
        = indices.dtype == DType::Int32 ? indices.in<std::int32_t>()[i] : indices.in<std::int64_t>()[i];
    return std::clamp<std::int64_t>(raw < 0 ? raw + extent : raw, 0, extent - 1);
}

/// Types and, where the indices are constant, their range: `extents` are cycled through.
Result<void> checkIndices(const KernelRequest& request, std::span<const std::int64_t> extents)
{
    const auto& operand = request.inputs[1];
    if (operand.dtype != DType::Int32 && operand.dtype != DType::Int64)
        return request.invalid("indices of type " + std::string(tensor::name(operand.dtype)));
    for (const std::int64_t extent : extents)
        if (extent == 0 && operand.shape.size() > 0)
            return request.invalid("indices into an empty axis");
    const auto known = request.ints(1);
    for (std::size_t i = 0; known && i < known->size(); ++i) {
        const std::int64_t extent = extents[i % extents.size()];
        if ((*known)[i] < -extent || (*known)[i] >= extent)
            return request.invalid("index " + std::to_string((*known)[i]) + " is outside an axis of "
                + std::to_string(extent) + " elements");
    }
    return {};
}

Result<KernelPtr> createGather(const KernelRequest& request)
{
    const Shape& shape = request.inputs.front().shape;
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs.front().dtype));
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 0), shape.rank()));
    const std::int64_t extent = shape[axis];
    QS_CHECK(checkIndices(request, { &extent, 1 }));
    const std::int64_t outer = product(shape, 0, axis);
    const auto block = static_cast<std::size_t>(product(shape, axis + 1, shape.rank())) * width;
    return makeKernel([=](const KernelArguments& arguments) {
        const Buffer& indices = arguments.inputs[1];
        const std::int64_t count = indices.size();
        const auto* from = arguments.inputs[0].in<std::byte>();
        auto* to = arguments.outputs[0].out<std::byte>();
        for (std::int64_t o = 0; o < outer; ++o) {
            for (std::int64_t i = 0; i < count; ++i, to += block) {
                const auto at = static_cast<std::size_t>(o * extent + indexAt(indices, i, extent));
                std::memcpy(to, from + at * block, block);
            }
        }
    });
}

/// Walks over indices [d0, d1, ...] and yields for each its offset in a tensor of `shape` with the coordinate along
/// `axis` replaced by the index.
struct ElementWalk {
    std::vector<std::int64_t> extents; ///< of the indices
    Strides strides; ///< of the tensor, 0 along `axis`
    std::int64_t axisExtent = 0;
    std::int64_t axisStride = 0;

    ElementWalk(const Shape& indices, const Shape& tensor, int axis)
        : extents(indices.dims())
        , strides(tensor.strides())
        , axisExtent(tensor[axis])
        , axisStride(strides[static_cast<std::size_t>(axis)])
    {
        strides[static_cast<std::size_t>(axis)] = 0;
    }

    /// visit(i, offset) for every index.
    template <typename Visit> void run(const Buffer& indices, Visit visit) const
    {
        const std::int64_t count = indices.size();
        for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t offset = indexAt(indices, i, axisExtent) * axisStride;
            std::int64_t rest = i;
            for (std::size_t d = extents.size(); d-- > 0; rest /= extents[d])
                offset += rest % extents[d] * strides[d];
            visit(i, offset);
        }
    }
};

Result<ElementWalk> elementWalk(const KernelRequest& request, std::int64_t defaultAxis)
{
    const Shape& shape = request.inputs.front().shape;
    const Shape& indices = request.inputs[1].shape;
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", defaultAxis), shape.rank()));
    const std::int64_t extent = shape[axis];
    QS_CHECK(checkIndices(request, { &extent, 1 }));
    if (indices.rank() != shape.rank())
        return request.invalid("indices " + indices.toString() + " for data " + shape.toString());
    for (int d = 0; d < shape.rank(); ++d)
        if (d != axis && indices[d] > shape[d])
            return request.invalid("indices " + indices.toString() + " exceed data " + shape.toString());
    return ElementWalk(indices, shape, axis);
}

Result<KernelPtr> createGatherElements(const KernelRequest& request)
{
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs.front().dtype));
    QS_TRY(const ElementWalk walk, elementWalk(request, 0));
    return makeKernel([walk, width](const KernelArguments& arguments) {
        withWidth(width, [&]<typename T>(Type<T>) {
            const T* from = arguments.inputs[0].in<T>();
            T* to = arguments.outputs[0].out<T>();
            walk.run(arguments.inputs[1], [&](std::int64_t i, std::int64_t offset) { to[i] = from[offset]; });
        });
    });
}

enum class Update { Replace, Add, Multiply, Max, Min };

Result<Update> readUpdate(const KernelRequest& request)
{
    const std::string reduction = request.node.stringAttribute("reduction", "none");
    constexpr std::array names { "none", "add", "mul", "max", "min" };
    const auto found = std::ranges::find(names, reduction);
    if (found == names.end())
        return request.invalid("reduction '" + reduction + "', expected none, add, mul, max or min");
    return static_cast<Update>(found - names.begin());
}

template <typename T> T updated(Update how, T old, T value)
{
    switch (how) {
    case Update::Add:
        return static_cast<T>(old + value);
    case Update::Multiply:
        return static_cast<T>(old * value);
    case Update::Max:
        return std::max(old, value);
    case Update::Min:
        return std::min(old, value);
    default:
        return value;
    }
}

/// Copies the data to the output unless they share a buffer.
void startFromData(const KernelArguments& arguments)
{
    const Buffer& to = arguments.outputs[0];
    if (to.data != arguments.inputs[0].data)
        std::memcpy(to.data, arguments.inputs[0].data, tensor::byteSize(to.dtype, static_cast<std::size_t>(to.size())));
}

/// Replacing needs the element's width only, so that every type is scattered; reductions compute.
template <typename Make> Result<KernelPtr> dispatchUpdate(const KernelRequest& request, Update how, Make make)
{
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs.front().dtype));
    if (request.inputs[2].dtype != request.inputs[0].dtype)
        return request.invalid("updates of another element type than the data");
    if (how == Update::Replace)
        return withWidth(width, [&]<typename T>(Type<T> type) { return make(type); });
    return dispatch(request, request.inputs.front().dtype, Numbers {}, make);
}

Result<KernelPtr> createScatterElements(const KernelRequest& request)
{
    QS_TRY(const Update how, readUpdate(request));
    QS_TRY(const ElementWalk walk, elementWalk(request, 0));
    if (request.inputs[2].shape != request.inputs[1].shape)
        return request.invalid(
            "updates " + request.inputs[2].shape.toString() + " for indices " + request.inputs[1].shape.toString());
    return dispatchUpdate(request, how, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        return makeKernel(
            [walk, how](const KernelArguments& arguments) {
                startFromData(arguments);
                const T* updates = arguments.inputs[2].in<T>();
                T* y = arguments.outputs[0].out<T>();
                walk.run(arguments.inputs[1],
                    [&](std::int64_t i, std::int64_t offset) { y[offset] = updated(how, y[offset], updates[i]); });
            },
            { .inPlaceInput = 0 });
    });
}

/// Tuples of indices that address blocks: what GatherND and ScatterND share.
struct TupleWalk {
    std::vector<std::int64_t> extents; ///< of the addressed axes
    Strides strides;
    std::int64_t batches = 1;
    std::int64_t batchStride = 0;
    std::int64_t tuplesPerBatch = 0;
    std::int64_t block = 1; ///< elements a tuple addresses

    /// visit(t, offset) for every tuple.
    template <typename Visit> void run(const Buffer& indices, Visit visit) const
    {
        const auto length = static_cast<std::int64_t>(extents.size());
        for (std::int64_t t = 0; t < batches * tuplesPerBatch; ++t) {
            std::int64_t offset = t / tuplesPerBatch * batchStride;
            for (std::size_t d = 0; d < extents.size(); ++d)
                offset += indexAt(indices, t * length + static_cast<std::int64_t>(d), extents[d]) * strides[d];
            visit(t, offset);
        }
    }
};

Result<TupleWalk> tupleWalk(const KernelRequest& request, std::int64_t batchDims)
{
    const Shape& data = request.inputs.front().shape;
    const Shape& indices = request.inputs[1].shape;
    if (indices.rank() < 1 || batchDims < 0 || batchDims >= std::min(data.rank(), indices.rank()))
        return request.invalid("indices " + indices.toString() + " for data " + data.toString());
    const auto lead = static_cast<int>(batchDims);
    const auto length = indices[indices.rank() - 1];
    if (length > data.rank() - lead)
        return request.invalid("tuples of " + std::to_string(length) + " indices into data " + data.toString());
    const auto end = lead + static_cast<int>(length);
    const Strides own = data.strides();
    TupleWalk walk;
    walk.batches = product(data, 0, lead);
    if (walk.batches != product(indices, 0, lead))
        return request.invalid("batch axes of " + indices.toString() + " and " + data.toString() + " differ");
    walk.batchStride = product(data, lead, data.rank());
    walk.tuplesPerBatch = product(indices, lead, indices.rank() - 1);
    walk.block = product(data, end, data.rank());
    for (int axis = lead; axis < end; ++axis) {
        walk.extents.push_back(data[axis]);
        walk.strides.push_back(own[static_cast<std::size_t>(axis)]);
    }
    if (!walk.extents.empty())
        QS_CHECK(checkIndices(request, walk.extents));
    return walk;
}

Result<KernelPtr> createGatherND(const KernelRequest& request)
{
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs.front().dtype));
    QS_TRY(const TupleWalk walk, tupleWalk(request, request.node.intAttribute("batch_dims", 0)));
    return makeKernel([walk, width](const KernelArguments& arguments) {
        const auto* from = arguments.inputs[0].in<std::byte>();
        auto* to = arguments.outputs[0].out<std::byte>();
        const auto bytes = static_cast<std::int64_t>(width);
        walk.run(arguments.inputs[1], [&](std::int64_t t, std::int64_t offset) {
            std::memcpy(
                to + t * walk.block * bytes, from + offset * bytes, static_cast<std::size_t>(walk.block * bytes));
        });
    });
}

Result<KernelPtr> createScatterND(const KernelRequest& request)
{
    QS_TRY(const Update how, readUpdate(request));
    QS_TRY(const TupleWalk walk, tupleWalk(request, 0));
    if (request.inputs[2].shape.size() != walk.tuplesPerBatch * walk.block)
        return request.invalid(
            "updates " + request.inputs[2].shape.toString() + " for indices " + request.inputs[1].shape.toString());
    return dispatchUpdate(request, how, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        return makeKernel(
            [walk, how](const KernelArguments& arguments) {
                startFromData(arguments);
                const T* updates = arguments.inputs[2].in<T>();
                T* y = arguments.outputs[0].out<T>();
                walk.run(arguments.inputs[1], [&](std::int64_t t, std::int64_t offset) {
                    for (std::int64_t i = 0; i < walk.block; ++i)
                        y[offset + i] = updated(how, y[offset + i], updates[t * walk.block + i]);
                });
            },
            { .inPlaceInput = 0 });
    });
}

constexpr std::array table {
    KernelRegistration { "Gather", createGather },
    KernelRegistration { "GatherElements", createGatherElements },
    KernelRegistration { "GatherND", createGatherND },
    KernelRegistration { "Scatter", viaFloat32<createScatterElements> },
    KernelRegistration { "ScatterElements", viaFloat32<createScatterElements> },
    KernelRegistration { "ScatterND", viaFloat32<createScatterND> },
};

} // namespace

std::span<const KernelRegistration> gatherKernels() { return table; }

} // namespace quantoscope::engine
