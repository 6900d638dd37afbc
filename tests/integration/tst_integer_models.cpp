// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real numeric slow
// Real networks in integers: the predictions of the float engine, which computes what the exported QDQ model says.
#include <cmath>
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
#include "tests/support/summation_orders.h"

using namespace quantoscope;

namespace {

struct Network {
    const char* model; ///< below shared/data
    const char* calibration;
    const char* test;
    int calibrationResize;
    int crop;
    int images; ///< to compare
};

constexpr std::size_t exactImages = 16; ///< of them, to compare with slow, exact sums

constexpr Network networks[] {
    { "cifar10/models/resnet20_cifar10.onnx", "cifar10/calib_2000.bin", "cifar10/test_1000.bin", 0, 0, 400 },
    { "imagenet/models/mobilenetv2_fc8.onnx", "imagenet/calib300", "imagenet/val650", 256, 224, 40 },
    { "imagenet/models/squeezenet1.1_mxnet.onnx", "imagenet/calib300", "imagenet/val650", 256, 224, 40 },
};

dataset::SampleSetPtr load(const char* path, int resize, int crop, int images)
{
    const auto data = dataset::openDataset(test::sharedFolder() / "data" / path).value();
    dataset::SampleSet::Options options;
    options.preprocessing = dataset::Preprocessing::named("imagenet").value();
    options.preprocessing.resize = resize;
    options.preprocessing.crop = { crop, crop };
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

/// How far two evaluations of the same images lie apart.
struct Distance {
    Distance(const evaluation::EvaluationResult& a, const evaluation::EvaluationResult& b)
    {
        for (std::size_t i = 0; i < a.outcomes.size(); ++i) {
            const double loss
                = std::abs(static_cast<double>(a.outcomes[i].loss) - static_cast<double>(b.outcomes[i].loss));
            images += loss > 1e-3 ? 1 : 0;
            predictions += a.outcomes[i].prediction != b.outcomes[i].prediction ? 1 : 0;
            meanLoss += loss / static_cast<double>(a.outcomes.size());
            largestLoss = std::max(largestLoss, loss);
        }
    }

    int images = 0; ///< whose losses differ by more than float rounding
    int predictions = 0; ///< that differ
    double meanLoss = 0; ///< mean absolute difference
    double largestLoss = 0;
};

quant::QuantizationPlan planFor(const Prepared& network, int bits, quant::Scope scope)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = bits;
    request.activations.bits = bits;
    request.activations.range = quant::RangeSpec {}; // min-max: at 4 bits little passes, and little lies on an edge
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
    const Distance apart(*integer, *reference);
    qInfo("%d of %zu predictions differ, losses by %.3g on average and at most %.3g; %.0f against %.0f images/s",
        apart.predictions, reference->outcomes.size(), apart.meanLoss, apart.largestLoss, integer->imagesPerSecond(),
        reference->imagesPerSecond());
    if (bits == 4) {
        // The sums stay below 2^24, so floats hold them as exactly as integers do; only scaling and adding the bias may
        // round differently (with AVX2 they do), which now and then moves a value on the border of two levels.
        QVERIFY2(
            apart.images <= static_cast<int>(reference->outcomes.size()) / 20, std::to_string(apart.images).c_str());
        return;
    }
    // Sums of more bits round in float, which moves values on the border of two levels to the other one, and now and
    // then an image on the border of two classes. Integers add exactly, as double precision does: they are the closer
    // ones, by a factor of 1.1 to 3; the limit leaves room for chance where one flip carries far (MobileNetV2).
    const auto logits = [&](const test::Order& order) {
        return test::runInOrder(*network.graph, plan, *network.samples, order, exactImages).value();
    };
    const auto exact = logits({ "double sums", engine::KernelSet::Reference, {}, false });
    const double floats = test::distance(logits({ "floats", engine::KernelSet::Fast, {}, true }), exact);
    const double integers
        = test::distance(logits({ "integers", engine::KernelSet::Fast, {}, true, engine::Arithmetic::Auto }), exact);
    qInfo("logits lie %.3g from exact sums in integers, %.3g in floats", integers, floats);
    QVERIFY(integers <= 1.25 * floats);
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
