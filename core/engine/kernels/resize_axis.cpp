// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/resize_axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace quantoscope::engine {

bool ResizeAxis::isIdentity(const ResizeMode& mode) const
{
    return in == out && scale == 1 && (mode.coordinates != "tf_crop_and_resize" || (roiStart == 0 && roiEnd == 1));
}

double ResizeAxis::source(std::int64_t i, const ResizeMode& mode) const
{
    const auto x = static_cast<double>(i);
    const auto length = static_cast<double>(in);
    const double resized = scale * length; // may be fractional; the definition's length_resized
    if (mode.coordinates == "asymmetric")
        return x / scale;
    if (mode.coordinates == "align_corners")
        return out == 1 || resized == 1 ? 0 : x * (length - 1) / (resized - 1);
    if (mode.coordinates == "pytorch_half_pixel")
        return resized > 1 ? (x + 0.5) / scale - 0.5 : 0;
    if (mode.coordinates == "tf_half_pixel_for_nn")
        return (x + 0.5) / scale;
    if (mode.coordinates == "tf_crop_and_resize")
        return out > 1 ? roiStart * (length - 1) + x * (roiEnd - roiStart) * (length - 1) / static_cast<double>(out - 1)
                       : 0.5 * (roiStart + roiEnd) * (length - 1);
    if (mode.coordinates == "half_pixel_symmetric") {
        const double adjustment = static_cast<double>(out) / resized;
        return length / 2 * (1 - adjustment) + (x + 0.5) / scale - 0.5;
    }
    return (x + 0.5) / scale - 0.5;
}

bool ResizeAxis::isOutside(std::int64_t i, const ResizeMode& mode) const
{
    if (mode.coordinates != "tf_crop_and_resize")
        return false;
    const double x = source(i, mode);
    return x < 0 || x > static_cast<double>(in - 1);
}

std::int64_t ResizeAxis::nearest(std::int64_t i, const ResizeMode& mode) const
{
    const double x = source(i, mode);
    double index = 0;
    if (mode.rounding == "round_prefer_floor")
        index = std::ceil(x - 0.5);
    else if (mode.rounding == "round_prefer_ceil")
        index = std::floor(x + 0.5);
    else if (mode.rounding == "ceil")
        index = std::ceil(x);
    else
        index = std::floor(x);
    return static_cast<std::int64_t>(std::clamp(index, 0.0, static_cast<double>(in - 1)));
}

namespace {

double triangle(double t) { return std::max(0.0, 1 - std::abs(t)); }

/// Keys 1981, equation 4, with a free coefficient.
double cubic(double t, double a)
{
    t = std::abs(t);
    if (t <= 1)
        return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

} // namespace

std::vector<ResizeAxis::Tap> ResizeAxis::taps(std::int64_t i, const ResizeMode& mode) const
{
    const double x = source(i, mode);
    const double stretch = mode.antialias ? std::min(scale, 1.0) : 1.0;
    const double support = (mode.interpolation == "cubic" ? 2 : 1) / stretch;
    const auto first = static_cast<std::int64_t>(std::floor(x - support)) + 1;
    const auto last = static_cast<std::int64_t>(std::ceil(x + support)) - 1;
    std::vector<Tap> taps;
    double sum = 0;
    std::vector<double> weights;
    for (std::int64_t j = first; j <= last; ++j) {
        if (mode.excludeOutside && (j < 0 || j >= in))
            continue;
        const double t = (static_cast<double>(j) - x) * stretch;
        weights.push_back(mode.interpolation == "cubic" ? cubic(t, mode.cubicCoefficient) : triangle(t));
        sum += weights.back();
        taps.push_back({ std::clamp<std::int64_t>(j, 0, in - 1), 0 });
    }
    const double norm = (mode.antialias || mode.excludeOutside) && sum != 0 ? sum : 1;
    for (std::size_t k = 0; k < taps.size(); ++k)
        taps[k].weight = static_cast<float>(weights[k] / norm);
    return taps;
}

namespace {

Result<ResizeMode> readMode(const KernelRequest& request)
{
    const auto& node = request.node;
    const bool early = node.opType == "Upsample" || request.opset < 11;
    ResizeMode mode;
    mode.interpolation = node.stringAttribute("mode", "nearest");
    if (mode.interpolation == "bilinear" || mode.interpolation == "trilinear")
        mode.interpolation = "linear";
    mode.coordinates = node.stringAttribute("coordinate_transformation_mode", early ? "asymmetric" : "half_pixel");
    mode.rounding = node.stringAttribute("nearest_mode", early ? "floor" : "round_prefer_floor");
    mode.cubicCoefficient = node.floatAttribute("cubic_coeff_a", -0.75F);
    mode.extrapolation = node.floatAttribute("extrapolation_value", 0.0F);
    mode.antialias = node.intAttribute("antialias", 0) != 0;
    mode.excludeOutside = node.intAttribute("exclude_outside", 0) != 0;
    const auto oneOf = [](const std::string& name, std::initializer_list<std::string_view> names) {
        return std::ranges::find(names, name) != names.end();
    };
    if (!oneOf(mode.interpolation, { "nearest", "linear", "cubic" }))
        return request.invalid("mode '" + mode.interpolation + "', expected nearest, linear or cubic");
    if (!oneOf(mode.coordinates,
            { "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                "tf_crop_and_resize", "tf_half_pixel_for_nn" }))
        return request.invalid("unknown coordinate_transformation_mode '" + mode.coordinates + "'");
    if (!oneOf(mode.rounding, { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" }))
        return request.invalid("unknown nearest_mode '" + mode.rounding + "'");
    return mode;
}

struct Operands {
    std::vector<double> scales;
    std::vector<double> sizes;
    std::vector<double> roi;
};

Result<Operands> readOperands(const KernelRequest& request)
{
    const bool resize = request.node.opType == "Resize" && request.opset >= 11;
    Operands operands;
    const auto read = [&](std::size_t input, std::vector<double>& into) {
        const auto values = request.doubles(input);
        into = values.value_or(std::vector<double> {});
        return values.has_value() || !request.has(input);
    };
    bool known = read(resize ? 2 : 1, operands.scales);
    if (resize)
        known = known && read(3, operands.sizes)
            && (read(1, operands.roi)
                || request.node.stringAttribute("coordinate_transformation_mode", "") != "tf_crop_and_resize");
    if (!known)
        return request.unsupported("a resize whose sizes are computed while the model runs",
            "fix the shapes of the model so that they become constants");
    if (request.node.hasAttribute("scales"))
        for (const float scale : request.node.floatsAttribute("scales"))
            operands.scales.push_back(scale);
    return operands;
}

/// Scales that follow from sizes; with an aspect-ratio policy one scale for all.
std::vector<double> scalesFromSizes(
    const KernelRequest& request, const std::vector<double>& sizes, std::span<const int> axes)
{
    const Shape& shape = request.inputs.front().shape;
    std::vector<double> scales;
    for (std::size_t i = 0; i < axes.size(); ++i)
        scales.push_back(sizes[i] / static_cast<double>(shape[axes[i]]));
    const std::string policy = request.node.stringAttribute("keep_aspect_ratio_policy", "stretch");
    if (!scales.empty() && policy == "not_larger")
        std::ranges::fill(scales, *std::ranges::min_element(scales));
    if (!scales.empty() && policy == "not_smaller")
        std::ranges::fill(scales, *std::ranges::max_element(scales));
    return scales;
}

} // namespace

Result<ResizePlan> readResizePlan(const KernelRequest& request)
{
    const Shape& in = request.inputs.front().shape;
    const Shape& out = request.outputs.front().shape;
    ResizePlan plan;
    QS_TRY(plan.mode, readMode(request));
    QS_TRY(Operands operands, readOperands(request));
    std::vector<std::int64_t> all(static_cast<std::size_t>(in.rank()));
    std::iota(all.begin(), all.end(), 0);
    QS_TRY(const auto axes, checkedAxes(request, request.node.intsAttribute("axes", all), in.rank()));
    if (operands.scales.empty() && operands.sizes.size() == axes.size())
        operands.scales = scalesFromSizes(request, operands.sizes, axes);
    if (operands.scales.size() != axes.size() || in.rank() != out.rank())
        return request.invalid("got " + std::to_string(std::max(operands.scales.size(), operands.sizes.size()))
            + " scales or sizes for " + std::to_string(axes.size()) + " axes");
    for (int axis = 0; axis < in.rank(); ++axis) {
        if (in[axis] == 0 && out[axis] != 0)
            return request.invalid("an empty axis cannot be resized");
        plan.axes.push_back({ in[axis], out[axis] });
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        auto& axis = plan.axes[static_cast<std::size_t>(axes[i])];
        axis.scale = operands.scales[i];
        if (!(axis.scale > 0))
            return request.invalid("scale " + std::to_string(axis.scale) + ", expected a positive one");
        if (operands.roi.size() == 2 * axes.size()) {
            axis.roiStart = operands.roi[i];
            axis.roiEnd = operands.roi[i + axes.size()];
        }
    }
    return plan;
}

} // namespace quantoscope::engine
