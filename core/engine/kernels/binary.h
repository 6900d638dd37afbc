// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <type_traits>

#include "core/engine/kernels/loops.h"

namespace quantoscope::engine {

/// One row of y = op(a, b). The fast forms are written for float32 only; for the other types they would cost more
/// code than they are worth.
template <typename A, typename B, typename Out, typename Op>
void binaryRow(const A* a, std::int64_t aStride, const B* b, std::int64_t bStride, Out* y, std::int64_t yStride,
    std::int64_t n, Op op)
{
    if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float>) {
        if (yStride == 1 && aStride == 1 && bStride == 1) {
#pragma GCC ivdep
            for (std::int64_t i = 0; i < n; ++i)
                y[i] = op(a[i], b[i]);
            return;
        }
        if (yStride == 1 && aStride == 1 && bStride == 0) {
            const B scalar = *b;
#pragma GCC ivdep
            for (std::int64_t i = 0; i < n; ++i)
                y[i] = op(a[i], scalar);
            return;
        }
        if (yStride == 1 && aStride == 0 && bStride == 1) {
            const A scalar = *a;
#pragma GCC ivdep
            for (std::int64_t i = 0; i < n; ++i)
                y[i] = op(scalar, b[i]);
            return;
        }
    }
    for (std::int64_t i = 0; i < n; ++i)
        y[i * yStride] = op(a[i * aStride], b[i * bStride]);
}

/// y = op(a, b) over loops whose operands are a, b and y.
template <typename A, typename B, typename Out, typename Op>
void runBinary(const Loops<3>& loops, const A* a, const B* b, Out* y, Op op)
{
    const std::int64_t n = loops.rowExtent();
    const std::int64_t aStride = loops.rowStride(0);
    const std::int64_t bStride = loops.rowStride(1);
    const std::int64_t yStride = loops.rowStride(2);
    forEachRow(loops, [&](const std::array<std::int64_t, 3>& at) {
        binaryRow(a + at[0], aStride, b + at[1], bStride, y + at[2], yStride, n, op);
    });
}

/// Kernel for y = op(a, b) with broadcasting, inputs 0 and 1.
template <typename A, typename B, typename Out, typename Op>
Result<KernelPtr> makeBinary(const KernelRequest& request, Op op)
{
    QS_TRY(const auto loops, broadcastLoops(request, std::array<std::size_t, 2> { 0, 1 }));
    return makeKernel(
        [loops, op](const KernelArguments& arguments) {
            runBinary(
                loops, arguments.inputs[0].in<A>(), arguments.inputs[1].in<B>(), arguments.outputs[0].out<Out>(), op);
        },
        { .inPlaceInput = mayShareBuffer(request, 0) ? 0 : -1 });
}

/// An error unless inputs 0 and 1 have one element type.
inline Result<void> sameTypes(const KernelRequest& request)
{
    if (request.inputs[0].dtype == request.inputs[1].dtype)
        return {};
    return request.invalid("operands of types " + std::string(tensor::name(request.inputs[0].dtype)) + " and "
        + std::string(tensor::name(request.inputs[1].dtype)) + ", expected one type");
}

/// Integer division that is defined for every operand: x / 0 is 0 (ONNX leaves it open), lowest / -1 wraps.
template <typename T> T divide(T a, T b)
{
    if constexpr (std::is_floating_point_v<T>) {
        return a / b;
    } else {
        if (b == 0)
            return 0;
        if constexpr (std::is_signed_v<T>) {
            if (b == T(-1))
                return static_cast<T>(-static_cast<std::uint64_t>(a));
        }
        return static_cast<T>(a / b);
    }
}

} // namespace quantoscope::engine
