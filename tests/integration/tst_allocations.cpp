// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit
// After warm-up nothing is allocated for a batch: what an evaluation allocates does not depend on the number of images.
#include <QTest>

#include "core/calibration/stats.h"
#include "core/evaluation/evaluator.h"
#include "core/planning/plan_builder.h"
#include "tests/support/count_allocations.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::evaluation;

namespace {

dataset::SampleSetPtr samplesOf(std::int64_t images)
{
    dataset::SampleSet::Options options;
    options.preprocessing.channels = dataset::Channels::Gray;
    return *dataset::SampleSet::load(test::randomDataset(images, 8, 8, 1, 10), options);
}

quant::QuantizationPlan planFor(const graph::Graph& graph, quant::Scope scope, int bits)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = bits;
    request.activations.bits = bits;
    const auto stats = *calibration::calibrate(graph, *samplesOf(16));
    return planning::buildPlan(graph, stats.get(), request)->plan;
}

} // namespace

class TestAllocations : public QObject {
    Q_OBJECT

private slots:
    void perBatch_data()
    {
        QTest::addColumn<int>("bits");
        QTest::addColumn<bool>("integerScope");
        QTest::newRow("float") << 0 << false;
        QTest::newRow("8 bits, compute scope") << 8 << false;
        QTest::newRow("8 bits, integer scope") << 8 << true;
        QTest::newRow("12 bits, integer scope") << 12 << true;
    }

    void perBatch()
    {
        QFETCH(int, bits);
        QFETCH(bool, integerScope);
        const auto graph = test::smallConvNet(1, 8, 10);
        const auto scope = integerScope ? quant::Scope::Integer : quant::Scope::Compute;
        const auto plan = bits > 0 ? planFor(graph, scope, bits) : quant::QuantizationPlan {};
        EvaluationOptions options;
        options.batch = 4;
        options.threads = 1;
        const auto few = samplesOf(40);
        const auto many = samplesOf(400);
        QVERIFY(evaluate(graph, plan, *few, options)); // what is set up once in a process
        const test::AllocationCount first;
        const bool done = evaluate(graph, plan, *few, options).has_value();
        const int forTen = first.stop();
        const test::AllocationCount second;
        const bool doneAgain = evaluate(graph, plan, *many, options).has_value();
        const int forHundred = second.stop();
        QVERIFY(done && doneAgain);
        QVERIFY(forTen > 0);
        QCOMPARE(forHundred, forTen);
    }
};

QTEST_GUILESS_MAIN(TestAllocations)
#include "tst_allocations.moc"
