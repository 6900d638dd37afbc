// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"
#include "core/graph/passes/passes.h"
#include "core/graph/shape_inference.h"
#include "core/planning/plan_builder.h"

using namespace quantoscope;
using planning::LayerOverride;
using planning::PlanRequest;
using quant::Role;
using quant::Scope;

namespace {

/// Builds graphs in a few words; every node is named after its output.
class Maker {
public:
    Maker() { m_graph.opsets[""] = 13; }

    std::string input(const std::string& name, graph::Dims dims)
    {
        m_graph.addInput(name, { DType::Float32, std::move(dims) });
        return name;
    }
    std::string weight(const std::string& name, Shape shape, double spread = 0.1)
    {
        base::Random random(7);
        Tensor tensor(DType::Float32, std::move(shape));
        for (float& value : tensor.as<float>())
            value = static_cast<float>(spread * random.normal());
        return constant(name, std::move(tensor));
    }
    std::string constant(const std::string& name, Tensor tensor)
    {
        m_graph.addConstant(name, std::make_shared<const Tensor>(std::move(tensor)));
        return name;
    }
    std::string node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
        std::map<std::string, graph::Attribute> attributes = {})
    {
        graph::Node node;
        node.name = output;
        node.opType = op;
        for (const auto& name : inputs)
            node.inputs.push_back(*m_graph.find(name));
        node.outputs = { m_graph.addValue(output) };
        node.attributes = std::move(attributes);
        m_graph.addNode(std::move(node));
        return output;
    }
    graph::Graph finish(const std::vector<std::string>& outputs)
    {
        for (const auto& name : outputs)
            m_graph.markOutput(*m_graph.find(name));
        const auto inferred = graph::inferShapes(m_graph);
        if (!inferred)
            qFatal("%s", inferred.error().message().c_str());
        return std::move(m_graph);
    }

private:
    graph::Graph m_graph;
};

/// image -> conv1 + Relu -> MaxPool -> conv2 -> Add with the pool + Relu -> Flatten -> Gemm -> logits
graph::Graph residualNet(float bias = 0.1F)
{
    Maker make;
    make.input("image", { 1, 3, 8, 8 });
    make.weight("w1", { 4, 3, 1, 1 });
    make.constant("b1", Tensor::from<float>({ 4 }, std::vector<float> { bias, 0.2F, -0.3F, 0 }));
    make.weight("w2", { 4, 4, 1, 1 });
    make.weight("w3", { 5, 64 });
    make.weight("b3", { 5 });
    make.node("Conv", { "image", "w1", "b1" }, "c1");
    make.node("Relu", { "c1" }, "r1");
    make.node("MaxPool", { "r1" }, "p1",
        { { "kernel_shape", std::vector<std::int64_t> { 2, 2 } }, { "strides", std::vector<std::int64_t> { 2, 2 } } });
    make.node("Conv", { "p1", "w2" }, "c2");
    make.node("Add", { "c2", "p1" }, "a2");
    make.node("Relu", { "a2" }, "r2");
    make.node("Flatten", { "r2" }, "f");
    make.node("Gemm", { "f", "w3", "b3" }, "logits", { { "transB", std::int64_t { 1 } } });
    return make.finish({ "logits" });
}

/// Statistics for every activation: normal values of a spread of their own, non-negative after a Relu.
calibration::CalibrationStats statsFor(const graph::Graph& graph)
{
    calibration::CalibrationStats stats;
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        if (value.constant)
            continue;
        base::Random random(id.index() + 1);
        const Shape shape = *value.type.shape();
        Tensor tensor(DType::Float32, shape);
        for (float& element : tensor.as<float>()) {
            element = static_cast<float>(random.normal() * static_cast<double>(id.index() + 1));
            if (value.name.front() != 'c' && value.name != "logits")
                element = std::abs(element);
        }
        calibration::TensorStats seen(shape.rank() >= 2 ? shape[1] : 0);
        seen.observe(tensor.view());
        stats.tensors.emplace(value.name, seen);
    }
    return stats;
}

std::map<std::string, std::string> sharing(const graph::Graph& graph, Scope scope, Role role)
{
    std::map<std::string, std::string> result;
    for (const auto& slot : planning::placeQuantizers(graph, scope))
        if (slot.role == role)
            result[slot.tensor] = slot.sharesWith;
    return result;
}

using Sharing = std::map<std::string, std::string>;

PlanRequest requestFor(Scope scope)
{
    PlanRequest request;
    request.scope = scope;
    return request;
}

} // namespace

class TestPlanBuilder : public QObject {
    Q_OBJECT

private slots:
    void computeScope();
    void integerScope();
    void concatShares();
    void paddingMovesZerosOnly();
    void computePlan();
    void integerPlan();
    void biasScales();
    void biasOverflowRaisesTheWeight();
    void biasWordLengths_data();
    void biasWordLengths();
    void narrowBiasesCanBeShifted();
    void biasesOfAWeightOnTheLeft();
    void sharedBiasesNeedCopies();
    void constantsAreQuantized();
    void constantsWidenASharedRange();
    void overridesReachEverything();
    void biasThatStaysFloat();
    void firstAndLast();
    void overridesReachTensors();
    void sharedWeights();
    void transposedConvolutions();
    void fixedRanges();
    void logitsAreNotClipped();
    void perChannelActivations();
    void deadChannels();
    void missingStatistics();
};

void TestPlanBuilder::computeScope()
{
    const auto graph = residualNet();
    QVERIFY(
        sharing(graph, Scope::Compute, Role::Activation) == (Sharing { { "image", "" }, { "p1", "" }, { "f", "" } }));
    QVERIFY(sharing(graph, Scope::Compute, Role::Weight) == (Sharing { { "w1", "" }, { "w2", "" }, { "w3", "" } }));
    QVERIFY(sharing(graph, Scope::Compute, Role::Bias).empty());
    for (const auto& slot : planning::placeQuantizers(graph, Scope::Compute))
        if (slot.tensor == "f")
            QVERIFY(slot.layers == std::vector<std::string> { "logits" });
}

void TestPlanBuilder::integerScope()
{
    const auto graph = residualNet();
    // Not between conv1 and its Relu, nor between Add and its; pool and Flatten take over what they are given.
    QVERIFY(sharing(graph, Scope::Integer, Role::Activation)
        == (Sharing { { "image", "" }, { "r1", "" }, { "p1", "r1" }, { "c2", "" }, { "r2", "" }, { "f", "r2" },
            { "logits", "" } }));
    QVERIFY(sharing(graph, Scope::Integer, Role::Bias) == (Sharing { { "b1", "" }, { "b3", "" } }));
    for (const auto& slot : planning::placeQuantizers(graph, Scope::Integer)) {
        QCOMPARE(slot.isLogits, slot.tensor == "logits");
        if (slot.tensor == "b3") {
            QCOMPARE(slot.biasInput, std::string("f"));
            QCOMPARE(slot.biasWeight, std::string("w3"));
        }
    }
}

void TestPlanBuilder::concatShares()
{
    Maker make;
    make.input("image", { 1, 2, 4, 4 });
    make.weight("w", { 2, 2, 1, 1 });
    make.node("Conv", { "image", "w" }, "c1");
    make.node("Tanh", { "image" }, "tanh");
    make.node("Concat", { "c1", "tanh" }, "both", { { "axis", std::int64_t { 1 } } });
    make.node("Transpose", { "both" }, "moved");
    const auto graph = make.finish({ "moved" });
    QVERIFY(sharing(graph, Scope::Integer, Role::Activation)
        == (Sharing { { "image", "" }, { "c1", "" }, { "tanh", "c1" }, { "both", "c1" }, { "moved", "c1" } }));
    const auto stats = statsFor(graph);
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    QVERIFY(built);
    const auto& encoding = built->plan.find("c1")->encoding;
    for (const char* name : { "tanh", "both", "moved" })
        QVERIFY(built->plan.find(name)->encoding == encoding);
    // The union of the operands' ranges; the statistics of what is only passed on play no part.
    const auto* conv = stats.find("c1");
    const auto* tanh = stats.find("tanh");
    QVERIFY(encoding
        == quant::encodingForRange(built->plan.find("c1")->config,
            static_cast<double>(std::min(conv->min(), tanh->min())),
            static_cast<double>(std::max(conv->max(), tanh->max()))));
}

void TestPlanBuilder::paddingMovesZerosOnly()
{
    for (const float fill : { 0.0F, 1.0F }) {
        Maker make;
        make.input("image", { 1, 1, 2, 2 });
        make.constant("pads", Tensor::from<std::int64_t>({ 8 }, std::vector<std::int64_t> { 0, 0, 1, 1, 0, 0, 1, 1 }));
        make.constant("fill", Tensor::scalar(fill));
        make.node("Pad", { "image", "pads", "fill" }, "padded");
        const auto graph = make.finish({ "padded" });
        QCOMPARE(sharing(graph, Scope::Integer, Role::Activation)["padded"], std::string(fill == 0 ? "image" : ""));
    }
}

void TestPlanBuilder::computePlan()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    const auto request = requestFor(Scope::Compute);
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    const auto& plan = built->plan;
    QCOMPARE(plan.title, request.describe());
    QVERIFY(plan.scope == Scope::Compute);
    QCOMPARE(plan.tensors().size(), std::size_t { 6 });
    const auto* weight = plan.find("w3");
    QVERIFY(weight->role == Role::Weight);
    QCOMPARE(weight->encoding.axis, 0); // transB: rows are output channels
    QCOMPARE(weight->encoding.qmin, -128);
    QVERIFY(weight->encoding.isSigned());
    const auto* activation = plan.find("p1");
    QCOMPARE(activation->encoding.qmin, 0);
    QCOMPARE(activation->encoding.zeroPoint.at(0), 0);
    QCOMPARE(activation->encoding.scale.at(0), stats.find("p1")->max() / 255);
    // Without quantized activations nobody needs statistics.
    auto weightsOnly = request;
    weightsOnly.activations.bits.reset();
    const auto light = planning::buildPlan(graph, nullptr, weightsOnly);
    QVERIFY(light);
    QCOMPARE(light->plan.tensors().size(), std::size_t { 3 });
}

void TestPlanBuilder::integerPlan()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    QVERIFY(built);
    QVERIFY(built->plan.find("p1")->encoding == built->plan.find("r1")->encoding);
    QVERIFY(built->plan.find("f")->encoding == built->plan.find("r2")->encoding);
    QVERIFY(!built->plan.find("c1") && !built->plan.find("a2"));
    QVERIFY(built->notes.empty());
    for (const auto& [name, quantizer] : built->plan.tensors())
        QVERIFY2(quantizer.encoding.validate(), name.c_str());
}

void TestPlanBuilder::biasScales()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    const auto* bias = built->plan.find("b1");
    QVERIFY(bias && bias->role == Role::Bias);
    QCOMPARE(bias->encoding.bits(), 32);
    QCOMPARE(bias->encoding.axis, 0);
    QCOMPARE(bias->encoding.scale.size(), std::size_t { 4 });
    const auto input = static_cast<double>(built->plan.find("image")->encoding.scale[0]);
    for (std::size_t c = 0; c < 4; ++c) {
        QCOMPARE(bias->encoding.zeroPoint[c], 0);
        QCOMPARE(bias->encoding.scale[c],
            static_cast<float>(input * static_cast<double>(built->plan.find("w1")->encoding.scale[c])));
    }
}

void TestPlanBuilder::biasOverflowRaisesTheWeight()
{
    const auto graph = residualNet(1e9F);
    const auto stats = statsFor(graph);
    const auto normal = planning::buildPlan(residualNet(), &stats, requestFor(Scope::Integer));
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    QVERIFY(built);
    QCOMPARE(built->notes.size(), std::size_t { 1 });
    QVERIFY2(built->notes[0].find("'c1'") != std::string::npos
            && built->notes[0].find("1 of 4 channels") != std::string::npos,
        built->notes[0].c_str());
    const auto& raised = built->plan.find("w1")->encoding.scale;
    const auto& before = normal->plan.find("w1")->encoding.scale;
    QVERIFY(raised[0] > before[0]);
    QVERIFY(std::equal(raised.begin() + 1, raised.end(), before.begin() + 1));
    const auto& bias = *graph.value(*graph.find("b1")).constant;
    const auto error = quant::measureError(built->plan.find("b1")->encoding, bias.view());
    QCOMPARE(error.clipped, 0);
    QVERIFY(error.sqnrDb() > 100);
}

void TestPlanBuilder::biasWordLengths_data()
{
    QTest::addColumn<int>("bits");
    for (const int bits : { 8, 12, 16, 24, 32 })
        QTest::addRow("%d bits", bits) << bits;
}

/// No bias is clipped, whatever its word-length, and what that costs the weights is told.
void TestPlanBuilder::biasWordLengths()
{
    QFETCH(int, bits);
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    const auto usual = planning::buildPlan(graph, &stats, request);
    request.biasBits = bits;
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    for (const char* name : { "b1", "b3" }) {
        const auto* bias = built->plan.find(name);
        QCOMPARE(bias->encoding.bits(), bits);
        const auto& values = *graph.value(*graph.find(name)).constant;
        QCOMPARE(quant::measureError(bias->encoding, values.view()).clipped, 0);
    }
    QCOMPARE(built->biasRemedies.empty(), bits >= 24);
    for (const auto& remedy : built->biasRemedies) {
        const auto& before = usual->plan.find(remedy.weight)->encoding.scale;
        const auto& after = built->plan.find(remedy.weight)->encoding.scale;
        std::int64_t raised = 0;
        double largest = 1;
        double noiseBefore = 0;
        double noiseAfter = 0;
        for (std::size_t c = 0; c < before.size(); ++c) {
            QVERIFY(after[c] >= before[c]);
            raised += after[c] > before[c] ? 1 : 0;
            const double old = static_cast<double>(before[c]);
            const double now = static_cast<double>(after[c]);
            largest = std::max(largest, now / old);
            noiseBefore += old * old;
            noiseAfter += now * now;
        }
        QCOMPARE(remedy.bits, bits);
        QCOMPARE(remedy.channels, static_cast<std::int64_t>(before.size()));
        QCOMPARE(remedy.raised, raised);
        QVERIFY(std::abs(remedy.largestFactor / largest - 1) < 1e-5);
        QVERIFY(std::abs(remedy.weightNoiseDb - 10 * std::log10(noiseAfter / noiseBefore)) < 1e-4);
    }
    request.biasBits.reset();
    const auto withFloat = planning::buildPlan(graph, &stats, request);
    QVERIFY(withFloat && !withFloat->plan.find("b1") && withFloat->plan.find("w1"));
}

void TestPlanBuilder::narrowBiasesCanBeShifted()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    const auto usual = planning::buildPlan(graph, &stats, request);
    request.biasBits = 8;
    request.biasRoom = quant::BiasRoom::ShiftBias;
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built && !built->biasRemedies.empty());
    QVERIFY(built->plan.find("w1")->encoding == usual->plan.find("w1")->encoding); // weights keep their steps
    const auto& fine = usual->plan.find("b1")->encoding;
    const auto& coarse = built->plan.find("b1")->encoding;
    for (std::size_t c = 0; c < fine.scale.size(); ++c) {
        int exponent = 0;
        QCOMPARE(std::frexp(coarse.scale[c] / fine.scale[c], &exponent), 0.5F);
        QVERIFY(exponent >= 1);
    }
    const auto& values = *graph.value(*graph.find("b1")).constant;
    QCOMPARE(quant::measureError(coarse, values.view()).clipped, 0);
    QCOMPARE(built->biasRemedies.front().weightNoiseDb, 0.0);
    QVERIFY(built->biasRemedies.front().describe().find("bias stored coarser") != std::string::npos);
}

void TestPlanBuilder::biasesOfAWeightOnTheLeft()
{
    Maker make;
    make.input("x", { 3, 4 });
    make.weight("w", { 2, 3 });
    make.constant("b", Tensor::from<float>({ 2, 1 }, std::vector<float> { 1, -2 }));
    make.node("Gemm", { "w", "x", "b" }, "y");
    const auto graph = make.finish({ "y" });
    const auto stats = statsFor(graph);
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    QVERIFY(built);
    QCOMPARE(built->plan.find("w")->encoding.axis, 0);
    QCOMPARE(built->plan.find("b")->encoding.axis, 0);
    QCOMPARE(built->plan.find("b")->encoding.scale.size(), std::size_t { 2 });
}

void TestPlanBuilder::sharedBiasesNeedCopies()
{
    for (const bool separate : { false, true }) {
        Maker make;
        make.input("x", { 1, 2, 4, 4 });
        make.weight("w1", { 2, 2, 1, 1 });
        make.weight("w2", { 2, 2, 1, 1 }, 0.5);
        make.constant("b", Tensor::from<float>({ 2 }, std::vector<float> { 1, -2 }));
        make.node("Conv", { "x", "w1", "b" }, "c1");
        make.node("Conv", { "c1", "w2", "b" }, "c2");
        auto graph = make.finish({ "c2" });
        if (separate)
            graph::separateBiases(graph);
        const auto stats = statsFor(graph);
        const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
        QVERIFY(built);
        const auto layers = graph::computeLayers(graph);
        for (const auto& layer : layers) {
            const auto* bias = built->plan.find(graph.value(layer.bias).name);
            QCOMPARE(bias != nullptr, separate);
            if (!bias)
                continue;
            const auto& input = built->plan.find(graph.value(layer.input).name)->encoding;
            const auto& weight = built->plan.find(graph.value(layer.weight).name)->encoding;
            for (std::size_t c = 0; c < 2; ++c)
                QCOMPARE(bias->encoding.scale[c],
                    static_cast<float>(static_cast<double>(input.scale[0]) * static_cast<double>(weight.scale[c])));
        }
    }
}

void TestPlanBuilder::constantsAreQuantized()
{
    Maker make;
    make.input("x", { 1, 3 });
    make.constant("k", Tensor::from<float>({ 3 }, std::vector<float> { -1, 0.5F, 3 }));
    make.constant("six", Tensor::scalar(6.0F));
    make.node("Mul", { "x", "k" }, "m");
    make.node("Div", { "m", "six" }, "y");
    const auto graph = make.finish({ "y" });
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    request.activations.bits = 4;
    request.activations.range = *quant::RangeSpec::parse("mse"); // nothing of a constant is clipped
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    const auto* k = built->plan.find("k");
    QVERIFY(k && k->role == Role::Constant);
    QVERIFY(k->encoding == quant::encodingForRange(k->config, -1, 3));
    QCOMPARE(k->encoding.bits(), 4);
    // A scalar is the end of its own range.
    QCOMPARE(quant::measureError(built->plan.find("six")->encoding, Tensor::scalar(6.0F).view()).noisePower, 0.0);
    request.activations.bits.reset();
    QVERIFY(!planning::buildPlan(graph, &stats, request)->plan.find("k"));
    QVERIFY(!planning::buildPlan(graph, &stats, requestFor(Scope::Compute))->plan.find("k"));
}

void TestPlanBuilder::constantsWidenASharedRange()
{
    Maker make;
    make.input("x", { 1, 3 });
    make.constant("k", Tensor::from<float>({ 1, 2 }, std::vector<float> { -100, 2 }));
    make.node("Concat", { "x", "k" }, "y", { { "axis", std::int64_t { 1 } } });
    const auto graph = make.finish({ "y" });
    const auto stats = statsFor(graph);
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    QVERIFY(built);
    const auto& encoding = built->plan.find("y")->encoding;
    QVERIFY(built->plan.find("k")->encoding == encoding && built->plan.find("x")->encoding == encoding);
    QVERIFY(std::abs(encoding.low() + 100) <= encoding.scale[0]);
    QVERIFY(encoding.high() >= stats.find("x")->max() - encoding.scale[0]);
    QVERIFY(built->plan.find("k")->role == Role::Constant);
    QVERIFY(built->plan.find("x")->role == Role::Activation);
}

void TestPlanBuilder::overridesReachEverything()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Compute);
    request.overrides = { *LayerOverride::parse("c2:w=4,a=6,weight-scheme=asymmetric,weight-granularity=tensor,"
                                                "activation-scheme=power-of-two,activation-sign=signed,"
                                                "activation-rounding=floor"),
        *LayerOverride::parse("logits:narrow=on,rounding=half-away") };
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    const auto* w2 = built->plan.find("w2");
    QCOMPARE(w2->encoding.bits(), 4);
    QVERIFY(!w2->config.symmetric && !w2->encoding.perChannel() && w2->overridden);
    const auto* p1 = built->plan.find("p1");
    QVERIFY(p1->encoding.isSigned() && quant::qFormat(p1->encoding));
    QVERIFY(p1->encoding.rounding == quant::Rounding::Floor && p1->encoding.bits() == 6);
    const auto* w3 = built->plan.find("w3");
    QCOMPARE(w3->encoding.qmin, -127);
    QVERIFY(w3->encoding.rounding == quant::Rounding::HalfAway);
    QVERIFY(built->plan.find("f")->encoding.rounding == quant::Rounding::HalfAway);
    const auto* w1 = built->plan.find("w1"); // nothing was said of it
    QVERIFY(w1->config.symmetric && w1->encoding.perChannel() && !w1->overridden && w1->encoding.qmin == -128);
    const auto again = quant::QuantizationPlan::fromJson(built->plan.toJson());
    QVERIFY(again && *again == built->plan);
}

void TestPlanBuilder::biasThatStaysFloat()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    request.activations.perChannel = true;
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    QVERIFY(!built->plan.find("b1")); // the image is quantized per channel
    QVERIFY(std::ranges::any_of(
        built->notes, [](const auto& note) { return note.find("'b1' stays float") != std::string::npos; }));
    QVERIFY(built->plan.find("b3")); // Flatten shares, so it is per tensor
    // A float weight leaves its bias float without a word.
    request = requestFor(Scope::Integer);
    request.weights.bits.reset();
    QVERIFY(!planning::buildPlan(graph, &stats, request)->plan.find("b1"));
}

void TestPlanBuilder::firstAndLast()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    request.weights.bits = 3;
    request.activations.bits = 4;
    request.firstLastBits = 8;
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    const std::map<std::string, int> expected { { "w1", 8 }, { "w2", 3 }, { "w3", 8 }, { "image", 8 }, { "r1", 4 },
        { "p1", 4 }, { "c2", 4 }, { "r2", 8 }, { "f", 8 }, { "logits", 8 } };
    for (const auto& [name, bits] : expected)
        QVERIFY2(built->plan.find(name)->encoding.bits() == bits, name.c_str());
    request.weights.bits.reset(); // float stays float
    QVERIFY(!planning::buildPlan(graph, &stats, request)->plan.find("w1"));
}

void TestPlanBuilder::overridesReachTensors()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Compute);
    request.overrides = { *LayerOverride::parse("c*:w=4,a=6"), *LayerOverride::parse("c2:a=float"),
        *LayerOverride::parse("logits:weight-range=mse,w=3") };
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    QCOMPARE(built->plan.find("w1")->encoding.bits(), 4);
    QVERIFY(built->plan.find("w1")->overridden);
    QCOMPARE(built->plan.find("image")->encoding.bits(), 6);
    QVERIFY(!built->plan.find("p1")); // the later override wins
    QCOMPARE(built->plan.find("w3")->range.toString(), std::string("mse"));
    QVERIFY(!built->plan.find("f")->overridden);
    request.overrides = { *LayerOverride::parse("conv*:w=4") };
    const auto failed = planning::buildPlan(graph, &stats, request);
    QVERIFY(!failed);
    QCOMPARE(failed.error().code, ErrorCode::InvalidInput);
    QVERIFY2(failed.error().message().find("'conv*'") != std::string::npos
            && failed.error().hint.find("'c1', 'c2', 'logits'") != std::string::npos,
        failed.error().message().c_str());
}

void TestPlanBuilder::sharedWeights()
{
    Maker make;
    make.input("x", { 4, 4 });
    make.weight("w", { 4, 4 });
    make.node("Gemm", { "x", "w" }, "c1", { { "transB", std::int64_t { 1 } } });
    make.node("MatMul", { "c1", "w" }, "c2");
    const auto graph = make.finish({ "c2" });
    auto request = requestFor(Scope::Compute);
    request.activations.bits.reset();
    request.overrides = { *LayerOverride::parse("c2:w=4") };
    const auto built = planning::buildPlan(graph, nullptr, request);
    QVERIFY(built);
    QCOMPARE(built->plan.tensors().size(), std::size_t { 1 });
    const auto& encoding = built->plan.find("w")->encoding;
    QCOMPARE(encoding.bits(), 4); // what was set by hand wins over the default
    QVERIFY(!encoding.perChannel()); // rows for one layer, columns for the other
    QCOMPARE(built->notes.size(), std::size_t { 2 });
}

void TestPlanBuilder::transposedConvolutions()
{
    for (const std::int64_t groups : { 1, 2 }) {
        Maker make;
        make.input("x", { 1, 4, 3, 3 });
        make.weight("w", { 4, 3, 2, 2 });
        make.node("ConvTranspose", { "x", "w" }, "y", { { "group", groups } });
        const auto graph = make.finish({ "y" });
        auto request = requestFor(Scope::Compute);
        request.activations.bits.reset();
        const auto built = planning::buildPlan(graph, nullptr, request);
        QVERIFY(built);
        QCOMPARE(built->plan.find("w")->encoding.axis, groups == 1 ? 1 : -1);
        QCOMPARE(built->notes.size(), groups == 1 ? std::size_t { 0 } : std::size_t { 1 });
    }
}

void TestPlanBuilder::fixedRanges()
{
    Maker make;
    make.input("x", { 1, 4 });
    make.node("Softmax", { "x" }, "p");
    make.node("Reshape",
        { "p", make.constant("s", Tensor::from<std::int64_t>({ 1 }, std::vector<std::int64_t> { 4 })) }, "flat");
    const auto graph = make.finish({ "flat" });
    auto stats = statsFor(graph);
    const auto built = planning::buildPlan(graph, &stats, requestFor(Scope::Integer));
    QVERIFY(built);
    for (const char* name : { "p", "flat" }) {
        QCOMPARE(built->plan.find(name)->encoding.scale.at(0), 1.0F / 255);
        QCOMPARE(built->plan.find(name)->encoding.zeroPoint.at(0), 0);
    }
}

void TestPlanBuilder::logitsAreNotClipped()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    request.activations.bits = 3;
    request.activations.range = *quant::RangeSpec::parse("mse");
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    const auto* logits = built->plan.find("logits");
    QCOMPARE(logits->range.toString(), std::string("min-max"));
    QVERIFY(logits->encoding == *calibration::estimateEncoding(*stats.find("logits"), logits->config, {}));
    const auto* hidden = built->plan.find("r2");
    QCOMPARE(hidden->range.toString(), std::string("mse"));
    QVERIFY(hidden->encoding.high() < stats.find("r2")->max());
}

void TestPlanBuilder::perChannelActivations()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Compute);
    request.activations.perChannel = true;
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY(built);
    QCOMPARE(built->plan.find("image")->encoding.axis, 1);
    QCOMPARE(built->plan.find("image")->encoding.scale.size(), std::size_t { 3 });
    QCOMPARE(built->plan.find("f")->encoding.scale.size(), std::size_t { 64 });
}

void TestPlanBuilder::deadChannels()
{
    Maker make;
    make.input("x", { 1, 2 });
    make.constant("w", Tensor::from<float>({ 2, 3 }, std::vector<float> { 1, 0, 2, 3, 0, 4 }));
    make.node("MatMul", { "x", "w" }, "y");
    const auto graph = make.finish({ "y" });
    auto request = requestFor(Scope::Compute);
    request.activations.bits.reset();
    const auto built = planning::buildPlan(graph, nullptr, request);
    QVERIFY(built);
    QCOMPARE(built->plan.find("w")->encoding.axis, 1);
    QCOMPARE(built->plan.find("w")->encoding.scale.at(1), 1.0F);
    QCOMPARE(built->notes.size(), std::size_t { 1 });
    QVERIFY(built->notes[0].find("1 of 3 output channels") != std::string::npos);
}

void TestPlanBuilder::missingStatistics()
{
    const auto graph = residualNet();
    auto stats = statsFor(graph);
    stats.tensors.erase("p1");
    for (const auto* given : { static_cast<const calibration::CalibrationStats*>(nullptr), &std::as_const(stats) }) {
        const auto built = planning::buildPlan(graph, given, requestFor(Scope::Compute));
        QVERIFY(!built);
        QCOMPARE(built.error().code, ErrorCode::InvalidInput);
        QCOMPARE(built.error().where, std::string(given ? "tensor 'p1'" : "tensor 'image'"));
    }
}

QTEST_APPLESS_MAIN(TestPlanBuilder)
#include "tst_plan_builder.moc"
