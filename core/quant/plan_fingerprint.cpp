// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/plan_fingerprint.h"

#include <nlohmann/json.hpp>

#include "core/base/sha256.h"

namespace quantoscope::quant {

namespace {

void addConstants(base::Sha256& hash, const QuantizationPlan::Constants& constants)
{
    hash.add(static_cast<std::int64_t>(constants.size()));
    for (const auto& [name, values] : constants) {
        hash.add(name).add(values->shape().rank());
        for (const auto extent : values->shape().dims())
            hash.add(extent);
        hash.update(values->as<float>());
    }
}

} // namespace

std::string fingerprint(const QuantizationPlan& plan)
{
    // Corrected weights are hashed as they are: as JSON they would be four thirds of their size and far slower.
    QuantizationPlan bare = plan;
    const auto nothing = std::make_shared<const Tensor>(DType::Float32, Shape({ 0 }));
    for (const auto& [name, values] : plan.constants())
        bare.setConstant(name, nothing);
    base::Sha256 hash;
    hash.add(bare.toJson().dump(-1, ' ', false, Json::error_handler_t::replace));
    addConstants(hash, plan.floatConstants());
    addConstants(hash, plan.constants());
    return base::toHex(hash.digest());
}

} // namespace quantoscope::quant
