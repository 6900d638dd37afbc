// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <QtTest>

#include "core/graph/layers.h"
#include "core/graph/passes/passes.h"
#include "core/planning/plan_builder.h"
#include "core/planning/plan_changes.h"
#include "tests/core/planning/plan_testing.h"

using namespace quantoscope;
using namespace quantoscope::test;
using quant::Role;
using quant::Scope;

class TestBiases : public QObject {
    Q_OBJECT

private slots:
    void biasScales();
    void biasOverflowRaisesTheWeight();
    void biasWordLengths_data();
    void biasWordLengths();
    void narrowBiasesCanBeShifted();
    void biasesOfAWeightOnTheLeft();
    void sharedBiasesNeedCopies();
    void biasThatStaysFloat();
    void plansTellTheirWordLength();
};

void TestBiases::biasScales()
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

void TestBiases::biasOverflowRaisesTheWeight()
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

void TestBiases::biasWordLengths_data()
{
    QTest::addColumn<int>("bits");
    for (const int bits : { 8, 12, 16, 24, 32 })
        QTest::addRow("%d bits", bits) << bits;
}

/// No bias is clipped, whatever its word-length, and what that costs the weights is told.
void TestBiases::biasWordLengths()
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

void TestBiases::narrowBiasesCanBeShifted()
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

void TestBiases::biasesOfAWeightOnTheLeft()
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

void TestBiases::sharedBiasesNeedCopies()
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

void TestBiases::biasThatStaysFloat()
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

void TestBiases::plansTellTheirWordLength()
{
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    for (const std::optional<int> bits : { std::optional(12), std::optional(32), std::optional<int> {} }) {
        request.biasBits = bits;
        const auto built = planning::buildPlan(graph, &stats, request);
        QVERIFY(built);
        QVERIFY(planning::requestLike(built->plan).biasBits == bits);
    }
    request.biasRoom = quant::BiasRoom::ShiftBias;
    request.floatOperators = { "Softmax" };
    const auto like = planning::requestLike(planning::buildPlan(graph, &stats, request)->plan);
    QVERIFY(like.biasRoom == request.biasRoom && like.floatOperators == request.floatOperators);
}

QTEST_APPLESS_MAIN(TestBiases)
#include "tst_biases.moc"
