// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/support.h"

#include <algorithm>

namespace quantoscope::engine {

Result<void> checkRanks(const KernelRequest& request)
{
    for (const auto* operands : { &request.inputs, &request.outputs }) {
        for (const auto& operand : *operands) {
            if (operand.present && operand.shape.rank() > largestRank)
                return request.unsupported("a tensor of rank " + std::to_string(operand.shape.rank()) + " (at most "
                    + std::to_string(largestRank) + " axes are computed)");
        }
    }
    return {};
}

Result<std::size_t> elementWidth(const KernelRequest& request, DType dtype)
{
    QS_CHECK(checkRanks(request));
    if (tensor::isPacked(dtype))
        return request.unsupported("packed element type " + std::string(tensor::name(dtype)) + " cannot be moved about",
            "put the DequantizeLinear before this node");
    return tensor::byteSize(dtype, 1);
}

LayoutChoice elementwiseLayouts(const KernelRequest& request)
{
    LayoutChoice choice;
    const Shape& shape = request.outputs.front().shape;
    const auto fullSize = [&](const OperandInfo& o) { return o.present && !o.constant && o.shape == shape; };
    const bool channelsLast = std::ranges::any_of(
        request.inputs, [&](const auto& o) { return fullSize(o) && o.layout == Layout::ChannelsLast; });
    const Layout wanted = channelsLast ? Layout::ChannelsLast : Layout::Plain;
    for (const auto& input : request.inputs)
        choice.inputs.push_back(fullSize(input) ? wanted : input.layout);
    for (std::size_t i = 0; i < request.outputs.size(); ++i)
        choice.outputs.push_back(wanted);
    return choice;
}

LayoutChoice passThroughLayouts(const KernelRequest& request)
{
    LayoutChoice choice { std::vector<Layout>(request.inputs.size(), Layout::Plain),
        std::vector<Layout>(request.outputs.size(), Layout::Plain) };
    choice.inputs.front() = choice.outputs.front() = request.inputs.front().layout;
    return choice;
}

bool mayShareBuffer(const KernelRequest& request, std::size_t input)
{
    const auto& from = request.inputs[input];
    const auto& to = request.outputs.front();
    return from.shape == to.shape && from.layout == to.layout
        && tensor::bitWidth(from.dtype) == tensor::bitWidth(to.dtype);
}

Result<int> checkedAxis(const KernelRequest& request, std::int64_t axis, int rank)
{
    auto normalized = tensor::normalizeAxis(axis, rank);
    if (!normalized)
        return request.invalid(normalized.error().what);
    return *normalized;
}

Result<std::vector<int>> checkedAxes(const KernelRequest& request, std::span<const std::int64_t> axes, int rank)
{
    std::vector<int> result;
    for (const auto axis : axes) {
        QS_TRY(const int normalized, checkedAxis(request, axis, rank));
        if (std::ranges::find(result, normalized) != result.end())
            return request.invalid("axis " + std::to_string(axis) + " is named twice");
        result.push_back(normalized);
    }
    return result;
}

} // namespace quantoscope::engine
