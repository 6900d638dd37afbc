// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/result_store.h"

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
    return base::toHex(hash.digest());
}

} // namespace quantoscope::evaluation
