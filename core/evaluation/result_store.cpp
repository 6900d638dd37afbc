// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/result_store.h"

#include <algorithm>

#include "core/base/sha256.h"
#include "core/graph/fingerprint.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::evaluation {

std::string ResultOrigin::key() const
{
    base::Sha256 hash;
    hash.add(QUANTOSCOPE_VERSION).add(graph::fingerprint(graph)).add(quant::fingerprint(plan));
    hash.add(samples.fingerprint()).add(batch);
    if (!plan.tensors().empty()) // otherwise there is nothing to choose
        hash.add(toString(arithmetic)).add(std::int64_t { engine::addsInFullWidth() });
    // Draws depend on where in a batch an image is; nothing else does.
    if (std::ranges::any_of(plan.tensors(),
            [](const auto& entry) { return entry.second.encoding.rounding == quant::Rounding::Stochastic; }))
        hash.add("random order");
    return base::toHex(hash.digest());
}

} // namespace quantoscope::evaluation
