// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/window.h"

#include <span>
#include <string>

namespace quantoscope::engine {

namespace {

Result<std::span<const std::int64_t>> spatialExtents(const KernelRequest& request, const Shape& shape, std::size_t axes)
{
    if (shape.rank() != static_cast<int>(axes) + 2)
        return request.invalid("a window over " + std::to_string(axes) + " axes meets a tensor of shape "
            + shape.toString() + ", expected rank " + std::to_string(axes + 2));
    return std::span(shape.dims()).subspan(2);
}

Result<Window> atNode(const KernelRequest& request, Result<Window> window)
{
    if (!window)
        return request.invalid(std::move(window.error().what));
    return window;
}

} // namespace

Result<Window> slidingWindow(const KernelRequest& request, const Shape& input, std::vector<std::int64_t> kernel)
{
    QS_TRY(const auto extents, spatialExtents(request, input, kernel.size()));
    return atNode(request, graph::resolveWindow(request.node, extents, std::move(kernel)));
}

Result<Window> transposedWindow(
    const KernelRequest& request, const Shape& input, const Shape& output, std::vector<std::int64_t> kernel)
{
    QS_TRY(const auto from, spatialExtents(request, input, kernel.size()));
    QS_TRY(const auto to, spatialExtents(request, output, kernel.size()));
    QS_TRY(Window window, atNode(request, graph::resolveTransposedWindow(request.node, from, std::move(kernel))));
    for (std::size_t a = 0; a < window.axes(); ++a)
        window.padsEnd[a] = (from[a] - 1) * window.strides[a] + window.span(a) - to[a] - window.padsBegin[a];
    return window;
}

} // namespace quantoscope::engine
