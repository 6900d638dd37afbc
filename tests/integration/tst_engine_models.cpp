// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration real
#include <QtTest>

#include <array>
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/engine/engine.h"
#include "core/onnx_io/reader.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;

namespace {

QString text(const Error& error) { return QString::fromStdString(error.message()); }

Result<std::shared_ptr<const graph::Graph>> load(const std::filesystem::path& path)
{
    QS_TRY(const graph::Model model, onnx_io::readModel(path));
    return engine::prepareGraph(model);
}

/// Shapes for all inputs with `batch` where the first extent is symbolic; other symbolic extents become 224.
std::map<std::string, Shape> inputShapes(const graph::Graph& graph, std::int64_t batch)
{
    std::map<std::string, Shape> shapes;
    for (graph::ValueId input : graph.inputs()) {
        std::vector<std::int64_t> extents;
        for (const graph::Dim& dim : *graph.value(input).type.dims)
            extents.push_back(dim.known() ? dim.value : extents.empty() ? batch : 224);
        shapes[graph.value(input).name] = Shape(extents);
    }
    return shapes;
}

/// The first images of a CIFAR-10 file under ImageNet's normalisation.
Tensor cifarImages(const std::filesystem::path& path, std::int64_t count)
{
    constexpr std::array mean { 0.485F, 0.456F, 0.406F };
    constexpr std::array deviation { 0.229F, 0.224F, 0.225F };
    std::ifstream file(path, std::ios::binary);
    Tensor images(DType::Float32, { count, 3, 32, 32 });
    std::size_t at = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        std::array<char, 3073> record {};
        file.read(record.data(), record.size());
        for (std::size_t k = 1; k < record.size(); ++k) {
            const std::size_t channel = (k - 1) / 1024;
            const auto pixel = static_cast<float>(static_cast<unsigned char>(record[k]));
            images.as<float>()[at++] = (pixel / 255 - mean[channel]) / deviation[channel];
        }
    }
    return images;
}

} // namespace

class TestEngineModels : public QObject {
    Q_OBJECT

private slots:
    void everyModelRuns_data()
    {
        QTest::addColumn<QString>("path");
        const auto models = test::sharedModels();
        for (const auto& path : models)
            QTest::newRow(path.filename().c_str()) << QString::fromStdString(path.string());
        if (models.empty())
            QSKIP("the shared models are not here: set QUANTOSCOPE_SHARED");
    }

    void everyModelRuns()
    {
        QFETCH(QString, path);
        const auto graph = load(path.toStdString());
        QVERIFY2(graph, graph ? "" : qPrintable(text(graph.error())));
        for (std::int64_t batch : { 1, 8 }) {
            engine::CompileOptions options;
            options.inputShapes = inputShapes(**graph, batch);
            const auto compiled = engine::compile(**graph, {}, options);
            QVERIFY2(compiled, compiled ? "" : qPrintable(text(compiled.error())));
            engine::Executor executor(*compiled);
            std::vector<Tensor> inputs;
            std::vector<TensorView> views;
            for (const auto& port : (*compiled)->inputs())
                inputs.emplace_back(port.dtype, port.shape);
            for (const Tensor& input : inputs)
                views.push_back(input.view());
            const auto done = executor.run(views);
            QVERIFY2(done, done ? "" : qPrintable(text(done.error())));
            for (std::size_t i = 0; i < (*compiled)->outputs().size(); ++i)
                QCOMPARE(tensor::firstNonFinite(executor.output(i)), std::int64_t { -1 });
        }
    }

    void resNet20GivesTheGoldenLogits_data()
    {
        QTest::addColumn<QString>("model");
        QTest::newRow("folded") << "resnet20_cifar10.onnx";
        QTest::newRow("batch norm") << "resnet20_cifar10_bn.onnx";
        QTest::newRow("shape chains") << "resnet20_cifar10_torchraw.onnx";
    }

    void resNet20GivesTheGoldenLogits()
    {
        QFETCH(QString, model);
        const auto folder = test::sharedFolder();
        std::ifstream golden(folder / "golden/resnet20_w8a8_minmax_channel_compute.json");
        if (!golden)
            QSKIP("the golden figures are not here: set QUANTOSCOPE_SHARED");
        const auto expected = nlohmann::json::parse(golden)["float_logits"];
        const auto graph = load(folder / "data/cifar10/models" / model.toStdString());
        QVERIFY2(graph, graph ? "" : qPrintable(text(graph.error())));
        const Tensor images = cifarImages(folder / "data/cifar10/test_1000.bin", 16);

        auto logitsAt = [&](std::int64_t batch) {
            engine::CompileOptions options;
            options.inputShapes = inputShapes(**graph, batch);
            const auto compiled = engine::compile(**graph, {}, options);
            std::vector<float> logits;
            if (!compiled)
                return logits;
            engine::Executor executor(*compiled);
            const Shape shape = (*compiled)->inputs()[0].shape;
            for (std::int64_t first = 0; first < 16; first += shape[0]) {
                const float* data = images.as<float>().data() + first * 3 * 32 * 32;
                if (!executor.run(std::array { TensorView(DType::Float32, shape, data) }))
                    return logits;
                const auto output = executor.output(0);
                logits.insert(logits.end(), output.as<float>().begin(), output.as<float>().end());
            }
            return logits;
        };
        for (std::int64_t batch : { 1, 4, 16 }) {
            const std::vector<float> logits = logitsAt(batch);
            QCOMPARE(logits.size(), std::size_t { 160 });
            for (std::size_t i = 0; i < logits.size(); ++i) {
                const double difference
                    = std::abs(static_cast<double>(logits[i]) - expected[i / 10][i % 10].get<double>());
                QVERIFY2(difference < 1e-3, qPrintable(QString("image %1 is off by %2").arg(i / 10).arg(difference)));
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestEngineModels)
#include "tst_engine_models.moc"
