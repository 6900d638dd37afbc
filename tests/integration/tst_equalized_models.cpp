// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration numeric real
#include <cmath>
#include <filesystem>

#include <QtTest>

#include "core/dataset/dataset.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/onnx_io/reader.h"
#include "core/planning/transforms/equalization.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;
namespace fs = std::filesystem;

/// Real networks compute the same after equalization, with and without their chains of sums.
class TestEqualizedModels : public QObject {
    Q_OBJECT

private slots:
    void outputsStay_data();
    void outputsStay();
};

void TestEqualizedModels::outputsStay_data()
{
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("images");
    QTest::addColumn<int>("crop");
    QTest::addColumn<bool>("residualChains");
    QTest::addColumn<int>("scaled"); // tensors with factors, at least
    const struct {
        const char* name;
        const char* model;
        const char* images;
        int crop;
        int scaled;
    } rows[] {
        { "ResNet-20", "cifar10/models/resnet20_cifar10.onnx", "cifar10/test_1000.bin", 0, 18 },
        { "MobileNetV2", "imagenet/models/mobilenetv2_fc8.onnx", "imagenet/val650", 224, 74 },
        { "SqueezeNet", "imagenet/models/squeezenet1.1_mxnet.onnx", "imagenet/val650", 224, 50 },
    };
    for (const auto& row : rows)
        for (const bool chains : { false, true })
            QTest::addRow("%s%s", row.name, chains ? ", chains too" : "")
                << row.model << row.images << row.crop << chains << row.scaled;
}

void TestEqualizedModels::outputsStay()
{
    QFETCH(const QString, model);
    QFETCH(const QString, images);
    QFETCH(const int, crop);
    QFETCH(const bool, residualChains);
    QFETCH(const int, scaled);
    const auto data = test::sharedFolder() / "data";
    if (!fs::exists(data / model.toStdString()))
        QSKIP("the shared models are not here");
    const auto file = onnx_io::readModel(data / model.toStdString());
    QVERIFY(file.has_value());
    const auto graph = engine::prepareGraph(*file);
    QVERIFY(graph.has_value());
    const auto equalized = planning::equalize(**graph, { .residualChains = residualChains });
    QVERIFY(equalized.has_value());
    QVERIFY2(std::ssize(equalized->factors) >= scaled, equalized->notes.front().c_str());

    const auto dataset = dataset::openDataset(data / images.toStdString());
    QVERIFY(dataset.has_value());
    dataset::SampleSet::Options options;
    options.preprocessing = *dataset::Preprocessing::named("imagenet");
    options.preprocessing.crop = { crop, crop };
    options.indices = { 0, 1, 2, 3 };
    const auto samples = dataset::SampleSet::load(*dataset, options);
    QVERIFY(samples.has_value());
    const auto before = evaluation::runSamples(**graph, {}, **samples, 0, 4);
    const auto after = evaluation::runSamples(*equalized->graph, {}, **samples, 0, 4);
    QVERIFY(before.has_value() && after.has_value());
    const auto expected = tensor::toDoubles(before->front().view());
    const auto actual = tensor::toDoubles(after->front().view());
    QCOMPARE(actual.size(), expected.size());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        difference = std::max(difference, std::abs(expected[i] - actual[i]));
    }
    QVERIFY2(difference < 2e-5 * largest, qPrintable(QString("%1 of %2").arg(difference).arg(largest)));
}

QTEST_APPLESS_MAIN(TestEqualizedModels)
#include "tst_equalized_models.moc"
