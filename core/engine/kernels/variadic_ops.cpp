// SPDX-License-Identifier: GPL-3.0-or-later
// Min, Max, Sum and Mean of any number of operands with broadcasting.
#include <array>
#include <cmath>

#include "core/engine/kernels/binary.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

template <typename T> bool isNaN(T value)
{
    return value != value; // false for integers, and vectorisable
}

struct Max {
    template <typename T> T operator()(T a, T b) const { return a > b || isNaN(a) ? a : b; }
};
struct Min {
    template <typename T> T operator()(T a, T b) const { return a < b || isNaN(a) ? a : b; }
};
struct Sum {
    template <typename T> T operator()(T a, T b) const { return a + b; }
};

/// The output takes the first operand, then every other one is folded into it; `scale` follows.
template <typename T, typename Op> Result<KernelPtr> makeVariadic(const KernelRequest& request, Op op, T scale)
{
    const auto& out = request.outputs.front();
    std::vector<Loops<3>> steps;
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        if (request.inputs[i].dtype != request.inputs[0].dtype)
            return request.invalid("operands of different element types");
        QS_TRY(auto loops, broadcastLoops(request, std::array<std::size_t, 2> { i == 1 ? 0U : i, i }));
        if (i > 1) { // operand 0 is the output so far
            const Strides own = layoutStrides(out.shape, out.layout);
            const Strides other = broadcastStrides(request.inputs[i].shape, request.inputs[i].layout, out.shape);
            loops = makeLoops<3>(out.shape.dims(), { own, other, own }, memoryOrder(out.shape.rank(), out.layout));
        }
        steps.push_back(loops);
    }
    const auto run = [steps, op, scale](const KernelArguments& arguments) {
        T* y = arguments.outputs[0].out<T>();
        const T* first = arguments.inputs[0].in<T>();
        if (steps.size() == 1)
            runBinary(steps[0], first, first, y, [](T a, T) { return a; });
        for (std::size_t i = 1; i < steps.size(); ++i)
            runBinary(steps[i], i == 1 ? first : y, arguments.inputs[i].in<T>(), y, op);
        if (scale != T(1)) {
            const std::int64_t n = arguments.outputs[0].size();
            for (std::int64_t i = 0; i < n; ++i)
                y[i] *= scale;
        }
    };
    return makeKernel(run, { .inPlaceInput = mayShareBuffer(request, 0) ? 0 : -1 });
}

template <typename Op, typename Supported> Result<KernelPtr> create(const KernelRequest& request)
{
    return dispatch(request, request.inputs[0].dtype, Supported {},
        [&]<typename T>(Type<T>) { return makeVariadic<T>(request, Op {}, T(1)); });
}

Result<KernelPtr> createMean(const KernelRequest& request)
{
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeVariadic<T>(request, Sum {}, T(1) / static_cast<T>(request.inputs.size()));
    });
}

constexpr std::array table {
    KernelRegistration { "Max", viaFloat32<create<Max, Numbers>>, elementwiseLayouts },
    KernelRegistration { "Min", viaFloat32<create<Min, Numbers>>, elementwiseLayouts },
    KernelRegistration { "Sum", viaFloat32<create<Sum, Floats>>, elementwiseLayouts },
    KernelRegistration { "Mean", viaFloat32<createMean>, elementwiseLayouts },
};

} // namespace

std::span<const KernelRegistration> variadicKernels() { return table; }

} // namespace quantoscope::engine
