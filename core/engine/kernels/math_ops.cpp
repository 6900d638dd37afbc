// SPDX-License-Identifier: GPL-3.0-or-later
// Element-wise mathematics of one operand: Abs to Tanh, rounding, trigonometry, tests for NaN and infinity.
#include <array>
#include <cmath>
#include <cstdlib>

#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/unary.h"
#include "core/engine/kernels/vector_math.h"

namespace quantoscope::engine {

namespace {

#define QS_UNARY(Name, expression)                                                                                     \
    struct Name {                                                                                                      \
        template <typename T> T operator()(T x) const { return static_cast<T>(expression); }                           \
    }

QS_UNARY(Abs, x < T(0) ? T(0) - x : x + T(0)); // the sum turns -0 into 0
QS_UNARY(Neg, T(0) - x);
QS_UNARY(Exp, exponential(x));
QS_UNARY(Log, std::log(x));
QS_UNARY(Sqrt, std::sqrt(x));
QS_UNARY(Reciprocal, T(1) / x);
QS_UNARY(Floor, std::floor(x));
QS_UNARY(Ceil, std::ceil(x));
QS_UNARY(RoundHalfEven, std::nearbyint(x));
QS_UNARY(Erf, std::erf(x));
QS_UNARY(Sin, std::sin(x));
QS_UNARY(Cos, std::cos(x));
QS_UNARY(Tan, std::tan(x));
QS_UNARY(Asin, std::asin(x));
QS_UNARY(Acos, std::acos(x));
QS_UNARY(Atan, std::atan(x));
QS_UNARY(Sinh, std::sinh(x));
QS_UNARY(Cosh, std::cosh(x));
QS_UNARY(Asinh, std::asinh(x));
QS_UNARY(Acosh, std::acosh(x));
QS_UNARY(Atanh, std::atanh(x));
#undef QS_UNARY

struct Sign {
    template <typename T> T operator()(T x) const
    {
        if constexpr (std::is_floating_point_v<T>) {
            if (std::isnan(x))
                return x;
        }
        return static_cast<T>(static_cast<int>(x > T(0)) - static_cast<int>(x < T(0)));
    }
};

template <typename Op, typename Supported> Result<KernelPtr> create(const KernelRequest& request)
{
    return dispatch(request, request.inputs[0].dtype, Supported {},
        [&]<typename T>(Type<T>) -> Result<KernelPtr> { return makeUnary<T>(request, Op {}); });
}

Result<KernelPtr> createNot(const KernelRequest& request)
{
    if (request.inputs[0].dtype != DType::Bool)
        return request.unsupported("Not of element type " + std::string(tensor::name(request.inputs[0].dtype)));
    return makeUnary<std::uint8_t>(request, [](std::uint8_t x) { return x == 0; });
}

Result<KernelPtr> createIsNaN(const KernelRequest& request)
{
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        return makeUnary<T, std::uint8_t>(request, [](T x) { return std::isnan(x); });
    });
}

Result<KernelPtr> createIsInf(const KernelRequest& request)
{
    const bool positive = request.node.intAttribute("detect_positive", 1) != 0;
    const bool negative = request.node.intAttribute("detect_negative", 1) != 0;
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        return makeUnary<T, std::uint8_t>(
            request, [=](T x) { return std::isinf(x) && (x > T(0) ? positive : negative); });
    });
}

template <typename Op, typename Supported> constexpr KernelRegistration entry(std::string_view name)
{
    return { name, viaFloat32<create<Op, Supported>>, elementwiseLayouts };
}

constexpr std::array table {
    entry<Abs, Numbers>("Abs"),
    entry<Neg, SignedNumbers>("Neg"),
    entry<Exp, Floats>("Exp"),
    entry<Log, Floats>("Log"),
    entry<Sqrt, Floats>("Sqrt"),
    entry<Reciprocal, Floats>("Reciprocal"),
    entry<Floor, Floats>("Floor"),
    entry<Ceil, Floats>("Ceil"),
    entry<RoundHalfEven, Floats>("Round"),
    entry<Sign, Numbers>("Sign"),
    entry<Erf, Floats>("Erf"),
    entry<Sin, Floats>("Sin"),
    entry<Cos, Floats>("Cos"),
    entry<Tan, Floats>("Tan"),
    entry<Asin, Floats>("Asin"),
    entry<Acos, Floats>("Acos"),
    entry<Atan, Floats>("Atan"),
    entry<Sinh, Floats>("Sinh"),
    entry<Cosh, Floats>("Cosh"),
    entry<Asinh, Floats>("Asinh"),
    entry<Acosh, Floats>("Acosh"),
    entry<Atanh, Floats>("Atanh"),
    KernelRegistration { "Not", createNot, elementwiseLayouts },
    KernelRegistration { "IsNaN", viaFloat32<createIsNaN>, elementwiseLayouts },
    KernelRegistration { "IsInf", viaFloat32<createIsInf>, elementwiseLayouts },
};

} // namespace

std::span<const KernelRegistration> mathKernels() { return table; }

} // namespace quantoscope::engine
