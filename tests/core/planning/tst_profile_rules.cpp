// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <functional>
#include <map>

#include <QtTest>

#include "core/planning/profile_rules.h"

using namespace quantoscope;
using planning::LayerOverride;
using planning::PlanRequest;
using quant::HardwareProfile;
using quant::Role;

namespace {

struct Case {
    const char* profile;
    std::function<void(PlanRequest&)> change;
    const char* setting; ///< of the one violation
    const char* reason; ///< part of it
};

std::map<std::string, Case> cases()
{
    std::map<std::string, Case> all;
    all["weight bits"] = { "generic-int8", [](PlanRequest& r) { r.weights.bits = 4; }, "weights, bits",
        "generic-int8 takes no weights with bits 4: its multipliers take 8-bit weights (possible: 8)" };
    all["float weights"]
        = { "generic-int8", [](PlanRequest& r) { r.weights.bits.reset(); }, "weights, bits", "with bits float" };
    all["activation bits"]
        = { "int4-weights", [](PlanRequest& r) { r.activations.bits = 6; }, "activations, bits", "(possible: 8, 16)" };
    all["scope"] = { "generic-int8", [](PlanRequest& r) { r.scope = quant::Scope::Compute; }, "scope",
        "does not work in the scope compute (possible: integer)" };
    all["scheme"] = { "mcu-8bit-power-of-two", [](PlanRequest& r) { r.activations.scheme = "asymmetric"; },
        "activations, scheme", "it has no multiplier to scale with" };
    all["granularity"] = { "mcu-8bit-power-of-two", [](PlanRequest& r) { r.weights.perChannel = true; },
        "weights, granularity", "granularity channel" };
    all["sign"] = { "mcu-8bit-power-of-two", [](PlanRequest& r) { r.activations.sign = quant::Signedness::Unsigned; },
        "activations, sign", "signed 8-bit words" };
    all["narrow range"] = { "mcu-8bit-power-of-two", [](PlanRequest& r) { r.weights.narrow = true; },
        "weights, narrow range", "whole grid" };
    all["rounding of all tensors"]
        = { "fpga-arbitrary", [](PlanRequest& r) { r.activations.rounding = quant::Rounding::Stochastic; },
              "activations, rounding", "no source of randomness" };
    all["rounding of weights"] = { "fpga-arbitrary",
        [](PlanRequest& r) { r.weights.rounding = quant::Rounding::Floor; }, "weights, rounding", "rounding floor" };
    all["first and last"] = { "research-first-last-8", [](PlanRequest& r) { r.firstLastBits = 4; },
        "first and last layer", "keeps the first and the last layer at 8 bits, not at 4" };
    all["first and last left out"] = { "research-first-last-8", [](PlanRequest& r) { r.firstLastBits.reset(); },
        "first and last layer", "not at those of the others" };
    all["first and last where nobody asked"]
        = { "generic-int8", [](PlanRequest& r) { r.firstLastBits = 6; }, "first and last layer", "bits 6" };
    all["bias bits"] = { "generic-int8", [](PlanRequest& r) { r.biasBits = 16; }, "biases",
        "takes no biases with bits 16: biases start the 32-bit sums (possible: 32)" };
    all["float bias"] = { "mcu-8bit-power-of-two", [](PlanRequest& r) { r.biasBits.reset(); }, "biases", "bits float" };
    all["bias room"] = { "mcu-8bit-power-of-two",
        [](PlanRequest& r) { r.biasRoom = quant::BiasRoom::RaiseWeightScale; }, "biases", "by shifting them" };
    all["float operators"] = { "mcu-8bit-power-of-two", [](PlanRequest& r) { r.floatOperators.clear(); },
        "float operators", "computes Softmax in float" };
    all["one layer"] = { "generic-int8", [](PlanRequest& r) { r.overrides = { *LayerOverride::parse("c*:w=6") }; },
        "layer 'c*', weights, bits", "bits 6" };
    all["one layer's scheme"] = { "generic-int8",
        [](PlanRequest& r) { r.overrides = { *LayerOverride::parse("c*:weight-scheme=asymmetric") }; },
        "layer 'c*', weights, scheme", "asymmetric" };
    return all;
}

} // namespace

class TestProfileRules : public QObject {
    Q_OBJECT

private slots:
    void defaultsFit_data();
    void defaultsFit();
    void violations_data();
    void violations();
    void nearestWordLength();
    void everyViolationIsFound();
    void plans();
    void unrestrictedTakesAll();
};

void TestProfileRules::defaultsFit_data()
{
    QTest::addColumn<QString>("name");
    for (const auto& profile : quant::builtInProfiles())
        QTest::newRow(profile.name.c_str()) << QString::fromStdString(profile.name);
}

/// What a profile chooses by itself, and what it makes of the program's defaults, is a request it takes.
void TestProfileRules::defaultsFit()
{
    QFETCH(QString, name);
    const auto profile = *quant::findProfile(name.toStdString());
    const auto defaults = planning::defaultsFor(profile);
    QVERIFY(defaults.validate());
    QVERIFY(planning::check(profile, defaults).empty());
    const auto constrained = planning::constrain(profile, {});
    QVERIFY(constrained.request.validate());
    QVERIFY(planning::check(profile, constrained.request).empty());
    QCOMPARE(constrained.notes.empty(), planning::check(profile, PlanRequest {}).empty());
}

void TestProfileRules::violations_data()
{
    QTest::addColumn<QString>("key");
    for (const auto& [key, unused] : cases())
        QTest::newRow(key.c_str()) << QString::fromStdString(key);
}

void TestProfileRules::violations()
{
    QFETCH(QString, key);
    const Case test = cases().at(key.toStdString());
    const auto profile = *quant::findProfile(test.profile);
    auto request = planning::defaultsFor(profile);
    test.change(request);
    const auto found = planning::check(profile, request);
    QCOMPARE(found.size(), std::size_t { 1 });
    QCOMPARE(found.front().setting, std::string(test.setting));
    QVERIFY2(found.front().reason.find(test.reason) != std::string::npos, found.front().reason.c_str());
    const auto constrained = planning::constrain(profile, request);
    QCOMPARE(constrained.notes.size(), std::size_t { 1 });
    QVERIFY(planning::check(profile, constrained.request).empty());
}

void TestProfileRules::nearestWordLength()
{
    auto profile = *quant::findProfile("generic-int8");
    profile.weights.bits = { 8, 4, 16 };
    const std::map<int, int> nearest { { 2, 4 }, { 5, 4 }, { 6, 8 }, { 7, 8 }, { 8, 8 }, { 12, 16 }, { 13, 16 } };
    for (const auto& [wished, expected] : nearest) {
        auto request = planning::defaultsFor(profile);
        request.weights.bits = wished;
        QCOMPARE(planning::constrain(profile, request).request.weights.bits.value_or(0), expected);
    }
    auto request = planning::defaultsFor(profile);
    request.weights.bits.reset();
    QCOMPARE(planning::constrain(profile, request).request.weights.bits.value_or(0), 16);
    QVERIFY(!planning::checkBits(profile, Role::Weight, 4));
    QCOMPARE(planning::checkBits(profile, Role::Activation, 4)->setting, std::string("activations, bits"));
    QVERIFY(planning::checkBits(profile, Role::Weight, std::nullopt));
}

void TestProfileRules::everyViolationIsFound()
{
    const auto profile = *quant::findProfile("mcu-8bit-power-of-two");
    // Scope, two of the weights', three of the activations', biases' room is only asked of narrow ones, float
    // operators.
    PlanRequest request;
    request.scope = quant::Scope::Integer;
    const auto found = planning::check(profile, request);
    const auto has = [&](const char* setting) {
        return std::ranges::any_of(found, [&](const auto& violation) { return violation.setting == setting; });
    };
    for (const char* setting : { "weights, scheme", "weights, granularity", "weights, sign", "activations, scheme",
             "activations, sign", "float operators" })
        QVERIFY2(has(setting), setting);
    QCOMPARE(found.size(), std::size_t { 6 });
}

void TestProfileRules::plans()
{
    const auto profile = *quant::findProfile("int4-weights");
    quant::QuantizationPlan plan;
    plan.scope = quant::Scope::Integer;
    quant::TensorQuantizer weight;
    weight.role = Role::Weight;
    weight.config.bits = 4;
    weight.config.granularity = quant::Granularity::perChannel(0);
    const std::vector<double> low { -1, -2 };
    const std::vector<double> high { 1, 2 };
    weight.encoding = quant::encodingForRanges(weight.config, 0, low, high);
    plan.set("w", weight);
    quant::TensorQuantizer activation;
    activation.config.symmetric = false;
    activation.encoding = quant::encodingForRange(activation.config, 0, 1);
    plan.set("x", activation);
    QVERIFY(planning::check(profile, plan).empty());
    auto first = weight;
    first.config.bits = 8; // as its first and last layers have
    plan.set("first", first);
    QVERIFY(planning::check(profile, plan).empty());
    first.config.bits = 6;
    plan.set("first", first);
    const auto found = planning::check(profile, plan);
    QCOMPARE(found.size(), std::size_t { 1 });
    QCOMPARE(found.front().setting, std::string("tensor 'first', bits"));
    QVERIFY(!planning::check(*quant::findProfile("research-first-last-8"), plan).empty()); // another scope
}

void TestProfileRules::unrestrictedTakesAll()
{
    const auto profile = *quant::findProfile("unrestricted");
    PlanRequest request;
    for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
        for (const std::optional<int> bits : { std::optional<int> {}, std::optional(2), std::optional(16) })
            for (const char* scheme : { "symmetric", "asymmetric", "power-of-two" }) {
                request.scope = scope;
                request.weights.bits = request.activations.bits = bits;
                request.weights.scheme = request.activations.scheme = scheme;
                request.activations.perChannel = bits.has_value();
                QVERIFY(planning::check(profile, request).empty());
            }
}

QTEST_APPLESS_MAIN(TestProfileRules)
#include "tst_profile_rules.moc"
