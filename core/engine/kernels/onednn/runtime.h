// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace quantoscope::engine {

/// A dnnl::stream on the process' one engine object, without its type: what KernelArguments::stream points to.
std::shared_ptr<void> makeStream();

} // namespace quantoscope::engine
