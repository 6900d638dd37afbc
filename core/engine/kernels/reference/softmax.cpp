// SPDX-License-Identifier: GPL-3.0-or-later
// Softmax and LogSoftmax as their definitions say.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/engine/kernels/axis_blocks.h"
#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

template <bool logarithmic> Result<KernelPtr> create(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    const bool flattens = request.opset < 13; // the axes from `axis` on are one
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", flattens ? 1 : -1), shape.rank()));
    const AxisBlocks blocks(shape, axis, flattens ? shape.rank() : axis + 1);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [blocks](const KernelArguments& arguments) {
                blocks.forEachLine([&](std::int64_t start) {
                    const T* x = arguments.inputs[0].in<T>() + start;
                    T* y = arguments.outputs[0].out<T>() + start;
                    double largest = -std::numeric_limits<double>::infinity();
                    for (std::int64_t i = 0; i < blocks.extent; ++i)
                        largest = std::max(largest, static_cast<double>(x[i * blocks.inner]));
                    double sum = 0;
                    for (std::int64_t i = 0; i < blocks.extent; ++i)
                        sum += std::exp(static_cast<double>(x[i * blocks.inner]) - largest);
                    for (std::int64_t i = 0; i < blocks.extent; ++i) {
                        const double shifted = static_cast<double>(x[i * blocks.inner]) - largest;
                        y[i * blocks.inner]
                            = static_cast<T>(logarithmic ? shifted - std::log(sum) : std::exp(shifted) / sum);
                    }
                });
            },
            traits);
    });
}

constexpr std::array table {
    KernelRegistration { "Softmax", viaFloat32<create<false>> },
    KernelRegistration { "LogSoftmax", viaFloat32<create<true>> },
};

} // namespace

std::span<const KernelRegistration> referenceSoftmaxKernels() { return table; }

} // namespace quantoscope::engine
