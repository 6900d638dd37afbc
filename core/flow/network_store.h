// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/flow/best_flow.h"
#include "core/flow/quantizer.h"

namespace quantoscope::flow {

/// Keeps what requests became, so that planning and correcting that was done before is not done again. Thread safe.
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
};

} // namespace quantoscope::flow
