// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/calibration/range_estimator.h"
#include "core/planning/plan_builder.h"
#include "tests/core/planning/plan_testing.h"

using namespace quantoscope;
using namespace quantoscope::test;
using planning::LayerOverride;
using planning::PlanRequest;
using quant::Role;
using quant::Scope;

namespace {

std::map<std::string, std::string> sharing(const graph::Graph& graph, Scope scope, Role role)
{
    std::map<std::string, std::string> result;
    for (const auto& slot : planning::placeQuantizers(graph, scope))
        if (slot.role == role)
            result[slot.tensor] = slot.sharesWith;
    return result;
}

using Sharing = std::map<std::string, std::string>;

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
    void constantsAreQuantized();
    void constantsWidenASharedRange();
    void overridesReachEverything();
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
