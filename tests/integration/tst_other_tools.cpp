// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration numeric
// Quantized models that another tool made: opened, evaluated and written again.
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "core/calibration/stats.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/exporting/exporter.h"
#include "core/importing/open_model.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "core/planning/plan_builder.h"
#include "tests/parity/peer.h"
#include "tests/parity/subject.h"

using namespace quantoscope;
namespace fs = std::filesystem;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

constexpr std::int64_t images = 250;

QByteArray python(const QStringList& arguments)
{
    QProcess process;
    process.start("/usr/bin/python3", arguments);
    if (!process.waitForFinished(120000) || process.exitCode() != 0)
        return process.readAllStandardError() + " failed";
    return {};
}

/// What a file stores: integers, scales and zero points, by name.
std::map<std::string, graph::TensorPtr> storedNumbers(const graph::Graph& graph)
{
    std::map<std::string, graph::TensorPtr> numbers;
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        const auto endsIn = [&](const char* suffix) { return value.name.ends_with(suffix); };
        if (value.constant && (endsIn("_quantized") || endsIn("_scale") || endsIn("_zero_point")))
            numbers.emplace(value.name, value.constant);
    }
    return numbers;
}

bool sameTensor(const Tensor& a, const Tensor& b)
{
    return a.dtype() == b.dtype() && a.size() == b.size() && tensor::toDoubles(a.view()) == tensor::toDoubles(b.view());
}

double top1Of(const std::vector<std::int32_t>& predictions, const std::vector<int>& labels)
{
    std::int64_t correct = 0;
    for (std::size_t i = 0; i < predictions.size(); ++i)
        correct += predictions[i] == labels[i];
    return 100.0 * static_cast<double>(correct) / static_cast<double>(predictions.size());
}

} // namespace

class TestOtherTools : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        if (!parity::Peer::isInstalled())
            QSKIP("SKIPPED EVERYTHING: ONNX Runtime is not installed");
        if (!python({ "-c", "import onnx, numpy" }).isEmpty())
            QSKIP("SKIPPED EVERYTHING: python3-onnx is not installed");
        auto specs = parity::subjects(1);
        if (specs.empty() || !specs.front().name.starts_with("fashion"))
            QSKIP("SKIPPED EVERYTHING: dataset-fashion-mnist is not installed");
        specs.front().count = images;
        auto loaded = parity::loadSubject(specs.front());
        VERIFY_OK(loaded);
        m_subject = *std::move(loaded);
        const auto started = m_peer.start(*m_subject.samples, 1);
        VERIFY_OK(started);
        Json ranges = Json::object();
        for (const auto id : m_subject.prepared->values()) {
            const auto& name = m_subject.prepared->value(id).name;
            if (const auto* stats = m_subject.stats->find(name))
                ranges[name] = { stats->min(), stats->max() };
        }
        VERIFY_OK(base::writeFileAtomically(file("ranges.json"), ranges.dump()));
    }

    void opensEvaluatesAndWrites_data()
    {
        QTest::addColumn<QString>("layout");
        QTest::addColumn<bool>("perChannel");
        QTest::newRow("pairs, per channel") << "qdq" << true;
        QTest::newRow("pairs, per tensor") << "qdq" << false;
        QTest::newRow("integer operators, per channel") << "operators" << true;
        QTest::newRow("integer operators, per tensor") << "operators" << false;
    }

    void opensEvaluatesAndWrites()
    {
        QFETCH(QString, layout);
        QFETCH(bool, perChannel);
        const auto theirs = file("theirs.onnx");
        const auto failed = python({ QS_SOURCE_DIR "/tests/support/quantize_static.py",
            QString::fromStdString(m_subject.spec.model.string()), QString::fromStdString(file("ranges.json").string()),
            QString::fromStdString(theirs.string()), layout, perChannel ? "channel" : "tensor" });
        QVERIFY2(failed.isEmpty(), failed.constData());

        const auto opened = importing::openModel(theirs);
        VERIFY_OK(opened);
        QVERIFY2(opened->notes.empty(), opened->notes.empty() ? "" : opened->notes.front().c_str());
        QVERIFY(opened->plan);
        const auto original = onnx_io::readModel(theirs);
        VERIFY_OK(original);
        checkEncodings(*opened->plan, storedNumbers(original->graph), perChannel);
        if (QTest::currentTestFailed())
            return;
        checkAccuracy(*opened, theirs);
        if (QTest::currentTestFailed())
            return;
        checkWritten(*opened, *original, theirs);
    }

    /// What is said before a file is written about how it will be computed.
    void integerLayersAreThoseOfTheRuntime_data()
    {
        QTest::addColumn<int>("weightBits");
        QTest::addColumn<int>("activationBits");
        QTest::addColumn<int>("scope");
        QTest::addColumn<int>("expected");
        const int integer = static_cast<int>(quant::Scope::Integer);
        QTest::newRow("W8A8 integer") << 8 << 8 << integer << 22;
        QTest::newRow("W4A8 integer") << 4 << 8 << integer << 22;
        QTest::newRow("W4A6 integer: Clip beside the layers") << 4 << 6 << integer << 22;
        QTest::newRow("W8A16 integer: no such kernels") << 8 << 16 << integer << 0;
        QTest::newRow("W8A8 compute: float biases") << 8 << 8 << static_cast<int>(quant::Scope::Compute) << 0;
    }

    void integerLayersAreThoseOfTheRuntime()
    {
        QFETCH(int, weightBits);
        QFETCH(int, activationBits);
        QFETCH(int, scope);
        QFETCH(int, expected);
        planning::PlanRequest request;
        request.scope = static_cast<quant::Scope>(scope);
        request.weights.bits = weightBits;
        request.activations.bits = activationBits;
        const auto built = planning::buildPlan(*m_subject.prepared, m_subject.stats.get(), request);
        VERIFY_OK(built);
        const auto written = file("counted.onnx");
        const auto report
            = exporting::exportPlan(m_subject.model, *m_subject.prepared, built->plan, {}, written, nullptr);
        VERIFY_OK(report);
        QCOMPARE(report->containers.layers, 22);
        QCOMPARE(report->containers.integerLayers, expected);
        const auto optimized = file("optimized.onnx");
        VERIFY_OK(m_peer.run({ written, "extended", m_subject.batch, 0, 1, {}, optimized }));
        const auto theirs = onnx_io::readModel(optimized);
        VERIFY_OK(theirs);
        const auto ids = theirs->graph.nodes();
        const auto isInteger = [&](graph::NodeId id) {
            const auto& op = theirs->graph.node(id).opType;
            return op == "QLinearConv" || op == "QGemm" || op == "QLinearMatMul";
        };
        QCOMPARE(std::ranges::count_if(ids, isInteger), expected);
    }

    /// With optimisation on the runtime has an operator of its own for a Softmax between 8-bit quantizers, which cuts
    /// the fraction of a step off: most probabilities would come out a step too small.
    void softmaxIsRounded()
    {
        auto model = m_subject.model;
        auto& g = model.graph;
        graph::Node softmax;
        softmax.opType = "Softmax";
        softmax.inputs = { g.outputs().front() };
        softmax.outputs = { g.addValue("probabilities") };
        const auto probabilities = softmax.outputs.front();
        g.addNode(std::move(softmax));
        g.setOutputs({ probabilities });
        const auto prepared = engine::prepareGraph(model);
        VERIFY_OK(prepared);
        const auto stats = calibration::calibrate(**prepared, *m_subject.calibration);
        VERIFY_OK(stats);
        planning::PlanRequest request;
        request.scope = quant::Scope::Integer;
        const auto built = planning::buildPlan(**prepared, stats->get(), request);
        VERIFY_OK(built);
        const auto written = file("softmax.onnx");
        const auto report = exporting::exportPlan(model, **prepared, built->plan, {}, written, nullptr);
        VERIFY_OK(report);
        const auto off = m_peer.run({ written, "disabled", m_subject.batch, 0, images });
        const auto on = m_peer.run({ written, "all", m_subject.batch, 0, images });
        VERIFY_OK(off);
        VERIFY_OK(on);
        std::size_t different = 0;
        for (std::size_t i = 0; i < off->front().values.size(); ++i)
            different += off->front().values[i] != on->front().values[i];
        qInfo("%zu of %zu probabilities differ", different, off->front().values.size());
        QVERIFY(different * 50 < off->front().values.size());
    }

private:
    fs::path file(const char* name) const { return m_folder.filePath(name).toStdString(); }

    /// Right word-lengths and encodings, under the names the float model has.
    void checkEncodings(const quant::QuantizationPlan& plan, const std::map<std::string, graph::TensorPtr>& numbers,
        bool perChannel) const
    {
        QVERIFY(plan.scope == quant::Scope::Integer);
        std::map<quant::Role, int> counts;
        for (const auto& [name, quantizer] : plan.tensors()) {
            ++counts[quantizer.role];
            const auto& encoding = quantizer.encoding;
            const bool isBias = quantizer.role == quant::Role::Bias;
            QCOMPARE(encoding.bits(), isBias ? 32 : 8);
            if (quantizer.role == quant::Role::Weight) {
                QCOMPARE(encoding.axis, perChannel ? 0 : -1);
                QCOMPARE(encoding.qmax, 127);
            } else if (!isBias) {
                QCOMPARE(encoding.qmin, 0);
                QCOMPARE(encoding.qmax, 255);
            }
            // Data movement shares the encoding of what it moves, under that name.
            const auto scale = numbers.find(name + (isBias ? "_quantized_scale" : "_scale"));
            const auto& stored = scale == numbers.end() ? numbers.at("pool_out_scale") : scale->second;
            QCOMPARE(std::vector<float>(stored->as<float>().begin(), stored->as<float>().end()), encoding.scale);
        }
        QCOMPARE(counts[quant::Role::Weight], 22);
        QCOMPARE(counts[quant::Role::Bias], 22);
        QVERIFY(plan.find("image") && plan.find("logits") && plan.find("layer1.0.conv1.weight"));
    }

    void checkAccuracy(const importing::OpenedModel& opened, const fs::path& theirs)
    {
        const auto ours = evaluation::evaluate(*opened.graph, *opened.plan, *m_subject.samples);
        VERIFY_OK(ours);
        for (const char* level : { "disabled", "all" }) {
            const auto outputs = m_peer.run({ theirs, level, m_subject.batch, 0, images });
            VERIFY_OK(outputs);
            const double top1 = top1Of(parity::decisions({}, *outputs), m_subject.samples->labels());
            qInfo("optimisation %s: top-1 %.2f %% here, %.2f %% there", level, (*ours)->top1(), top1);
            QVERIFY(top1 > 85);
            QVERIFY(std::abs((*ours)->top1() - top1) <= 100.0 / images + 1e-9);
        }
    }

    /// Written again, it stores the same numbers and computes the same.
    void checkWritten(const importing::OpenedModel& opened, const graph::Model& original, const fs::path& theirs)
    {
        const auto again = exporting::buildModel(*opened.model, *opened.graph, *opened.plan, {});
        VERIFY_OK(again);
        const auto before = storedNumbers(original.graph);
        const auto after = storedNumbers(again->graph);
        for (const auto& [name, tensor] : before) {
            const auto it = after.find(name);
            QVERIFY2(it != after.end(), name.c_str());
            QVERIFY2(sameTensor(*tensor, *it->second), name.c_str());
        }
        const auto rewritten = file("again.onnx");
        VERIFY_OK(onnx_io::writeModel(*again, rewritten));
        const auto expected = m_peer.run({ theirs, "all", m_subject.batch, 0, 50 });
        const auto actual = m_peer.run({ rewritten, "all", m_subject.batch, 0, 50 });
        VERIFY_OK(expected);
        VERIFY_OK(actual);
        QCOMPARE(parity::decisions({}, *actual), parity::decisions({}, *expected));
        QVERIFY(actual->front().values == expected->front().values);

        const auto twice = importing::openModel(*again);
        VERIFY_OK(twice);
        QCOMPARE(twice->plan->toJson().dump(), opened.plan->toJson().dump());
    }

    parity::Subject m_subject;
    parity::Peer m_peer;
    QTemporaryDir m_folder;
};

QTEST_GUILESS_MAIN(TestOtherTools)
#include "tst_other_tools.moc"
