// SPDX-License-Identifier: GPL-3.0-or-later
// Element-wise arithmetic of two operands with broadcasting.
#include <array>
#include <cmath>

#include "core/engine/kernels/binary.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/vectors/quantized_sum.h"

namespace quantoscope::engine {

namespace {

// Integers wrap: the sum is formed in an unsigned type, where overflow is defined.
template <typename T>
using Wrapping = std::conditional_t<std::is_floating_point_v<T>, T,
    std::conditional_t<(sizeof(T) < 8), std::uint32_t, std::uint64_t>>;

struct Add {
    template <typename T> T operator()(T a, T b) const { return static_cast<T>(Wrapping<T>(a) + Wrapping<T>(b)); }
};
struct Sub {
    template <typename T> T operator()(T a, T b) const { return static_cast<T>(Wrapping<T>(a) - Wrapping<T>(b)); }
};
struct Mul {
    template <typename T> T operator()(T a, T b) const { return static_cast<T>(Wrapping<T>(a) * Wrapping<T>(b)); }
};
struct Div {
    template <typename T> T operator()(T a, T b) const { return divide(a, b); }
};
struct PRelu {
    template <typename T> T operator()(T x, T slope) const { return x < T(0) ? static_cast<T>(x * slope) : x; }
};
/// Sign of the divisor (Python's %).
struct Mod {
    template <typename T> T operator()(T a, T b) const
    {
        if (b == 0)
            return 0;
        if constexpr (std::is_signed_v<T>) {
            if (b == T(-1))
                return 0;
            const T rest = static_cast<T>(a % b);
            return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
        } else {
            return static_cast<T>(a % b);
        }
    }
};
/// Sign of the dividend (C's fmod).
struct Fmod {
    template <typename T> T operator()(T a, T b) const
    {
        if constexpr (std::is_floating_point_v<T>)
            return std::fmod(a, b);
        else
            return b == 0 || (std::is_signed_v<T> && b == T(-1)) ? T(0) : static_cast<T>(a % b);
    }
};

template <typename Op, typename Supported> Result<KernelPtr> create(const KernelRequest& request)
{
    QS_CHECK(sameTypes(request));
    return dispatch(request, request.inputs[0].dtype, Supported {},
        [&]<typename T>(Type<T>) { return makeBinary<T, T, T>(request, Op {}); });
}

/// Add, with a Relu or Clip and a quantizer behind it computed in the same pass.
Result<KernelPtr> createAdd(const KernelRequest& request)
{
    if (request.outputQuantizer)
        return makeQuantizedSum(request);
    if (!request.activation)
        return create<Add, Numbers>(request);
    QS_CHECK(sameTypes(request));
    if (request.inputs[0].dtype != DType::Float32)
        return request.unsupported("a fused activation on " + std::string(tensor::name(request.inputs[0].dtype)));
    return makeBinary<float, float, float>(request, [clamp = *request.activation](float a, float b) {
        const float sum = a + b;
        const float atLeast = sum < clamp.low ? clamp.low : sum;
        return atLeast > clamp.high ? clamp.high : atLeast;
    });
}

Result<KernelPtr> createMod(const KernelRequest& request)
{
    if (request.node.intAttribute("fmod", 0) != 0)
        return create<Fmod, Numbers>(request);
    if (tensor::isFloating(request.inputs[0].dtype))
        return request.invalid("Mod of floating-point operands with fmod = 0", "set the attribute fmod to 1");
    return create<Mod, Integers>(request);
}

/// Float to integer where the value may not fit: saturates, NaN is 0.
template <typename T> T fromDouble(double value)
{
    if constexpr (std::is_floating_point_v<T>) {
        return static_cast<T>(value);
    } else {
        if (std::isnan(value))
            return 0;
        if (value >= static_cast<double>(std::numeric_limits<T>::max()))
            return std::numeric_limits<T>::max();
        if (value <= static_cast<double>(std::numeric_limits<T>::lowest()))
            return std::numeric_limits<T>::lowest();
        return static_cast<T>(value);
    }
}

struct Pow {
    template <typename A, typename B> A operator()(A base, B exponent) const
    {
        if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float>)
            return std::pow(base, exponent);
        else
            return fromDouble<A>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
};

template <typename Base> Result<KernelPtr> createPowOf(const KernelRequest& request)
{
    const auto exponent = request.inputs[1].shape.size() == 1 ? request.doubles(1) : std::nullopt;
    if (exponent && exponent->front() == 2.0)
        return makeBinary<Base, Base, Base>(request, [](Base x, auto) { return Mul {}(x, x); });
    return dispatch(request, request.inputs[1].dtype, Numbers {},
        [&]<typename E>(Type<E>) { return makeBinary<Base, E, Base>(request, Pow {}); });
}

Result<KernelPtr> createPow(const KernelRequest& request)
{
    return dispatch(request, request.inputs[0].dtype, Types<float, double, std::int32_t, std::int64_t> {},
        [&]<typename T>(Type<T>) { return createPowOf<T>(request); });
}

Result<KernelPtr> createBitShift(const KernelRequest& request)
{
    const std::string direction = request.node.stringAttribute("direction", "");
    if (direction != "LEFT" && direction != "RIGHT")
        return request.invalid("attribute 'direction' is '" + direction + "', expected 'LEFT' or 'RIGHT'");
    QS_CHECK(sameTypes(request));
    return dispatch(request, request.inputs[0].dtype, UnsignedIntegers {}, [&]<typename T>(Type<T>) {
        return makeBinary<T, T, T>(request, [left = direction == "LEFT"](T value, T bits) {
            if (bits >= std::numeric_limits<T>::digits)
                return T(0);
            return static_cast<T>(left ? static_cast<std::uint64_t>(value) << bits : value >> bits);
        });
    });
}

constexpr std::array table {
    KernelRegistration { "Add", viaFloat32<createAdd>, elementwiseLayouts, true, quantizedSumSuits },
    KernelRegistration { "Sub", viaFloat32<create<Sub, Numbers>>, elementwiseLayouts },
    KernelRegistration { "Mul", viaFloat32<create<Mul, Numbers>>, elementwiseLayouts },
    KernelRegistration { "Div", viaFloat32<create<Div, Numbers>>, elementwiseLayouts },
    KernelRegistration { "PRelu", viaFloat32<create<PRelu, Numbers>>, elementwiseLayouts },
    KernelRegistration { "Pow", viaFloat32<createPow>, elementwiseLayouts },
    KernelRegistration { "Mod", viaFloat32<createMod>, elementwiseLayouts },
    KernelRegistration { "BitShift", createBitShift, elementwiseLayouts },
};

} // namespace

std::span<const KernelRegistration> arithmeticKernels() { return table; }

} // namespace quantoscope::engine
