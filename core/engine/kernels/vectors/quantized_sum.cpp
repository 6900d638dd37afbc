// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/vectors/quantized_sum.h"

#include <algorithm>

#include "core/engine/kernels/fused_quantizers.h"
#include "core/engine/kernels/support.h"
#include "core/engine/kernels/vectors/vector_functions.h"

namespace quantoscope::engine {

namespace {

bool isFloatOf(const OperandInfo& operand, const Shape& shape)
{
    return operand.present && operand.dtype == DType::Float32 && !operand.constant && operand.shape == shape;
}

/// What is done to each sum. The quantizer sees clamped values, so its own bounds do for both where nobody else does.
rows::Sum sumOf(const KernelRequest& request)
{
    const Clamp clamp = request.activation.value_or(Clamp {});
    rows::Sum sum;
    if (deliversBoth(request))
        sum.clamp = VectorQuantizer::clamp(clamp.low, clamp.high);
    sum.quantizer = *VectorQuantizer::of(*request.outputQuantizer, clamp.low, clamp.high);
    return sum;
}

} // namespace

bool quantizedSumSuits(const KernelRequest& request)
{
    const Clamp clamp = request.activation.value_or(Clamp {});
    const Shape& shape = request.outputs[0].shape;
    return vectorFunctions() && !request.inputQuantizer && request.outputQuantizer && request.inputs.size() == 2
        && std::ranges::all_of(request.inputs, [&](const OperandInfo& input) { return isFloatOf(input, shape); })
        && VectorQuantizer::of(*request.outputQuantizer, clamp.low, clamp.high);
}

Result<KernelPtr> makeQuantizedSum(const KernelRequest& request)
{
    const auto run = [sum = sumOf(request), both = deliversBoth(request), count = request.outputs[0].shape.size()](
                         const KernelArguments& arguments) {
        float* const first = arguments.outputs[0].out<float>();
        vectorFunctions()->add(sum, arguments.inputs[0].in<float>(), arguments.inputs[1].in<float>(),
            both ? first : nullptr, both ? arguments.outputs[1].out<float>() : first, count);
    };
    return makeKernel(run,
        { .inPlaceInput = 0,
            .implementation = deliversBoth(request) ? "sum with its quantized copy" : "sum before a quantizer" });
}

} // namespace quantoscope::engine
