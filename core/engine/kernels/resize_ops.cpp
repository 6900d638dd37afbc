// SPDX-License-Identifier: GPL-3.0-or-later
// Resize and Upsample. Nearest moves elements by tables; linear and cubic resample one axis after the other.
#include <algorithm>
#include <array>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/resize_axis.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

/// Sets the elements that tf_crop_and_resize takes from outside the input.
class Extrapolation {
public:
    Extrapolation(const ResizePlan& plan, std::span<const int> order)
    {
        for (const int axis : order) {
            const auto& resize = plan.axes[static_cast<std::size_t>(axis)];
            auto& flags = m_outside.emplace_back();
            for (std::int64_t i = 0; i < resize.out; ++i)
                flags.push_back(!resize.isIdentity(plan.mode) && resize.isOutside(i, plan.mode));
            m_any = m_any || std::ranges::find(flags, true) != flags.end();
        }
    }

    template <typename T> void apply(T* y, std::int64_t size, T value) const
    {
        for (std::int64_t i = 0; m_any && i < size; ++i) {
            std::int64_t rest = i;
            for (std::size_t d = m_outside.size(); d-- > 0;) {
                const auto extent = static_cast<std::int64_t>(m_outside[d].size());
                if (m_outside[d][static_cast<std::size_t>(rest % extent)]) {
                    y[i] = value;
                    break;
                }
                rest /= extent;
            }
        }
    }

private:
    std::vector<std::vector<bool>> m_outside; ///< by axis in memory order
    bool m_any = false;
};

Result<KernelPtr> createNearest(const KernelRequest& request, const ResizePlan& plan)
{
    const auto& in = request.inputs.front();
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, in.dtype));
    std::vector<std::vector<std::int64_t>> sources;
    for (const auto& axis : plan.axes) {
        auto& table = sources.emplace_back();
        for (std::int64_t i = 0; i < axis.out; ++i)
            table.push_back(axis.isIdentity(plan.mode) ? i : axis.nearest(i, plan.mode));
    }
    const auto order = memoryOrder(out.shape.rank(), out.layout);
    const TableCopy copy(sources, layoutStrides(in.shape, in.layout), order);
    if (plan.mode.coordinates != "tf_crop_and_resize")
        return makeKernel([copy, width](const KernelArguments& arguments) {
            copy.run(width, arguments.inputs[0].data, arguments.outputs[0].data);
        });
    const Extrapolation outside(plan, order);
    return dispatch(request, in.dtype, Numbers {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [copy, width, outside, value = static_cast<T>(plan.mode.extrapolation)](const KernelArguments& arguments) {
                copy.run(width, arguments.inputs[0].data, arguments.outputs[0].data);
                outside.apply(arguments.outputs[0].out<T>(), arguments.outputs[0].size(), value);
            });
    });
}

/// Resamples one axis of [outer, in, inner] to [outer, out, inner].
struct Pass {
    std::int64_t outer = 1;
    std::int64_t in = 1;
    std::int64_t out = 1;
    std::int64_t inner = 1;
    std::vector<std::size_t> firstTap; ///< out + 1 entries into taps
    std::vector<ResizeAxis::Tap> taps;

    std::int64_t results() const { return outer * out * inner; }

    template <typename T> void run(const T* x, T* y) const
    {
        for (std::int64_t o = 0; o < outer; ++o, x += in * inner) {
            for (std::size_t i = 0; i < static_cast<std::size_t>(out); ++i, y += inner) {
                std::fill_n(y, inner, T(0));
                for (std::size_t t = firstTap[i]; t < firstTap[i + 1]; ++t) {
                    const T* row = x + taps[t].index * inner;
                    const auto weight = static_cast<T>(taps[t].weight);
#pragma GCC ivdep
                    for (std::int64_t k = 0; k < inner; ++k)
                        y[k] += weight * row[k];
                }
            }
        }
    }
};

std::vector<Pass> makePasses(const ResizePlan& plan, std::span<const int> order)
{
    std::vector<std::int64_t> extents;
    for (const int axis : order)
        extents.push_back(plan.axes[static_cast<std::size_t>(axis)].in);
    std::vector<Pass> passes;
    for (std::size_t d = 0; d < order.size(); ++d) {
        const auto& axis = plan.axes[static_cast<std::size_t>(order[d])];
        if (axis.isIdentity(plan.mode))
            continue;
        Pass pass;
        for (std::size_t other = 0; other < extents.size(); ++other)
            if (other != d)
                (other < d ? pass.outer : pass.inner) *= extents[other];
        pass.in = axis.in;
        pass.out = extents[d] = axis.out;
        for (std::int64_t i = 0; i < axis.out; ++i) {
            pass.firstTap.push_back(pass.taps.size());
            const auto taps = axis.taps(i, plan.mode);
            pass.taps.insert(pass.taps.end(), taps.begin(), taps.end());
        }
        pass.firstTap.push_back(pass.taps.size());
        passes.push_back(std::move(pass));
    }
    return passes;
}

template <typename T> KernelPtr makeInterpolation(const KernelRequest& request, const ResizePlan& plan)
{
    const auto& out = request.outputs.front();
    const auto order = memoryOrder(out.shape.rank(), out.layout);
    const auto passes = makePasses(plan, order);
    std::int64_t largest = 0; // of the results between two passes
    for (std::size_t i = 0; i + 1 < passes.size(); ++i)
        largest = std::max(largest, passes[i].results());
    const Extrapolation outside(plan, order);
    const auto run = [passes, largest, outside, value = static_cast<T>(plan.mode.extrapolation)](
                         const KernelArguments& arguments) {
        const T* from = arguments.inputs[0].in<T>();
        T* result = arguments.outputs[0].out<T>();
        auto* scratch = reinterpret_cast<T*>(arguments.scratch);
        for (std::size_t i = 0; i < passes.size(); ++i) {
            T* to = i + 1 == passes.size() ? result : scratch + (i % 2 ? largest : 0);
            passes[i].run(from, to);
            from = to;
        }
        if (passes.empty())
            std::copy_n(from, arguments.outputs[0].size(), result);
        outside.apply(result, arguments.outputs[0].size(), value);
    };
    return makeKernel(run, { .scratchBytes = static_cast<std::size_t>(2 * largest) * sizeof(T) });
}

Result<KernelPtr> create(const KernelRequest& request)
{
    QS_CHECK(checkRanks(request));
    QS_TRY(const ResizePlan plan, readResizePlan(request));
    if (plan.mode.interpolation == "nearest")
        return createNearest(request, plan);
    return dispatch(request, request.inputs[0].dtype, Floats {},
        [&]<typename T>(Type<T>) -> Result<KernelPtr> { return makeInterpolation<T>(request, plan); });
}

constexpr std::array table {
    KernelRegistration { "Resize", viaFloat32<create>, passThroughLayouts },
    KernelRegistration { "Upsample", viaFloat32<create>, passThroughLayouts },
};

} // namespace

std::span<const KernelRegistration> resizeKernels() { return table; }

} // namespace quantoscope::engine
