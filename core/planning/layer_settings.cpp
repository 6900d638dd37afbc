// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/layer_settings.h"

#include <algorithm>
#include <limits>

#include "core/planning/glob.h"

namespace quantoscope::planning {

namespace {

void apply(LayerSetting& setting, const WishChange& change)
{
    change.applyTo(setting.wish);
    setting.overridden |= !change.empty();
}

int width(const LayerSetting& setting) { return setting.wish.bits.value_or(std::numeric_limits<int>::max()); }

std::string someNames(const std::vector<graph::Layer>& layers)
{
    constexpr std::size_t most = 5;
    std::string names;
    for (std::size_t i = 0; i < std::min(most, layers.size()); ++i)
        names += (i == 0 ? "'" : ", '") + layers[i].name + "'";
    return names + (layers.size() > most ? ", ..." : "");
}

} // namespace

Result<SettingsTable> SettingsTable::make(const std::vector<graph::Layer>& layers, const PlanRequest& request)
{
    SettingsTable table;
    table.m_defaults = { { request.weights, false }, { request.activations, false } };
    for (const auto& layer : layers)
        table.m_layers.emplace(layer.name, table.m_defaults);
    if (request.firstLastBits && !layers.empty()) {
        for (const auto* layer : { &layers.front(), &layers.back() }) {
            auto& settings = table.m_layers[layer->name];
            for (auto* side : { &settings.weight, &settings.activation })
                if (side->wish.bits)
                    side->wish.bits = request.firstLastBits;
        }
    }
    for (const auto& wish : request.overrides) {
        bool matched = false;
        for (auto& [name, settings] : table.m_layers) {
            if (!globMatches(wish.pattern, name))
                continue;
            matched = true;
            apply(settings.weight, wish.weights);
            apply(settings.activation, wish.activations);
        }
        if (!matched)
            return fail(ErrorCode::InvalidInput, "no layer's name matches '" + wish.pattern + "'", "layer override",
                layers.empty() ? "the model has no compute layers" : "the layers are " + someNames(layers));
    }
    return table;
}

LayerSetting SettingsTable::choose(const std::vector<std::string>& layers, LayerSetting LayerSettings::*side) const
{
    if (layers.empty())
        return m_defaults.*side;
    const LayerSetting* chosen = nullptr;
    for (const auto& name : layers) {
        const LayerSetting& setting = m_layers.at(name).*side;
        const bool stronger = chosen && setting.overridden && !chosen->overridden;
        const bool wider = chosen && setting.overridden == chosen->overridden && width(setting) > width(*chosen);
        if (!chosen || stronger || wider)
            chosen = &setting;
    }
    return *chosen;
}

LayerSetting SettingsTable::weightFor(const std::vector<std::string>& layers) const
{
    return choose(layers, &LayerSettings::weight);
}

LayerSetting SettingsTable::activationFor(const std::vector<std::string>& layers) const
{
    return choose(layers, &LayerSettings::activation);
}

bool SettingsTable::disagree(const std::vector<std::string>& layers, quant::Role role) const
{
    const auto side = role == quant::Role::Weight ? &LayerSettings::weight : &LayerSettings::activation;
    return std::ranges::any_of(
        layers, [&](const std::string& name) { return m_layers.at(name).*side != m_layers.at(layers.front()).*side; });
}

} // namespace quantoscope::planning
