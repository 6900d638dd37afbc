// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/engine/engine.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "tests/parity/orders.h"

namespace quantoscope::parity {

namespace {

/// How close to a rounding edge float sums in another order may move a value: in steps, and as part of its size.
constexpr double edge = 1e-3;
constexpr double relativeEdge = 1e-5;
/// How far outputs that are not quantized may lie apart, as part of the largest.
constexpr double sameOutput = 1e-4;

/// A quantized activation of the file.
struct Point {
    graph::ValueId result; ///< behind DequantizeLinear
    std::string name; ///< of the result
    graph::ValueId levels; ///< the integers before DequantizeLinear
    graph::NodeId quantizer; ///< QuantizeLinear
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
        auto quantizer = graph.value(node.inputs[0]).producer;
        if (quantizer.valid() && graph.node(quantizer).opType == "Clip")
            quantizer = graph.value(graph.node(quantizer).inputs[0]).producer;
        if (!quantizer.valid() || graph.node(quantizer).opType != "QuantizeLinear")
            continue;
        const auto scale = graph.value(node.inputs[1]).constant->as<float>();
        points.push_back({ node.outputs[0], graph.value(node.outputs[0]).name, node.inputs[0], quantizer,
            { scale.begin(), scale.end() }, tensor::toDoubles(graph.value(node.inputs[2]).constant->view()),
            node.intAttribute("axis", 1) });
    }
    return points;
}

/// Whether a value comes from a Softmax or Sigmoid by way of nothing but data movement, Concat and quantizers.
bool isTabulated(const graph::Graph& graph, graph::ValueId value)
{
    const auto* node = producerOf(graph, value);
    if (!node)
        return false;
    const auto isOneOf = [&](const auto& ops) { return std::ranges::find(ops, node->opType) != ops.end(); };
    if (isOneOf(std::array { "Softmax", "Sigmoid" }))
        return true;
    return isOneOf(std::array { "Transpose", "Reshape", "Concat", "DequantizeLinear", "QuantizeLinear", "Clip" })
        && std::ranges::any_of(
            node->inputs, [&](graph::ValueId input) { return input.valid() && isTabulated(graph, input); });
}

/// How far a value in steps is from the boundary between two integers.
double distanceFromEdge(double steps) { return std::abs(steps - std::floor(steps) - 0.5); }

/// Where a network's layers, each on its own, give another value than with exact sums.
struct Departures {
    std::size_t values = 0;
    std::size_t different = 0;
    std::size_t tabulated = 0; ///< of them, those behind a Softmax or Sigmoid
    double largestSteps = 0;
    double farthestFromEdge = 0; ///< of those that are not tabulated
    double beyond = 0; ///< the same, beyond what the size of the value excuses
    std::string worst; ///< the point where that is
    double outputs = 0; ///< difference of what is not quantized, as part of the largest

    bool areEdges() const { return largestSteps < 1.01 && beyond < edge && outputs < sameOutput; }
};

/// The file's network cut at its quantized activations: those are its inputs, beside the image, and its outputs.
class CutNetwork {
public:
    static Result<CutNetwork> create(const graph::Model& file, const std::vector<Point>& points)
    {
        CutNetwork cut;
        cut.m_file = &file.graph;
        cut.m_points = &points;
        graph::Model model = file;
        auto& g = model.graph;
        std::vector<graph::ValueId> outputs;
        const auto add = [&](graph::ValueId value) {
            if (!g.isInput(value) && std::ranges::find(outputs, value) == outputs.end())
                outputs.push_back(value);
        };
        for (const auto& point : points) {
            g.replaceUses(
                point.result, g.addInput(nameOfGiven(point), { DType::Float32, g.value(point.result).type.dims }));
            add(point.result);
        }
        for (const auto& point : points) {
            const auto source = g.node(point.quantizer).inputs[0];
            add(source);
            cut.m_sources.push_back(g.value(source).name);
        }
        for (std::size_t o = 0; o < g.outputs().size(); ++o) {
            const auto output = g.outputs()[o];
            add(output);
            if (!g.isInput(output)) // a quantized one is what was given, by now
                cut.m_floatOutputs.emplace_back(o, g.value(output).name);
        }
        g.setOutputs(outputs);
        QS_TRY(cut.m_graph, engine::prepareGraph(model, { .foldBatchNorm = false }));
        return cut;
    }

    /// `given`: one a point; `outputs` those that went with it, of the file's own.
    Result<Departures> compare(
        const Tensor& image, const Outputs& given, const Outputs& outputs, bool isOptimized) const
    {
        QS_TRY(const auto exact, run(image, given));
        Departures departures;
        for (std::size_t p = 0; p < m_points->size(); ++p)
            add(departures, p, exact, given[p], isOptimized);
        for (const auto& [o, name] : m_floatOutputs) {
            const auto& expected = exact.at(name);
            double largest = 1e-30;
            double difference = 0;
            for (std::size_t i = 0; i < expected.size(); ++i) {
                largest = std::max(largest, std::abs(expected[i]));
                difference = std::max(difference, std::abs(expected[i] - outputs[o].values[i]));
            }
            departures.outputs = std::max(departures.outputs, difference / largest);
        }
        return departures;
    }

private:
    using Values = std::map<std::string, std::vector<double>>;

    static std::string nameOfGiven(const Point& point) { return point.name + " given"; }

    /// Every input and output by its name, with sums in double precision.
    Result<Values> run(const Tensor& image, const Outputs& given) const
    {
        engine::CompileOptions options;
        options.kernels = engine::KernelSet::Reference;
        std::vector<Tensor> tensors;
        Values values;
        std::map<std::string, const Output*> byName;
        for (std::size_t p = 0; p < given.size(); ++p)
            byName.emplace(nameOfGiven((*m_points)[p]), &given[p]);
        for (const auto input : m_graph->inputs()) {
            const auto& name = m_graph->value(input).name;
            const auto found = byName.find(name);
            if (found == byName.end()) {
                tensors.push_back(Tensor::from<float>(image.shape(), image.as<float>()));
            } else {
                // What was delivered image by image may have lost the shape it has within one.
                const auto declared = m_graph->value(input).type.shape();
                tensors.push_back(
                    Tensor::from<float>(declared.value_or(Shape(found->second->dims)), found->second->values));
            }
            options.inputShapes.emplace(name, tensors.back().shape());
            values.emplace(name, tensor::toDoubles(tensors.back().view()));
        }
        QS_TRY(const auto compiled, engine::compile(*m_graph, {}, options));
        engine::Executor executor(compiled);
        std::vector<TensorView> views;
        for (const auto& tensor : tensors)
            views.push_back(tensor.view());
        QS_CHECK(executor.run(views));
        for (std::size_t o = 0; o < compiled->outputs().size(); ++o)
            values.emplace(compiled->outputs()[o].name, tensor::toDoubles(executor.output(o)));
        return values;
    }

    void add(
        Departures& departures, std::size_t index, const Values& exact, const Output& given, bool isOptimized) const
    {
        const auto& point = (*m_points)[index];
        const auto& expected = exact.at(point.name);
        const auto& source = exact.at(m_sources[index]);
        const bool tabulated = isOptimized && isTabulated(*m_file, m_file->node(point.quantizer).inputs[0]);
        std::size_t inner = 1;
        for (auto axis = static_cast<std::size_t>(point.axis) + 1; axis < given.dims.size(); ++axis)
            inner *= static_cast<std::size_t>(given.dims[axis]);
        departures.values += expected.size();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double actual = given.values[i];
            if (expected[i] == actual)
                continue;
            const double scale = point.scale[point.scale.size() == 1 ? 0 : i / inner % point.scale.size()];
            ++departures.different;
            departures.largestSteps = std::max(departures.largestSteps, std::abs(expected[i] - actual) / scale);
            if (tabulated) {
                ++departures.tabulated;
                continue;
            }
            const double steps = source[i] / scale;
            const double far = distanceFromEdge(steps);
            departures.farthestFromEdge = std::max(departures.farthestFromEdge, far);
            if (const double beyond = far - relativeEdge * std::abs(steps); beyond > departures.beyond) {
                departures.beyond = beyond;
                departures.worst = point.name;
            }
        }
    }

    const graph::Graph* m_file = nullptr;
    const std::vector<Point>* m_points = nullptr;
    std::vector<std::string> m_sources; ///< what is quantized, one a point
    std::vector<std::pair<std::size_t, std::string>> m_floatOutputs; ///< which of the file's, and its name
    std::shared_ptr<const graph::Graph> m_graph;
};

std::string inWords(const Departures& there, const Departures& here)
{
    std::array<char, 320> text {};
    std::snprintf(text.data(), text.size(),
        "layer by layer %zu of %zu values differ from exact sums there, %zu here, by at most %.0f step, within %.1e of "
        "a step of a rounding edge (here %.1e)",
        there.different, there.values, here.different, there.largestSteps, there.farthestFromEdge,
        here.farthestFromEdge);
    std::string words = text.data();
    if (there.tabulated > 0)
        words += "; " + std::to_string(there.tabulated)
            + " of them behind a Softmax or Sigmoid, which the runtime computes between quantizers by table";
    if (!there.areEdges() && !there.worst.empty())
        words += "; farthest at `" + there.worst + "`";
    if (there.outputs >= sameOutput)
        words += "; outputs differ by " + std::to_string(there.outputs) + " of the largest";
    return words;
}

/// A point's integers become what DequantizeLinear makes of them.
void dequantize(const Point& point, Output& levels)
{
    std::size_t inner = 1;
    for (auto axis = static_cast<std::size_t>(point.axis) + 1; axis < levels.dims.size(); ++axis)
        inner *= static_cast<std::size_t>(levels.dims[axis]);
    for (std::size_t i = 0; i < levels.values.size(); ++i) {
        const std::size_t channel = point.scale.size() == 1 ? 0 : i / inner % point.scale.size();
        levels.values[i] = (levels.values[i] - static_cast<float>(point.zero[channel])) * point.scale[channel];
    }
}

/// The file's points, then its outputs, from one run there. What is asked for beside the outputs are integers: the
/// runtime fuses across DequantizeLinear, and would not if its result were wanted.
Result<Outputs> runThere(const Subject& subject, Peer& peer, const graph::Model& model,
    const std::vector<Point>& points, const std::filesystem::path& file, const std::string& level, std::int64_t image)
{
    auto observed = model;
    auto& g = observed.graph;
    auto outputs = g.outputs();
    std::vector<std::string> names;
    for (const auto& point : points) {
        outputs.push_back(point.levels);
        names.push_back(g.value(point.levels).name);
    }
    for (const auto output : g.outputs())
        names.push_back(g.value(output).name);
    g.setOutputs(outputs);
    auto observedFile = file;
    observedFile.replace_extension(".observed.onnx");
    QS_CHECK(onnx_io::writeModel(observed, observedFile));
    QS_TRY(auto results, peer.run({ observedFile, level, subject.batch, image, 1, names }));
    for (std::size_t p = 0; p < points.size(); ++p)
        dequantize(points[p], results[p]);
    const std::vector<std::string> own(names.begin() + static_cast<std::ptrdiff_t>(points.size()), names.end());
    QS_TRY(const auto unobserved, peer.run({ file, level, subject.batch, image, 1, own }));
    for (std::size_t o = 0; o < own.size(); ++o)
        if (unobserved[o].values != results[points.size() + o].values)
            return fail(ErrorCode::Internal, "the runtime computes something else where it is watched");
    return results;
}

} // namespace

Result<Explanation> explain(
    const Subject& subject, Peer& peer, const std::filesystem::path& file, const std::string& level, std::int64_t image)
{
    QS_TRY(const auto model, onnx_io::readModel(file));
    const auto points = pointsOf(model.graph);
    QS_TRY(const auto cut, CutNetwork::create(model, points));
    auto dims = subject.samples->sampleShape();
    dims.insert(dims.begin(), 1);
    Tensor input(DType::Float32, Shape(dims));
    subject.samples->fill(image, 1, input.as<float>());
    const auto split = [&](const Outputs& all) {
        const auto end = all.begin() + static_cast<std::ptrdiff_t>(points.size());
        return std::pair(Outputs(all.begin(), end), Outputs(end, all.end()));
    };

    QS_TRY(const auto allThere, runThere(subject, peer, model, points, file, level, image));
    const auto [given, outputs] = split(allThere);
    QS_TRY(const auto there, cut.compare(input, given, outputs, level != "disabled"));

    auto observed = model;
    std::vector<graph::ValueId> delivered;
    for (const auto& point : points)
        delivered.push_back(point.result);
    observed.graph.setOutputs(delivered);
    QS_TRY(const auto prepared, engine::prepareGraph(observed, { .foldBatchNorm = false }));
    QS_TRY(const auto own, runHere(*prepared, {}, *subject.samples, image, 1));
    QS_TRY(const auto whole, engine::prepareGraph(model, { .foldBatchNorm = false }));
    QS_TRY(const auto ownOutputs, runHere(*whole, {}, *subject.samples, image, 1));
    QS_TRY(const auto here, cut.compare(input, own, ownOutputs, false));
    return Explanation { there.areEdges() && here.areEdges(), inWords(there, here) };
}

} // namespace quantoscope::parity
