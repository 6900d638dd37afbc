// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/windows.h"

#include <algorithm>

namespace quantoscope::graph {

namespace {

using Extents = std::vector<std::int64_t>;

/// Keeps every product and sum below far from the end of int64.
constexpr std::int64_t largest = std::int64_t { 1 } << 30;

tl::unexpected<Error> invalid(std::string what) { return fail(ErrorCode::InvalidInput, std::move(what)); }

/// A list attribute with one element an axis in [lowest, 2^30].
Result<Extents> extentsAttribute(
    const Node& node, std::string_view key, std::size_t count, std::int64_t fallback, std::int64_t lowest)
{
    Extents values = node.intsAttribute(key, Extents(count, fallback));
    const std::string name(key);
    if (values.size() != count)
        return invalid(name + " has " + std::to_string(values.size()) + " elements, expected " + std::to_string(count));
    for (const std::int64_t value : values) {
        if (value < lowest || value > largest)
            return invalid(name + " " + Shape(values).toString() + " has the element " + std::to_string(value)
                + ", expected at least " + std::to_string(lowest));
    }
    return values;
}

/// Kernel, strides, dilations and pads as the attributes have them.
Result<Window> readWindow(const Node& node, std::size_t axes, Extents kernel)
{
    Window window;
    if (kernel.empty()) {
        if (!node.hasAttribute("kernel_shape"))
            return invalid("kernel_shape is missing");
        QS_TRY(kernel, extentsAttribute(node, "kernel_shape", axes, 1, 1));
    } else if (const Extents declared = node.intsAttribute("kernel_shape", kernel); declared != kernel) {
        return invalid(
            "kernel_shape is " + Shape(declared).toString() + ", but the weight's is " + Shape(kernel).toString());
    }
    if (kernel.size() != axes
        || std::ranges::any_of(kernel, [](auto extent) { return extent < 1 || extent > largest; }))
        return invalid(
            "the kernel is " + Shape(kernel).toString() + ", expected " + std::to_string(axes) + " positive extents");
    window.kernel = std::move(kernel);
    QS_TRY(window.strides, extentsAttribute(node, "strides", axes, 1, 1));
    QS_TRY(window.dilations, extentsAttribute(node, "dilations", axes, 1, 1));
    QS_TRY(const Extents pads, extentsAttribute(node, "pads", 2 * axes, 0, 0));
    const auto half = pads.begin() + static_cast<std::ptrdiff_t>(axes);
    window.padsBegin.assign(pads.begin(), half);
    window.padsEnd.assign(half, pads.end());
    window.output.assign(axes, -1);
    return window;
}

enum class AutoPad { None, Valid, SameUpper, SameLower };

Result<AutoPad> autoPad(const Node& node)
{
    const std::string mode = node.stringAttribute("auto_pad", "NOTSET");
    if (mode == "NOTSET" || mode.empty())
        return AutoPad::None;
    if (mode == "VALID")
        return AutoPad::Valid;
    if (mode == "SAME_UPPER")
        return AutoPad::SameUpper;
    if (mode == "SAME_LOWER")
        return AutoPad::SameLower;
    return invalid("auto_pad is '" + mode + "', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER");
}

void split(std::int64_t total, bool moreAtEnd, std::int64_t& begin, std::int64_t& end)
{
    const std::int64_t less = total / 2;
    begin = moreAtEnd ? less : total - less;
    end = total - begin;
}

/// Output extent on one axis for explicit padding; negative if the kernel does not fit.
std::int64_t slidingExtent(const Window& window, std::size_t axis, std::int64_t input, bool ceiling)
{
    const std::int64_t stride = window.strides[axis];
    const std::int64_t room = input + window.padsBegin[axis] + window.padsEnd[axis] - window.span(axis);
    if (room < 0)
        return -1;
    std::int64_t count = room / stride + 1;
    if (ceiling && room % stride != 0 && count * stride < input + window.padsBegin[axis])
        ++count;
    return count;
}

} // namespace

Result<Window> resolveWindow(const Node& node, std::span<const std::int64_t> input, Extents kernel)
{
    QS_TRY(Window window, readWindow(node, input.size(), std::move(kernel)));
    QS_TRY(const AutoPad mode, autoPad(node));
    const bool ceiling = node.intAttribute("ceil_mode", 0) != 0;
    if (mode != AutoPad::None) {
        window.padsBegin.assign(input.size(), 0);
        window.padsEnd.assign(input.size(), 0);
    }
    for (std::size_t axis = 0; axis < input.size(); ++axis) {
        const std::int64_t extent = input[axis];
        if (extent < 0)
            continue;
        if (extent > largest || window.span(axis) > largest)
            return invalid("spatial extents beyond 2^30 cannot be computed");
        if (mode == AutoPad::SameUpper || mode == AutoPad::SameLower) {
            const std::int64_t stride = window.strides[axis];
            window.output[axis] = (extent + stride - 1) / stride;
            const std::int64_t total
                = std::max<std::int64_t>(0, (window.output[axis] - 1) * stride + window.span(axis) - extent);
            split(total, mode == AutoPad::SameUpper, window.padsBegin[axis], window.padsEnd[axis]);
            continue;
        }
        window.output[axis] = slidingExtent(window, axis, extent, ceiling);
        if (window.output[axis] < 0)
            return invalid("the kernel reaches over " + std::to_string(window.span(axis))
                + " elements, but the padded input has only "
                + std::to_string(extent + window.padsBegin[axis] + window.padsEnd[axis]) + " on spatial axis "
                + std::to_string(axis));
    }
    return window;
}

Result<Window> resolveTransposedWindow(const Node& node, std::span<const std::int64_t> input, Extents kernel)
{
    const std::size_t axes = input.size();
    QS_TRY(Window window, readWindow(node, axes, std::move(kernel)));
    QS_TRY(const AutoPad mode, autoPad(node));
    QS_TRY(const Extents extra, extentsAttribute(node, "output_padding", axes, 0, 0));
    Extents wanted;
    if (node.hasAttribute("output_shape")) {
        Extents declared = node.intsAttribute("output_shape");
        // Some exporters write batch and channels too.
        if (declared.size() == axes + 2)
            declared.erase(declared.begin(), declared.begin() + 2);
        if (declared.size() != axes || std::ranges::any_of(declared, [](auto e) { return e < 1 || e > largest; }))
            return invalid("output_shape is " + Shape(node.intsAttribute("output_shape")).toString() + ", expected "
                + std::to_string(axes) + " positive extents");
        wanted = std::move(declared);
    }
    for (std::size_t axis = 0; axis < axes; ++axis) {
        const std::int64_t extent = input[axis];
        if (extent < 0) {
            if (!wanted.empty())
                window.output[axis] = wanted[axis];
            continue;
        }
        if (extent > largest || window.span(axis) > largest
            || window.strides[axis] > largest / std::max<std::int64_t>(extent, 1))
            return invalid("spatial extents beyond 2^30 cannot be computed");
        const std::int64_t full = window.strides[axis] * (extent - 1) + extra[axis] + window.span(axis);
        const bool same = mode == AutoPad::SameUpper || mode == AutoPad::SameLower;
        if (same || !wanted.empty()) {
            window.output[axis] = wanted.empty() ? extent * window.strides[axis] : wanted[axis];
            const std::int64_t total = std::max<std::int64_t>(0, full - window.output[axis]);
            split(total, mode == AutoPad::SameUpper, window.padsBegin[axis], window.padsEnd[axis]);
            continue;
        }
        if (mode == AutoPad::Valid)
            window.padsBegin[axis] = window.padsEnd[axis] = 0;
        window.output[axis] = full - window.padsBegin[axis] - window.padsEnd[axis];
        if (window.output[axis] < 0)
            return invalid("pads take more than the " + std::to_string(full) + " elements there are on spatial axis "
                + std::to_string(axis));
    }
    return window;
}

} // namespace quantoscope::graph
