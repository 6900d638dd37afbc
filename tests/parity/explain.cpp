// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/engine/engine.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "tests/parity/orders.h"
#include "tests/parity/sum_error.h"
#include "tests/parity/sum_unit.h"

namespace quantoscope::parity {

namespace {

/// How far quantizing itself may move a value, which is a division or a factor that three scales make: part of its
/// size.
constexpr double relativeEdge = 4.0 / (1 << 24);
/// By how many steps a file lets a runtime move a bias (exporting::changedByRuntimes).
constexpr double biasShift = 1.0 / 65536;
/// How far float sums may move a value where that cannot be told (SumError): in steps, and as part of its size.
constexpr double otherEdge = 1e-3;
constexpr double otherRelativeEdge = 1e-5;
/// Within how many steps of a rounding edge a value counts as lying on it.
constexpr double tie = 1e-9;
/// How far outputs that are not quantized may lie apart, as part of the largest.
constexpr double sameOutput = 1e-4;

/// The channel of element `i`, where there are several.
std::size_t channelOf(std::size_t i, std::int64_t axis, std::size_t channels, const std::vector<std::int64_t>& dims)
{
    if (channels == 1)
        return 0;
    std::size_t inner = 1;
    for (auto a = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(dims.size()) : axis) + 1;
         a < dims.size(); ++a)
        inner *= static_cast<std::size_t>(dims[a]);
    return i / inner % channels;
}

/// A quantized activation of the file.
struct Point {
    graph::ValueId result; ///< behind DequantizeLinear
    std::string name; ///< of the result
    graph::ValueId levels; ///< the integers before DequantizeLinear
    graph::NodeId quantizer; ///< QuantizeLinear
    std::vector<float> scale;
    std::vector<double> zero;
    std::int64_t axis = 1;

    std::size_t channelAt(std::size_t i, const std::vector<std::int64_t>& dims) const
    {
        return channelOf(i, axis, scale.size(), dims);
    }
    double scaleAt(std::size_t i, const std::vector<std::int64_t>& dims) const { return scale[channelAt(i, dims)]; }
};

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

/// How far a value in steps is from the boundary between two integers.
double distanceFromEdge(double steps) { return std::abs(steps - std::floor(steps) - 0.5); }

/// Where a network's layers, each on its own, give another value than with exact sums.
struct Departures {
    std::size_t values = 0;
    std::size_t different = 0;
    std::map<std::string, std::size_t> byOperator; ///< those, by what computes them
    double largestSteps = 0;
    double farthestFromEdge = 0; ///< in steps
    double largestShare = 0; ///< the same, as part of what float sums may move the value by
    std::string worst; ///< the point where that is
    std::size_t sums = 0; ///< of them, those that are a whole multiple of one number: a layer's sum of integers
    std::size_t ties = 0; ///< of those, the ones on an edge exactly, whatever the float arithmetic
    double outputs = 0; ///< difference of what is not quantized, as part of the largest

    bool areEdges() const { return largestSteps < 1.01 && largestShare <= 1 && outputs < sameOutput; }
};

/// The file's network cut at its quantized activations: those are its inputs, beside the image, and its outputs.
class CutNetwork {
public:
    static Result<CutNetwork> create(const graph::Model& file, const std::vector<Point>& points)
    {
        CutNetwork cut;
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
            const auto producer = g.value(source).producer;
            cut.m_operators.push_back(producer.valid() ? g.node(producer).opType : "input");
            cut.m_units.push_back(unitOf(file.graph, file.graph.node(point.quantizer).inputs[0]));
        }
        for (std::size_t o = 0; o < g.outputs().size(); ++o) {
            const auto output = g.outputs()[o];
            add(output);
            if (!g.isInput(output)) // a quantized one is what was given, by now
                cut.m_floatOutputs.emplace_back(o, g.value(output).name);
        }
        g.setOutputs(outputs);
        QS_TRY(cut.m_graph, engine::prepareGraph(model, { .foldBatchNorm = false }));
        QS_TRY(cut.m_error, SumError::of(*cut.m_graph, cut.m_sources));
        return cut;
    }

    /// `given`: one a point; `outputs` those that went with it, of the file's own.
    Result<Departures> compare(const Tensor& image, const Outputs& given, const Outputs& outputs) const
    {
        QS_TRY(const auto exact, run(*m_graph, image, given, engine::KernelSet::Reference));
        Values magnitudes;
        if (m_error.magnitudes()) {
            QS_TRY(magnitudes,
                run(*m_error.magnitudes(), magnitudeOf(image), magnitudesOf(given), engine::KernelSet::Fast));
        }
        Departures departures;
        for (std::size_t p = 0; p < m_points->size(); ++p)
            add(departures, p, exact, magnitudes, given[p]);
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

    static Tensor magnitudeOf(const Tensor& tensor)
    {
        std::vector<float> values(tensor.as<float>().begin(), tensor.as<float>().end());
        std::ranges::transform(values, values.begin(), [](float value) { return std::abs(value); });
        return Tensor::from<float>(tensor.shape(), values);
    }

    static Outputs magnitudesOf(Outputs outputs)
    {
        for (auto& output : outputs)
            std::ranges::transform(output.values, output.values.begin(), [](float value) { return std::abs(value); });
        return outputs;
    }

    /// Every input and output by its name; the reference kernels sum in double precision.
    Result<Values> run(
        const graph::Graph& graph, const Tensor& image, const Outputs& given, engine::KernelSet kernels) const
    {
        engine::CompileOptions options;
        options.kernels = kernels;
        std::vector<Tensor> tensors;
        Values values;
        std::map<std::string, const Output*> byName;
        for (std::size_t p = 0; p < given.size(); ++p)
            byName.emplace(nameOfGiven((*m_points)[p]), &given[p]);
        for (const auto input : graph.inputs()) {
            const auto& name = graph.value(input).name;
            const auto found = byName.find(name);
            if (found == byName.end()) {
                tensors.push_back(Tensor::from<float>(image.shape(), image.as<float>()));
            } else {
                // What was delivered image by image may have lost the shape it has within one.
                const auto declared = graph.value(input).type.shape();
                tensors.push_back(
                    Tensor::from<float>(declared.value_or(Shape(found->second->dims)), found->second->values));
            }
            options.inputShapes.emplace(name, tensors.back().shape());
            values.emplace(name, tensor::toDoubles(tensors.back().view()));
        }
        QS_TRY(const auto compiled, engine::compile(graph, {}, options));
        engine::Executor executor(compiled);
        std::vector<TensorView> views;
        for (const auto& tensor : tensors)
            views.push_back(tensor.view());
        QS_CHECK(executor.run(views));
        for (std::size_t o = 0; o < compiled->outputs().size(); ++o)
            values.emplace(compiled->outputs()[o].name, tensor::toDoubles(executor.output(o)));
        return values;
    }

    void add(Departures& departures, std::size_t index, const Values& exact, const Values& magnitudes,
        const Output& given) const
    {
        const auto& point = (*m_points)[index];
        const auto& expected = exact.at(point.name);
        departures.values += expected.size();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double actual = given.values[i];
            if (expected[i] == actual)
                continue;
            const double scale = point.scaleAt(i, given.dims);
            ++departures.different;
            ++departures.byOperator[m_operators[index]];
            departures.largestSteps = std::max(departures.largestSteps, std::abs(expected[i] - actual) / scale);
            const double steps = exact.at(m_sources[index])[i] / scale;
            const double far = distanceFromEdge(steps);
            departures.farthestFromEdge = std::max(departures.farthestFromEdge, far);
            if (const double share = far / mostMoved(index, i, steps, scale, magnitudes);
                share > departures.largestShare) {
                departures.largestShare = share;
                departures.worst = point.name;
            }
            countTie(departures, index, i, given.dims, steps * scale, scale);
        }
    }

    /// By how many steps float sums may move a value.
    double mostMoved(std::size_t index, std::size_t i, double steps, double scale, const Values& magnitudes) const
    {
        const double factor = m_error.factor(m_sources[index]);
        if (std::isnan(factor))
            return otherEdge + otherRelativeEdge * std::abs(steps);
        const auto found = magnitudes.find(m_sources[index]);
        const double magnitude = found == magnitudes.end() ? std::abs(steps) * scale : found->second[i];
        return factor * magnitude / scale + relativeEdge * std::abs(steps) + biasShift;
    }

    void countTie(Departures& departures, std::size_t index, std::size_t i, const std::vector<std::int64_t>& dims,
        double value, double scale) const
    {
        const auto& unit = m_units[index];
        if (!unit)
            return;
        const double step = unit->perChannel[channelOf(i, unit->axis, unit->perChannel.size(), dims)];
        ++departures.sums;
        const double exactly = std::round(value / step) * step / scale;
        departures.ties += distanceFromEdge(exactly) < tie;
    }

    const std::vector<Point>* m_points = nullptr;
    std::vector<std::string> m_sources; ///< what is quantized, one a point
    std::vector<std::string> m_operators; ///< what computes that
    std::vector<std::optional<SumUnit>> m_units; ///< one a point
    SumError m_error;
    std::vector<std::pair<std::size_t, std::string>> m_floatOutputs; ///< which of the file's, and its name
    std::shared_ptr<const graph::Graph> m_graph;
};

std::string inWords(const Departures& there, const Departures& here)
{
    std::array<char, 400> text {};
    std::snprintf(text.data(), text.size(),
        "layer by layer %zu of %zu values differ from exact sums there, %zu here, by at most %.0f step, within %.1e of "
        "a step of a rounding edge (here %.1e), which is at most %.2f of what float sums may be off (here %.2f)",
        there.different, there.values, here.different, there.largestSteps, there.farthestFromEdge,
        here.farthestFromEdge, there.largestShare, here.largestShare);
    std::string words = text.data();
    if (there.different > 0)
        words += "; there at";
    for (const auto& [op, count] : there.byOperator)
        words += " " + op + " " + std::to_string(count);
    if (!there.areEdges() && !there.worst.empty())
        words += "; farthest at `" + there.worst + "`";
    if (there.outputs >= sameOutput)
        words += "; outputs differ by " + std::to_string(there.outputs) + " of the largest";
    return words;
}

/// A point's integers become what DequantizeLinear makes of them.
void dequantize(const Point& point, Output& levels)
{
    for (std::size_t i = 0; i < levels.values.size(); ++i) {
        const auto channel = point.channelAt(i, levels.dims);
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
    QS_TRY(const auto there, cut.compare(input, given, outputs));

    auto observed = model;
    std::vector<graph::ValueId> delivered;
    for (const auto& point : points)
        delivered.push_back(point.result);
    observed.graph.setOutputs(delivered);
    QS_TRY(const auto prepared, engine::prepareGraph(observed, { .foldBatchNorm = false }));
    QS_TRY(const auto own, runHere(*prepared, {}, *subject.samples, image, 1));
    QS_TRY(const auto whole, engine::prepareGraph(model, { .foldBatchNorm = false }));
    QS_TRY(const auto ownOutputs, runHere(*whole, {}, *subject.samples, image, 1));
    QS_TRY(const auto here, cut.compare(input, own, ownOutputs));
    return Explanation { there.areEdges() && here.areEdges(), inWords(there, here), there.sums + here.sums,
        there.ties + here.ties };
}

} // namespace quantoscope::parity
