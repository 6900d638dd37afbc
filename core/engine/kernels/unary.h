// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernels/support.h"

namespace quantoscope::engine {

/// y[i] = op(x[i]) over input 0, in whatever layout it has.
template <typename In, typename Out = In, typename Op> KernelPtr makeUnary(const KernelRequest& request, Op op)
{
    const auto run = [op](const KernelArguments& arguments) {
        const In* x = arguments.inputs[0].in<In>();
        Out* y = arguments.outputs[0].out<Out>();
        const std::int64_t n = arguments.inputs[0].size();
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
            y[i] = static_cast<Out>(op(x[i]));
    };
    return makeKernel(run, { .inPlaceInput = mayShareBuffer(request, 0) ? 0 : -1 });
}

} // namespace quantoscope::engine
