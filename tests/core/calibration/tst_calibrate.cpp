// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <stop_token>

#include <QtTest>

#include "core/base/ordered_merge.h"
#include "core/calibration/stats.h"
#include "core/graph/shape_inference.h"
#include "tests/support/memory_dataset.h"

using namespace quantoscope;

namespace {

/// image[batch, 3, H, W] -> Conv 1x1 -> Relu -> GlobalAveragePool -> Flatten (or a Reshape to [1, 4])
graph::Graph smallNet(const graph::Dims& input, bool fixedReshape = false, float weight = 0.5F)
{
    graph::Graph graph;
    graph.opsets[""] = 13;
    const auto add = [&graph](const char* op, std::vector<graph::ValueId> inputs, const char* output) {
        graph::Node node;
        node.name = output;
        node.opType = op;
        node.inputs = std::move(inputs);
        node.outputs = { graph.addValue(output) };
        graph.addNode(node);
        return node.outputs[0];
    };
    const auto image = graph.addInput("image", { DType::Float32, input });
    Tensor weights(DType::Float32, { 4, 3, 1, 1 });
    for (std::size_t i = 0; i < 12; ++i)
        weights.as<float>()[i] = (i % 2 == 0 ? weight : -weight) * static_cast<float>(i + 1);
    const auto w = graph.addConstant("w", std::make_shared<const Tensor>(std::move(weights)));
    const auto pooled = add("GlobalAveragePool", { add("Relu", { add("Conv", { image, w }, "c") }, "r") }, "g");
    const auto shape = graph.addConstant(
        "shape", std::make_shared<const Tensor>(Tensor::from<std::int64_t>({ 2 }, std::vector<std::int64_t> { 1, 4 })));
    graph.markOutput(fixedReshape ? add("Reshape", { pooled, shape }, "logits") : add("Flatten", { pooled }, "logits"));
    if (const auto inferred = graph::inferShapes(graph); !inferred)
        qFatal("%s", inferred.error().message().c_str());
    return graph;
}

const graph::Dims openBatch { graph::Dim::named("batch"), 3, 6, 6 };

dataset::SampleSetPtr samples(std::int64_t count, int channels = 3, int height = 6, int width = 6,
    dataset::MemoryLayout layout = dataset::MemoryLayout::Nchw)
{
    dataset::SampleSet::Options options;
    options.preprocessing.layout = layout;
    if (channels == 1)
        options.preprocessing.channels = dataset::Channels::Gray;
    return *dataset::SampleSet::load(test::randomDataset(count, height, width, channels, 4), options);
}

calibration::CalibrationOptions optionsFor(std::int64_t batch, int threads)
{
    calibration::CalibrationOptions options;
    options.batch = batch;
    options.threads = threads;
    return options;
}

} // namespace

class TestCalibrate : public QObject {
    Q_OBJECT

private slots:
    void observesWhatAPlanCouldQuantize();
    void sameForAnyNumberOfThreads();
    void batchesOnlyShowInRounding();
    void nanNamesTheTensor();
    void cancels();
    void reportsProgress();
    void binding_data();
    void binding();
    void bindingErrors_data();
    void bindingErrors();
    void mergesInOrder();
    void aStopWhileTheLastRunsIsNoResult_data();
    void aStopWhileTheLastRunsIsNoResult();
};

void TestCalibrate::observesWhatAPlanCouldQuantize()
{
    const auto graph = smallNet(openBatch);
    const auto data = samples(10);
    const auto stats = calibration::calibrate(graph, *data, optionsFor(4, 2));
    QVERIFY2(stats, stats ? "" : stats.error().message().c_str());
    QCOMPARE((*stats)->images, 10);
    QVERIFY(!(*stats)->description.empty());
    QStringList names;
    for (const auto& [name, seen] : (*stats)->tensors)
        names << QString::fromStdString(name);
    QCOMPARE(names, (QStringList { "g", "image", "logits", "r" })); // c is fused with its Relu
    std::vector<float> all(static_cast<std::size_t>(10 * data->sampleSize()));
    data->fill(0, 10, all);
    const auto* image = (*stats)->find("image");
    QCOMPARE(image->count(), all.size());
    QCOMPARE(image->min(), *std::ranges::min_element(all));
    QCOMPARE(image->max(), *std::ranges::max_element(all));
    QCOMPARE(image->channels().size(), std::size_t { 3 });
    QCOMPARE((*stats)->find("r")->min(), 0.0F);
    QVERIFY(!(*stats)->find("w"));
}

void TestCalibrate::sameForAnyNumberOfThreads()
{
    const auto graph = smallNet(openBatch);
    const auto data = samples(53);
    const auto one = calibration::calibrate(graph, *data, optionsFor(3, 1));
    QVERIFY(one);
    for (const int threads : { 2, 7 }) {
        const auto many = calibration::calibrate(graph, *data, optionsFor(3, threads));
        QVERIFY(many);
        for (const auto& [name, expected] : (*one)->tensors) {
            const auto* seen = (*many)->find(name);
            QVERIFY(seen);
            QVERIFY(seen->histogram() == expected.histogram());
            QCOMPARE(seen->min(), expected.min());
            QCOMPARE(seen->max(), expected.max());
            QVERIFY(seen->mean() == expected.mean()); // to the last bit
            QVERIFY(seen->variance() == expected.variance());
        }
    }
}

void TestCalibrate::batchesOnlyShowInRounding()
{
    const auto graph = smallNet(openBatch);
    const auto data = samples(11);
    const auto single = calibration::calibrate(graph, *data, optionsFor(1, 1));
    const auto batched = calibration::calibrate(graph, *data, optionsFor(4, 2));
    QVERIFY(single && batched);
    for (const auto& [name, expected] : (*single)->tensors) {
        const auto* seen = (*batched)->find(name);
        QCOMPARE(seen->count(), expected.count());
        QVERIFY(std::abs(seen->max() - expected.max()) <= 1e-5F * std::abs(expected.max()));
        QVERIFY(std::abs(seen->mean() - expected.mean()) <= 1e-6 * expected.meanAbsolute());
    }
}

void TestCalibrate::nanNamesTheTensor()
{
    const auto graph = smallNet(openBatch, false, std::numeric_limits<float>::max() / 4);
    const auto stats = calibration::calibrate(graph, *samples(20), optionsFor(2, 3));
    QVERIFY(!stats);
    QCOMPARE(stats.error().code, ErrorCode::InvalidInput);
    // Which tensor overflows first depends on how the convolution sums.
    QVERIFY2(stats.error().where == "tensor 'r'" || stats.error().where == "tensor 'g'", stats.error().where.c_str());
}

void TestCalibrate::cancels()
{
    std::stop_source stop;
    stop.request_stop();
    const auto stats
        = calibration::calibrate(smallNet(openBatch), *samples(50), optionsFor(1, 2), { nullptr, stop.get_token() });
    QVERIFY(!stats);
    QCOMPARE(stats.error().code, ErrorCode::Cancelled);
}

void TestCalibrate::reportsProgress()
{
    base::ProgressState last;
    base::Progress progress([&last](const base::ProgressState& state) { last = state; });
    QVERIFY(calibration::calibrate(smallNet(openBatch), *samples(9), optionsFor(4, 2), { &progress, {} }));
    QCOMPARE(last.done, 9);
    QCOMPARE(last.total, 9);
    QCOMPARE(last.unit, std::string("images"));
}

void TestCalibrate::binding_data()
{
    QTest::addColumn<bool>("open");
    QTest::addColumn<bool>("fixedReshape");
    QTest::addColumn<int>("wanted");
    QTest::addColumn<int>("batch");
    QTest::newRow("open batch") << true << false << 4 << 4;
    QTest::newRow("not more than there are") << true << false << 100 << 10;
    QTest::newRow("at least one") << true << false << 0 << 1;
    QTest::newRow("fixed batch") << false << false << 4 << 1;
    QTest::newRow("a Reshape fixes it") << true << true << 4 << 1;
}

void TestCalibrate::binding()
{
    QFETCH(bool, open);
    QFETCH(bool, fixedReshape);
    QFETCH(int, wanted);
    QFETCH(int, batch);
    const auto graph = smallNet(open ? openBatch : graph::Dims { 1, 3, 6, 6 }, fixedReshape);
    const auto binding = calibration::bindInput(graph, *samples(10), wanted);
    QVERIFY2(binding, binding ? "" : binding.error().message().c_str());
    QCOMPARE(binding->input, std::string("image"));
    QCOMPARE(binding->batch, batch);
    QVERIFY(binding->shape == (Shape { batch, 3, 6, 6 }));
}

void TestCalibrate::bindingErrors_data()
{
    QTest::addColumn<graph::Dims>("dims");
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("width");
    QTest::addColumn<QString>("hint");
    QTest::newRow("size") << graph::Dims { 1, 3, 8, 8 } << 3 << 6 << "--resize 8 --crop 8";
    QTest::newRow("not square") << graph::Dims { 1, 3, 6, 9 } << 3 << 6 << "--resize 9x6";
    QTest::newRow("gray data") << graph::Dims { 1, 3, 6, 6 } << 1 << 6 << "--channels rgb";
    QTest::newRow("batch of four") << graph::Dims { 4, 3, 6, 6 } << 3 << 6 << "batch 1";
}

void TestCalibrate::bindingErrors()
{
    QFETCH(graph::Dims, dims);
    QFETCH(int, channels);
    QFETCH(int, width);
    QFETCH(QString, hint);
    const auto binding = calibration::bindInput(smallNet(dims), *samples(2, channels, 6, width), 1);
    QVERIFY(!binding);
    QCOMPARE(binding.error().code, ErrorCode::InvalidInput);
    QVERIFY2(binding.error().hint.find(hint.toStdString()) != std::string::npos, binding.error().message().c_str());
    QVERIFY(binding.error().what.find("[") != std::string::npos || hint == "batch 1");
    const auto swapped
        = calibration::bindInput(smallNet(openBatch), *samples(2, 3, 6, 6, dataset::MemoryLayout::Nhwc), 1);
    QVERIFY(!swapped);
    QCOMPARE(swapped.error().hint, std::string("use --layout nchw"));
}

void TestCalibrate::mergesInOrder()
{
    std::vector<int> order;
    base::OrderedMerge<int> merge(2, [&order](int&& item) { order.push_back(item); });
    for (const int item : { 2, 0, 3, 1 })
        QVERIFY(base::OrderedMerge<int>::Turn(merge, item).deliver(int { item }, {}));
    QCOMPARE(order, (std::vector<int> { 0, 1, 2, 3 }));
    {
        const base::OrderedMerge<int>::Turn failed(merge, 4);
    }
    QVERIFY(base::OrderedMerge<int>::Turn(merge, 99).deliver(99, {})); // would wait for ever otherwise
    QCOMPARE(order.size(), std::size_t { 4 });
}

void TestCalibrate::aStopWhileTheLastRunsIsNoResult_data()
{
    QTest::addColumn<int>("items");
    QTest::newRow("one item") << 1;
    QTest::newRow("several") << 4;
}

// All items are begun by then, so that nobody but the last one notices.
void TestCalibrate::aStopWhileTheLastRunsIsNoResult()
{
    QFETCH(const int, items);
    std::stop_source stop;
    int merged = 0;
    base::OrderedMerge<int> merge(1, [&merged](int&&) { ++merged; });
    const auto work = [&](int, std::int64_t item) -> Result<void> {
        base::OrderedMerge<int>::Turn turn(merge, item);
        if (item == items - 1)
            stop.request_stop();
        return turn.deliver(1, stop.get_token());
    };
    const auto done = base::parallelFor(1, items, stop.get_token(), work);
    QCOMPARE(merged, items - 1);
    QVERIFY(!done && done.error().code == ErrorCode::Cancelled);
}

QTEST_APPLESS_MAIN(TestCalibrate)
#include "tst_calibrate.moc"
