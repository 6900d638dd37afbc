// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/evaluation/fidelity.h"
#include "core/flow/best_flow.h"
#include "core/flow/quantizer.h"

namespace quantoscope::flow {

/// Keeps what requests became and how close that is to float, so that what was done before is not done again. Thread
/// safe.
class NetworkStore {
public:
    virtual ~NetworkStore() = default;
    /// What was kept under this key; empty if nothing was, or it is damaged. `graph` of its network is null.
    virtual Result<std::optional<QuantizedNetwork>> findNetwork(const std::string& key) = 0;
    virtual Result<std::optional<BestFlow>> findBestFlow(const std::string& key) = 0;
    /// Returns once it would survive the end of the process. `request` is what was asked for. Errors: Io.
    virtual Result<void> keepNetwork(
        const std::string& key, const planning::PlanRequest& request, const QuantizedNetwork& network)
        = 0;
    virtual Result<void> keepBestFlow(
        const std::string& key, const planning::PlanRequest& request, const BestFlow& best)
        = 0;
    virtual Result<std::optional<evaluation::Fidelity>> findFidelity(const std::string& key) = 0;
    virtual Result<void> keepFidelity(const std::string& key, const evaluation::Fidelity& fidelity) = 0;
};

} // namespace quantoscope::flow
