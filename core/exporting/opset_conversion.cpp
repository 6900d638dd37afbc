// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/opset_conversion.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/exporting/names.h"
#include "core/graph/op_schema.h"

namespace quantoscope::exporting {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;

namespace {

/// One node on its way from opset `from` to opset `to`.
struct Conversion {
    Graph& graph;
    NodeId id;
    int from;
    int to;

    Node& node() const { return graph.node(id); }
    /// Whether opset `version` lies on the way.
    bool crosses(int version) const { return from < version && to >= version; }

    tl::unexpected<Error> refuse(std::string what) const
    {
        return fail(ErrorCode::Unsupported,
            std::move(what) + " has no equivalent at opset " + std::to_string(to) + " (the model has "
                + std::to_string(from) + ")",
            "node '" + graph.label(id) + "'", "export the source model again with opset " + std::to_string(to));
    }

    /// A free name for something new that belongs to this node.
    std::string nameFor(std::string_view what) const
    {
        const auto result = std::ranges::find_if(node().outputs, &ValueId::valid);
        const auto base = result == node().outputs.end() ? node().opType : graph.value(*result).name;
        return unusedName(graph, base + "_" + std::string(what));
    }

    ValueId addConstant(std::string_view what, Tensor tensor) const
    {
        return graph.addConstant(nameFor(what), std::make_shared<const Tensor>(std::move(tensor)));
    }

    /// Puts `value` into slot `slot`, with absent inputs before it where there are too few.
    void setInput(std::size_t slot, ValueId value) const
    {
        auto& inputs = node().inputs;
        if (inputs.size() <= slot)
            inputs.resize(slot + 1);
        inputs[slot] = value;
    }

    void drop(const char* attribute) const { node().attributes.erase(attribute); }

    /// Turns an attribute of integers, if it is there, into input `slot`.
    void intsToInput(const char* attribute, std::size_t slot) const
    {
        if (!node().hasAttribute(attribute))
            return;
        const auto values = node().intsAttribute(attribute);
        drop(attribute);
        setInput(slot,
            addConstant(
                attribute, Tensor::from<std::int64_t>(Shape { static_cast<std::int64_t>(values.size()) }, values)));
    }

    /// Turns a float attribute, if it is there, into the scalar input `slot`.
    void floatToInput(const char* attribute, std::size_t slot) const
    {
        if (!node().hasAttribute(attribute))
            return;
        const float value = node().floatAttribute(attribute, 0);
        drop(attribute);
        setInput(slot, addConstant(attribute, Tensor::scalar(value)));
    }

    /// A node before or after the converted one; `name` tells its result from others.
    ValueId insert(std::string opType, std::vector<ValueId> inputs, std::string_view name,
        std::map<std::string, graph::Attribute> attributes = {}) const
    {
        const auto result = graph.addValue(nameFor(name));
        Node added;
        added.name = graph.value(result).name;
        added.opType = std::move(opType);
        added.inputs = std::move(inputs);
        added.outputs = { result };
        added.attributes = std::move(attributes);
        graph.addNode(std::move(added));
        return result;
    }
};

Result<void> convertClip(const Conversion& c)
{
    if (c.crosses(11)) {
        c.floatToInput("min", 1);
        c.floatToInput("max", 2);
    }
    return {};
}

Result<void> convertPad(const Conversion& c)
{
    if (c.crosses(11)) {
        c.intsToInput("pads", 1);
        c.floatToInput("value", 2);
    }
    return {};
}

Result<void> convertSlice(const Conversion& c)
{
    if (c.crosses(10)) {
        c.intsToInput("starts", 1);
        c.intsToInput("ends", 2);
        c.intsToInput("axes", 3);
    }
    return {};
}

Result<void> convertTopK(const Conversion& c)
{
    if (c.crosses(10) && c.node().hasAttribute("k")) {
        const std::int64_t k = c.node().intAttribute("k", 0);
        c.drop("k");
        c.setInput(1, c.addConstant("k", Tensor::from<std::int64_t>(Shape { 1 }, std::vector { k })));
    }
    return {};
}

/// In inference Dropout is the identity whatever its ratio; only a mask that somebody reads changed its type.
Result<void> convertDropout(const Conversion& c)
{
    if (c.crosses(10) && c.node().hasOutput(1))
        return c.refuse("the mask of Dropout");
    if (c.crosses(12))
        c.drop("ratio");
    return {};
}

Result<void> convertBatchNormalization(const Conversion& c)
{
    if (c.crosses(9)) {
        if (c.node().intAttribute("spatial", 1) != 1)
            return c.refuse("BatchNormalization with spatial = 0");
        c.drop("spatial");
    }
    if (c.crosses(14)) {
        auto& outputs = c.node().outputs;
        if (std::ranges::count_if(outputs, &ValueId::valid) > 1)
            return c.refuse("BatchNormalization that also delivers its statistics");
        outputs.resize(1);
    }
    return {};
}

Result<void> convertAxes13(const Conversion& c)
{
    if (c.crosses(13))
        c.intsToInput("axes", 1);
    return {};
}

Result<void> convertAxes18(const Conversion& c)
{
    if (c.crosses(18))
        c.intsToInput("axes", 1);
    return {};
}

Result<void> convertSplit(const Conversion& c)
{
    if (c.crosses(13))
        c.intsToInput("split", 1);
    if (c.crosses(18) && !c.node().hasInput(1))
        c.node().attributes["num_outputs"] = static_cast<std::int64_t>(c.node().outputs.size());
    return {};
}

/// Until opset 12 Softmax worked on the input flattened to two dimensions at `axis` (default 1); since 13 on that axis
/// alone (default -1). The same where everything behind the axis has extent 1.
Result<void> convertSoftmax(const Conversion& c)
{
    if (!c.crosses(13))
        return {};
    auto& node = c.node();
    const std::int64_t axis = node.intAttribute("axis", 1);
    const auto& input = c.graph.value(node.inputs.front()).type;
    if (input.dims) {
        const auto rank = static_cast<std::int64_t>(input.dims->size());
        const std::int64_t first = axis < 0 ? axis + rank : axis;
        if (first < 0 || first >= rank)
            return c.refuse("axis " + std::to_string(axis) + " of " + node.opType);
        const auto onlyOnes = std::all_of(
            input.dims->begin() + first + 1, input.dims->end(), [](const graph::Dim& dim) { return dim.value == 1; });
        if (onlyOnes) {
            node.attributes["axis"] = first;
            return {};
        }
    }
    const auto source = node.inputs.front();
    const auto result = node.outputs.front();
    const auto flatResult = c.graph.addValue(c.nameFor("flat_result"));
    const auto shape = c.insert("Shape", { source }, "shape");
    const auto flat = c.insert("Flatten", { source }, "flat", { { "axis", axis } });
    Node softmax = node;
    softmax.inputs = { flat };
    softmax.outputs = { flatResult };
    softmax.attributes["axis"] = std::int64_t { -1 };
    Node reshape;
    reshape.name = c.graph.value(result).name + "_reshape";
    reshape.opType = "Reshape";
    reshape.inputs = { flatResult, shape };
    reshape.outputs = { result };
    c.graph.removeNode(c.id);
    c.graph.addNode(std::move(softmax));
    c.graph.addNode(std::move(reshape));
    return {};
}

/// Upsample, and Resize at opset 10, take coordinates as x_resized / scale and round them down.
void makeAsymmetricResize(const Conversion& c, ValueId scales)
{
    auto& node = c.node();
    node.opType = "Resize";
    node.inputs = { node.inputs.front(), ValueId {}, scales };
    node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
    if (node.stringAttribute("mode", "nearest") == "nearest")
        node.attributes["nearest_mode"] = std::string("floor");
}

Result<void> convertUpsample(const Conversion& c)
{
    if (!c.crosses(10))
        return {};
    if (c.from >= 9) {
        makeAsymmetricResize(c, c.node().inputs.at(1));
        return {};
    }
    const auto scales = c.node().floatsAttribute("scales");
    if (scales.empty())
        return c.refuse("Upsample without scales");
    const auto constant
        = c.addConstant("scales", Tensor::from<float>(Shape { static_cast<std::int64_t>(scales.size()) }, scales));
    c.drop("scales");
    makeAsymmetricResize(c, constant);
    return {};
}

Result<void> convertResize(const Conversion& c)
{
    auto& node = c.node();
    if (c.crosses(11)) {
        makeAsymmetricResize(c, node.inputs.at(1));
        return {};
    }
    if (!c.crosses(13))
        return {};
    if (node.stringAttribute("coordinate_transformation_mode", "half_pixel") == "tf_half_pixel_for_nn")
        return c.refuse("Resize with tf_half_pixel_for_nn");
    // Opset 11 could not leave out roi and scales and had empty tensors instead.
    for (std::size_t slot = 1; slot < std::min<std::size_t>(node.inputs.size(), 3); ++slot) {
        const auto value = node.inputs[slot];
        if (c.graph.isConstant(value) && c.graph.value(value).constant->size() == 0)
            node.inputs[slot] = {};
    }
    return {};
}

/// At opset 21 scale and bias went from one a group to one a channel.
Result<void> convertGroupNormalization(const Conversion& c)
{
    return c.crosses(21) ? Result<void>(c.refuse("GroupNormalization with one scale a group")) : Result<void> {};
}

using Converter = Result<void> (*)(const Conversion&);

/// Operators whose form changed after opset 7. Their sum with "not listed: unchanged" is what conversion knows.
constexpr std::array<std::pair<std::string_view, Converter>, 25> converters { {
    { "BatchNormalization", convertBatchNormalization },
    { "Clip", convertClip },
    { "Dropout", convertDropout },
    { "GroupNormalization", convertGroupNormalization },
    { "LogSoftmax", convertSoftmax },
    { "Pad", convertPad },
    { "ReduceL1", convertAxes18 },
    { "ReduceL2", convertAxes18 },
    { "ReduceLogSum", convertAxes18 },
    { "ReduceLogSumExp", convertAxes18 },
    { "ReduceMax", convertAxes18 },
    { "ReduceMean", convertAxes18 },
    { "ReduceMin", convertAxes18 },
    { "ReduceProd", convertAxes18 },
    { "ReduceSum", convertAxes13 },
    { "ReduceSumSquare", convertAxes18 },
    { "Resize", convertResize },
    { "Slice", convertSlice },
    { "Softmax", convertSoftmax },
    { "Hardmax", convertSoftmax },
    { "Split", convertSplit },
    { "Squeeze", convertAxes13 },
    { "TopK", convertTopK },
    { "Unsqueeze", convertAxes13 },
    { "Upsample", convertUpsample },
} };

} // namespace

Result<void> raiseOpset(Graph& graph, int target)
{
    const int from = graph.opset();
    if (from >= target)
        return {};
    for (const auto id : graph.nodes()) {
        const Conversion conversion { graph, id, from, target };
        if (!conversion.node().domain.empty())
            continue;
        if (!graph::findSchema(conversion.node()))
            return conversion.refuse("operator " + conversion.node().opType + ", which is not known here,");
        const auto converter
            = std::ranges::find(converters, conversion.node().opType, &std::pair<std::string_view, Converter>::first);
        if (converter != converters.end())
            QS_CHECK(converter->second(conversion));
    }
    graph.opsets.erase("ai.onnx");
    graph.opsets[""] = target;
    return {};
}

} // namespace quantoscope::exporting
