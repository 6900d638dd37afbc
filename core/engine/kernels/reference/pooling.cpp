// SPDX-License-Identifier: GPL-3.0-or-later
// Pools as their definitions say: maximum (with indices), mean and Lp norm, in windows or over the whole map.
#include <array>
#include <cmath>
#include <limits>

#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

struct PoolPlan {
    Window window;
    std::vector<std::int64_t> inExtents; ///< spatial
    std::vector<std::int64_t> outExtents;
    std::int64_t maps = 0; ///< N * C
    std::int64_t inSize = 1;
    bool countsPadding = false;
    bool columnMajor = false; ///< of the indices
    std::int64_t p = 2;
};

Result<PoolPlan> readPlan(const KernelRequest& request)
{
    const Shape& x = request.inputs[0].shape;
    const Shape& y = request.outputs[0].shape;
    if (x.rank() < 3 || y.rank() != x.rank())
        return request.invalid("a pool over " + x.toString() + ", expected [N, C, D...]");
    PoolPlan plan;
    plan.inExtents = spatialExtents(x);
    plan.outExtents = spatialExtents(y);
    plan.maps = x[0] * x[1];
    plan.inSize = sizeFrom(x, 2);
    plan.countsPadding = request.node.intAttribute("count_include_pad", 0) != 0;
    plan.columnMajor = request.node.intAttribute("storage_order", 0) != 0;
    plan.p = request.node.intAttribute("p", 2);
    if (plan.p < 1)
        return request.invalid("p = " + std::to_string(plan.p) + ", expected 1 or more");
    if (request.node.opType.starts_with("Global")) {
        const std::vector<std::int64_t> ones(plan.inExtents.size(), 1);
        const std::vector<std::int64_t> zeros(plan.inExtents.size(), 0);
        plan.window = { plan.inExtents, ones, ones, zeros, zeros, ones };
        return plan;
    }
    QS_TRY(plan.window, slidingWindow(request, x, request.node.intsAttribute("kernel_shape")));
    return plan;
}

/// visit(offset, index) for every element of the map inside the window at `position`; returns how many elements of the
/// padded map the window covers.
template <typename Visit> std::int64_t forEachInWindow(const PoolPlan& plan, const Index& position, Visit visit)
{
    std::int64_t covered = 0;
    const auto& window = plan.window;
    forEachIndex(window.kernel, [&](const Index& kernel) {
        Index at {};
        bool inside = true;
        bool insidePadding = true;
        for (std::size_t axis = 0; axis < plan.inExtents.size(); ++axis) {
            at[axis] = position[axis] * window.strides[axis] - window.padsBegin[axis]
                + kernel[axis] * window.dilations[axis];
            inside = inside && at[axis] >= 0 && at[axis] < plan.inExtents[axis];
            insidePadding = insidePadding && at[axis] < plan.inExtents[axis] + window.padsEnd[axis];
        }
        covered += insidePadding;
        if (inside)
            visit(offsetOf(plan.inExtents, at), at);
    });
    return covered;
}

/// What ONNX calls the flattened index of an element: in row-major order, or with the first spatial axis fastest.
std::int64_t flatIndex(const PoolPlan& plan, std::int64_t map, const Index& at)
{
    if (!plan.columnMajor)
        return map * plan.inSize + offsetOf(plan.inExtents, at);
    std::int64_t offset = 0;
    for (std::size_t axis = plan.inExtents.size(); axis-- > 0;)
        offset = offset * plan.inExtents[axis] + at[axis];
    return map * plan.inSize + offset;
}

template <typename T> void maxPool(const PoolPlan& plan, const KernelArguments& arguments)
{
    T* y = arguments.outputs[0].out<T>();
    auto* indices = arguments.outputs.size() > 1 ? arguments.outputs[1].out<std::int64_t>() : nullptr;
    for (std::int64_t map = 0; map < plan.maps; ++map) {
        const T* x = arguments.inputs[0].in<T>() + map * plan.inSize;
        forEachIndex(plan.outExtents, [&](const Index& position) {
            T best = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                          : std::numeric_limits<T>::lowest();
            Index where {};
            bool found = false;
            forEachInWindow(plan, position, [&](std::int64_t offset, const Index& at) {
                if (!found || x[offset] > best) {
                    best = x[offset];
                    where = at;
                    found = true;
                }
            });
            *y++ = best;
            if (indices)
                *indices++ = flatIndex(plan, map, where);
        });
    }
}

template <typename T> void averagePool(const PoolPlan& plan, const KernelArguments& arguments)
{
    T* y = arguments.outputs[0].out<T>();
    for (std::int64_t map = 0; map < plan.maps; ++map) {
        const T* x = arguments.inputs[0].in<T>() + map * plan.inSize;
        forEachIndex(plan.outExtents, [&](const Index& position) {
            double sum = 0;
            std::int64_t count = 0;
            const std::int64_t covered = forEachInWindow(plan, position, [&](std::int64_t offset, const Index&) {
                sum += static_cast<double>(x[offset]);
                ++count;
            });
            const std::int64_t divisor = plan.countsPadding ? covered : count;
            *y++ = static_cast<T>(divisor ? sum / static_cast<double>(divisor) : 0);
        });
    }
}

template <typename T> void lpPool(const PoolPlan& plan, const KernelArguments& arguments)
{
    T* y = arguments.outputs[0].out<T>();
    const auto p = static_cast<double>(plan.p);
    for (std::int64_t map = 0; map < plan.maps; ++map) {
        const T* x = arguments.inputs[0].in<T>() + map * plan.inSize;
        forEachIndex(plan.outExtents, [&](const Index& position) {
            double sum = 0;
            forEachInWindow(plan, position, [&](std::int64_t offset, const Index&) {
                sum += std::pow(std::abs(static_cast<double>(x[offset])), p);
            });
            *y++ = static_cast<T>(std::pow(sum, 1 / p));
        });
    }
}

Result<KernelPtr> createMax(const KernelRequest& request)
{
    QS_TRY(const PoolPlan plan, readPlan(request));
    return dispatch(
        request, request.inputs[0].dtype, Types<float, double, std::int8_t, std::uint8_t> {}, [&]<typename T>(Type<T>) {
            return makeKernel([plan](const KernelArguments& arguments) { maxPool<T>(plan, arguments); }, traits);
        });
}

Result<KernelPtr> createAverage(const KernelRequest& request)
{
    QS_TRY(const PoolPlan plan, readPlan(request));
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel([plan](const KernelArguments& arguments) { averagePool<T>(plan, arguments); }, traits);
    });
}

Result<KernelPtr> createLp(const KernelRequest& request)
{
    QS_TRY(const PoolPlan plan, readPlan(request));
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel([plan](const KernelArguments& arguments) { lpPool<T>(plan, arguments); }, traits);
    });
}

constexpr std::array table {
    KernelRegistration { "MaxPool", viaFloat32<createMax> },
    KernelRegistration { "AveragePool", viaFloat32<createAverage> },
    KernelRegistration { "LpPool", viaFloat32<createLp> },
    KernelRegistration { "GlobalMaxPool", viaFloat32<createMax> },
    KernelRegistration { "GlobalAveragePool", viaFloat32<createAverage> },
    KernelRegistration { "GlobalLpPool", viaFloat32<createLp> },
};

} // namespace

std::span<const KernelRegistration> referencePoolingKernels() { return table; }

} // namespace quantoscope::engine
