// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/window.h"

#include <algorithm>
#include <string>

namespace quantoscope::engine {

namespace {

using Extents = std::vector<std::int64_t>;

Result<Extents> listAttribute(const KernelRequest& request, std::string_view key, std::size_t length,
    std::int64_t fallback, std::int64_t smallest)
{
    Extents values = request.node.intsAttribute(key);
    if (values.empty())
        values.assign(length, fallback);
    if (values.size() != length)
        return request.invalid("attribute '" + std::string(key) + "' has " + std::to_string(values.size())
            + " entries, expected " + std::to_string(length));
    for (std::int64_t value : values) {
        if (value < smallest)
            return request.invalid("attribute '" + std::string(key) + "' contains " + std::to_string(value)
                + ", expected at least " + std::to_string(smallest));
    }
    return values;
}

Result<Window> stridesAndDilations(const KernelRequest& request, Extents kernel)
{
    Window window;
    const std::size_t axes = kernel.size();
    for (std::int64_t extent : kernel) {
        if (extent < 1)
            return request.invalid("window extent " + std::to_string(extent) + ", expected at least 1");
    }
    window.kernel = std::move(kernel);
    QS_TRY(window.strides, listAttribute(request, "strides", axes, 1, 1));
    QS_TRY(window.dilations, listAttribute(request, "dilations", axes, 1, 1));
    return window;
}

/// Distributes `total` over both ends; the odd one goes to the end for SAME_UPPER, to the beginning for SAME_LOWER.
void splitPadding(Window& window, std::int64_t total, bool lower)
{
    const std::int64_t smaller = total / 2;
    window.padsBegin.push_back(lower ? total - smaller : smaller);
    window.padsEnd.push_back(lower ? smaller : total - smaller);
}

Result<std::string> autoPad(const KernelRequest& request)
{
    std::string mode = request.node.stringAttribute("auto_pad", "NOTSET");
    if (mode != "NOTSET" && mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
        return request.invalid(
            "attribute 'auto_pad' is '" + mode + "', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER");
    return mode;
}

} // namespace

Result<Window> slidingWindow(const KernelRequest& request, const Shape& input, std::vector<std::int64_t> kernel)
{
    QS_TRY(Window window, stridesAndDilations(request, std::move(kernel)));
    QS_TRY(const std::string mode, autoPad(request));
    const std::size_t axes = window.axes();
    if (input.rank() != static_cast<int>(axes) + 2)
        return request.invalid("a window over " + std::to_string(axes) + " axes slides over an input of shape "
            + input.toString() + ", expected rank " + std::to_string(axes + 2));
    if (mode == "NOTSET") {
        QS_TRY(const Extents pads, listAttribute(request, "pads", 2 * axes, 0, 0));
        window.padsBegin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
        window.padsEnd.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
    } else if (mode == "VALID") {
        window.padsBegin.assign(axes, 0);
        window.padsEnd.assign(axes, 0);
    } else {
        for (std::size_t a = 0; a < axes; ++a) {
            const std::int64_t extent = input[static_cast<int>(a) + 2];
            const std::int64_t positions = (extent + window.strides[a] - 1) / window.strides[a];
            const std::int64_t total = (positions - 1) * window.strides[a] + window.span(a) - extent;
            splitPadding(window, std::max<std::int64_t>(0, total), mode == "SAME_LOWER");
        }
    }
    return window;
}

Result<Window> transposedWindow(
    const KernelRequest& request, const Shape& input, const Shape& output, std::vector<std::int64_t> kernel)
{
    QS_TRY(Window window, stridesAndDilations(request, std::move(kernel)));
    QS_TRY(const std::string mode, autoPad(request));
    const std::size_t axes = window.axes();
    QS_TRY(const Extents pads, listAttribute(request, "pads", 2 * axes, 0, 0));
    QS_TRY(const Extents outputPadding, listAttribute(request, "output_padding", axes, 0, 0));
    const bool givenShape = !request.node.intsAttribute("output_shape").empty();
    for (std::size_t a = 0; a < axes; ++a) {
        const int axis = static_cast<int>(a) + 2;
        // Positions without any padding, less what the output has, is what both pads take away together.
        const std::int64_t total = (input[axis] - 1) * window.strides[a] + window.span(a) - output[axis];
        if (givenShape || mode == "SAME_UPPER" || mode == "SAME_LOWER") {
            // The operator's formula: output_padding enters the total, and the larger half is on the side SAME_UPPER
            // names.
            const std::int64_t halved = std::max<std::int64_t>(0, total + outputPadding[a]);
            const std::int64_t smaller = halved / 2;
            window.padsBegin.push_back(mode == "SAME_UPPER" ? smaller : halved - smaller);
        } else {
            window.padsBegin.push_back(mode == "VALID" ? 0 : pads[a]);
        }
        window.padsEnd.push_back(total - window.padsBegin.back());
    }
    return window;
}

} // namespace quantoscope::engine
