// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real slow
// The float accuracies that another runtime found on real models and images, and the detectors that have none.
#include <cmath>
#include <filesystem>

#include <QTest>

#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/input_defaults.h"
#include "core/onnx_io/reader.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;

namespace {

std::filesystem::path dataFolder() { return test::sharedFolder() / "data"; }

struct Opened {
    graph::Model model;
    std::shared_ptr<const graph::Graph> graph;
};

Result<Opened> open(const QString& file)
{
    QS_TRY(auto model, onnx_io::readModel(dataFolder() / file.toStdString()));
    QS_TRY(auto graph, engine::prepareGraph(model));
    return Opened { std::move(model), std::move(graph) };
}

Result<double> top1(
    const QString& file, const QString& data, const QString& preprocess, int resize, int crop, std::int64_t& images)
{
    QS_TRY(const auto opened, open(file));
    QS_TRY(const auto dataset, dataset::openDataset(dataFolder() / data.toStdString()));
    QS_TRY(const auto defaults, evaluation::inputDefaults(opened.model));
    dataset::SampleSet::Options options;
    QS_TRY(options.preprocessing, dataset::Preprocessing::named(preprocess.toStdString()));
    options.preprocessing.channels = defaults.preprocessing.channels;
    options.preprocessing.resize = resize;
    options.preprocessing.crop = { crop, crop };
    QS_TRY(const auto samples, dataset::SampleSet::load(dataset, options));
    QS_TRY(const auto result, evaluation::evaluate(*opened.graph, {}, *samples));
    images = result->images();
    return result->top1();
}

} // namespace

class TestRealAccuracy : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        if (!std::filesystem::exists(dataFolder()))
            QSKIP(
                "SKIPPED EVERYTHING: no real models and images; set QUANTOSCOPE_SHARED to the folder that holds data/");
    }

    void floatTop1_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("data");
        QTest::addColumn<QString>("preprocess");
        QTest::addColumn<int>("resize");
        QTest::addColumn<int>("crop");
        QTest::addColumn<double>("expected");
        const auto cifar = [](const char* name, double expected) {
            QTest::newRow(name) << QString("cifar10/models/%1.onnx").arg(name) << "cifar10/test_1000.bin"
                                << "imagenet" << 0 << 0 << expected;
        };
        cifar("resnet20_cifar10", 91.50);
        cifar("resnet20_cifar10_bn", 91.50);
        cifar("resnet20_cifar10_torchraw", 91.50);
        cifar("resnet32_cifar10", 92.80);
        cifar("resnet56_cifar10", 92.60);
        cifar("resnet56_cifar10_bn", 92.60);
        const QString mobilenet = "imagenet/models/mobilenetv2_fc8.onnx";
        const QString squeezenet = "imagenet/models/squeezenet1.1_mxnet.onnx";
        QTest::newRow("MobileNetV2 on val650") << mobilenet << "imagenet/val650"
                                               << "imagenet" << 0 << 224 << 79.69;
        QTest::newRow("MobileNetV2 on calib300") << mobilenet << "imagenet/calib300"
                                                 << "imagenet" << 256 << 224 << 82.33;
        QTest::newRow("SqueezeNet on val650") << squeezenet << "imagenet/val650"
                                              << "imagenet" << 0 << 224 << 69.54;
        QTest::newRow("SqueezeNet on calib300") << squeezenet << "imagenet/calib300"
                                                << "imagenet" << 256 << 224 << 60.67;
        QTest::newRow("MNIST") << "mnist/mnist-8.onnx"
                               << "mnist/t10k-images-idx3-ubyte.gz"
                               << "raw" << 0 << 0 << 98.91;
    }
    void floatTop1()
    {
        QFETCH(QString, model);
        QFETCH(QString, data);
        QFETCH(QString, preprocess);
        QFETCH(int, resize);
        QFETCH(int, crop);
        QFETCH(double, expected);
        std::int64_t images = 0;
        const auto measured = top1(model, data, preprocess, resize, crop, images);
        QVERIFY2(measured.has_value(), measured ? "" : measured.error().message().c_str());
        const double oneImage = 100.0 / static_cast<double>(images);
        QVERIFY2(std::abs(*measured - expected) < oneImage + 0.005,
            qPrintable(QString("top-1 %1 %").arg(*measured, 0, 'f', 3)));
    }

    void detectorsRunAndCalibrate_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("width");
        QTest::newRow("UltraFace") << "detect/ultraface_RFB320.onnx" << 240 << 320;
        QTest::newRow("FastestDet") << "detect/FastestDet.onnx" << 352 << 352;
        QTest::newRow("PP-OCR direction classifier") << "detect/ch_ppocr_mobile_v2.0_cls_infer.onnx" << 48 << 192;
    }
    void detectorsRunAndCalibrate()
    {
        QFETCH(QString, model);
        QFETCH(int, height);
        QFETCH(int, width);
        const auto opened = open(model);
        QVERIFY2(opened.has_value(), opened ? "" : opened.error().message().c_str());
        const auto samples = dataset::SampleSet::load(test::randomDataset(3, height, width, 3, 2), {});
        QVERIFY(samples.has_value());
        const auto outputs = evaluation::runSamples(*opened->graph, {}, **samples, 0, 3);
        QVERIFY2(outputs.has_value(), outputs ? "" : outputs.error().message().c_str());
        QVERIFY(!outputs->empty());
        for (const auto& output : *outputs) {
            QCOMPARE(output.shape()[0], 3);
            QCOMPARE(tensor::firstNonFinite(output.view()), -1);
        }
        const auto stats = calibration::calibrate(*opened->graph, **samples);
        QVERIFY2(stats.has_value(), stats ? "" : stats.error().message().c_str());
        QCOMPARE((*stats)->images, 3);
        QVERIFY((*stats)->tensors.size() > 20);
    }
};

QTEST_APPLESS_MAIN(TestRealAccuracy)
#include "tst_real_accuracy.moc"
