// SPDX-License-Identifier: GPL-3.0-or-later
// The Reduce operators. The input is read once in memory order, whatever its layout; floats accumulate in double.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/reduction_axes.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

template <typename T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double,
    std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;

/// Sums and products wrap for integers; formed unsigned, where that is defined.
template <typename A> A wrappingSum(A a, A b)
{
    if constexpr (std::is_floating_point_v<A>)
        return a + b;
    else
        return static_cast<A>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <typename A> A wrappingProduct(A a, A b)
{
    if constexpr (std::is_floating_point_v<A>)
        return a * b;
    else
        return static_cast<A>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

template <typename A> A lowest()
{
    return std::numeric_limits<A>::has_infinity ? -std::numeric_limits<A>::infinity()
                                                : std::numeric_limits<A>::lowest();
}

template <typename A> A highest()
{
    return std::numeric_limits<A>::has_infinity ? std::numeric_limits<A>::infinity() : std::numeric_limits<A>::max();
}

struct SumOp {
    template <typename A> static A start() { return 0; }
    template <typename A> static A step(A sum, A x) { return wrappingSum(sum, x); }
    template <typename A> static A finish(A sum, std::int64_t) { return sum; }
};
struct MeanOp : SumOp {
    template <typename A> static A finish(A sum, std::int64_t count)
    {
        return count ? static_cast<A>(sum / static_cast<A>(count)) : A(0);
    }
};
struct LogSumOp : SumOp {
    template <typename A> static A finish(A sum, std::int64_t)
    {
        return static_cast<A>(std::log(static_cast<double>(sum)));
    }
};
struct SumSquareOp : SumOp {
    template <typename A> static A step(A sum, A x) { return wrappingSum(sum, wrappingProduct(x, x)); }
};
struct L2Op : SumSquareOp {
    template <typename A> static A finish(A sum, std::int64_t)
    {
        return static_cast<A>(std::sqrt(static_cast<double>(sum)));
    }
};
struct L1Op : SumOp {
    template <typename A> static A step(A sum, A x) { return wrappingSum(sum, x < A(0) ? A(0) - x : x); }
};
struct ProdOp : SumOp {
    template <typename A> static A start() { return 1; }
    template <typename A> static A step(A product, A x) { return wrappingProduct(product, x); }
};
struct MaxOp : SumOp {
    template <typename A> static A start() { return lowest<A>(); }
    template <typename A> static A step(A max, A x) { return x > max || x != x ? x : max; }
};
struct MinOp : SumOp {
    template <typename A> static A start() { return highest<A>(); }
    template <typename A> static A step(A min, A x) { return x < min || x != x ? x : min; }
};

/// accumulators[y] = step(accumulators[y], x) for every element x; loops run over (x, y).
template <typename T, typename A, typename Step>
void accumulate(const Loops<2>& loops, const T* x, A* accumulators, Step step)
{
    const std::int64_t n = loops.rowExtent();
    const std::int64_t xs = loops.rowStride(0);
    const std::int64_t ys = loops.rowStride(1);
    forEachRow(loops, [&](const std::array<std::int64_t, 2>& at) {
        const T* from = x + at[0];
        A* to = accumulators + at[1];
        if (ys == 0) {
            A sum = *to;
            for (std::int64_t i = 0; i < n; ++i)
                sum = step(sum, static_cast<A>(from[i * xs]), at[1]);
            *to = sum;
        } else {
            for (std::int64_t i = 0; i < n; ++i)
                to[i * ys] = step(to[i * ys], static_cast<A>(from[i * xs]), at[1] + i * ys);
        }
    });
}

struct Reduction {
    Loops<2> loops;
    std::int64_t results = 1;
    std::int64_t perResult = 1;
};

Result<Reduction> makeReduction(const KernelRequest& request)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const auto axes, reductionAxes(request));
    Shape kept = in.shape;
    for (const int axis : axes)
        kept[axis] = 1;
    if (kept.size() != out.shape.size())
        return request.invalid("reduces to " + kept.toString() + ", but " + out.shape.toString() + " was inferred");
    Reduction reduction;
    reduction.results = kept.size();
    reduction.perResult = 1;
    for (const int axis : axes)
        reduction.perResult *= in.shape[axis];
    reduction.loops = makeLoops<2>(in.shape.dims(),
        { layoutStrides(in.shape, in.layout), broadcastStrides(kept, Layout::Plain, in.shape) },
        memoryOrder(in.shape.rank(), in.layout));
    return reduction;
}

template <typename Op> Result<KernelPtr> create(const KernelRequest& request)
{
    QS_CHECK(checkRanks(request));
    QS_TRY(const Reduction reduction, makeReduction(request));
    return dispatch(request, request.inputs[0].dtype, Numbers {}, [&]<typename T>(Type<T>) {
        using A = Accumulator<T>;
        return makeKernel(
            [reduction](const KernelArguments& arguments) {
                auto* accumulators = reinterpret_cast<A*>(arguments.scratch);
                std::fill_n(accumulators, reduction.results, Op::template start<A>());
                accumulate(reduction.loops, arguments.inputs[0].in<T>(), accumulators,
                    [](A sum, A x, std::int64_t) { return Op::template step<A>(sum, x); });
                T* y = arguments.outputs[0].out<T>();
                for (std::int64_t i = 0; i < reduction.results; ++i)
                    y[i] = static_cast<T>(Op::template finish<A>(accumulators[i], reduction.perResult));
            },
            { .scratchBytes = static_cast<std::size_t>(reduction.results) * sizeof(A) });
    });
}

/// log(sum(exp(x))) = m + log(sum(exp(x - m))) with m the largest x, which cannot overflow.
Result<KernelPtr> createLogSumExp(const KernelRequest& request)
{
    QS_CHECK(checkRanks(request));
    QS_TRY(const Reduction reduction, makeReduction(request));
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [reduction](const KernelArguments& arguments) {
                auto* largest = reinterpret_cast<double*>(arguments.scratch);
                auto* sums = largest + reduction.results;
                std::fill_n(largest, reduction.results, lowest<double>());
                std::fill_n(sums, reduction.results, 0.0);
                const T* x = arguments.inputs[0].in<T>();
                accumulate(reduction.loops, x, largest,
                    [](double max, double value, std::int64_t) { return MaxOp::step(max, value); });
                for (std::int64_t i = 0; i < reduction.results; ++i)
                    if (std::isinf(largest[i]))
                        largest[i] = 0; // infinity - infinity would be NaN
                accumulate(reduction.loops, x, sums, [largest](double sum, double value, std::int64_t at) {
                    return sum + std::exp(value - largest[at]);
                });
                T* y = arguments.outputs[0].out<T>();
                for (std::int64_t i = 0; i < reduction.results; ++i)
                    y[i] = static_cast<T>(largest[i] + std::log(sums[i]));
            },
            { .scratchBytes = static_cast<std::size_t>(reduction.results) * 2 * sizeof(double) });
    });
}

/// The input as it comes, the result Plain.
LayoutChoice reductionLayouts(const KernelRequest& request)
{
    LayoutChoice choice { std::vector<Layout>(request.inputs.size(), Layout::Plain), { Layout::Plain } };
    choice.inputs.front() = request.inputs.front().layout;
    return choice;
}

template <CreateFunction function> constexpr KernelRegistration entry(std::string_view name)
{
    return { name, viaFloat32<function>, reductionLayouts };
}

constexpr std::array table {
    entry<create<SumOp>>("ReduceSum"),
    entry<create<MeanOp>>("ReduceMean"),
    entry<create<ProdOp>>("ReduceProd"),
    entry<create<MaxOp>>("ReduceMax"),
    entry<create<MinOp>>("ReduceMin"),
    entry<create<L1Op>>("ReduceL1"),
    entry<create<L2Op>>("ReduceL2"),
    entry<create<SumSquareOp>>("ReduceSumSquare"),
    entry<create<LogSumOp>>("ReduceLogSum"),
    entry<createLogSumExp>("ReduceLogSumExp"),
};

} // namespace

std::span<const KernelRegistration> reductionKernels() { return table; }

} // namespace quantoscope::engine
