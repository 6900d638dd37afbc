// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Quantized models, encodings and plans on the command line: opened, applied, compared.
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "tests/support/command_line.h"

using namespace quantoscope;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString testImages = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

Json parsed(const test::Outcome& outcome)
{
    return Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false);
}

} // namespace

#define RUN(outcome, ...)                                                                                              \
    const auto outcome = test::runCommandLine(__VA_ARGS__);                                                            \
    QVERIFY2(outcome.status == 0, outcome.err)

class TestCliCompare : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        if (!QFileInfo::exists(testImages))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + testImages + " is absent"));
        m_plan = m_folder.filePath("plan.json");
        m_model = m_folder.filePath("quantized.onnx");
        m_encodings = m_folder.filePath("encodings.json");
        const QStringList quantize { "export", sample, "--calib", testImages, "--calib-count", "32", "--weight-bits",
            "4", "--activation-bits", "6" };
        RUN(model, quantize + QStringList { "--save-plan", m_plan, "--out", m_model });
        RUN(encodings, quantize + QStringList { "--format", "encodings", "--out", m_encodings });
    }

    void quantizedModelsOpenWithTheirPlan()
    {
        RUN(inspected, { "inspect", m_model, "--json" });
        const auto json = parsed(inspected);
        QCOMPARE(json["quantization"]["scope"].get<std::string>(), std::string("compute"));
        QCOMPARE(json["quantization"]["tensors"].size(), std::size_t { 42 });
        RUN(plain, { "inspect", sample, "--json" });
        QVERIFY(parsed(plain)["quantization"].is_null());
        RUN(evaluated, { "evaluate", m_model, "--data", testImages, "--limit", "64", "--json" });
        RUN(planned,
            { "evaluate", sample, "--plan", m_plan, "--data", testImages, "--limit", "64", "--engine", "auto",
                "--json" });
        QCOMPARE(parsed(evaluated)["quantized"].dump(), parsed(planned)["quantized"].dump());
        QCOMPARE(parsed(evaluated)["scope"].dump(), parsed(planned)["scope"].dump());

        // Export, import and export once more: the same encodings, byte by byte.
        const auto again = m_folder.filePath("again.json");
        RUN(exported, { "export", m_model, "--format", "encodings", "--out", again });
        QCOMPARE(content(again), content(m_encodings));
        const auto modelAgain = m_folder.filePath("again.onnx");
        RUN(rewritten, { "export", m_model, "--out", modelAgain });
        QCOMPARE(content(modelAgain), content(m_model));
        // Word-lengths may be changed.
        RUN(changed,
            { "layers", m_model, "--calib", testImages, "--calib-count", "16", "--activation-bits", "8", "--json" });
        const auto layers = parsed(changed);
        for (const auto& tensor : layers["tensors"])
            QCOMPARE(tensor["bits"].get<int>(), tensor["kind"] == "weight" ? 4 : 8);
    }

    void encodingsApply()
    {
        const auto saved = m_folder.filePath("applied.json");
        const auto out = m_folder.filePath("applied.onnx");
        RUN(applied, { "export", sample, "--encodings", m_encodings, "--save-plan", saved, "--out", out, "--json" });
        const auto json = parsed(applied)["encodings"];
        QCOMPARE(json["applied"].size(), std::size_t { 42 });
        QCOMPARE(json["unmatched"].size() + json["missing"].size(), std::size_t { 0 });
        RUN(compared, { "compare", m_plan, saved, "--model", sample, "--json" });
        QCOMPARE(parsed(compared)["tensors_different"].get<int>(), 0);
    }

    void whatDoesNotMatchIsListed()
    {
        const auto table = m_folder.filePath("calibration.json");
        write(table, R"({"image": [0, 1], "nobody": [0, 1], "layer1.0.add_out": [0, 1]})");
        RUN(applied,
            { "layers", sample, "--data", testImages, "--calib-count", "16", "--limit", "16", "--encodings", table,
                "--json" });
        const auto json = parsed(applied)["encodings"];
        QCOMPARE(json["kind"].get<std::string>(), std::string("calibration table"));
        QCOMPARE(json["applied"].size(), std::size_t { 1 });
        QCOMPARE(json["unmatched"].size(), std::size_t { 2 });
        QVERIFY(json["missing"].size() > 30);
        RUN(people,
            { "layers", sample, "--data", testImages, "--calib-count", "16", "--limit", "16", "--encodings", table });
        QVERIFY(people.out.contains("nobody") && people.out.contains("no tensor of that name"));

        write(table, R"({"nobody": [0, 1]})");
        const auto refused = test::runCommandLine({ "export", sample, "--encodings", table, "--out", "/nowhere.onnx" });
        QCOMPARE(refused.status, 1);
    }

    void comparesPlans()
    {
        const auto other = m_folder.filePath("other.json");
        RUN(saved,
            { "layers", sample, "--calib", testImages, "--calib-count", "32", "--weight-bits", "8", "--activation-bits",
                "6", "--layer", "fc:w=2", "--save-plan", other });
        RUN(compared, { "compare", m_plan, other, "--model", sample, "--json" });
        const auto json = parsed(compared);
        QCOMPARE(json["layers"].size(), std::size_t { 22 });
        QCOMPARE(json["tensors_different"].get<int>(), 22);
        const auto& first = json["layers"][0];
        QCOMPARE(first["name"].get<std::string>(), std::string("conv1"));
        QCOMPARE(first["a"]["weight_bits"].get<int>(), 4);
        QCOMPARE(first["b"]["weight_bits"].get<int>(), 8);
        QVERIFY(first["a"]["bops"].get<double>() < first["b"]["bops"].get<double>());
        QVERIFY(json["cost"]["a"].is_object() && json["cost"]["b"].is_object());
        for (const auto& tensor : json["tensors"]) {
            const bool isWeight = tensor["kind"] == "weight";
            QCOMPARE(tensor["same"].get<bool>(), !isWeight);
            if (!isWeight) {
                QVERIFY(tensor["a"]["sqnr_db"].is_null()); // no images
                continue;
            }
            const bool coarser = tensor["name"] == "fc.weight";
            QCOMPARE(tensor["b"]["bits"].get<int>(), coarser ? 2 : 8);
            QCOMPARE(tensor["a"]["sqnr_db"].get<double>() > tensor["b"]["sqnr_db"].get<double>(), coarser);
            QVERIFY(tensor["a"]["low"].get<double>() < 0);
        }
        RUN(people, { "compare", m_plan, other, "--model", sample, "--calib", testImages, "--calib-count", "16" });
        QVERIFY(people.out.contains("4 -> 8") && people.out.contains("22 of 42 tensors differ"));
        QVERIFY(!people.out.contains("?"));
    }

    void comparesModels()
    {
        RUN(same, { "compare", m_plan, m_model, "--model", sample, "--json" });
        QCOMPARE(parsed(same)["tensors_different"].get<int>(), 0);
        const auto differences = parsed(same);
        for (const auto& tensor : differences["tensors"])
            if (tensor["kind"] == "weight")
                QCOMPARE(tensor["a"]["sqnr_db"].get<double>(), tensor["b"]["sqnr_db"].get<double>());
        RUN(alone, { "compare", m_model, m_model });
        QVERIFY(alone.out.contains("Both quantize every tensor to the same values"));
    }

    void refusesWhatCannotBeCompared_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("status");
        QTest::newRow("a plan without its model") << QStringList { "PLAN", "PLAN" } << 2;
        QTest::newRow("images without the float model") << QStringList { "MODEL", "MODEL", "--data", testImages } << 2;
        QTest::newRow("a float model") << QStringList { "MODEL", sample } << 1;
        QTest::newRow("one file") << QStringList { "MODEL" } << 2;
        QTest::newRow("no such file") << QStringList { "MODEL", "/nowhere.onnx" } << 1;
    }

    void refusesWhatCannotBeCompared()
    {
        QFETCH(QStringList, arguments);
        QFETCH(int, status);
        arguments.replaceInStrings("PLAN", m_plan).replaceInStrings("MODEL", m_model);
        const auto outcome = test::runCommandLine(QStringList { "compare" } + arguments);
        QCOMPARE(outcome.status, status);
        QVERIFY(outcome.out.isEmpty());
        QVERIFY2(outcome.err.startsWith("error: ") && outcome.err.count('\n') == 1, outcome.err);
    }

private:
    static QByteArray content(const QString& path)
    {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("unreadable");
    }

    static void write(const QString& path, const char* text)
    {
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(text) > 0);
    }

    QTemporaryDir m_folder;
    QString m_plan;
    QString m_model;
    QString m_encodings;
};

QTEST_GUILESS_MAIN(TestCliCompare)
#include "tst_cli_compare.moc"
