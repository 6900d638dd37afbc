// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/explain.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "core/engine/engine.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"

namespace quantoscope::parity {

namespace {

/// How close to a rounding edge float sums in another order may move a value: in steps, and as part of its size.
constexpr double edge = 1e-3;
constexpr double relativeEdge = 1e-5;

/// A quantized activation of the file.
struct Point {
    std::string result; ///< behind DequantizeLinear
    std::string source; ///< what is quantized
    std::vector<float> scale;
    std::vector<double> zero;
    std::int64_t axis = 1;
};

const graph::Node* producerOf(const graph::Graph& graph, graph::ValueId value)
{
    const auto producer = graph.value(value).producer;
    return producer.valid() ? &graph.node(producer) : nullptr;
}

/// The quantized activations in the order they are computed.
std::vector<Point> pointsOf(const graph::Graph& graph)
{
    std::vector<Point> points;
    const auto order = graph.topologicalOrder();
    if (!order)
        return points;
    for (const auto id : *order) {
        const auto& node = graph.node(id);
        if (node.opType != "DequantizeLinear" || graph.isConstant(node.inputs[0]))
            continue;
        const auto* quantize = producerOf(graph, node.inputs[0]);
        if (quantize && quantize->opType == "Clip")
            quantize = producerOf(graph, quantize->inputs[0]);
        if (!quantize || quantize->opType != "QuantizeLinear")
            continue;
        const auto scale = graph.value(node.inputs[1]).constant->as<float>();
        points.push_back(
            { graph.value(node.outputs[0]).name, graph.value(quantize->inputs[0]).name, { scale.begin(), scale.end() },
                tensor::toDoubles(graph.value(node.inputs[2]).constant->view()), node.intAttribute("axis", 1) });
    }
    return points;
}

/// The graph with these values as its outputs.
graph::Graph delivering(graph::Graph graph, const std::vector<std::string>& names)
{
    std::vector<graph::ValueId> outputs;
    for (const auto& name : names)
        outputs.push_back(*graph.find(name));
    graph.setOutputs(std::move(outputs));
    return graph;
}

/// How far a value in steps is from the boundary between two integers, beyond what its size excuses.
double distanceFromEdge(double steps)
{
    return std::max(0.0, std::abs(steps - std::floor(steps) - 0.5) - relativeEdge * std::abs(steps));
}

/// Softmax or Sigmoid, where a value comes from one by way of data movement and Concat; empty otherwise.
std::string tabulatedOperator(const graph::Graph& graph, graph::ValueId value)
{
    const auto* node = producerOf(graph, value);
    if (!node)
        return {};
    for (const char* op : { "Softmax", "Sigmoid" })
        if (node->opType == op)
            return op;
    for (const char* op : { "Transpose", "Reshape", "Concat", "DequantizeLinear", "QuantizeLinear", "Clip" })
        if (node->opType == op)
            for (const auto input : node->inputs)
                if (const auto found = input.valid() ? tabulatedOperator(graph, input) : std::string(); !found.empty())
                    return found;
    return {};
}

/// How the two sides differ at one point.
struct Difference {
    std::size_t count = 0;
    double largestSteps = 0;
    double farthestFromEdge = 0;
};

Difference differenceAt(const Point& point, const Output& here, const Output& there, const Output& source)
{
    Difference difference;
    std::size_t inner = 1;
    for (auto axis = static_cast<std::size_t>(point.axis) + 1; axis < here.dims.size(); ++axis)
        inner *= static_cast<std::size_t>(here.dims[axis]);
    for (std::size_t i = 0; i < here.values.size(); ++i) {
        if (here.values[i] == there.values[i])
            continue;
        const double scale = point.scale[point.scale.size() == 1 ? 0 : i / inner % point.scale.size()];
        ++difference.count;
        difference.largestSteps = std::max(difference.largestSteps, std::abs(here.values[i] - there.values[i]) / scale);
        difference.farthestFromEdge = std::max(difference.farthestFromEdge, distanceFromEdge(source.values[i] / scale));
    }
    return difference;
}

Explanation inWords(
    const Point& point, const Difference& difference, std::size_t elements, const std::string& tabulated)
{
    Explanation explanation;
    const bool oneStep = difference.largestSteps < 1.01;
    const bool onEdge = difference.farthestFromEdge < edge;
    explanation.isKnown = oneStep && (onEdge || !tabulated.empty());
    char text[160];
    std::snprintf(text, sizeof text,
        "%zu of %zu values differ there by at most %.0f step%s and lie within %.1e of a step of a rounding edge",
        difference.count, elements, difference.largestSteps, difference.largestSteps < 1.5 ? "" : "s",
        difference.farthestFromEdge);
    explanation.text = "first apart at `" + point.result + "`: " + text;
    if (oneStep && !onEdge && !tabulated.empty())
        explanation.text += "; the runtime computes " + tabulated + " between quantizers in integers, by table";
    return explanation;
}

} // namespace

Result<Explanation> explain(
    const Subject& subject, Peer& peer, const std::filesystem::path& file, const std::string& level, std::int64_t image)
{
    QS_TRY(auto model, onnx_io::readModel(file));
    const auto points = pointsOf(model.graph);
    std::vector<std::string> names;
    for (const auto& point : points)
        names.push_back(point.result);
    auto observed = model;
    observed.graph = delivering(model.graph, names);
    auto observedFile = file;
    observedFile.replace_extension(".observed.onnx");
    QS_CHECK(onnx_io::writeModel(observed, observedFile));
    QS_TRY(const auto there, peer.run({ observedFile, level, subject.batch, image, 1, names }));

    QS_TRY(const auto prepared, engine::prepareGraph(model, { .foldBatchNorm = false }));
    const auto here = [&](const std::vector<std::string>& values) {
        return runHere(delivering(*prepared, values), {}, *subject.samples, image, 1);
    };
    QS_TRY(const auto ours, here(names));
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (ours[i].values.size() != there[i].values.size())
            return Explanation { false, "`" + points[i].result + "` has another size there" };
        if (ours[i].values == there[i].values)
            continue;
        QS_TRY(const auto source, here({ points[i].source }));
        return inWords(points[i], differenceAt(points[i], ours[i], there[i], source.front()), ours[i].values.size(),
            level == "disabled" ? std::string() : tabulatedOperator(model.graph, *model.graph.find(points[i].source)));
    }
    return Explanation { true,
        "every quantized tensor is the same: the outputs are so close that their last bits decide" };
}

} // namespace quantoscope::parity
