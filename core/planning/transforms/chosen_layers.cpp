// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/chosen_layers.h"

#include <algorithm>

namespace quantoscope::planning {

Result<std::vector<graph::Layer>> chosenLayers(const CorrectionData& data)
{
    auto layers = graph::computeLayers(data.graph);
    for (const auto& name : data.layers)
        if (std::ranges::find(layers, name, &graph::Layer::name) == layers.end())
            return fail(ErrorCode::NotFound, "a layer to correct that the model does not have", "layer '" + name + "'",
                "name compute layers of the prepared model");
    if (!data.layers.empty())
        std::erase_if(layers,
            [&](const graph::Layer& layer) { return std::ranges::find(data.layers, layer.name) == data.layers.end(); });
    return layers;
}

} // namespace quantoscope::planning
