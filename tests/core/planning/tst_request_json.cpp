// SPDX-License-Identifier: GPL-3.0-or-later
#include <functional>

#include <QTest>
#include <nlohmann/json.hpp>

#include "core/planning/request_json.h"

using namespace quantoscope;
using namespace quantoscope::planning;

namespace {
using Change = std::function<void(PlanRequest&)>;
}

Q_DECLARE_METATYPE(Change)

class TestRequestJson : public QObject {
    Q_OBJECT

private slots:
    /// Two requests that differ in anything must not be taken for one.
    void everyFieldGoesThere_data()
    {
        QTest::addColumn<Change>("change");
        const auto row = [](const char* name, Change change) { QTest::newRow(name) << change; };
        row("nothing", [](PlanRequest&) {});
        row("scope", [](PlanRequest& r) { r.scope = quant::Scope::Integer; });
        row("weight bits", [](PlanRequest& r) { r.weights.bits = 3; });
        row("float weights", [](PlanRequest& r) { r.weights.bits.reset(); });
        row("scheme", [](PlanRequest& r) { r.weights.scheme = "power-of-two"; });
        row("granularity", [](PlanRequest& r) { r.activations.perChannel = true; });
        row("range", [](PlanRequest& r) { r.activations.range = *quant::RangeSpec::parse("percentile:99.99"); });
        row("a range of many digits", [](PlanRequest& r) {
            r.activations.range.method = quant::RangeSpec::Method::Manual;
            r.activations.range.low = -1.0 / 3;
            r.activations.range.high = 0.1;
        });
        row("sign", [](PlanRequest& r) { r.activations.sign = quant::Signedness::Signed; });
        row("narrow", [](PlanRequest& r) { r.weights.narrow = true; });
        row("rounding of weights", [](PlanRequest& r) { r.weights.rounding = quant::Rounding::Floor; });
        row("rounding", [](PlanRequest& r) { r.rounding = quant::Rounding::Stochastic; });
        row("first and last", [](PlanRequest& r) { r.firstLastBits = 8; });
        row("bias bits", [](PlanRequest& r) { r.biasBits = 16; });
        row("float biases", [](PlanRequest& r) { r.biasBits.reset(); });
        row("bias room", [](PlanRequest& r) { r.biasRoom = quant::BiasRoom::ShiftBias; });
        row("float operators", [](PlanRequest& r) { r.floatOperators = { "Softmax" }; });
        row("seed", [](PlanRequest& r) { r.seed = ~std::uint64_t { 0 }; });
        for (const char* text : { "conv1:w=4", "conv1:a=4", "conv2:w=4", "*:w=float", "c:weight-range=mse",
                 "c:weight-scheme=asymmetric", "c:weight-granularity=tensor", "c:weight-sign=signed",
                 "c:weight-narrow=on", "c:weight-rounding=ceil", "c:rounding=ceil" })
            row(text, [text](PlanRequest& r) { r.overrides.push_back(*LayerOverride::parse(text)); });
        row("two overrides", [](PlanRequest& r) {
            r.overrides = { *LayerOverride::parse("a:w=4"), *LayerOverride::parse("b:w=4") };
        });
        row("their order", [](PlanRequest& r) {
            r.overrides = { *LayerOverride::parse("b:w=4"), *LayerOverride::parse("a:w=4") };
        });
        row("equalize", [](PlanRequest& r) { r.corrections.equalize = true; });
        row("balance", [](PlanRequest& r) { r.corrections.balance = true; });
        row("absorb", [](PlanRequest& r) { r.corrections.equalize = r.corrections.absorbHighBias = true; });
        row("compensate", [](PlanRequest& r) { r.corrections.compensate = true; });
        row("adaptive rounding", [](PlanRequest& r) { r.corrections.adaptiveRounding = true; });
        row("reconstruct", [](PlanRequest& r) { r.corrections.reconstruct = true; });
        row("gain", [](PlanRequest& r) { r.corrections.gain = true; });
        row("bias", [](PlanRequest& r) { r.corrections.bias = true; });
    }

    void everyFieldGoesThere()
    {
        QFETCH(Change, change);
        static std::vector<PlanRequest> seen;
        PlanRequest request;
        change(request);
        const Json json = toJson(request);
        for (const auto& other : seen)
            QVERIFY(toJson(other) != json);
        const auto back = requestFromJson(Json::parse(json.dump()));
        QVERIFY2(back, back ? "" : back.error().message().c_str());
        QVERIFY(*back == request);
        seen.push_back(request);
    }

    void refuses_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::newRow("no scope") << "scope"
                                  << "";
        QTest::newRow("another scope") << "scope"
                                       << R"("all")";
        QTest::newRow("bits as text") << "first_last_bits"
                                      << R"("8")";
        QTest::newRow("too many bits") << "first_last_bits"
                                       << "99";
        QTest::newRow("weights as text") << "weights"
                                         << R"("mse")";
        QTest::newRow("a negative seed") << "seed"
                                         << R"("-1")";
        QTest::newRow("an unknown correction") << "corrections"
                                               << R"(["magic"])";
        QTest::newRow("corrections as text") << "corrections"
                                             << R"("bias-correction")";
        QTest::newRow("an unknown setting of a layer")
            << "overrides"
            << R"([{"pattern":"a","weights":{"magic":"1"},"activations":{}}])";
    }

    void refuses()
    {
        QFETCH(QString, key);
        QFETCH(QString, value);
        Json json = toJson(PlanRequest {});
        if (value.isEmpty())
            json.erase(key.toStdString());
        else
            json[key.toStdString()] = Json::parse(value.toStdString());
        const auto read = requestFromJson(json);
        QVERIFY(!read && read.error().code == ErrorCode::InvalidInput);
    }
};

QTEST_APPLESS_MAIN(TestRequestJson)
#include "tst_request_json.moc"
