// SPDX-License-Identifier: GPL-3.0-or-later
// What exportQdq finds out before and after it writes, on networks that are not the usual classifier.
#include <cmath>
#include <filesystem>

#include <QTemporaryDir>
#include <QTest>

#include "core/calibration/stats.h"
#include "core/engine/engine.h"
#include "core/exporting/parity.h"
#include "core/exporting/qdq_exporter.h"
#include "core/planning/plan_builder.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
namespace fs = std::filesystem;

namespace {

/// What becomes of exporting `graph` at 6 bits, folding batch norm or not.
Result<exporting::ExportReport> exported(
    const fs::path& file, graph::Graph graph, const dataset::DatasetPtr& data, bool fold = true)
{
    graph::Model model;
    model.irVersion = 7;
    model.graph = std::move(graph);
    graph::PassOptions passes;
    passes.foldBatchNorm = fold;
    const auto prepared = engine::prepareGraph(model, passes).value();
    const auto samples = dataset::SampleSet::load(data, {}).value();
    const auto stats = calibration::calibrate(*prepared, *samples).value();
    planning::PlanRequest request;
    request.weights.bits = request.activations.bits = 6;
    const auto built = planning::buildPlan(*prepared, stats.get(), request);
    return exporting::exportQdq(model, *prepared, built.value().plan, file, samples.get());
}

} // namespace

class TstExportChecks : public QObject {
    Q_OBJECT

private slots:
    void detectorsAreComparedByTheirOutputs();
    void labelsAreCheckedBeforeWriting();
    void keptBatchNormStaysOnReload();
    void findsTheFirstTensorThatDiffers();
};

void TstExportChecks::detectorsAreComparedByTheirOutputs()
{
    const QTemporaryDir folder;
    const fs::path file = folder.filePath("out.onnx").toStdString();
    test::Chain chain({ graph::Dim::named("batch"), 3, 8, 8 });
    chain.node("Conv", "map", { test::normalTensor({ 4, 3, 3, 3 }, 1, 0.5), test::normalTensor({ 4 }, 2, 0.1) });
    const auto report = exported(file, chain.finish(), test::randomDataset(6, 8, 8, 3, 3));
    QVERIFY2(report.has_value(), report ? "" : report.error().message().c_str());
    QCOMPARE(report->images, 6);
    QVERIFY(std::isnan(report->reloadTop1) && std::isnan(report->agreement));
    QCOMPARE(report->maxAbsDiff, 0.0);
    QVERIFY(fs::exists(file));
}

void TstExportChecks::labelsAreCheckedBeforeWriting()
{
    const QTemporaryDir folder;
    const fs::path file = folder.filePath("out.onnx").toStdString();
    const auto data = std::make_shared<test::MemoryDataset>(
        std::vector<dataset::Image> { { 8, 8, 3, std::vector<std::uint8_t>(8 * 8 * 3, 100) } }, std::vector<int> { 3 });
    const auto report = exported(file, test::smallConvNet(3, 8, 3), data);
    QVERIFY(!report);
    QVERIFY2(report.error().what.find("label 3") != std::string::npos, report.error().what.c_str());
    QVERIFY(!fs::exists(file));
}

void TstExportChecks::keptBatchNormStaysOnReload()
{
    const QTemporaryDir folder;
    const fs::path file = folder.filePath("out.onnx").toStdString();
    std::vector<Tensor> parameters;
    for (std::uint64_t seed = 2; seed < 6; ++seed) {
        parameters.push_back(test::normalTensor({ 4 }, seed, 0.3));
        for (float& value : parameters.back().as<float>())
            value = std::abs(value) + 0.1F; // a variance is positive; the others may be
    }
    test::GraphBuilder builder;
    const auto image = builder.input("image", { graph::Dim::named("batch"), 3, 8, 8 });
    const auto weight = builder.constant("weight", test::normalTensor({ 4, 3, 3, 3 }, 1, 0.5));
    const auto conv = builder.node("Conv", { image, weight }, "conv");
    std::vector<graph::ValueId> inputs { conv };
    for (std::size_t i = 0; i < parameters.size(); ++i)
        inputs.push_back(builder.constant("bn" + std::to_string(i), parameters[i]));
    builder.output(builder.node("Flatten", { builder.node("BatchNormalization", inputs, "bn") }, "flat"));
    const auto report = exported(file, builder.graph(), test::randomDataset(6, 8, 8, 3, 3), /*fold=*/false);
    QVERIFY2(report.has_value(), report ? "" : report.error().message().c_str());
    QCOMPARE(report->maxAbsDiff, 0.0);
}

/// Two networks that part on bright pixels alone, which only a later image has.
void TstExportChecks::findsTheFirstTensorThatDiffers()
{
    const auto network = [](const char* op, std::vector<Tensor> bounds) {
        test::GraphBuilder builder;
        std::vector<graph::ValueId> inputs { builder.input("image", { graph::Dim::named("batch"), 3, 4, 4 }) };
        for (std::size_t i = 0; i < bounds.size(); ++i)
            inputs.push_back(builder.constant("bound" + std::to_string(i), bounds[i]));
        auto x = builder.node(op, inputs, "a");
        x = builder.node("Conv", { x, builder.constant("w", test::normalTensor({ 2, 3, 3, 3 }, 1, 0.5)) }, "b");
        builder.output(
            builder.node("Conv", { x, builder.constant("v", test::normalTensor({ 2, 2, 1, 1 }, 2, 0.5)) }, "c"));
        graph::Model model;
        model.graph = builder.graph();
        return engine::prepareGraph(model).value();
    };
    const auto number = [](float value) { return Tensor::from<float>(Shape {}, std::span(&value, 1)); };
    const auto written = network("Clip", { number(0), number(1) });
    const auto reread = network("Clip", { number(0), number(0.5F) });
    std::vector<dataset::Image> images;
    for (int i = 0; i < 40; ++i)
        images.push_back({ 4, 4, 3, std::vector<std::uint8_t>(48, static_cast<std::uint8_t>(i == 37 ? 255 : 3 * i)) });
    const auto samples = dataset::SampleSet::load(
        std::make_shared<test::MemoryDataset>(images, std::vector<int>(images.size(), 0)), {})
                             .value();
    quant::QuantizationPlan plan;
    for (const char* name : { "a", "b" }) {
        quant::TensorQuantizer quantizer;
        quantizer.encoding.scale = { 0.01F };
        quantizer.encoding.zeroPoint = { 128 };
        quantizer.encoding.qmin = 0;
        quantizer.encoding.qmax = 255;
        plan.set(name, quantizer);
    }

    exporting::ExportReport report;
    const auto compared
        = exporting::compareNetworks({ *written, plan }, { *reread, plan }, *samples, false, {}, report);
    QVERIFY2(compared.has_value(), compared ? "" : compared.error().message().c_str());
    QVERIFY(report.maxAbsDiff > 0);
    QCOMPARE(report.firstDifference, std::string("a"));
    exporting::ExportReport same;
    QVERIFY(exporting::compareNetworks({ *written, plan }, { *written, plan }, *samples, false, {}, same));
    QCOMPARE(same.maxAbsDiff, 0.0);
    QVERIFY(same.firstDifference.empty());
}

QTEST_APPLESS_MAIN(TstExportChecks)
#include "tst_export_checks.moc"
