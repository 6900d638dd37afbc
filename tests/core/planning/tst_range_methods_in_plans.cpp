// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <QtTest>

#include "core/calibration/range_estimator.h"
#include "core/planning/plan_builder.h"
#include "core/quant/option_texts.h"
#include "tests/core/planning/plan_testing.h"

using namespace quantoscope;
using namespace quantoscope::test;
using quant::Scope;

/// Every range method, from the request to the plan.
class TestRangeMethodsInPlans : public QObject {
    Q_OBJECT

private slots:
    void everyMethod_data();
    void everyMethod();
};

void TestRangeMethodsInPlans::everyMethod_data()
{
    QTest::addColumn<QString>("spec");
    QTest::addColumn<bool>("perChannel");
    for (const auto& text : quant::rangeTexts()) {
        std::string spec(text.word);
        if (spec == "percentile" || spec == "sigma")
            spec += spec == "sigma" ? ":1" : ":90";
        if (spec == "manual")
            spec += ":-0.5,0.25";
        for (const bool perChannel : { false, true })
            QTest::addRow("%s, per %s", spec.c_str(), perChannel ? "channel" : "tensor")
                << QString::fromStdString(spec) << perChannel;
    }
}

/// Weights and activations get what the estimator says, and logits keep their full range whatever it is.
void TestRangeMethodsInPlans::everyMethod()
{
    QFETCH(QString, spec);
    QFETCH(bool, perChannel);
    const auto graph = residualNet();
    const auto stats = statsFor(graph);
    auto request = requestFor(Scope::Integer);
    request.activations.bits = 3;
    request.activations.perChannel = perChannel;
    request.activations.range = *quant::RangeSpec::parse(spec.toStdString());
    request.weights.bits = 3;
    request.weights.perChannel = perChannel;
    request.weights.range = request.activations.range;
    const auto built = planning::buildPlan(graph, &stats, request);
    QVERIFY2(built, built ? "" : built.error().message().c_str());
    const auto* logits = built->plan.find("logits");
    QCOMPARE(QString::fromStdString(logits->range.toString()), QStringLiteral("min-max"));
    QVERIFY(logits->encoding == *calibration::estimateEncoding(*stats.find("logits"), logits->config, {}));
    const auto* hidden = built->plan.find("image");
    QCOMPARE(QString::fromStdString(hidden->range.toString()), spec);
    QVERIFY(hidden->encoding == *calibration::estimateEncoding(*stats.find("image"), hidden->config, hidden->range));
    const auto* weight = built->plan.find("w1");
    const auto& values = *graph.value(*graph.find("w1")).constant;
    QVERIFY(
        weight->encoding == *calibration::estimateWeightEncoding(values.view(), weight->config, request.weights.range));
    QCOMPARE(weight->encoding.perChannel(), perChannel);
}

QTEST_APPLESS_MAIN(TestRangeMethodsInPlans)
#include "tst_range_methods_in_plans.moc"
