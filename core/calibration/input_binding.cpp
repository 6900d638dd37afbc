// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string>
#include <vector>

#include "core/calibration/stats.h"
#include "core/engine/engine.h"
#include "core/graph/shape_inference.h"

namespace quantoscope::calibration {

namespace {

using graph::Dims;

std::string describe(const Shape& sample) { return "samples of shape " + sample.toString(); }

bool matches(const graph::Dim& wanted, std::int64_t extent) { return !wanted.known() || wanted.value == extent; }

bool matches(const Dims& dims, const Shape& sample)
{
    if (std::ssize(dims) != sample.rank() + 1)
        return false;
    for (int axis = 0; axis < sample.rank(); ++axis)
        if (!matches(dims[static_cast<std::size_t>(axis) + 1], sample[axis]))
            return false;
    return true;
}

/// What would make three-dimensional samples fit a four-dimensional input.
std::string hintFor(const Dims& dims, const Shape& sample, dataset::MemoryLayout layout)
{
    if (dims.size() != 4 || sample.rank() != 3)
        return "the input must be [batch, channels, height, width] or [batch, height, width, channels]";
    const bool nchw = layout == dataset::MemoryLayout::Nchw;
    const Shape swapped = nchw ? Shape { sample[1], sample[2], sample[0] } : Shape { sample[2], sample[0], sample[1] };
    if (matches(dims, swapped))
        return nchw ? "use --layout nhwc" : "use --layout nchw";
    const auto& channels = dims[nchw ? 1 : 3];
    const auto& height = dims[nchw ? 2 : 1];
    const auto& width = dims[nchw ? 3 : 2];
    const std::int64_t sampleChannels = sample[nchw ? 0 : 2];
    if (!matches(channels, sampleChannels)) {
        if (channels.value == 1)
            return "use --channels gray";
        if (channels.value == 3)
            return "use --channels rgb, or --layout if the channels stand elsewhere";
        return "a model with " + channels.toString() + " channels cannot take images";
    }
    if (!height.known() || !width.known())
        return "the model wants images of " + height.toString() + " rows and " + width.toString()
            + " columns: use --resize WxH";
    if (height.value == width.value)
        return "use --resize " + height.toString() + " --crop " + height.toString();
    return "use --resize " + width.toString() + "x" + height.toString();
}

Result<graph::ValueId> singleInput(const graph::Graph& graph)
{
    if (graph.inputs().size() == 1)
        return graph.inputs().front();
    std::string names;
    for (const auto id : graph.inputs())
        names += (names.empty() ? "'" : ", '") + graph.value(id).name + "'";
    return fail(ErrorCode::InvalidInput,
        "the model has " + std::to_string(graph.inputs().size()) + " inputs" + (names.empty() ? "" : " (" + names + ")")
            + ", images can feed exactly one",
        {}, "export the model with the image as its only input");
}

/// Whether the graph works at this batch: shapes agree, and every output that has one entry an image has `batch` of
/// them.
bool worksAt(const graph::Graph& graph, const InputBinding& binding, const Shape& single)
{
    if (binding.batch == 1)
        return true;
    const auto inferred = [&](const Shape& shape) -> std::vector<std::optional<Dims>> {
        graph::Graph copy = graph;
        graph::InferenceOptions options;
        options.inputShapes = { { binding.input, shape } };
        options.evaluator = engine::constantEvaluator();
        if (!graph::inferShapes(copy, options))
            return {};
        std::vector<std::optional<Dims>> outputs;
        for (const auto id : copy.outputs())
            outputs.push_back(copy.value(id).type.dims);
        return outputs;
    };
    const auto many = inferred(binding.shape);
    const auto one = inferred(single);
    if (many.empty() || many.size() != one.size())
        return false;
    return std::ranges::equal(many, one, [&](const auto& atMany, const auto& atOne) {
        const bool perImage = atOne && !atOne->empty() && atOne->front().value == 1;
        return !perImage || (atMany && !atMany->empty() && atMany->front().value == binding.batch);
    });
}

} // namespace

Result<InputBinding> bindInput(const graph::Graph& graph, const dataset::SampleSet& samples, std::int64_t wantedBatch)
{
    QS_TRY(const auto id, singleInput(graph));
    const auto& value = graph.value(id);
    const std::string where = "input '" + value.name + "'";
    if (value.type.dtype && *value.type.dtype != DType::Float32)
        return fail(ErrorCode::Unsupported,
            "takes " + std::string(tensor::name(*value.type.dtype)) + ", images are fed as float32", where,
            "export the model with a float32 input");

    Shape sample(samples.sampleShape());
    const Dims dims = value.type.dims.value_or(Dims(static_cast<std::size_t>(sample.rank()) + 1));
    if (dims.size() == 2 && matches(dims[1], sample.size()))
        sample = Shape { sample.size() }; // a flat input takes the image's elements in order
    if (!matches(dims, sample))
        return fail(ErrorCode::InvalidInput, "expects " + graph::toString(dims) + ", the data give " + describe(sample),
            where, hintFor(dims, sample, samples.preprocessing().layout));
    if (dims.front().known() && dims.front().value != 1)
        return fail(ErrorCode::InvalidInput,
            "fixes the batch to " + dims.front().toString() + ", images are fed one by one or in batches of any size",
            where, "export the model with batch 1 or an open batch");

    const auto shapeFor = [&sample](std::int64_t batch) {
        std::vector<std::int64_t> extents { batch };
        extents.insert(extents.end(), sample.begin(), sample.end());
        return Shape(std::move(extents));
    };
    const std::int64_t batch = dims.front().known()
        ? 1
        : std::clamp<std::int64_t>(wantedBatch, 1, std::max<std::int64_t>(samples.size(), 1));
    InputBinding binding { value.name, batch, shapeFor(batch) };
    if (!worksAt(graph, binding, shapeFor(1)))
        return InputBinding { value.name, 1, shapeFor(1) };
    return binding;
}

} // namespace quantoscope::calibration
