// SPDX-License-Identifier: GPL-3.0-or-later
// Comparisons, logic and selection: results or conditions of type bool.
#include <array>

#include "core/engine/kernels/binary.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

struct Equal {
    template <typename T> bool operator()(T a, T b) const { return a == b; }
};
struct Less {
    template <typename T> bool operator()(T a, T b) const { return a < b; }
};
struct LessOrEqual {
    template <typename T> bool operator()(T a, T b) const { return a <= b; }
};
struct Greater {
    template <typename T> bool operator()(T a, T b) const { return a > b; }
};
struct GreaterOrEqual {
    template <typename T> bool operator()(T a, T b) const { return a >= b; }
};
struct And {
    bool operator()(std::uint8_t a, std::uint8_t b) const { return a && b; }
};
struct Or {
    bool operator()(std::uint8_t a, std::uint8_t b) const { return a || b; }
};
struct Xor {
    bool operator()(std::uint8_t a, std::uint8_t b) const { return (a != 0) != (b != 0); }
};

template <typename Op> Result<KernelPtr> createComparison(const KernelRequest& request)
{
    QS_CHECK(sameTypes(request));
    return dispatch(request, request.inputs[0].dtype, Numbers {},
        [&]<typename T>(Type<T>) { return makeBinary<T, T, std::uint8_t>(request, Op {}); });
}

template <typename Op> Result<KernelPtr> createLogical(const KernelRequest& request)
{
    if (request.inputs[0].dtype != DType::Bool || request.inputs[1].dtype != DType::Bool)
        return request.invalid("logical operands must be bool");
    QS_CHECK(checkRanks(request));
    return makeBinary<std::uint8_t, std::uint8_t, std::uint8_t>(request, Op {});
}

/// Only moves elements, so that the width of the type is all that matters.
Result<KernelPtr> createWhere(const KernelRequest& request)
{
    if (request.inputs[0].dtype != DType::Bool || request.inputs[1].dtype != request.inputs[2].dtype)
        return request.invalid("Where wants a bool condition and two operands of one type");
    QS_TRY(const std::size_t width, elementWidth(request, request.inputs[1].dtype));
    QS_TRY(const auto loops, broadcastLoops(request, std::array<std::size_t, 3> { 0, 1, 2 }));
    return withWidth(width, [&]<typename T>(Type<T>) {
        return makeKernel([loops](const KernelArguments& arguments) {
            const auto* condition = arguments.inputs[0].in<std::uint8_t>();
            const T* x = arguments.inputs[1].in<T>();
            const T* y = arguments.inputs[2].in<T>();
            T* out = arguments.outputs[0].out<T>();
            forEachRow(loops, [&](const std::array<std::int64_t, 4>& at) {
                for (std::int64_t i = 0; i < loops.rowExtent(); ++i)
                    out[at[3] + i * loops.rowStride(3)] = condition[at[0] + i * loops.rowStride(0)]
                        ? x[at[1] + i * loops.rowStride(1)]
                        : y[at[2] + i * loops.rowStride(2)];
            });
        });
    });
}

template <CreateFunction create> constexpr KernelRegistration entry(std::string_view name)
{
    return { name, viaFloat32<create>, elementwiseLayouts };
}

constexpr std::array table {
    entry<createComparison<Equal>>("Equal"),
    entry<createComparison<Less>>("Less"),
    entry<createComparison<LessOrEqual>>("LessOrEqual"),
    entry<createComparison<Greater>>("Greater"),
    entry<createComparison<GreaterOrEqual>>("GreaterOrEqual"),
    entry<createLogical<And>>("And"),
    entry<createLogical<Or>>("Or"),
    entry<createLogical<Xor>>("Xor"),
    KernelRegistration { "Where", createWhere, elementwiseLayouts },
};

} // namespace

std::span<const KernelRegistration> comparisonKernels() { return table; }

} // namespace quantoscope::engine
