// SPDX-License-Identifier: GPL-3.0-or-later
// Every kind of file is one that others accept: ONNX's own checker and shape inference up to opset 17, which is what
// ONNX 1.12 knows, and the rules of the standard beyond.
#include <QDir>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <filesystem>

#include "core/calibration/stats.h"
#include "core/engine/engine.h"
#include "core/exporting/exporter.h"
#include "core/graph/shape_inference.h"
#include "core/graph/verifier.h"
#include "core/importing/open_model.h"
#include "core/onnx_io/reader.h"
#include "core/planning/plan_builder.h"
#include "tests/core/exporting/residual_network.h"
#include "tests/support/memory_dataset.h"

using namespace quantoscope;
using exporting::Containers;
using exporting::ExportOptions;
using exporting::Format;
namespace fs = std::filesystem;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

constexpr int newestOpsetOfChecker = 17;

/// Checks every file named on the command line; a line for each that fails.
constexpr const char* checker = R"(
import sys, onnx
for path in sys.argv[1:]:
    try:
        onnx.checker.check_model(path, full_check=True)
        onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True)
    except Exception as error:
        print(path, str(error).replace('\n', ' '))
)";

std::pair<bool, QByteArray> python(const QStringList& arguments)
{
    QProcess process;
    process.start("/usr/bin/python3", arguments);
    process.waitForFinished(120000);
    return { process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0,
        process.readAllStandardOutput() + process.readAllStandardError() };
}

/// Conv -> Relu -> Conv -> Gemm without branches: what a runtime would compute in integers.
graph::Model chain(std::int64_t channels = 4)
{
    graph::Model model;
    model.irVersion = 7;
    model.docString = "a chain";
    model.domain = "org.example";
    model.metadata["author"] = "somebody";
    auto& g = model.graph;
    g.name = "chain";
    g.docString = "of layers";
    g.opsets[""] = 13;
    const auto image = g.addInput("image", { DType::Float32, graph::Dims { graph::Dim::named("batch"), 3, 8, 8 } });
    auto x = test::add(g, "Conv",
        { image, test::weights(g, "w1", { channels, 3, 3, 3 }, 1), test::weights(g, "b1", { channels }, 2) }, "c1");
    g.node(g.value(x).producer).docString = "the first";
    x = test::add(g, "Relu", { x }, "act");
    x = test::add(
        g, "Conv", { x, test::weights(g, "w2", { 4, channels, 3, 3 }, 3), test::weights(g, "b2", { 4 }, 4) }, "c2");
    x = test::add(g, "Flatten", { x }, "flat");
    x = test::add(g, "Gemm", { x, test::weights(g, "fc", { 3, 64 }, 8), test::weights(g, "fcb", { 3 }, 9) }, "logits",
        { { "transB", std::int64_t { 1 } } });
    g.markOutput(x);
    return model;
}

/// The standard's rules on element types of quantizers, by opset.
QString wrongTypes(const graph::Graph& graph)
{
    for (const auto id : graph.nodes()) {
        const auto& node = graph.node(id);
        const bool quantizes = node.opType == "QuantizeLinear";
        if (!quantizes && node.opType != "DequantizeLinear")
            continue;
        const auto type = quantizes ? graph.value(node.outputs[0]).type.dtype : graph.value(node.inputs[0]).type.dtype;
        const auto where = QString::fromStdString(graph.label(id));
        if (!type)
            return where + ": type not known";
        const int bits = tensor::bitWidth(*type);
        const bool isOld = bits == 8 || (!quantizes && *type == DType::Int32);
        if (!isOld && !((bits == 4 || bits == 16) && graph.opset() >= 21))
            return where + ": " + QString::fromUtf8(tensor::name(*type).data()) + " at opset "
                + QString::number(graph.opset());
    }
    return {};
}

struct Network {
    graph::Model model;
    std::shared_ptr<const graph::Graph> prepared;
    calibration::CalibrationStatsPtr stats;
};

} // namespace

class TestExportValidity : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        auto samples = dataset::SampleSet::load(test::randomDataset(16, 8, 8, 3, 3), {});
        VERIFY_OK(samples);
        m_samples = *samples;
        for (auto model : { chain(), test::residualNetwork() }) {
            auto prepared = engine::prepareGraph(model);
            VERIFY_OK(prepared);
            auto stats = calibration::calibrate(**prepared, *m_samples);
            VERIFY_OK(stats);
            m_networks.push_back({ std::move(model), *prepared, *stats });
        }
    }

    void everyKindOfFileIsValid()
    {
        QTemporaryDir folder;
        QStringList known;
        int written = 0;
        for (const auto format : { Format::Qdq, Format::Qonnx, Format::Float })
            for (const auto containers : { Containers::Portable, Containers::Native })
                for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
                    for (const auto& [w, a] : { std::pair(8, 8), { 4, 4 }, { 3, 6 }, { 8, 16 }, { 5, 11 } })
                        for (const auto& network : m_networks) {
                            if (containers == Containers::Native && format != Format::Qdq)
                                continue;
                            ExportOptions options;
                            options.format = format;
                            options.containers = containers;
                            const auto path = folder.filePath(QString("%1.onnx").arg(written++));
                            const int opset = write(network, planFor(network, scope, w, a), options, path);
                            if (QTest::currentTestFailed())
                                return;
                            if (opset <= newestOpsetOfChecker)
                                known << path;
                        }
        QVERIFY(known.size() > 20 && known.size() < written);
        if (!python({ "-c", "import onnx" }).first)
            QSKIP("python3-onnx is not installed");
        const auto [good, words] = python(QStringList { "-c", checker } + known);
        QVERIFY2(good && words.isEmpty(), words.constData());
    }

    void keepsWhatTheSourceSays()
    {
        const auto& network = m_networks.front();
        for (const auto format : { Format::Qdq, Format::Qonnx, Format::Float }) {
            ExportOptions options;
            options.format = format;
            const auto model = exporting::buildModel(
                network.model, *network.prepared, planFor(network, quant::Scope::Compute, 8, 8), options);
            VERIFY_OK(model);
            QCOMPARE(model->docString, std::string("a chain"));
            QCOMPARE(model->domain, std::string("org.example"));
            QCOMPARE(model->metadata.at("author"), std::string("somebody"));
            QCOMPARE(model->graph.name, std::string("chain"));
            QCOMPARE(model->graph.docString, std::string("of layers"));
            QCOMPARE(model->graph.opset(), 13);
            const auto first = model->graph.value(*model->graph.find("c1")).producer;
            QCOMPARE(model->graph.node(first).name, std::string("Conv_c1"));
            QCOMPARE(model->graph.node(first).docString, std::string("the first"));
            QVERIFY(model->graph.find("image") && model->graph.find("act") && model->graph.find("logits"));
        }
    }

    void keepsDocsOfValues_data()
    {
        QTest::addColumn<Format>("format");
        QTest::addColumn<quant::Scope>("scope");
        QTest::addColumn<QString>("weight"); ///< where the weight's goes
        QTest::newRow("qdq, compute") << Format::Qdq << quant::Scope::Compute << "w1_quantized";
        QTest::newRow("qdq, integer") << Format::Qdq << quant::Scope::Integer << "w1_quantized";
        QTest::newRow("float") << Format::Float << quant::Scope::Compute << "w1";
    }

    void keepsDocsOfValues()
    {
        QFETCH(Format, format);
        QFETCH(quant::Scope, scope);
        QFETCH(QString, weight);
        QTemporaryDir folder;
        const fs::path source = folder.filePath("source.onnx").toStdString();
        onnx_io::WriteOptions written;
        written.valueDocs
            = { { "image", "a picture" }, { "act", "inside" }, { "w1", "a kernel" }, { "logits", "scores" } };
        auto typed = chain(); // value_info has to say a type
        VERIFY_OK(graph::inferShapes(typed.graph));
        VERIFY_OK(onnx_io::writeModel(typed, source, written));
        QVERIFY(onnx_io::readNotes(source).valueDocs == written.valueDocs);
        QVERIFY(!onnx_io::readNotes(source).hasExternalData);
        const auto model = onnx_io::readModel(source);
        VERIFY_OK(model);
        const auto& network = m_networks.front();
        ExportOptions options;
        options.format = format;
        const fs::path file = folder.filePath("quantized.onnx").toStdString();
        const auto report
            = exporting::exportPlan(*model, *network.prepared, planFor(network, scope, 8, 8), options, file, nullptr);
        VERIFY_OK(report);
        auto expected = written.valueDocs;
        expected.erase("w1");
        expected[weight.toStdString()] = "a kernel";
        QVERIFY(onnx_io::readNotes(file).valueDocs == expected);
        QVERIFY(onnx_io::readNotes(folder.filePath("absent.onnx").toStdString()).valueDocs.empty());
    }

    /// A layer with a float bias between quantizers is one that a runtime would round the bias of.
    void protectsFloatBiases_data()
    {
        QTest::addColumn<int>("scope");
        QTest::addColumn<int>("weightBits");
        QTest::addColumn<int>("barriers");
        QTest::newRow("W4 compute") << static_cast<int>(quant::Scope::Compute) << 4 << 2;
        QTest::newRow("W8 compute") << static_cast<int>(quant::Scope::Compute) << 8 << 2;
        QTest::newRow("weights float") << static_cast<int>(quant::Scope::Compute) << 0 << 2;
        QTest::newRow("W4 integer: biases are int32") << static_cast<int>(quant::Scope::Integer) << 4 << 0;
    }

    void protectsFloatBiases()
    {
        QFETCH(int, scope);
        QFETCH(int, weightBits);
        QFETCH(int, barriers);
        const auto& network = m_networks.front();
        const auto plan = planFor(network, static_cast<quant::Scope>(scope), weightBits, 4);
        const auto model = exporting::buildModel(network.model, *network.prepared, plan, {});
        VERIFY_OK(model);
        const auto& g = model->graph;
        const auto ids = g.nodes();
        const auto count = [&](const char* op) {
            return std::ranges::count_if(ids, [&](auto id) { return g.node(id).opType == op; });
        };
        QCOMPARE(count("Max"), barriers);
        QCOMPARE(count("Min"), barriers);
        if (barriers > 0)
            QVERIFY(g.find("act_low") && g.find("flat_high")); // behind the Relu, and behind Flatten
        const auto opened = importing::openModel(*model);
        VERIFY_OK(opened);
        for (const auto& [name, quantizer] : plan.tensors()) {
            const auto* found = opened->plan->find(name);
            QVERIFY2(found && found->encoding == quantizer.encoding, name.c_str());
        }
        const auto again = exporting::buildModel(*opened->model, *opened->graph, *opened->plan, {});
        VERIFY_OK(again);
        QCOMPARE(again->graph.nodes().size(), ids.size());
    }

    /// A Softmax between 8-bit quantizers is one whose fractions a runtime would cut off.
    void protectsSoftmax_data()
    {
        QTest::addColumn<int>("scope");
        QTest::addColumn<int>("activationBits");
        QTest::addColumn<bool>("moved");
        QTest::addColumn<int>("barriers");
        using enum quant::Scope;
        QTest::newRow("A8 integer") << static_cast<int>(Integer) << 8 << false << 1;
        QTest::newRow("A4 integer") << static_cast<int>(Integer) << 4 << false << 1;
        QTest::newRow("A8 integer, the result moved") << static_cast<int>(Integer) << 8 << true << 1;
        QTest::newRow("A16 integer: no such operator") << static_cast<int>(Integer) << 16 << false << 0;
        QTest::newRow("A8 compute: no quantizer there") << static_cast<int>(Compute) << 8 << false << 0;
    }

    void protectsSoftmax()
    {
        QFETCH(int, scope);
        QFETCH(int, activationBits);
        QFETCH(bool, moved);
        QFETCH(int, barriers);
        auto source = chain();
        auto result = test::add(source.graph, "Softmax", { source.graph.outputs().front() }, "probabilities");
        if (moved)
            result = test::add(source.graph, "Flatten", { result }, "flattened");
        source.graph.setOutputs({ result });
        const auto prepared = engine::prepareGraph(source);
        VERIFY_OK(prepared);
        const auto stats = calibration::calibrate(**prepared, *m_samples);
        VERIFY_OK(stats);
        const Network network { source, *prepared, *stats };
        const auto plan = planFor(network, static_cast<quant::Scope>(scope), 8, activationBits);
        const auto model = exporting::buildModel(source, **prepared, plan, {});
        VERIFY_OK(model);
        const auto& g = model->graph;
        const auto ids = g.nodes();
        const auto softmax = std::ranges::find(ids, "Softmax", [&](auto id) { return g.node(id).opType; });
        // A compute scope of 8-bit weights has barriers of its own, before its layers.
        const auto readers = g.consumers(g.node(*softmax).outputs[0]);
        QCOMPARE(std::ranges::count(readers, "Max", [&](auto id) { return g.node(id).opType; }), barriers);
        const auto opened = importing::openModel(*model);
        VERIFY_OK(opened);
        QCOMPARE(opened->plan->tensors().size(), plan.tensors().size());
        for (const auto& [name, quantizer] : plan.tensors()) {
            const auto* found = opened->plan->find(name);
            QVERIFY2(found && found->encoding == quantizer.encoding, name.c_str());
        }
    }

    /// Constants leave the file where they are too many, and where the source's had left it.
    void externalData_data()
    {
        QTest::addColumn<bool>("sourceIsExternal");
        QTest::newRow("too large for one file") << false;
        QTest::newRow("as the source has it") << true;
    }

    void externalData()
    {
        QFETCH(bool, sourceIsExternal);
        QTemporaryDir folder;
        const fs::path source = folder.filePath("source.onnx").toStdString();
        VERIFY_OK(onnx_io::writeModel(chain(16), source, { sourceIsExternal ? 0 : std::uint64_t { 1 } << 30 }));
        QCOMPARE(onnx_io::hasExternalData(source), sourceIsExternal);
        const auto model = onnx_io::readModel(source);
        VERIFY_OK(model);
        const auto prepared = engine::prepareGraph(*model);
        VERIFY_OK(prepared);
        const auto stats = calibration::calibrate(**prepared, *m_samples);
        VERIFY_OK(stats);
        const Network network { *model, *prepared, *stats };
        const auto plan = planFor(network, quant::Scope::Compute, 8, 8);
        const fs::path file = folder.filePath("quantized.onnx").toStdString();
        const fs::path data = file.string() + ".data";
        ExportOptions options;
        options.format = Format::Float;
        if (!sourceIsExternal)
            options.externalThreshold = 64;
        const auto report = exporting::exportPlan(*model, **prepared, plan, options, file, m_samples.get());
        VERIFY_OK(report);
        QVERIFY(report->maxAbsDiff < 1e-4); // what is read back has its constants
        QVERIFY(onnx_io::hasExternalData(file));
        QCOMPARE(report->bytes, fs::file_size(file) + fs::file_size(data));
        const QStringList expected = sourceIsExternal
            ? QStringList { "quantized.onnx", "quantized.onnx.data", "source.onnx", "source.onnx.data" }
            : QStringList { "quantized.onnx", "quantized.onnx.data", "source.onnx" };
        QCOMPARE(
            QDir(folder.path()).entryList(QDir::Files | QDir::Hidden, QDir::Name), expected); // and nothing temporary
    }

private:
    quant::QuantizationPlan planFor(
        const Network& network, quant::Scope scope, int weightBits, int activationBits) const
    {
        planning::PlanRequest wish;
        wish.scope = scope;
        wish.weights.bits = weightBits > 0 ? std::optional(weightBits) : std::nullopt;
        wish.activations.bits = activationBits;
        auto built = planning::buildPlan(*network.prepared, network.stats.get(), wish);
        if (!built)
            qFatal("%s", built.error().message().c_str());
        return built->plan;
    }

    /// Writes a file and checks what can be checked here; its opset.
    static int write(
        const Network& network, const quant::QuantizationPlan& plan, const ExportOptions& options, const QString& path)
    {
        const auto report
            = exporting::exportPlan(network.model, *network.prepared, plan, options, path.toStdString(), nullptr);
        [&] { VERIFY_OK(report); }();
        if (!report)
            return 0;
        const auto reread = onnx_io::readModel(path.toStdString());
        [&] {
            VERIFY_OK(reread);
            VERIFY_OK(graph::verify(reread->graph));
            QVERIFY(reread->irVersion >= onnx_io::minimumIrVersion(reread->graph.opset()));
            if (options.format == Format::Qonnx)
                return; // its operator is not in the standard
            auto graph = reread->graph;
            VERIFY_OK(graph::inferShapes(graph));
            for (const auto id : graph.values())
                QVERIFY2(graph.value(id).type.dims, graph.value(id).name.c_str());
            const auto wrong = wrongTypes(graph);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }();
        return report->opset;
    }

    std::vector<Network> m_networks;
    dataset::SampleSetPtr m_samples;
};

QTEST_APPLESS_MAIN(TestExportValidity)
#include "tst_export_validity.moc"
