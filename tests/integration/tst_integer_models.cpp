// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real numeric slow
// Real networks in integers: the predictions of the float engine, which computes what the exported QDQ model says.
#include <cstdlib>

#include <QCoreApplication>
#include <QProcess>
#include <QtTest>

#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/onnx_io/reader.h"
#include "core/planning/plan_builder.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;

namespace {

struct Network {
    const char* model; ///< below shared/data
    const char* calibration;
    const char* test;
    int calibrationResize;
    int crop;
    int images; ///< to compare
    int differing; ///< predictions that may differ
};

constexpr Network networks[] {
    { "cifar10/models/resnet20_cifar10.onnx", "cifar10/calib_2000.bin", "cifar10/test_1000.bin", 0, 0, 400, 0 },
    { "imagenet/models/mobilenetv2_fc8.onnx", "imagenet/calib300", "imagenet/val650", 256, 224, 40, 2 },
    { "imagenet/models/squeezenet1.1_mxnet.onnx", "imagenet/calib300", "imagenet/val650", 256, 224, 40, 2 },
};

dataset::SampleSetPtr load(const char* path, int resize, int crop, int images)
{
    const auto data = dataset::openDataset(test::sharedFolder() / "data" / path).value();
    dataset::SampleSet::Options options;
    options.preprocessing = dataset::Preprocessing::named("imagenet").value();
    options.preprocessing.resize = resize;
    options.preprocessing.crop = crop;
    options.indices = dataset::firstIndices(data->size(), images);
    return dataset::SampleSet::load(data, options).value();
}

/// A network with what has to be found out about it once.
struct Prepared {
    std::shared_ptr<const graph::Graph> graph;
    calibration::CalibrationStatsPtr stats;
    dataset::SampleSetPtr samples;
};

const Prepared& prepared(int index)
{
    static std::map<int, Prepared> known;
    Prepared& entry = known[index];
    if (!entry.graph) {
        const Network& network = networks[index];
        const auto model = onnx_io::readModel(test::sharedFolder() / "data" / network.model).value();
        entry.graph = engine::prepareGraph(model).value();
        const auto calibration = load(network.calibration, network.calibrationResize, network.crop, 48);
        entry.stats = calibration::calibrate(*entry.graph, *calibration).value();
        entry.samples = load(network.test, 0, network.crop, network.images);
    }
    return entry;
}

quant::QuantizationPlan planFor(const Prepared& network, int bits, quant::Scope scope)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = bits;
    request.activations.bits = bits;
    return planning::buildPlan(*network.graph, network.stats.get(), request).value().plan;
}

} // namespace

class TestIntegerModels : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void predictsAsFloat_data();
    void predictsAsFloat();
    void withoutWideSums();
};

void TestIntegerModels::initTestCase()
{
    for (const Network& network : networks)
        if (!std::filesystem::exists(test::sharedFolder() / "data" / network.model))
            QSKIP("the shared models are not here");
}

void TestIntegerModels::predictsAsFloat_data()
{
    QTest::addColumn<int>("index");
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("scope");
    for (int index = 0; index < 3; ++index)
        for (const int bits : { 8, 4 })
            for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
                QTest::addRow("%s W%dA%d %s", networks[index].model, bits, bits, quant::toString(scope).c_str())
                    << index << bits << static_cast<int>(scope);
}

void TestIntegerModels::predictsAsFloat()
{
    QFETCH(int, index);
    QFETCH(int, bits);
    QFETCH(int, scope);
    const Prepared& network = prepared(index);
    const auto plan = planFor(network, bits, static_cast<quant::Scope>(scope));
    evaluation::EvaluationOptions options;
    options.arithmetic = engine::Arithmetic::Auto;
    const auto integer = evaluation::evaluate(*network.graph, plan, *network.samples, options).value();
    options.arithmetic = engine::Arithmetic::Float;
    const auto reference = evaluation::evaluate(*network.graph, plan, *network.samples, options).value();

    QCOMPARE(reference->arithmetic.integerLayers, 0);
    const bool isExact = engine::addsInFullWidth() || bits == 4;
    QCOMPARE(integer->arithmetic.floatLayers, isExact ? 0 : reference->arithmetic.floatLayers);
    int differing = 0;
    double loss = 0;
    for (std::size_t i = 0; i < reference->outcomes.size(); ++i) {
        differing += integer->outcomes[i].prediction != reference->outcomes[i].prediction ? 1 : 0;
        loss = std::max(loss,
            std::abs(
                static_cast<double>(integer->outcomes[i].loss) - static_cast<double>(reference->outcomes[i].loss)));
    }
    qInfo("%d of %zu predictions differ, losses by at most %.3g; %.0f against %.0f images/s", differing,
        reference->outcomes.size(), loss, integer->imagesPerSecond(), reference->imagesPerSecond());
    // Integers add up exactly; float sums of the larger networks round, which moves values that lie at the border of
    // two levels to the other one, and now and then an image that lies at the border of two classes.
    QVERIFY2(differing <= networks[index].differing, std::to_string(differing).c_str());
}

void TestIntegerModels::withoutWideSums()
{
    if (!engine::addsInFullWidth())
        QSKIP("this is the processor, or the run, without");
    QProcess again;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert("ONEDNN_MAX_CPU_ISA", "AVX2");
    again.setProcessEnvironment(environment);
    again.setProcessChannelMode(QProcess::MergedChannels);
    again.start(QCoreApplication::applicationFilePath(),
        { "predictsAsFloat:cifar10/models/resnet20_cifar10.onnx W4A4 integer",
            "predictsAsFloat:cifar10/models/resnet20_cifar10.onnx W8A8 compute",
            "predictsAsFloat:imagenet/models/mobilenetv2_fc8.onnx W4A4 compute" });
    QVERIFY(again.waitForFinished(300000));
    QVERIFY2(again.exitCode() == 0, again.readAll());
}

QTEST_GUILESS_MAIN(TestIntegerModels)
#include "tst_integer_models.moc"
