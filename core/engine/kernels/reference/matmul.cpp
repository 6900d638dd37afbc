// SPDX-License-Identifier: GPL-3.0-or-later
// MatMul and Gemm as their definitions say.
#include <array>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

using MatrixTypes = Types<float, double, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>;

/// Integers wrap, as unsigned ones are defined to.
template <typename T> using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

/// A shape with its last two axes those of a matrix: a vector is a row on the left, a column on the right.
Shape asMatrices(const Shape& shape, bool left)
{
    if (shape.rank() != 1)
        return shape;
    return left ? Shape { 1, shape[0] } : Shape { shape[0], 1 };
}

struct MatMulPlan {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t depth = 0;
    std::vector<std::int64_t> batches;
    Strides left; ///< of the batch axes, 0 where broadcast
    Strides right;
};

Result<MatMulPlan> planMatMul(const KernelRequest& request)
{
    const Shape& given = request.inputs[0].shape;
    const Shape& other = request.inputs[1].shape;
    const auto mismatch
        = [&] { return request.invalid(given.toString() + " and " + other.toString() + " cannot be multiplied"); };
    if (given.rank() == 0 || other.rank() == 0)
        return mismatch();
    const Shape a = asMatrices(given, true);
    const Shape b = asMatrices(other, false);
    MatMulPlan plan { a[a.rank() - 2], b[b.rank() - 1], a[a.rank() - 1], {}, {}, {} };
    const auto leading = [](const Shape& shape) { return Shape({ shape.begin(), shape.end() - 2 }); };
    const auto batches = tensor::broadcast(leading(a), leading(b));
    if (b[b.rank() - 2] != plan.depth || !batches)
        return mismatch();
    plan.batches = batches->dims();
    const auto scaled = [&](const Shape& shape, std::int64_t block) {
        Strides strides = broadcastStrides(leading(shape), Layout::Plain, *batches);
        for (auto& stride : strides)
            stride *= block;
        return strides;
    };
    plan.left = scaled(a, plan.rows * plan.depth);
    plan.right = scaled(b, plan.depth * plan.columns);
    if (batches->size() * plan.rows * plan.columns != request.outputs[0].shape.size())
        return request.invalid("an output of shape " + request.outputs[0].shape.toString());
    return plan;
}

Result<KernelPtr> createMatMul(const KernelRequest& request)
{
    QS_TRY(const MatMulPlan plan, planMatMul(request));
    return dispatch(request, request.inputs[0].dtype, MatrixTypes {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [plan](const KernelArguments& arguments) {
                T* y = arguments.outputs[0].out<T>();
                forEachIndex(plan.batches, [&](const Index& batch) {
                    const T* a = arguments.inputs[0].in<T>();
                    const T* b = arguments.inputs[1].in<T>();
                    for (std::size_t axis = 0; axis < plan.batches.size(); ++axis) {
                        a += batch[axis] * plan.left[axis];
                        b += batch[axis] * plan.right[axis];
                    }
                    for (std::int64_t i = 0; i < plan.rows; ++i) {
                        for (std::int64_t j = 0; j < plan.columns; ++j) {
                            Sum<T> sum = 0;
                            for (std::int64_t k = 0; k < plan.depth; ++k)
                                sum += static_cast<Sum<T>>(a[i * plan.depth + k])
                                    * static_cast<Sum<T>>(b[k * plan.columns + j]);
                            *y++ = static_cast<T>(sum);
                        }
                    }
                });
            },
            traits);
    });
}

/// y = alpha A B + beta C, where A and B may be transposed and C broadcasts.
struct GemmPlan {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t depth = 0;
    std::array<std::int64_t, 2> a {}; ///< strides along (row, depth)
    std::array<std::int64_t, 2> b {}; ///< along (depth, column)
    Strides c { 0, 0 }; ///< along (row, column)
    double alpha = 1;
    double beta = 1;
};

Result<GemmPlan> planGemm(const KernelRequest& request)
{
    const Shape& a = request.inputs[0].shape;
    const Shape& b = request.inputs[1].shape;
    const Shape& y = request.outputs[0].shape;
    if (a.rank() != 2 || b.rank() != 2 || y.rank() != 2)
        return request.invalid("operands " + a.toString() + " and " + b.toString() + ", expected matrices");
    const bool transA = request.node.intAttribute("transA", 0) != 0;
    const bool transB = request.node.intAttribute("transB", 0) != 0;
    GemmPlan plan;
    plan.rows = a[transA ? 1 : 0];
    plan.depth = a[transA ? 0 : 1];
    plan.columns = b[transB ? 0 : 1];
    plan.a = transA ? std::array { std::int64_t { 1 }, a[1] } : std::array { a[1], std::int64_t { 1 } };
    plan.b = transB ? std::array { std::int64_t { 1 }, b[1] } : std::array { b[1], std::int64_t { 1 } };
    if (b[transB ? 1 : 0] != plan.depth || y != Shape { plan.rows, plan.columns })
        return request.invalid(a.toString() + " and " + b.toString() + " cannot be multiplied to " + y.toString());
    if (request.has(2)) {
        const auto merged = tensor::broadcast(request.inputs[2].shape, y);
        if (!merged || *merged != y)
            return request.invalid("C of shape " + request.inputs[2].shape.toString() + " for " + y.toString());
        plan.c = broadcastStrides(request.inputs[2].shape, Layout::Plain, y);
    }
    plan.alpha = request.node.floatAttribute("alpha", 1.0F);
    plan.beta = request.node.floatAttribute("beta", 1.0F);
    return plan;
}

Result<KernelPtr> createGemm(const KernelRequest& request)
{
    QS_TRY(const GemmPlan plan, planGemm(request));
    return dispatch(request, request.inputs[0].dtype, MatrixTypes {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [plan](const KernelArguments& arguments) {
                const T* a = arguments.inputs[0].in<T>();
                const T* b = arguments.inputs[1].in<T>();
                const T* c = arguments.inputs.size() > 2 ? arguments.inputs[2].in<T>() : nullptr;
                T* y = arguments.outputs[0].out<T>();
                for (std::int64_t i = 0; i < plan.rows; ++i) {
                    for (std::int64_t j = 0; j < plan.columns; ++j) {
                        double sum = 0;
                        for (std::int64_t k = 0; k < plan.depth; ++k)
                            sum += static_cast<double>(a[i * plan.a[0] + k * plan.a[1]])
                                * static_cast<double>(b[k * plan.b[0] + j * plan.b[1]]);
                        sum *= plan.alpha;
                        if (c)
                            sum += plan.beta * static_cast<double>(c[i * plan.c[0] + j * plan.c[1]]);
                        *y++ = static_cast<T>(sum);
                    }
                }
            },
            traits);
    });
}

constexpr std::array table {
    KernelRegistration { "MatMul", viaFloat32<createMatMul> },
    KernelRegistration { "Gemm", viaFloat32<createGemm> },
};

} // namespace

std::span<const KernelRegistration> referenceMatmulKernels() { return table; }

} // namespace quantoscope::engine
