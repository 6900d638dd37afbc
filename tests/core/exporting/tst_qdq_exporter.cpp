// SPDX-License-Identifier: GPL-3.0-or-later
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/calibration/stats.h"
#include "core/evaluation/evaluator.h"
#include "core/exporting/qdq_exporter.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "core/planning/plan_builder.h"
#include "tests/core/exporting/residual_network.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/run_graph.h"

using namespace quantoscope;
using graph::Graph;
using graph::Model;
using graph::Node;
using test::residualNetwork;
namespace fs = std::filesystem;

Q_DECLARE_METATYPE(quantoscope::planning::PlanRequest)

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

planning::PlanRequest request(quant::Scope scope, int weightBits, int activationBits,
    const std::string& activationScheme = "asymmetric", bool perChannel = true)
{
    planning::PlanRequest wish;
    wish.scope = scope;
    wish.weights.bits = weightBits;
    wish.weights.perChannel = perChannel;
    wish.activations.bits = activationBits;
    wish.activations.scheme = activationScheme;
    return wish;
}

std::vector<std::string> operatorsOf(const Graph& g)
{
    std::vector<std::string> ops;
    for (const auto id : g.nodes())
        ops.push_back(g.node(id).opType);
    std::ranges::sort(ops);
    return ops;
}

std::int64_t countOf(const Graph& g, const std::string& op) { return std::ranges::count(operatorsOf(g), op); }

const Node& nodeNamed(const Graph& g, const std::string& name)
{
    for (const auto id : g.nodes()) {
        if (g.node(id).name == name)
            return g.node(id);
    }
    qFatal("no node %s", name.c_str());
}

std::string inputOf(const Graph& g, const std::string& node, std::size_t slot)
{
    return g.value(nodeNamed(g, node).inputs.at(slot)).name;
}

} // namespace

class TstQdqExporter : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void computesWhatTheSimulationComputes_data();
    void computesWhatTheSimulationComputes();
    void computeScopePlaces();
    void integerScopePlaces();
    void clipsBelowEightBits();
    void wideContainers();
    void storedWeightsAreThePlansLevels();
    void metadataHoldThePlan();
    void raisesOldOpsets();
    void keepsNewerOpsets();
    void refuses_data();
    void refuses();
    void weightsMayRoundOtherwise();
    void passesTheOnnxChecker_data();
    void passesTheOnnxChecker();
    void exportReports();
    void exportWithoutSamples();
    void exportToNowhere();
    void exportIsCancellable();

private:
    quant::QuantizationPlan plan(const planning::PlanRequest& wish) const
    {
        auto built = planning::buildPlan(*m_prepared, m_stats.get(), wish);
        if (!built)
            qFatal("%s", built.error().message().c_str());
        return built->plan;
    }
    Result<Model> exported(const planning::PlanRequest& wish) const
    {
        return exporting::buildQdqModel(m_model, *m_prepared, plan(wish));
    }

    Model m_model;
    std::shared_ptr<const Graph> m_prepared;
    dataset::SampleSetPtr m_samples;
    calibration::CalibrationStatsPtr m_stats;
};

void TstQdqExporter::initTestCase()
{
    m_model = residualNetwork();
    auto prepared = engine::prepareGraph(m_model);
    VERIFY_OK(prepared);
    m_prepared = *prepared;
    auto samples = dataset::SampleSet::load(test::randomDataset(48, 8, 8, 3, 3), {});
    VERIFY_OK(samples);
    m_samples = *samples;
    auto stats = calibration::calibrate(*m_prepared, *m_samples);
    VERIFY_OK(stats);
    m_stats = *stats;
}

void TstQdqExporter::computesWhatTheSimulationComputes_data()
{
    QTest::addColumn<planning::PlanRequest>("wish");
    for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer }) {
        for (const auto& [w, a] : { std::pair(8, 8), { 2, 2 }, { 3, 5 }, { 4, 4 }, { 6, 6 }, { 7, 8 }, { 8, 9 },
                 { 12, 4 }, { 9, 12 }, { 15, 15 }, { 16, 16 } }) {
            for (const char* scheme : { "asymmetric", "symmetric", "power-of-two" }) {
                QTest::addRow("W%dA%d %s %s", w, a, quant::toString(scope).c_str(), scheme)
                    << request(scope, w, a, scheme, w % 2 == 0);
            }
        }
        auto perChannel = request(scope, 8, 4);
        perChannel.activations.perChannel = true;
        QTest::addRow("activations per channel, 4 bits, %s", quant::toString(scope).c_str()) << perChannel;
        perChannel.activations.bits = 11;
        QTest::addRow("activations per channel, 11 bits, %s", quant::toString(scope).c_str()) << perChannel;
        auto weightsOnly = request(scope, 4, 8);
        weightsOnly.activations.bits.reset();
        QTest::addRow("weights only, %s", quant::toString(scope).c_str()) << weightsOnly;
        auto activationsOnly = request(scope, 4, 5);
        activationsOnly.weights.bits.reset();
        QTest::addRow("activations only, %s", quant::toString(scope).c_str()) << activationsOnly;
    }
}

void TstQdqExporter::computesWhatTheSimulationComputes()
{
    QFETCH(planning::PlanRequest, wish);
    const auto wanted = plan(wish);
    const auto model = exporting::buildQdqModel(m_model, *m_prepared, wanted);
    VERIFY_OK(model);
    const auto bytes = onnx_io::serializeModel(*model);
    VERIFY_OK(bytes);
    const auto reread = onnx_io::parseModel(*bytes);
    VERIFY_OK(reread);
    const auto prepared = engine::prepareGraph(*reread);
    VERIFY_OK(prepared);
    // Values well outside the calibrated range too, so that clipping is compared as well.
    for (const double deviation : { 0.3, 4.0 }) {
        const std::vector<Tensor> inputs { test::randomTensor({ 4, 3, 8, 8 }, 77, deviation) };
        const auto simulated = test::runGraph(*m_prepared, inputs, wanted);
        VERIFY_OK(simulated);
        const auto actual = test::runGraph(**prepared, inputs);
        VERIFY_OK(actual);
        QCOMPARE(tensor::toDoubles(actual->front().view()), tensor::toDoubles(simulated->front().view()));
    }
}

void TstQdqExporter::computeScopePlaces()
{
    const auto model = exported(request(quant::Scope::Compute, 8, 8));
    VERIFY_OK(model);
    const auto& g = model->graph;
    QCOMPARE(g.opset(), 13);
    // image, act, pool (shared by two layers), flat; five weights, stored.
    QCOMPARE(countOf(g, "QuantizeLinear"), 4);
    QCOMPARE(countOf(g, "DequantizeLinear"), 4 + 5);
    QCOMPARE(countOf(g, "Clip"), 0);
    QCOMPARE(inputOf(g, "Conv_c2", 0), std::string("act_dequantized"));
    QCOMPARE(inputOf(g, "Add_sum", 0), std::string("act"));
    QCOMPARE(inputOf(g, "Conv_left", 0), std::string("pool_dequantized"));
    QCOMPARE(inputOf(g, "Conv_right", 0), std::string("pool_dequantized"));
    QCOMPARE(inputOf(g, "Conv_c1", 1), std::string("w1_dequantized"));
    QCOMPARE(inputOf(g, "Conv_c1", 2), std::string("b1"));
    for (const char* name : { "w1_quantized", "w1_scale", "w1_zero_point", "act_scale", "act_zero_point" })
        QVERIFY2(g.find(name) && g.isConstant(*g.find(name)), name);
    QVERIFY(!g.find("w1"));
    QCOMPARE(g.value(g.outputs()[0]).name, std::string("logits"));
    QCOMPARE(g.value(*g.find("w1_quantized")).constant->dtype(), DType::Int8);
    QCOMPARE(g.value(*g.find("w1_scale")).constant->shape(), (Shape { 4 }));
    QCOMPARE(nodeNamed(g, "w1_dequantized_DequantizeLinear").intAttribute("axis", -9), std::int64_t { 0 });
    QCOMPARE(g.value(*g.find("act_scale")).constant->shape(), Shape {});
    QCOMPARE(g.value(*g.find("act_quantized")).type.dtype, std::optional(DType::UInt8));
}

void TstQdqExporter::integerScopePlaces()
{
    const auto model = exported(request(quant::Scope::Integer, 8, 8));
    VERIFY_OK(model);
    const auto& g = model->graph;
    QCOMPARE(inputOf(g, "Add_sum", 0), std::string("act_dequantized"));
    QVERIFY(!g.find("c1_quantized")); // the quantizer comes after the fused Relu
    QCOMPARE(inputOf(g, "Relu_act", 0), std::string("c1"));
    for (const char* name : { "b1_quantized", "b1_quantized_scale", "b1_quantized_zero_point", "fcb_quantized" })
        QVERIFY2(g.find(name) && g.isConstant(*g.find(name)), name);
    const auto& bias = *g.value(*g.find("b1_quantized")).constant;
    QCOMPARE(bias.dtype(), DType::Int32);
    const auto scale = tensor::toDoubles(g.value(*g.find("b1_quantized_scale")).constant->view());
    const auto image = tensor::toDoubles(g.value(*g.find("image_scale")).constant->view());
    const auto weight = tensor::toDoubles(g.value(*g.find("w1_scale")).constant->view());
    for (std::size_t c = 0; c < scale.size(); ++c)
        QVERIFY(std::abs(scale[c] - image[0] * weight[c]) <= 1e-6 * scale[c]);
    // The network's output is the quantized one and keeps its name.
    QCOMPARE(g.value(g.outputs()[0]).name, std::string("logits"));
    QCOMPARE(g.node(g.value(g.outputs()[0]).producer).opType, std::string("DequantizeLinear"));
    QCOMPARE(g.value(g.inputs()[0]).name, std::string("image"));
}

void TstQdqExporter::clipsBelowEightBits()
{
    const auto model = exported(request(quant::Scope::Compute, 3, 4));
    VERIFY_OK(model);
    const auto& g = model->graph;
    QCOMPARE(countOf(g, "Clip"), countOf(g, "QuantizeLinear"));
    const auto bound
        = [&](const char* name) { return tensor::toInt64s(g.value(*g.find(name)).constant->view()).at(0); };
    QCOMPARE(bound("act_clip_min"), std::int64_t { 0 });
    QCOMPARE(bound("act_clip_max"), std::int64_t { 15 });
    QCOMPARE(g.value(*g.find("act_clip_max")).constant->dtype(), DType::UInt8);
    for (const auto level : tensor::toInt64s(g.value(*g.find("w2_quantized")).constant->view()))
        QVERIFY(level >= -4 && level <= 3);
    const auto full = exported(request(quant::Scope::Compute, 8, 8, "symmetric"));
    VERIFY_OK(full);
    QCOMPARE(countOf(full->graph, "Clip"), 0);
}

void TstQdqExporter::wideContainers()
{
    const auto twelve = exported(request(quant::Scope::Compute, 8, 12));
    VERIFY_OK(twelve);
    const auto& g = twelve->graph;
    QCOMPARE(g.opset(), 21);
    QVERIFY(twelve->irVersion >= 10);
    QCOMPARE(countOf(g, "Clip"), 0);
    QCOMPARE(countOf(g, "Max"), countOf(g, "QuantizeLinear"));
    QCOMPARE(countOf(g, "Min"), countOf(g, "QuantizeLinear"));
    QCOMPARE(g.value(*g.find("act_zero_point")).constant->dtype(), DType::UInt16);
    const auto sixteen = exported(request(quant::Scope::Compute, 16, 16, "symmetric"));
    VERIFY_OK(sixteen);
    QCOMPARE(countOf(sixteen->graph, "Max"), 0);
    QCOMPARE(sixteen->graph.value(*sixteen->graph.find("w1_quantized")).constant->dtype(), DType::Int16);
    const auto narrow = exported(request(quant::Scope::Integer, 8, 8));
    VERIFY_OK(narrow);
    QCOMPARE(narrow->graph.opset(), 13); // int32 biases need no newer one
}

void TstQdqExporter::storedWeightsAreThePlansLevels()
{
    const auto wanted = plan(request(quant::Scope::Compute, 5, 8));
    const auto model = exporting::buildQdqModel(m_model, *m_prepared, wanted);
    VERIFY_OK(model);
    const auto& weight = *m_prepared->value(*m_prepared->find("fc")).constant;
    std::vector<std::int32_t> levels(static_cast<std::size_t>(weight.size()));
    quant::quantize(wanted.find("fc")->encoding, weight.shape(), weight.as<float>(), levels);
    const auto stored = tensor::toInt64s(model->graph.value(*model->graph.find("fc_quantized")).constant->view());
    QVERIFY(std::ranges::equal(stored, levels));
}

void TstQdqExporter::metadataHoldThePlan()
{
    const auto wanted = plan(request(quant::Scope::Integer, 4, 6));
    const auto model = exporting::buildQdqModel(m_model, *m_prepared, wanted);
    VERIFY_OK(model);
    QCOMPARE(model->metadata.at("author"), std::string("somebody"));
    QCOMPARE(model->producerName, std::string("quantoscope"));
    const auto reread = quant::QuantizationPlan::fromJson(Json::parse(model->metadata.at("quantoscope.plan")));
    VERIFY_OK(reread);
    QVERIFY(*reread == wanted);
}

void TstQdqExporter::raisesOldOpsets()
{
    auto old = residualNetwork(8);
    old.irVersion = 3;
    const auto prepared = engine::prepareGraph(old);
    VERIFY_OK(prepared);
    const auto model = exporting::buildQdqModel(old, **prepared, plan(request(quant::Scope::Compute, 8, 8)));
    VERIFY_OK(model);
    QCOMPARE(model->graph.opset(), 13);
    QCOMPARE(model->irVersion, 7);
}

void TstQdqExporter::keepsNewerOpsets()
{
    auto newer = residualNetwork(17);
    newer.irVersion = 9;
    const auto prepared = engine::prepareGraph(newer);
    VERIFY_OK(prepared);
    const auto model = exporting::buildQdqModel(newer, **prepared, plan(request(quant::Scope::Compute, 8, 8)));
    VERIFY_OK(model);
    QCOMPARE(model->graph.opset(), 17);
    QCOMPARE(model->irVersion, 9);
}

void TstQdqExporter::refuses_data()
{
    QTest::addColumn<QString>("tensor");
    QTest::addColumn<QString>("change");
    QTest::addColumn<int>("code");
    QTest::newRow("tensor that is not there") << "nowhere"
                                              << "" << static_cast<int>(ErrorCode::NotFound);
    QTest::newRow("activation rounded down") << "act"
                                             << "floor" << static_cast<int>(ErrorCode::Unsupported);
    QTest::newRow("too many channels") << "w1"
                                       << "channels" << static_cast<int>(ErrorCode::InvalidInput);
    QTest::newRow("channel axis outside") << "fc"
                                          << "axis" << static_cast<int>(ErrorCode::InvalidInput);
    QTest::newRow("scale of zero") << "act"
                                   << "zero" << static_cast<int>(ErrorCode::InvalidInput);
}

void TstQdqExporter::refuses()
{
    QFETCH(QString, tensor);
    QFETCH(QString, change);
    QFETCH(int, code);
    auto wanted = plan(request(quant::Scope::Compute, 8, 8));
    quant::TensorQuantizer quantizer;
    if (const auto* known = wanted.find(tensor.toStdString()))
        quantizer = *known;
    if (change == "floor")
        quantizer.encoding.rounding = quant::Rounding::Floor;
    if (change == "zero")
        quantizer.encoding.scale.front() = 0;
    if (change == "axis")
        quantizer.encoding.axis = 2;
    if (change == "channels") {
        quantizer.encoding.scale.push_back(1);
        quantizer.encoding.zeroPoint.push_back(0);
    }
    wanted.set(tensor.toStdString(), quantizer);
    const auto refused = exporting::buildQdqModel(m_model, *m_prepared, wanted);
    QVERIFY(!refused);
    const auto message = QString::fromStdString(refused.error().message());
    QVERIFY2(refused.error().code == static_cast<ErrorCode>(code), qPrintable(message));
    QVERIFY2(message.contains("'" + tensor + "'"), qPrintable(message));
}

void TstQdqExporter::weightsMayRoundOtherwise()
{
    for (const auto rounding : { quant::Rounding::Floor, quant::Rounding::Stochastic }) {
        auto wanted = plan(request(quant::Scope::Compute, 4, 8));
        wanted.seed = 9;
        for (const char* name : { "w1", "w2", "fc" }) {
            auto quantizer = *wanted.find(name);
            quantizer.config.rounding = quantizer.encoding.rounding = rounding;
            wanted.set(name, quantizer);
        }
        const auto model = exporting::buildQdqModel(m_model, *m_prepared, wanted);
        VERIFY_OK(model);
        const std::vector<Tensor> inputs { test::randomTensor({ 2, 3, 8, 8 }, 5) };
        const auto simulated = test::runGraph(*m_prepared, inputs, wanted);
        const auto actual = test::runGraph(model->graph, inputs);
        VERIFY_OK(simulated);
        VERIFY_OK(actual);
        QCOMPARE(tensor::toDoubles(actual->front().view()), tensor::toDoubles(simulated->front().view()));
    }
}

void TstQdqExporter::passesTheOnnxChecker_data()
{
    QTest::addColumn<planning::PlanRequest>("wish");
    QTest::newRow("W8A8 compute") << request(quant::Scope::Compute, 8, 8);
    QTest::newRow("W4A4 compute") << request(quant::Scope::Compute, 4, 4);
    QTest::newRow("W8A8 integer") << request(quant::Scope::Integer, 8, 8);
    QTest::newRow("W6A6 integer") << request(quant::Scope::Integer, 6, 6);
}

/// The checker of ONNX 1.12 knows opsets up to 17, enough for what is not wider than 8 bits.
void TstQdqExporter::passesTheOnnxChecker()
{
    QFETCH(planning::PlanRequest, wish);
    const auto python = [](const QStringList& arguments) {
        QProcess process;
        process.start("/usr/bin/python3", arguments);
        process.waitForFinished();
        return std::pair(
            process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0, process.readAllStandardError());
    };
    if (!python({ "-c", "import onnx" }).first)
        QSKIP("python3-onnx is not installed");
    QTemporaryDir folder;
    const auto path = folder.filePath("m.onnx");
    const auto model = exported(wish);
    VERIFY_OK(model);
    VERIFY_OK(onnx_io::writeModel(*model, path.toStdString()));
    const auto [good, words]
        = python({ "-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)", path });
    QVERIFY2(good, words.constData());
}

void TstQdqExporter::exportReports()
{
    QTemporaryDir folder;
    const fs::path path = folder.filePath("q.onnx").toStdString();
    const auto wanted = plan(request(quant::Scope::Integer, 4, 4));
    const auto report = exporting::exportQdq(m_model, *m_prepared, wanted, path, m_samples.get());
    VERIFY_OK(report);
    QCOMPARE(report->file.string(), path.string());
    QCOMPARE(report->bytes, fs::file_size(path));
    QCOMPARE(report->opset, 13);
    QCOMPARE(report->images, std::int64_t { 48 });
    QCOMPARE(report->agreement, 100.0);
    QVERIFY2(report->maxAbsDiff < 1e-5, std::to_string(report->maxAbsDiff).c_str());
    const auto simulated = evaluation::evaluate(*m_prepared, wanted, *m_samples);
    VERIFY_OK(simulated);
    QCOMPARE(report->reloadTop1, (*simulated)->top1());
}

void TstQdqExporter::exportWithoutSamples()
{
    QTemporaryDir folder;
    const auto report = exporting::exportQdq(m_model, *m_prepared, plan(request(quant::Scope::Compute, 8, 8)),
        folder.filePath("q.onnx").toStdString(), nullptr);
    VERIFY_OK(report);
    QCOMPARE(report->images, std::int64_t { 0 });
    QVERIFY(std::isnan(report->reloadTop1) && std::isnan(report->agreement) && std::isnan(report->maxAbsDiff));
}

void TstQdqExporter::exportToNowhere()
{
    QTemporaryDir folder;
    const auto refused = exporting::exportQdq(m_model, *m_prepared, plan(request(quant::Scope::Compute, 8, 8)),
        folder.filePath("no/q.onnx").toStdString(), nullptr);
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::NotFound);
}

void TstQdqExporter::exportIsCancellable()
{
    QTemporaryDir folder;
    std::stop_source source;
    source.request_stop();
    const auto cancelled = exporting::exportQdq(m_model, *m_prepared, plan(request(quant::Scope::Compute, 8, 8)),
        folder.filePath("q.onnx").toStdString(), m_samples.get(), { nullptr, source.get_token() });
    QVERIFY(!cancelled);
    QCOMPARE(cancelled.error().code, ErrorCode::Cancelled);
}

QTEST_APPLESS_MAIN(TstQdqExporter)
#include "tst_qdq_exporter.moc"
