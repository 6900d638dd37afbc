// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real integration
#include <QTest>

#include <filesystem>

#include "core/engine/engine.h"
#include "core/exporting/qdq_exporter.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "core/planning/plan_builder.h"
#include "core/quant/encoding.h"
#include "tests/support/run_graph.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;
namespace fs = std::filesystem;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

/// A quantizer wherever the scope has a place for one, with made-up ranges: what matters is where they sit.
quant::QuantizationPlan planFor(const graph::Graph& graph, quant::Scope scope)
{
    quant::QuantizationPlan plan;
    plan.scope = scope;
    for (const auto& slot : planning::placeQuantizers(graph, scope)) {
        if (slot.role == quant::Role::Bias)
            continue;
        quant::TensorQuantizer quantizer;
        quantizer.role = slot.role;
        quantizer.config.bits = 6;
        quantizer.config.symmetric = slot.role == quant::Role::Weight;
        quantizer.encoding
            = quant::encodingForRange(quantizer.config, -1.5, slot.role == quant::Role::Weight ? 1.5 : 4);
        plan.set(slot.tensor, quantizer);
    }
    return plan;
}

Shape shapeOf(const graph::ValueType& type)
{
    constexpr std::int64_t spatial = 64;
    std::vector<std::int64_t> dims;
    for (const auto& dim : *type.dims)
        dims.push_back(dim.known() ? dim.value : dims.empty() ? 1 : spatial);
    return Shape(std::move(dims));
}

} // namespace

/// Networks of other people, of opsets 7 and up, exported, read back and run: the outputs are those of the simulation.
class TstExportRealModels : public QObject {
    Q_OBJECT

private slots:
    void sameOutputs_data();
    void sameOutputs();
};

void TstExportRealModels::sameOutputs_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("scope");
    const auto models = test::sharedModels();
    if (models.empty())
        QSKIP("the shared models are not here");
    for (const auto& path : models) {
        for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
            QTest::addRow("%s %s", path.filename().c_str(), quant::toString(scope).c_str())
                << QString::fromStdString(path.string()) << static_cast<int>(scope);
    }
}

void TstExportRealModels::sameOutputs()
{
    QFETCH(QString, file);
    QFETCH(int, scope);
    const auto model = onnx_io::readModel(file.toStdString());
    VERIFY_OK(model);
    const auto prepared = engine::prepareGraph(*model);
    VERIFY_OK(prepared);
    const auto plan = planFor(**prepared, static_cast<quant::Scope>(scope));
    QVERIFY(!plan.empty());
    const auto exported = exporting::buildQdqModel(*model, **prepared, plan);
    VERIFY_OK(exported);
    QVERIFY(exported->graph.opset() >= 13);
    const auto bytes = onnx_io::serializeModel(*exported);
    VERIFY_OK(bytes);
    const auto reread = onnx_io::parseModel(*bytes);
    VERIFY_OK(reread);
    const auto reprepared = engine::prepareGraph(*reread);
    VERIFY_OK(reprepared);
    std::vector<Tensor> inputs;
    for (const auto id : (*prepared)->inputs())
        inputs.push_back(test::randomTensor(shapeOf((*prepared)->value(id).type), 3));
    const auto simulated = test::runGraph(**prepared, inputs, plan);
    VERIFY_OK(simulated);
    const auto actual = test::runGraph(**reprepared, inputs);
    VERIFY_OK(actual);
    QCOMPARE(actual->size(), simulated->size());
    for (std::size_t i = 0; i < actual->size(); ++i)
        QVERIFY(tensor::toDoubles((*actual)[i].view()) == tensor::toDoubles((*simulated)[i].view()));
}

QTEST_APPLESS_MAIN(TstExportRealModels)
#include "tst_export_real_models.moc"
