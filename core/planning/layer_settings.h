// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/layers.h"
#include "core/planning/request.h"

namespace quantoscope::planning {

/// What one layer asks of its weight or of its activations.
struct LayerSetting {
    TensorWish wish;
    bool overridden = false;
    friend bool operator==(const LayerSetting&, const LayerSetting&) = default;
};

struct LayerSettings {
    LayerSetting weight;
    LayerSetting activation;
};

/// The plan's defaults, then first and last layer, then the overrides in order. InvalidInput names an override that
/// matches none.
class SettingsTable {
public:
    static Result<SettingsTable> make(const std::vector<graph::Layer>& layers, const PlanRequest& request);

    /// The setting for a tensor that `layers` share: the first overridden one, otherwise the largest word-length (float
    /// above all). Without layers: the plan's default.
    LayerSetting weightFor(const std::vector<std::string>& layers) const;
    LayerSetting activationFor(const std::vector<std::string>& layers) const;
    /// Whether the layers' wishes differ, so that one of them was passed over.
    bool disagree(const std::vector<std::string>& layers, quant::Role role) const;

private:
    LayerSetting choose(const std::vector<std::string>& layers, LayerSetting LayerSettings::*side) const;

    LayerSettings m_defaults;
    std::map<std::string, LayerSettings> m_layers;
};

} // namespace quantoscope::planning
