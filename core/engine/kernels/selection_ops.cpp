// SPDX-License-Identifier: GPL-3.0-or-later
// Operators that look for the largest or smallest elements along an axis: ArgMax, ArgMin, TopK, Hardmax.
#include <algorithm>
#include <array>
#include <numeric>

#include "core/engine/kernels/axis_blocks.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

/// Orders NaN above everything, as NumPy does, so that sorting has a strict weak order.
template <typename T> bool isLess(T a, T b)
{
    if constexpr (std::is_floating_point_v<T>) {
        if (a != a || b != b)
            return a == a;
    }
    return a < b;
}

template <bool largest> Result<KernelPtr> createArg(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", 0), shape.rank()));
    const AxisBlocks blocks(shape, axis);
    if (blocks.extent == 0)
        return request.invalid("no element to choose from along an axis of extent 0");
    const bool last = request.node.intAttribute("select_last_index", 0) != 0;
    return dispatch(request, request.inputs[0].dtype, Numbers {}, [&]<typename T>(Type<T>) {
        return makeKernel([blocks, last](const KernelArguments& arguments) {
            auto* y = arguments.outputs[0].out<std::int64_t>();
            blocks.forEachLine([&](std::int64_t start) {
                const T* x = arguments.inputs[0].in<T>() + start;
                std::int64_t best = 0;
                for (std::int64_t i = 1; i < blocks.extent; ++i) {
                    const T candidate = x[i * blocks.inner];
                    const T champion = x[best * blocks.inner];
                    const bool better = largest ? isLess(champion, candidate) : isLess(candidate, champion);
                    if (better || (last && candidate == champion))
                        best = i;
                }
                *y++ = best;
            });
        });
    });
}

Result<KernelPtr> createHardmax(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    const bool flattens = request.opset < 13; // the axes from `axis` on are one
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", flattens ? 1 : -1), shape.rank()));
    const AxisBlocks blocks(shape, axis, flattens ? shape.rank() : axis + 1);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel([blocks](const KernelArguments& arguments) {
            T* y = arguments.outputs[0].out<T>();
            std::fill_n(y, arguments.outputs[0].size(), T(0));
            blocks.forEachLine([&](std::int64_t start) {
                const T* x = arguments.inputs[0].in<T>() + start;
                std::int64_t best = 0;
                for (std::int64_t i = 1; i < blocks.extent; ++i)
                    if (isLess(x[best * blocks.inner], x[i * blocks.inner]))
                        best = i;
                if (blocks.extent > 0)
                    y[start + best * blocks.inner] = T(1);
            });
        });
    });
}

/// The k best of every line, best first, equal ones by ascending index.
struct TopK {
    AxisBlocks blocks;
    std::int64_t k = 0;
    bool largest = true;

    template <typename T> void run(const KernelArguments& arguments) const
    {
        auto* order = reinterpret_cast<std::int64_t*>(arguments.scratch);
        T* values = arguments.outputs[0].out<T>();
        auto* indices = arguments.outputs[1].out<std::int64_t>();
        std::int64_t line = 0;
        blocks.forEachLine([&](std::int64_t start) {
            const T* x = arguments.inputs[0].in<T>() + start;
            std::iota(order, order + blocks.extent, 0);
            std::partial_sort(order, order + k, order + blocks.extent, [&](std::int64_t a, std::int64_t b) {
                const T va = x[a * blocks.inner];
                const T vb = x[b * blocks.inner];
                if (isLess(va, vb))
                    return !largest;
                if (isLess(vb, va))
                    return largest;
                return a < b;
            });
            const std::int64_t target = line / blocks.inner * k * blocks.inner + line % blocks.inner;
            for (std::int64_t i = 0; i < k; ++i) {
                if (values)
                    values[target + i * blocks.inner] = x[order[i] * blocks.inner];
                if (indices)
                    indices[target + i * blocks.inner] = order[i];
            }
            ++line;
        });
    }
};

Result<KernelPtr> createTopK(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", -1), shape.rank()));
    const auto& out = request.outputs[0].present ? request.outputs[0] : request.outputs[1];
    const TopK topK { AxisBlocks(shape, axis), out.shape[axis], request.node.intAttribute("largest", 1) != 0 };
    if (topK.k > topK.blocks.extent)
        return request.invalid("k = " + std::to_string(topK.k) + " of " + std::to_string(topK.blocks.extent));
    return dispatch(request, request.inputs[0].dtype, Numbers {}, [&]<typename T>(Type<T>) {
        return makeKernel([topK](const KernelArguments& arguments) { topK.run<T>(arguments); },
            { .scratchBytes = static_cast<std::size_t>(topK.blocks.extent) * sizeof(std::int64_t) });
    });
}

constexpr std::array table {
    KernelRegistration { "ArgMax", viaFloat32<createArg<true>> },
    KernelRegistration { "ArgMin", viaFloat32<createArg<false>> },
    KernelRegistration { "TopK", viaFloat32<createTopK> },
    KernelRegistration { "Hardmax", viaFloat32<createHardmax> },
};

} // namespace

std::span<const KernelRegistration> selectionKernels() { return table; }

} // namespace quantoscope::engine
