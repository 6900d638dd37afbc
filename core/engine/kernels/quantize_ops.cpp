// SPDX-License-Identifier: GPL-3.0-or-later
// QuantizeLinear and DequantizeLinear: per tensor, per axis and blocked, to and from 2 to 16 bits (32 for Dequantize).
#include <array>
#include <cmath>
#include <memory>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/vector_math.h"

namespace quantoscope::engine {

namespace {

/// Loops over (data, parameters, result); a blocked axis whose extent the block does not divide takes two nests.
struct QuantizeLoops {
    struct Nest {
        Loops<3> loops;
        std::array<std::int64_t, 3> start {};
    };
    std::vector<Nest> nests;
};

Result<QuantizeLoops> perAxisLoops(const KernelRequest& request)
{
    const auto& x = request.inputs[0];
    const auto& scale = request.inputs[1];
    Strides parameters(static_cast<std::size_t>(x.shape.rank()), 0);
    if (scale.shape.size() != 1) {
        QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 1), x.shape.rank()));
        if (scale.shape != Shape { x.shape[axis] })
            return request.invalid("scale of shape " + scale.shape.toString() + " for axis " + std::to_string(axis)
                + " of " + x.shape.toString());
        parameters[static_cast<std::size_t>(axis)] = 1;
    }
    const auto& y = request.outputs[0];
    const auto loops = makeLoops<3>(x.shape.dims(),
        { layoutStrides(x.shape, x.layout), parameters, layoutStrides(y.shape, y.layout) },
        memoryOrder(y.shape.rank(), y.layout));
    return QuantizeLoops { { { loops, {} } } };
}

/// The blocked axis becomes two: the block, which takes a step in the parameters, and the place in it, which does not.
Result<QuantizeLoops> blockedLoops(const KernelRequest& request, std::int64_t block)
{
    const Shape& shape = request.inputs[0].shape;
    const Shape& scale = request.inputs[1].shape;
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 1), shape.rank()));
    Shape expected = shape;
    expected[axis] = (shape[axis] + block - 1) / block;
    if (scale != expected)
        return request.invalid("scale of shape " + scale.toString() + ", expected " + expected.toString()
            + " for blocks of " + std::to_string(block));
    if (shape.rank() == largestRank)
        return request.unsupported("blocks in a tensor of rank " + std::to_string(largestRank));
    const auto split = [axis](std::vector<std::int64_t> values, std::int64_t outer, std::int64_t inner) {
        values[static_cast<std::size_t>(axis)] = inner;
        values.insert(values.begin() + axis, outer);
        return values;
    };
    const auto data = layoutStrides(shape, request.inputs[0].layout);
    const auto result = layoutStrides(shape, request.outputs[0].layout);
    const auto parameters = scale.strides();
    const auto a = static_cast<std::size_t>(axis);
    const std::array<Strides, 3> strides { split(data, data[a] * block, data[a]), split(parameters, parameters[a], 0),
        split(result, result[a] * block, result[a]) };
    const auto order = memoryOrder(shape.rank() + 1, Layout::Plain);
    const std::int64_t whole = shape[axis] / block;
    QuantizeLoops loops;
    loops.nests.push_back({ makeLoops<3>(split(shape.dims(), whole, block), strides, order), {} });
    if (const std::int64_t rest = shape[axis] % block)
        loops.nests.push_back({ makeLoops<3>(split(shape.dims(), 1, rest), strides, order),
            { data[a] * block * whole, parameters[a] * whole, result[a] * block * whole } });
    return loops;
}

/// Scales and zero points as the loops want them, float32 and int32: converted once where they are constant, at every
/// run otherwise.
class Parameters {
public:
    explicit Parameters(const KernelRequest& request)
        : m_count(request.inputs[1].shape.size())
        , m_hasZero(request.has(2))
    {
        const bool known = request.inputs[1].constant && (!m_hasZero || request.inputs[2].constant);
        if (!known)
            return;
        auto values = std::make_shared<Values>();
        values->scale = tensor::convert(request.inputs[1].constant->view(), DType::Float32);
        values->zero = m_hasZero ? tensor::convert(request.inputs[2].constant->view(), DType::Int32)
                                 : Tensor(DType::Int32, request.inputs[1].shape);
        m_known = std::move(values);
    }

    std::size_t scratchBytes() const
    {
        return m_known ? 0
                       : (static_cast<std::size_t>(m_count) * (sizeof(float) + sizeof(std::int32_t)) + 63) / 64 * 64;
    }

    struct Pointers {
        const float* scale;
        const std::int32_t* zero;
    };
    Pointers get(const KernelArguments& arguments) const
    {
        if (m_known)
            return { m_known->scale.as<float>().data(), m_known->zero.as<std::int32_t>().data() };
        auto* scale = reinterpret_cast<float*>(arguments.scratch);
        auto* zero = reinterpret_cast<std::int32_t*>(scale + m_count);
        const Buffer& scales = arguments.inputs[1];
        tensor::convertElements(scales.dtype, scales.data, DType::Float32, scale, m_count);
        if (m_hasZero)
            tensor::convertElements(arguments.inputs[2].dtype, arguments.inputs[2].data, DType::Int32, zero, m_count);
        else
            std::fill_n(zero, m_count, 0);
        return { scale, zero };
    }

private:
    struct Values {
        Tensor scale;
        Tensor zero;
    };
    std::int64_t m_count;
    bool m_hasZero;
    std::shared_ptr<const Values> m_known;
};

/// What both operators check and prepare.
struct Prepared {
    QuantizeLoops loops;
    Parameters parameters;
};

Result<Prepared> prepare(const KernelRequest& request)
{
    QS_CHECK(checkRanks(request));
    if (request.inputs[1].dtype != DType::Float32)
        return request.unsupported("scale of type " + std::string(tensor::name(request.inputs[1].dtype)));
    if (request.has(2) && request.inputs[2].shape.size() != request.inputs[1].shape.size())
        return request.invalid("zero point of shape " + request.inputs[2].shape.toString() + " for a scale of shape "
            + request.inputs[1].shape.toString());
    const std::int64_t block = request.node.intAttribute("block_size", 0);
    if (block < 0)
        return request.invalid("block_size " + std::to_string(block));
    QS_TRY(auto loops, block > 0 ? blockedLoops(request, block) : perAxisLoops(request));
    return Prepared { std::move(loops), Parameters(request) };
}

/// Calls row(x, scale, zero, parameterStride, y, n) for every row of every nest; rows of data and result are dense or
/// strided as `loops` says.
template <typename X, typename Y, typename Element>
void forEachElement(
    const QuantizeLoops& loops, const X* x, const Parameters::Pointers& parameters, Y* y, Element element)
{
    for (const auto& nest : loops.nests) {
        const std::int64_t n = nest.loops.rowExtent();
        const std::int64_t xs = nest.loops.rowStride(0);
        const std::int64_t ps = nest.loops.rowStride(1);
        const std::int64_t ys = nest.loops.rowStride(2);
        forEachRow(nest.loops, [&](const std::array<std::int64_t, 3>& at) {
            const X* from = x + nest.start[0] + at[0];
            const float* scale = parameters.scale + nest.start[1] + at[1];
            const std::int32_t* zero = parameters.zero + nest.start[1] + at[1];
            Y* to = y + nest.start[2] + at[2];
            if (ps == 0 && xs == 1 && ys == 1) {
                const float s = *scale;
                const auto z = static_cast<float>(*zero);
                for (std::int64_t i = 0; i < n; ++i)
                    to[i] = element(from[i], s, z, *zero);
            } else {
                for (std::int64_t i = 0; i < n; ++i)
                    to[i * ys] = element(from[i * xs], scale[i * ps], static_cast<float>(zero[i * ps]), zero[i * ps]);
            }
        });
    }
}

/// Where a packed result is first formed, a byte an element.
DType unpacked(DType dtype)
{
    if (!tensor::isPacked(dtype))
        return dtype;
    return tensor::isSigned(dtype) ? DType::Int8 : DType::UInt8;
}

std::size_t unpackedBytes(const OperandInfo& operand)
{
    return tensor::isPacked(operand.dtype) ? static_cast<std::size_t>(operand.shape.size()) : 0;
}

template <typename X, typename Q> KernelPtr makeQuantize(const KernelRequest& request, const Prepared& prepared)
{
    const DType target = request.outputs[0].dtype;
    const int bits = tensor::bitWidth(target);
    const bool isSigned = tensor::isSigned(target);
    const auto low = static_cast<float>(isSigned ? -(1 << (bits - 1)) : 0);
    const auto high = static_cast<float>((1 << (isSigned ? bits - 1 : bits)) - 1);
    const auto run = [=](const KernelArguments& arguments) {
        const Buffer& to = arguments.outputs[0];
        const bool packs = tensor::isPacked(to.dtype);
        auto* q = packs ? reinterpret_cast<Q*>(arguments.scratch + prepared.parameters.scratchBytes()) : to.out<Q>();
        forEachElement(prepared.loops, arguments.inputs[0].in<X>(), prepared.parameters.get(arguments), q,
            [low, high](X x, float scale, float zero, std::int32_t) {
                // Bounded where it saturates anyway, so that the bias rounds it; NaN becomes the lowest value.
                constexpr float bound = 0x1p20F;
                const float ratio = static_cast<float>(x) / scale;
                const float atLeast = ratio > -bound ? ratio : -bound;
                const float bounded = atLeast < bound ? atLeast : bound;
                const float level = ((bounded + roundingBias) - roundingBias) + zero;
                return static_cast<Q>(static_cast<std::int32_t>(level > low ? (level < high ? level : high) : low));
            });
        if (packs)
            tensor::convertElements(unpacked(to.dtype), q, to.dtype, to.data, to.size());
    };
    return makeKernel(run, { .scratchBytes = prepared.parameters.scratchBytes() + unpackedBytes(request.outputs[0]) });
}

Result<KernelPtr> createQuantize(const KernelRequest& request)
{
    if (request.has(2) && request.inputs[2].dtype != request.outputs[0].dtype)
        return request.invalid("zero point of another type than the output");
    QS_TRY(const auto prepared, prepare(request));
    return dispatch(request, request.inputs[0].dtype, Types<float, std::int32_t> {}, [&]<typename X>(Type<X>) {
        return dispatch(request, unpacked(request.outputs[0].dtype),
            Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t> {},
            [&]<typename Q>(Type<Q>) -> Result<KernelPtr> { return makeQuantize<X, Q>(request, prepared); });
    });
}

template <typename Q> KernelPtr makeDequantize(const KernelRequest& request, const Prepared& prepared)
{
    const auto run = [=](const KernelArguments& arguments) {
        const Buffer& from = arguments.inputs[0];
        const Q* q = from.in<Q>();
        if (tensor::isPacked(from.dtype)) {
            auto* bytes = reinterpret_cast<Q*>(arguments.scratch + prepared.parameters.scratchBytes());
            tensor::convertElements(from.dtype, from.data, unpacked(from.dtype), bytes, from.size());
            q = bytes;
        }
        // The difference of 32-bit values needs more bits than a float has.
        forEachElement(prepared.loops, q, prepared.parameters.get(arguments), arguments.outputs[0].out<float>(),
            [](Q x, float scale, float, std::int32_t zero) {
                if constexpr (sizeof(Q) < 4)
                    return static_cast<float>(static_cast<std::int32_t>(x) - zero) * scale;
                else
                    return static_cast<float>(static_cast<std::int64_t>(x) - zero) * scale;
            });
    };
    return makeKernel(run, { .scratchBytes = prepared.parameters.scratchBytes() + unpackedBytes(request.inputs[0]) });
}

Result<KernelPtr> createDequantize(const KernelRequest& request)
{
    if (request.has(2) && request.inputs[2].dtype != request.inputs[0].dtype)
        return request.invalid("zero point of another type than the data");
    if (request.outputs[0].dtype != DType::Float32)
        return request.unsupported("dequantizing to " + std::string(tensor::name(request.outputs[0].dtype)));
    QS_TRY(const auto prepared, prepare(request));
    return dispatch(request, unpacked(request.inputs[0].dtype),
        Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t> {},
        [&]<typename Q>(Type<Q>) -> Result<KernelPtr> { return makeDequantize<Q>(request, prepared); });
}

/// Packed elements share bytes, so that they are only written and read in row-major order.
LayoutChoice quantizeLayouts(const KernelRequest& request)
{
    LayoutChoice choice = passThroughLayouts(request);
    if (tensor::isPacked(request.inputs[0].dtype) || tensor::isPacked(request.outputs[0].dtype))
        choice.inputs[0] = choice.outputs[0] = Layout::Plain;
    return choice;
}

constexpr std::array table {
    KernelRegistration { "QuantizeLinear", viaFloat32<createQuantize>, quantizeLayouts },
    KernelRegistration { "DequantizeLinear", viaFloat32<createDequantize>, quantizeLayouts },
};

} // namespace

std::span<const KernelRegistration> quantizeKernels() { return table; }

} // namespace quantoscope::engine
