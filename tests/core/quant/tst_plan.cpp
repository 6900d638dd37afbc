// SPDX-License-Identifier: GPL-3.0-or-later
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/quant/plan.h"

using namespace quantoscope;
using quant::QuantizationPlan;
using quant::QuantizerConfig;
using quant::RangeSpec;

namespace {

QuantizationPlan samplePlan()
{
    QuantizationPlan plan;
    plan.scope = quant::Scope::Integer;
    plan.title = "W4 A8 \"integer\"";
    plan.seed = ~std::uint64_t { 0 };
    quant::TensorQuantizer weight;
    weight.role = quant::Role::Weight;
    weight.config.bits = 4;
    weight.config.granularity = quant::Granularity::perChannel(0);
    weight.config.narrowRange = true;
    weight.config.signedness = quant::Signedness::Signed;
    weight.range = *RangeSpec::parse("percentile:99.9");
    weight.encoding.scale = { 0.1F, 0.2F };
    weight.encoding.zeroPoint = { 0, 0 };
    weight.encoding.qmin = -7;
    weight.encoding.qmax = 7;
    weight.encoding.axis = 0;
    weight.overridden = true;
    plan.set("conv.weight", weight);
    quant::TensorQuantizer activation;
    activation.config.symmetric = false;
    activation.config.scale = quant::ScaleRestriction::PowerOfTwo;
    activation.config.rounding = quant::Rounding::Stochastic;
    activation.config.granularity = { quant::Granularity::Kind::PerBlock, 1, 32 };
    activation.encoding.rounding = quant::Rounding::Stochastic;
    plan.set("/Relu_output_0", activation);
    quant::TensorQuantizer bias;
    bias.role = quant::Role::Bias;
    bias.encoding.qmin = std::numeric_limits<int>::min();
    bias.encoding.qmax = std::numeric_limits<int>::max();
    plan.set("conv.bias", bias);
    return plan;
}

} // namespace

class TestPlan : public QObject {
    Q_OBJECT

private slots:
    void rangeSpecs_data();
    void rangeSpecs();
    void badRangeSpecs_data();
    void badRangeSpecs();
    void schemes_data();
    void schemes();
    void words();
    void badConfigs_data();
    void badConfigs();
    void entries();
    void jsonRoundTrip();
    void saveAndLoad();
    void badPlans_data();
    void badPlans();
    void fileErrors();
};

void TestPlan::rangeSpecs_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<RangeSpec>("spec");
    using Method = RangeSpec::Method;
    QTest::newRow("min-max") << "min-max" << RangeSpec {};
    QTest::newRow("mse") << "mse" << RangeSpec { Method::Mse };
    QTest::newRow("percentile") << "percentile:99.9" << RangeSpec { Method::Percentile, 99.9 };
    QTest::newRow("percentile, both tails")
        << "percentile:0.01,99.99" << RangeSpec { Method::Percentile, 0, 0.01, 99.99 };
    QTest::newRow("percentile, one tail") << "percentile:0,99.9" << RangeSpec { Method::Percentile, 0, 0, 99.9 };
    QTest::newRow("entropy") << "entropy" << RangeSpec { Method::Entropy };
    QTest::newRow("aciq") << "aciq" << RangeSpec { Method::Aciq };
    using Density = RangeSpec::Density;
    QTest::newRow("aciq gauss") << "aciq:gauss" << RangeSpec { Method::Aciq, 0, 0, 0, Density::Gauss };
    QTest::newRow("aciq laplace") << "aciq:laplace" << RangeSpec { Method::Aciq, 0, 0, 0, Density::Laplace };
    QTest::newRow("sigma") << "sigma:4" << RangeSpec { Method::Sigma, 4 };
    QTest::newRow("manual") << "manual:-1,0.5" << RangeSpec { Method::Manual, 0, -1, 0.5 };
}

void TestPlan::rangeSpecs()
{
    QFETCH(QString, text);
    QFETCH(RangeSpec, spec);
    const auto parsed = RangeSpec::parse(text.toStdString());
    QVERIFY(parsed);
    QVERIFY(*parsed == spec);
    QCOMPARE(QString::fromStdString(spec.toString()), text);
    if (spec.method == RangeSpec::Method::Percentile) {
        QCOMPARE(parsed->percentiles().low, spec.parameter > 0 ? 100 - spec.parameter : spec.low);
        QCOMPARE(parsed->percentiles().high, spec.parameter > 0 ? spec.parameter : spec.high);
    }
}

void TestPlan::badRangeSpecs_data()
{
    QTest::addColumn<QString>("text");
    for (const char* text :
        { "", "minmax", "mse:1", "percentile", "percentile:", "percentile:50", "percentile:100.1", "percentile:abc",
            "percentile:99x", "percentile:,", "percentile:1", "percentile:-1,99", "percentile:1,101", "percentile:99,1",
            "percentile:1,2,3", "aciq:", "aciq:cauchy", "entropy:8", "mse:", "sigma", "sigma:0", "sigma:-1",
            "sigma:inf", "manual", "manual:1", "manual:1,1", "manual:2,1", "manual:1,2,3", "manual:nan,1" })
        QTest::newRow(*text == '\0' ? "empty" : text) << text;
}

void TestPlan::badRangeSpecs()
{
    QFETCH(QString, text);
    const auto parsed = RangeSpec::parse(text.toStdString());
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().code, ErrorCode::InvalidInput);
    QVERIFY(!parsed.error().hint.empty());
}

void TestPlan::schemes_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("symmetric");
    QTest::addColumn<quant::ScaleRestriction>("scale");
    QTest::newRow("symmetric") << "symmetric" << true << quant::ScaleRestriction::None;
    QTest::newRow("asymmetric") << "asymmetric" << false << quant::ScaleRestriction::None;
    QTest::newRow("power-of-two") << "power-of-two" << true << quant::ScaleRestriction::PowerOfTwo;
    QTest::newRow("asymmetric-power-of-two")
        << "asymmetric-power-of-two" << false << quant::ScaleRestriction::PowerOfTwo;
}

void TestPlan::schemes()
{
    QFETCH(QString, name);
    QuantizerConfig config;
    config.symmetric = false;
    config.scale = quant::ScaleRestriction::PowerOfTwo;
    QVERIFY(quant::applyScheme(config, name.toStdString()));
    QTEST(config.symmetric, "symmetric");
    QTEST(config.scale, "scale");
    QCOMPARE(QString::fromStdString(quant::schemeName(config)), name);
    QVERIFY(!quant::applyScheme(config, "affine"));
}

void TestPlan::words()
{
    for (const auto* word : { "half-even", "half-away", "floor", "ceil", "stochastic" })
        QCOMPARE(quant::toString(*quant::parseRounding(word)), std::string(word));
    const auto rounding = quant::parseRounding("nearest");
    QVERIFY(!rounding);
    QVERIFY(rounding.error().hint.find("half-even") != std::string::npos);
    QCOMPARE(quant::toString(*quant::parseScope("integer")), std::string("integer"));
    QVERIFY(*quant::parseScope("compute") == quant::Scope::Compute);
    QVERIFY(!quant::parseScope("all"));
}

void TestPlan::badConfigs_data()
{
    QTest::addColumn<QuantizerConfig>("config");
    for (const int bits : { -1, 0, 1, 17, 32 }) {
        QuantizerConfig config;
        config.bits = bits;
        QTest::newRow((std::to_string(bits) + " bits").c_str()) << config;
    }
    QuantizerConfig config;
    config.granularity = quant::Granularity::perChannel(-1);
    QTest::newRow("negative axis") << config;
    config.granularity = { quant::Granularity::Kind::PerBlock, 0, 0 };
    QTest::newRow("empty block") << config;
}

void TestPlan::badConfigs()
{
    QFETCH(QuantizerConfig, config);
    const auto valid = config.validate();
    QVERIFY(!valid);
    QCOMPARE(valid.error().code, ErrorCode::InvalidInput);
    QVERIFY(!QuantizerConfig::fromJson(config.toJson()));
}

void TestPlan::entries()
{
    auto plan = samplePlan();
    QVERIFY(plan.find("conv.weight"));
    QVERIFY(!plan.find("conv"));
    plan.erase("conv.weight");
    plan.erase("never there");
    QVERIFY(!plan.find("conv.weight"));
    QCOMPARE(plan.tensors().size(), std::size_t { 2 });
    QVERIFY(plan.seedFor("a") != plan.seedFor("b"));
    QVERIFY(QuantizationPlan {}.empty());
}

void TestPlan::jsonRoundTrip()
{
    const auto plan = samplePlan();
    const auto back = QuantizationPlan::fromJson(Json::parse(plan.toJson().dump()));
    QVERIFY2(back, back ? "" : back.error().message().c_str());
    QVERIFY(*back == plan);
    QVERIFY(*QuantizationPlan::fromJson(QuantizationPlan {}.toJson()) == QuantizationPlan {});
}

void TestPlan::saveAndLoad()
{
    const QTemporaryDir folder;
    const auto path = std::filesystem::path(folder.path().toStdString()) / "plan.json";
    QVERIFY(quant::savePlan(samplePlan(), path));
    const auto loaded = quant::loadPlan(path);
    QVERIFY(loaded);
    QVERIFY(*loaded == samplePlan());
}

void TestPlan::badPlans_data()
{
    QTest::addColumn<QString>("pointer"); ///< what is replaced in a good plan
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("what");
    const auto row = [](const char* name, const char* pointer, const char* value, const char* what) {
        QTest::newRow(name) << pointer << value << what;
    };
    row("an array", "", "[]", "array");
    row("other format", "/format", "\"calibration\"", "calibration");
    row("newer version", "/version", "2", "version 2");
    row("text version", "/version", "\"1\"", "an integer");
    row("unknown scope", "/scope", "\"all\"", "all");
    row("negative seed", "/seed", "-1", "non-negative");
    row("tensors a list", "/tensors", "[]", "tensors");
    row("unknown role", "/tensors/conv.weight/role", "\"gradient\"", "conv.weight");
    row("1 bit", "/tensors/conv.weight/config/bits", "1", "conv.weight");
    row("negative scale", "/tensors/conv.weight/encoding/scale", "[0.1,-0.2]", "conv.weight");
    row("bad range", "/tensors/conv.weight/range", "\"widest\"", "conv.weight");
    row("number for flag", "/tensors/conv.weight/overridden", "1", "true or false");
    row("negative axis", "/tensors/conv.weight/config/granularity/axis", "-1", "conv.weight");
    row("no title", "/title", "null", "title");
}

void TestPlan::badPlans()
{
    QFETCH(QString, pointer);
    QFETCH(QString, value);
    QFETCH(QString, what);
    auto json = samplePlan().toJson();
    json[Json::json_pointer(pointer.toStdString())] = Json::parse(value.toStdString());
    const auto plan = QuantizationPlan::fromJson(json);
    QVERIFY(!plan);
    QVERIFY2(plan.error().message().find(what.toStdString()) != std::string::npos, plan.error().message().c_str());
}

void TestPlan::fileErrors()
{
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    QCOMPARE(quant::loadPlan(path / "absent.json").error().code, ErrorCode::NotFound);
    QVERIFY(!quant::savePlan(samplePlan(), path / "absent" / "plan.json"));
    std::ofstream(path / "broken.json") << "{ \"format\": ";
    std::ofstream(path / "other.json") << R"({"format":"other"})";
    for (const char* name : { "broken.json", "other.json" }) {
        const auto plan = quant::loadPlan(path / name);
        QVERIFY(!plan);
        QCOMPARE(plan.error().code, ErrorCode::InvalidInput);
        QVERIFY2(plan.error().where.find(name) != std::string::npos, plan.error().message().c_str());
        QVERIFY(!plan.error().hint.empty());
    }
}

QTEST_APPLESS_MAIN(TestPlan)
#include "tst_plan.moc"
