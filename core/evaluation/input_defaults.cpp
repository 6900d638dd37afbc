// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/input_defaults.h"

namespace quantoscope::evaluation {

namespace {

bool isChannelCount(const graph::Dim& dim) { return dim.value == 1 || dim.value == 3; }

/// Channels and layout of an image input [N, C, H, W] or [N, H, W, C]; anything else leaves them alone.
void fitToInput(dataset::Preprocessing& preprocessing, const graph::Graph& graph)
{
    if (graph.inputs().empty())
        return;
    const auto& dims = graph.value(graph.inputs().front()).type.dims;
    if (!dims || dims->size() != 4)
        return;
    const bool channelsLast = !isChannelCount((*dims)[1]) && isChannelCount((*dims)[3]);
    if (channelsLast)
        preprocessing.layout = dataset::MemoryLayout::Nhwc;
    if ((*dims)[channelsLast ? 3 : 1].value == 1)
        preprocessing.channels = dataset::Channels::Gray;
}

} // namespace

Result<InputDefaults> inputDefaults(const graph::Model& model)
{
    InputDefaults defaults;
    defaults.reason = "default";
    if (const auto entry = model.metadata.find("preprocess"); entry != model.metadata.end()) {
        auto named = dataset::Preprocessing::named(entry->second);
        if (!named)
            return fail(ErrorCode::InvalidInput,
                "the model's metadata ask for pre-processing '" + entry->second + "', which is not known",
                model.path.string(), "say how images are prepared: --preprocess, or --mean, --std and --scale");
        defaults.preprocessing = *named;
        defaults.reason = "named by the model";
    }
    fitToInput(defaults.preprocessing, model.graph);
    return defaults;
}

} // namespace quantoscope::evaluation
