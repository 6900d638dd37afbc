// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/kept_fidelities.h"

#include <optional>
#include <string>
#include <utility>

#include "core/engine/engine.h"
#include "core/flow/network_store.h"
#include "core/graph/fingerprint.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::flow {

namespace {

std::string keyFor(const Quantizer& quantizer, const calibration::Network& network)
{
    return quantizer.keyFor("fidelity " + graph::fingerprint(*network.graph) + " " + quant::fingerprint(*network.plan)
        + (engine::addsInFullWidth() ? " full width" : ""));
}

} // namespace

Result<std::vector<evaluation::Fidelity>> keptFidelities(const Quantizer& quantizer,
    std::span<const calibration::Network> networks, const std::shared_ptr<evaluation::Reuse>& reuse,
    const base::Job& job)
{
    const auto& store = quantizer.options().store;
    if (!store)
        return quantizer.fidelitiesOnAll(networks, reuse, job);
    std::vector<std::string> keys;
    std::vector<std::optional<evaluation::Fidelity>> kept;
    std::vector<calibration::Network> missing;
    for (const auto& network : networks) {
        keys.push_back(keyFor(quantizer, network));
        QS_TRY(kept.emplace_back(), store->findFidelity(keys.back()));
        if (!kept.back())
            missing.push_back(network);
    }
    job.advance((std::ssize(networks) - std::ssize(missing)) * quantizer.calibration()->size());
    std::vector<evaluation::Fidelity> computed;
    if (!missing.empty()) {
        QS_TRY(computed, quantizer.fidelitiesOnAll(missing, reuse, job));
    }
    std::vector<evaluation::Fidelity> fidelities;
    auto next = computed.begin();
    for (std::size_t i = 0; i < networks.size(); ++i) {
        if (!kept[i]) {
            QS_CHECK(store->keepFidelity(keys[i], *next));
            kept[i] = std::move(*next++);
        }
        fidelities.push_back(*std::move(kept[i]));
    }
    return fidelities;
}

} // namespace quantoscope::flow
