// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/flow/quantizer.h"

namespace quantoscope::flow {

/// Quantizer::fidelitiesOnAll(), each found in the quantizer's store if it was kept there before, and kept there
/// otherwise.
Result<std::vector<evaluation::Fidelity>> keptFidelities(const Quantizer& quantizer,
    std::span<const calibration::Network> networks, const std::shared_ptr<evaluation::Reuse>& reuse,
    const base::Job& job = {});

} // namespace quantoscope::flow
