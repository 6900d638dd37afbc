// SPDX-License-Identifier: GPL-3.0-or-later
// Conv and ConvTranspose as their definitions say, for any number of spatial axes.
#include <array>

#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

/// Everything both directions need; x [N, C, D...], y [N, M, D'...].
struct Geometry {
    Window window;
    std::int64_t batches = 0;
    std::int64_t inChannels = 0;
    std::int64_t outChannels = 0;
    std::int64_t groups = 1;
    std::vector<std::int64_t> inExtents; ///< spatial
    std::vector<std::int64_t> outExtents;
    std::int64_t inSize = 1; ///< product of the extents
    std::int64_t outSize = 1;
    std::int64_t kernelSize = 1;

    std::int64_t inPerGroup() const { return inChannels / groups; }
    std::int64_t outPerGroup() const { return outChannels / groups; }
};

Result<Geometry> readGeometry(const KernelRequest& request, bool transposed)
{
    const Shape& x = request.inputs[0].shape;
    const Shape& w = request.inputs[1].shape;
    const Shape& y = request.outputs[0].shape;
    Geometry g;
    g.groups = request.node.intAttribute("group", 1);
    if (x.rank() < 3 || w.rank() != x.rank() || g.groups < 1)
        return request.invalid("weights " + w.toString() + " for an input of shape " + x.toString());
    const int shared = transposed ? 0 : 1; // the weight's axis that runs over input channels
    g.batches = x[0];
    g.inChannels = x[1];
    g.outChannels = transposed ? w[1] * g.groups : w[0];
    const std::int64_t expected = transposed ? g.inChannels : g.inChannels / g.groups;
    if (g.inChannels % g.groups != 0 || g.outChannels % g.groups != 0 || w[shared] != expected || y.rank() != x.rank()
        || y[0] != x[0] || y[1] != g.outChannels)
        return request.invalid("weights " + w.toString() + " in " + std::to_string(g.groups) + " groups take "
            + x.toString() + " to " + y.toString());
    if (request.has(2) && request.inputs[2].shape != Shape { g.outChannels })
        return request.invalid("bias of shape " + request.inputs[2].shape.toString() + " for "
            + std::to_string(g.outChannels) + " channels");
    auto window = transposed ? transposedWindow(request, x, y, spatialExtents(w))
                             : slidingWindow(request, x, spatialExtents(w));
    if (!window)
        return tl::make_unexpected(std::move(window).error());
    g.window = *std::move(window);
    g.inExtents = spatialExtents(x);
    g.outExtents = spatialExtents(y);
    g.inSize = sizeFrom(x, 2);
    g.outSize = sizeFrom(y, 2);
    g.kernelSize = sizeFrom(w, 2);
    return g;
}

/// Offset of the position that `kernel` touches from `position`, -1 outside `extents`.
std::int64_t touched(
    const Geometry& g, std::span<const std::int64_t> extents, const Index& position, const Index& kernel)
{
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
        const std::int64_t at = position[axis] * g.window.strides[axis] - g.window.padsBegin[axis]
            + kernel[axis] * g.window.dilations[axis];
        if (at < 0 || at >= extents[axis])
            return -1;
        offset = offset * extents[axis] + at;
    }
    return offset;
}

/// y[n, m, p] = b[m] + sum over c, k of x[n, c, p s - pad + k d] w[m, c, k]
template <typename T> void convolve(const Geometry& g, const KernelArguments& arguments)
{
    const T* x = arguments.inputs[0].in<T>();
    const T* w = arguments.inputs[1].in<T>();
    const T* bias = arguments.inputs.size() > 2 ? arguments.inputs[2].in<T>() : nullptr;
    T* y = arguments.outputs[0].out<T>();
    for (std::int64_t n = 0; n < g.batches; ++n) {
        for (std::int64_t m = 0; m < g.outChannels; ++m) {
            const std::int64_t firstChannel = n * g.inChannels + m / g.outPerGroup() * g.inPerGroup();
            forEachIndex(g.outExtents, [&](const Index& position) {
                double sum = bias ? static_cast<double>(bias[m]) : 0;
                forEachIndex(g.window.kernel, [&](const Index& kernel) {
                    const std::int64_t at = touched(g, g.inExtents, position, kernel);
                    const std::int64_t k = offsetOf(g.window.kernel, kernel);
                    for (std::int64_t c = 0; at >= 0 && c < g.inPerGroup(); ++c)
                        sum += static_cast<double>(x[(firstChannel + c) * g.inSize + at])
                            * static_cast<double>(w[(m * g.inPerGroup() + c) * g.kernelSize + k]);
                });
                *y++ = static_cast<T>(sum);
            });
        }
    }
}

/// y[n, m, p s - pad + k d] += x[n, c, p] w[c, m, k], summed in scratch.
template <typename T> void convolveTransposed(const Geometry& g, const KernelArguments& arguments)
{
    const T* x = arguments.inputs[0].in<T>();
    const T* w = arguments.inputs[1].in<T>();
    const T* bias = arguments.inputs.size() > 2 ? arguments.inputs[2].in<T>() : nullptr;
    T* y = arguments.outputs[0].out<T>();
    auto* sums = reinterpret_cast<double*>(arguments.scratch);
    for (std::int64_t n = 0; n < g.batches; ++n) {
        for (std::int64_t m = 0; m < g.outChannels; ++m) {
            const std::int64_t group = m / g.outPerGroup();
            std::fill_n(sums, g.outSize, bias ? static_cast<double>(bias[m]) : 0.0);
            for (std::int64_t c = group * g.inPerGroup(); c < (group + 1) * g.inPerGroup(); ++c) {
                const T* channel = x + (n * g.inChannels + c) * g.inSize;
                const T* weights = w + (c * g.outPerGroup() + m % g.outPerGroup()) * g.kernelSize;
                forEachIndex(g.inExtents, [&](const Index& position) {
                    const auto value = static_cast<double>(channel[offsetOf(g.inExtents, position)]);
                    forEachIndex(g.window.kernel, [&](const Index& kernel) {
                        if (const std::int64_t at = touched(g, g.outExtents, position, kernel); at >= 0)
                            sums[at] += value * static_cast<double>(weights[offsetOf(g.window.kernel, kernel)]);
                    });
                });
            }
            for (std::int64_t i = 0; i < g.outSize; ++i)
                *y++ = static_cast<T>(sums[i]);
        }
    }
}

template <bool transposed> Result<KernelPtr> create(const KernelRequest& request)
{
    QS_TRY(const Geometry geometry, readGeometry(request, transposed));
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        if constexpr (transposed)
            return makeKernel([geometry](const KernelArguments& a) { convolveTransposed<T>(geometry, a); },
                traitsWithScratch(static_cast<std::size_t>(geometry.outSize) * sizeof(double)));
        else
            return makeKernel([geometry](const KernelArguments& a) { convolve<T>(geometry, a); }, traits);
    });
}

constexpr std::array table {
    KernelRegistration { "Conv", viaFloat32<create<false>> },
    KernelRegistration { "ConvTranspose", viaFloat32<create<true>> },
};

} // namespace

std::span<const KernelRegistration> referenceConvolutionKernels() { return table; }

} // namespace quantoscope::engine
