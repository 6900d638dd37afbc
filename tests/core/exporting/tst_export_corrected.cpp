// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

#include "core/evaluation/evaluator.h"
#include "core/exporting/qdq_exporter.h"
#include "core/flow/quantizer.h"
#include "core/onnx_io/reader.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;

namespace {

/// Convolutions with and without a bias, and a product that has none.
graph::Graph network()
{
    using graph::Dim;
    test::Chain chain({ Dim::named("batch"), 1, 8, 8 });
    const test::Attributes padded { { "pads", test::Ints { 1, 1, 1, 1 } } };
    chain
        .node(
            "Conv", "conv1", { test::normalTensor({ 8, 1, 3, 3 }, 1, 0.5), test::normalTensor({ 8 }, 2, 0.1) }, padded)
        .node("Relu", "relu1")
        .node("Conv", "conv2", { test::normalTensor({ 12, 8, 3, 3 }, 3, 0.2) }, padded)
        .node("Relu", "relu2")
        .node("GlobalAveragePool", "pool")
        .node("Flatten", "flat", {}, { { "axis", std::int64_t { 1 } } })
        .node("MatMul", "logits", { test::normalTensor({ 12, 10 }, 5, 3.0) });
    return chain.finish();
}

} // namespace

/// What is written is the corrected network, not the one it was made from.
class TestExportCorrected : public QObject {
    Q_OBJECT

private slots:
    void readsBackAsSimulated_data()
    {
        QTest::addColumn<int>("scope");
        QTest::addColumn<bool>("equalize");
        QTest::addColumn<bool>("compensate");
        QTest::addColumn<bool>("bias");
        for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer }) {
            const auto row = [&](const char* name, bool equalize, bool compensate, bool bias) {
                QTest::addRow("%s, %s", quant::toString(scope).c_str(), name)
                    << static_cast<int>(scope) << equalize << compensate << bias;
            };
            row("compensated", false, true, false);
            row("biases", false, false, true);
            row("equalized", true, false, false);
            row("everything", true, true, true);
        }
    }
    void readsBackAsSimulated()
    {
        QFETCH(int, scope);
        QFETCH(bool, equalize);
        QFETCH(bool, compensate);
        QFETCH(bool, bias);
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        const auto samples = *dataset::SampleSet::load(test::randomDataset(40, 8, 8, 1, 10), load);
        graph::Model model;
        model.graph = network();
        const auto prepared = std::make_shared<const graph::Graph>(model.graph);
        const flow::Quantizer quantizer(prepared, samples, { .guard = false });
        planning::PlanRequest request;
        request.scope = static_cast<quant::Scope>(scope);
        request.weights.bits = 4;
        request.activations.bits = 6;
        request.corrections.equalize = equalize;
        request.corrections.compensate = request.corrections.gain = compensate;
        request.corrections.bias = bias;
        const auto quantized = quantizer.quantize(request);
        QVERIFY2(quantized.has_value(), quantized ? "" : quantized.error().message().c_str());
        QCOMPARE(quantized->plan->addedBiases().empty(), !bias);

        QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("corrected.onnx").toStdString();
        const auto report = exporting::exportQdq(model, *quantized->graph, *quantized->plan, file, samples.get());
        QVERIFY2(report.has_value(), report ? "" : report.error().message().c_str());
        QCOMPARE(report->agreement, 100.0);
        QVERIFY2(report->maxAbsDiff < 1e-4, std::to_string(report->maxAbsDiff).c_str());
        // The correction is visible: without it the outputs are others.
        const auto plain = *quantizer.quantize([&] {
            auto r = request;
            r.corrections = {};
            return r;
        }());
        const auto a = *evaluation::runSamples(*plain.graph, *plain.plan, *samples, 0, 8);
        const auto b = *evaluation::runSamples(*quantized->graph, *quantized->plan, *samples, 0, 8);
        QVERIFY(!std::ranges::equal(a[0].as<float>(), b[0].as<float>()));
        const auto reread = *onnx_io::readModel(file);
        QVERIFY(!Json::parse(reread.metadata.at("quantoscope.plan")).contains("constants"));
    }
};

QTEST_APPLESS_MAIN(TestExportCorrected)
#include "tst_export_corrected.moc"
