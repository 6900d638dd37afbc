// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/kernel.h"

namespace quantoscope::engine {

/// Whether a kernel with an output quantizer has to deliver its result both as it is and quantized, because somebody
/// reads either: the quantized copy is then an output behind those of the node.
inline bool deliversBoth(const KernelRequest& request)
{
    return request.outputQuantizer && request.outputs.size() > request.node.outputs.size();
}

} // namespace quantoscope::engine
