// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/planning/glob.h"
#include "core/planning/plan_builder.h"

using namespace quantoscope;
using planning::LayerOverride;
using planning::PlanRequest;
using quant::Scope;

class TestPlanRequest : public QObject {
    Q_OBJECT

private slots:
    void globs_data();
    void globs();
    void overrides_data();
    void overrides();
    void badOverrides_data();
    void badOverrides();
    void requests();
};

void TestPlanRequest::globs_data()
{
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("matches");
    const auto row = [](const char* pattern, const char* text, bool matches) {
        QTest::newRow(qPrintable(QString("%1 on %2").arg(pattern, text))) << pattern << text << matches;
    };
    row("conv1", "conv1", true);
    row("conv1", "conv12", false);
    row("conv?", "conv1", true);
    row("conv?", "conv", false);
    row("*", "", true);
    row("*", "/layer1/conv", true);
    row("/layer1/*", "/layer1/layer1.0/conv1/Conv", true);
    row("*conv*2*", "/conv1/conv2/x", true);
    row("*conv3", "/conv3/conv2", false);
    row("a**b", "ab", true);
    row("*ab", "aab", true);
    row("layer[12]", "layer2", true);
    row("layer[12]", "layer3", false);
    row("layer[!12]", "layer3", true);
    row("layer[^1-3]", "layer2", false);
    row("layer[1-3]x", "layer2x", true);
    row("layer[]]", "layer]", true);
    row("layer[a-]", "layer-", true);
    row("open[", "open[", true);
    row("open[ab", "opena", false);
    row("star\\*", "star*", true);
    row("star\\*", "stars", false);
    row("", "", true);
    row("", "a", false);
}

void TestPlanRequest::globs()
{
    QFETCH(QString, pattern);
    QFETCH(QString, text);
    QFETCH(bool, matches);
    QCOMPARE(planning::globMatches(pattern.toStdString(), text.toStdString()), matches);
}

void TestPlanRequest::overrides_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<LayerOverride>("expected");
    LayerOverride expected;
    expected.pattern = "conv1";
    expected.weights.bits = 4;
    QTest::newRow("weights") << "conv1:w=4" << expected;
    expected.activations.bits = std::optional<int> {};
    QTest::newRow("float activations") << "conv1:w=4,a=float" << expected;
    expected.weights.range = *quant::RangeSpec::parse("manual:-1,0.5");
    expected.activations.range = *quant::RangeSpec::parse("percentile:99");
    QTest::newRow("ranges") << "conv1:w=4,weight-range=manual:-1,0.5,a=float,activation-range=percentile:99"
                            << expected;
    LayerOverride all;
    all.pattern = "conv1";
    all.weights = { .scheme = "asymmetric",
        .perChannel = false,
        .sign = quant::Signedness::Unsigned,
        .narrow = true,
        .rounding = quant::Rounding::Floor };
    all.activations = { .scheme = "power-of-two",
        .perChannel = true,
        .sign = quant::Signedness::Signed,
        .narrow = false,
        .rounding = quant::Rounding::Floor };
    QTest::newRow("everything") << "conv1:weight-scheme=asymmetric,weight-granularity=tensor,weight-sign=unsigned,"
                                   "narrow=on,rounding=floor,activation-scheme=power-of-two,"
                                   "activation-granularity=channel,activation-sign=signed,activation-narrow=off"
                                << all;
    LayerOverride apart;
    apart.pattern = "conv1";
    apart.weights.bits = 5;
    apart.activations = { .bits = 6, .rounding = quant::Rounding::Ceil };
    QTest::newRow("long words for bits") << "conv1:weight-bits=5,activation-bits=6,activation-rounding=ceil" << apart;
    LayerOverride colon;
    colon.pattern = "torch::conv*";
    colon.activations.bits = 16;
    QTest::newRow("colon in the name") << "torch::conv*:a=16" << colon;
}

void TestPlanRequest::overrides()
{
    QFETCH(QString, text);
    QFETCH(LayerOverride, expected);
    const auto parsed = LayerOverride::parse(text.toStdString());
    QVERIFY2(parsed, parsed ? "" : parsed.error().message().c_str());
    QVERIFY(*parsed == expected);
}

void TestPlanRequest::badOverrides_data()
{
    QTest::addColumn<QString>("text");
    for (const char* text : { "", "conv", "conv:", ":w=4", "conv:w=", "conv:w=1", "conv:w=17", "conv:w=4x",
             "conv:w=4,b=8", "conv:w=4,a", "conv:weight-range=best", "conv:a=-4", "conv:weight-scheme=affine",
             "conv:weight-granularity=block", "conv:weight-sign=plus", "conv:narrow=yes", "conv:rounding=up",
             "conv:weight-speed=1", "conv:scheme=symmetric", "conv:w=4,activation-sign=" })
        QTest::newRow(*text == '\0' ? "empty" : text) << text;
}

void TestPlanRequest::badOverrides()
{
    QFETCH(QString, text);
    const auto parsed = LayerOverride::parse(text.toStdString());
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().code, ErrorCode::InvalidInput);
    QVERIFY(parsed.error().hint.find("NAME:w=4,a=8") != std::string::npos);
}

void TestPlanRequest::requests()
{
    PlanRequest request;
    QCOMPARE(request.describe(),
        std::string("W8 A8 compute, weights symmetric per channel min-max, activations asymmetric per tensor mse"));
    request.scope = Scope::Integer;
    request.weights.bits = 4;
    request.activations.bits.reset();
    request.firstLastBits = 8;
    request.rounding = quant::Rounding::Floor;
    request.overrides = { *LayerOverride::parse("x:w=2") };
    QCOMPARE(request.describe(),
        std::string("W4, A float integer, weights symmetric per channel min-max, rounding floor, first and last at 8, "
                    "mixed (1 layer)"));
    QVERIFY(request.validate());
    request.biasBits = 16;
    request.biasRoom = quant::BiasRoom::ShiftBias;
    request.floatOperators = { "Softmax", "Tanh" };
    request.weights.narrow = true;
    request.weights.rounding = quant::Rounding::Ceil;
    request.weights.sign = quant::Signedness::Signed;
    QCOMPARE(request.describe(),
        std::string("W4, A float integer, weights symmetric per channel min-max signed narrow rounding ceil, rounding "
                    "floor, biases at 16 shifted, first and last at 8, float Softmax and Tanh, mixed (1 layer)"));
    QVERIFY(request.validate());
    for (const int bits : { 7, 33 }) {
        request.biasBits = bits;
        QVERIFY(!request.validate());
    }
    request.overrides.push_back(*LayerOverride::parse("block\\[1].conv?:w=2"));
    QVERIFY2(request.describe().ends_with(", mixed (2 patterns of layers)"), request.describe().c_str());
    request.overrides.back().pattern = "block\\[1].conv1";
    QVERIFY2(request.describe().ends_with(", mixed (2 layers)"), request.describe().c_str());
    request.biasBits.reset();
    QVERIFY(request.describe().find("biases float") != std::string::npos);
    for (auto* bits : { &request.weights.bits, &request.activations.bits, &request.firstLastBits }) {
        const auto before = *bits;
        *bits = 17;
        QVERIFY(!request.validate());
        *bits = before;
    }
    request.activations.scheme = "affine";
    const auto valid = request.validate();
    QVERIFY(!valid);
    QCOMPARE(valid.error().where, std::string("activations"));
}

QTEST_APPLESS_MAIN(TestPlanRequest)
#include "tst_plan_request.moc"
