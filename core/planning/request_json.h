// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/planning/request.h"

namespace quantoscope::planning {

/// Every field of a request, so that two requests are equal where their JSON is.
Json toJson(const PlanRequest& request);
Json toJson(const Corrections& corrections); ///< the words of those that are set

/// What toJson() was given. InvalidInput for anything else.
Result<PlanRequest> requestFromJson(const Json& json);
Result<Corrections> correctionsFromJson(const Json& json);

} // namespace quantoscope::planning
