// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/convolution_operands.h"

namespace quantoscope::engine {

Result<Window> convolutionWindow(const KernelRequest& request, bool transposed)
{
    const Shape& input = request.inputs[0].shape;
    const Shape& weight = request.inputs[1].shape;
    if (input.rank() < 3 || weight.rank() != input.rank())
        return request.invalid("input of shape " + input.toString() + " and weight of shape " + weight.toString()
            + ", expected equal ranks of at least 3");
    std::vector<std::int64_t> kernel(weight.begin() + 2, weight.end());
    const auto declared = request.node.intsAttribute("kernel_shape");
    if (!declared.empty() && declared != kernel)
        return request.invalid("attribute 'kernel_shape' is " + Shape(declared).toString()
            + ", but the weight has shape " + weight.toString());
    if (transposed)
        return transposedWindow(request, input, request.outputs[0].shape, std::move(kernel));
    return slidingWindow(request, input, std::move(kernel));
}

Result<std::int64_t> convolutionGroups(const KernelRequest& request, bool transposed)
{
    const std::int64_t groups = request.node.intAttribute("group", 1);
    const std::int64_t channels = request.inputs[0].shape[1];
    const Shape& weight = request.inputs[1].shape;
    const std::int64_t expected = transposed ? weight[0] : weight[1] * groups;
    if (groups < 1 || channels != expected || weight[0] % groups != 0)
        return request.invalid("input with " + std::to_string(channels) + " channels, weight of shape "
                + weight.toString() + " and " + std::to_string(groups) + " groups do not fit together",
            "the input needs " + std::to_string(expected) + " channels");
    const std::int64_t features = transposed ? weight[1] * groups : weight[0];
    if (request.has(2) && request.inputs[2].shape != Shape { features })
        return request.invalid(
            "bias of shape " + request.inputs[2].shape.toString() + ", expected [" + std::to_string(features) + "]");
    return groups;
}

} // namespace quantoscope::engine
