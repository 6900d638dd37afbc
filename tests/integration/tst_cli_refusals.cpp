// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// What the command line refuses: wrong usage, models, images and files, each in one line.
#include <limits>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include "tests/support/onnx_bytes.h"
#include "tests/support/sample_commands.h"

using namespace quantoscope;
using test::Outcome;

namespace {

Outcome run(const QStringList& arguments) { return test::runCommandLine(arguments); }

} // namespace

class TestCliRefusals : public QObject, private test::SampleCommands {
    Q_OBJECT

private slots:
    void initTestCase();
    void refusesUsage_data();
    void refusesUsage();
    void refusesModels_data();
    void refusesModels();
    void refusesData_data();
    void refusesData();
    void refusesUnwritableFiles();
    void neverOverwritesItsInput();
};

void TestCliRefusals::initTestCase()
{
    QVERIFY2(QFileInfo(test::commandLineProgram()).isExecutable(), qPrintable(test::commandLineProgram()));
    if (!obstacle().isEmpty())
        QSKIP(qPrintable(obstacle()));
}

void TestCliRefusals::refusesUsage_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("nothing") << QStringList {};
    QTest::newRow("unknown command") << QStringList { "fly", sample };
    QTest::newRow("command of a later version") << QStringList { "report", sample };
    QTest::newRow("no model") << QStringList { "inspect" };
    QTest::newRow("no data") << QStringList { "evaluate", sample };
    QTest::newRow("unknown option") << quick("evaluate", { "--fast" });
    QTest::newRow("absorbing without equalizing") << quick("evaluate", { "--absorb-high-bias" });
    QTest::newRow("unknown engine") << quick("evaluate", { "--engine", "analog" });
    QTest::newRow("unknown format") << quick("export", { "--format", "tflite", "--out", path("x.onnx") });
    QTest::newRow("bits too many") << quick("evaluate", { "--weight-bits", "17" });
    QTest::newRow("bits not a number") << quick("evaluate", { "--activation-bits", "few" });
    QTest::newRow("grid where one is wanted") << quick("evaluate", { "--weight-bits", "2..8" });
    QTest::newRow("unknown scope") << quick("evaluate", { "--scope", "everything" });
    QTest::newRow("unknown range") << quick("evaluate", { "--weight-range", "guess" });
    QTest::newRow("unknown preprocessing") << quick("evaluate", { "--preprocess", "magic" });
    QTest::newRow("name and numbers") << quick("evaluate", { "--preprocess", "unit", "--mean", "0" });
    QTest::newRow("bad layer override") << quick("evaluate", { "--layer", "conv1" });
    QTest::newRow("chart of unknown kind") << quick("sweep", { "--chart", path("x.bmp") });
    QTest::newRow("empty value") << QStringList { "evaluate", sample, "--data", "" };
    QTest::newRow("empty value, joined") << quick("evaluate", { "--plan=" });
    QTest::newRow("negative seed") << quick("evaluate", { "--seed", "-1" });
    QTest::newRow("seed too large") << quick("evaluate", { "--seed", "18446744073709551616" });
    QTest::newRow("no images") << quick("evaluate", { "--limit", "0" });
    QTest::newRow("std of zero") << quick("evaluate", { "--std", "0" });
    QTest::newRow("mean that is no number") << quick("evaluate", { "--mean", "nan" });
    QTest::newRow("no threads") << quick("evaluate", { "--threads", "0" });
    QTest::newRow("export without --out") << quick("export");
    QTest::newRow("layers without images") << QStringList { "layers", sample };
}

void TestCliRefusals::refusesUsage()
{
    QFETCH(QStringList, arguments);
    const auto outcome = run(arguments);
    QCOMPARE(outcome.status, 2);
    QCOMPARE(outcome.out, QByteArray());
    QVERIFY2(outcome.saysOneError(), outcome.err);
}

void TestCliRefusals::refusesModels_data()
{
    using namespace quantoscope::test;
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("word");
    const auto add
        = [&](const char* name, const QString& model, const QString& word) { QTest::newRow(name) << model << word; };
    QFile whole(sample);
    QVERIFY(whole.open(QIODevice::ReadOnly));
    const QByteArray bytes = whole.readAll();
    QByteArray noise(5000, 0);
    for (int i = 0; i < noise.size(); ++i)
        noise[i] = static_cast<char>((i * 7919 + 13) % 251 + 1);
    const auto graph = [](const std::vector<Wire>& nodes, const std::vector<Wire>& initializers = {}) {
        Wire wire;
        for (const auto& node : nodes)
            wire.message(onnx_field::Nodes, node);
        wire.text(onnx_field::GraphName, "g");
        for (const auto& initializer : initializers)
            wire.message(onnx_field::Initializers, initializer);
        wire.message(onnx_field::Inputs, wireValue("x", 1, { 1, 4 }))
            .message(onnx_field::Outputs, wireValue("y", 1, { 1, 4 }));
        return wireModel(wire);
    };
    add("absent", path("absent.onnx"), "no such file");
    add("a folder", folder(), "");
    add("empty", file("empty.onnx", QByteArray()), "empty");
    add("text", file("text.onnx", QByteArray("This is no model.\n")), "");
    add("random", file("random.onnx", noise), "");
    add("truncated", file("truncated.onnx", bytes.left(bytes.size() / 2)), "");
    add("cycle",
        file("cycle.onnx",
            graph({ wireNode("Add", { "x", "b" }, { "a" }), wireNode("Relu", { "a" }, { "b" }),
                wireNode("Relu", { "b" }, { "y" }) })),
        "cycle");
    add("missing initializer", file("missing.onnx", graph({ wireNode("Add", { "x", "w" }, { "y" }) })), "'w'");
    add("contradictory shapes",
        file("shapes.onnx",
            graph({ wireNode("Add", { "x", "w" }, { "y" }, {}, "sum") }, { floatTensor("w", { 1, 2, 3 }) })),
        "[3]");
    add("terabytes",
        file("huge.onnx",
            graph({ wireNode("Add", { "x", "w" }, { "y" }) }, { wireTensor("w", 1, { 1 << 20, 1 << 20 }) })),
        "");
    add("NaN weight",
        file("nan.onnx",
            graph({ wireNode("Add", { "x", "w" }, { "y" }) },
                { floatTensor("w", { 1, 2, std::numeric_limits<float>::quiet_NaN(), 4 }) })),
        "'w'");
    add("infinite weight",
        file("inf.onnx",
            graph({ wireNode("Add", { "x", "w" }, { "y" }) },
                { floatTensor("w", { 1, 2, std::numeric_limits<float>::infinity(), 4 }) })),
        "'w'");
    add("unknown operator", file("unknown.onnx", graph({ wireNode("Frobnicate", { "x" }, { "y" }, {}, "odd") })),
        "Frobnicate");
}

void TestCliRefusals::refusesModels()
{
    QFETCH(QString, model);
    QFETCH(QString, word);
    const auto outcome = run({ "evaluate", model, "--data", testImages, "--limit", "10" });
    QCOMPARE(outcome.status, 1);
    QCOMPARE(outcome.out, QByteArray());
    QVERIFY2(outcome.saysOneError(), outcome.err);
    QVERIFY2(outcome.err.contains(word.toUtf8()), outcome.err);
}

void TestCliRefusals::refusesData_data()
{
    QTest::addColumn<QStringList>("data");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("absent") << QStringList { "--data", path("absent.bin") } << QStringList { "no such" };
    QTest::newRow("wrong size") << QStringList { "--data-kind", "cifar10", "--data",
        file("odd.bin", QByteArray(3000, 'x')) }
                                << QStringList { "3,000", "3,073" };
    QTest::newRow("colour images for a gray model of another size")
        << QStringList { "--data-kind", "cifar10", "--data", file("cifar.bin", QByteArray(2 * 3073, '\1')) }
        << QStringList { "[batch, 1, 28, 28]", "[1, 32, 32]", "--resize 28" };
    const QByteArray images = QByteArray::fromHex("00000803000000020000001c0000001c") + QByteArray(2 * 28 * 28, '\5');
    const QByteArray labels = QByteArray::fromHex("0000080100000002") + QByteArray("\x03\xC8", 2);
    file("odd-labels-idx1-ubyte", labels);
    QTest::newRow("label out of range") << QStringList { "--data", file("odd-images-idx3-ubyte", images) }
                                        << QStringList { "label 200", "0..9", "belong together" };
    const auto classes = [this](const char* name, const QString& list, const QStringList& words) {
        QTest::newRow(name) << QStringList { "--data", testImages, "--limit", "10", "--classes", list } << words;
    };
    classes("class names that are absent", path("absent.txt"), { "no such file", "absent.txt", "check the path" });
    classes("no class names", file("none.txt", "\n"), { "names no classes", "none.txt", "one class name a line" });
    classes("too few class names", file("few.txt", "a\nb\n"), { "label 2 of the images has no name", "few.txt" });
    classes("class names that are a model", sample, { "is not a text file", "fashion_resnet20.onnx" });
    classes("class names in another encoding",
        file("latin.txt",
            "K\xE4"
            "fer\n"),
        { "latin.txt, line 1", "as UTF-8" });
    QDir(folder()).mkpath("pictures/a");
    QDir(folder()).mkpath("pictures/b");
    file("pictures/a/one.png", QByteArray("not a picture"));
    file("pictures/b/two.jpg", QByteArray("neither"));
    QTest::newRow("an image that is none") << QStringList { "--data", path("pictures") } << QStringList { "one.png" };
}

void TestCliRefusals::refusesData()
{
    QFETCH(QStringList, data);
    QFETCH(QStringList, words);
    const auto outcome = run(QStringList { "evaluate", sample } + data);
    QCOMPARE(outcome.status, 1);
    QCOMPARE(outcome.out, QByteArray());
    QVERIFY2(outcome.saysOneError(), outcome.err);
    for (const auto& word : words)
        QVERIFY2(outcome.err.contains(word.toUtf8()), outcome.err);
}

void TestCliRefusals::refusesUnwritableFiles()
{
    const QString nowhere = path("no/such/folder/");
    for (const auto& arguments :
        { quick("export", { "--out", nowhere + "x.onnx" }), quick("evaluate", { "--save-plan", nowhere + "x.json" }),
            quick("sweep", { "--weight-bits", "8", "--activation-bits", "8", "--csv", nowhere + "x.csv" }),
            quick("sweep", { "--weight-bits", "8", "--activation-bits", "8", "--chart", nowhere + "x.svg" }) }) {
        const auto outcome = run(arguments);
        QCOMPARE(outcome.status, 1);
        QVERIFY2(outcome.saysOneError(), outcome.err);
    }
}

void TestCliRefusals::neverOverwritesItsInput()
{
    const QString model = path("mine.onnx");
    QVERIFY(QFile::copy(sample, model));
    const QStringList data { "--data", testImages, "--limit", "20", "--calib", trainImages, "--calib-count", "8" };
    for (const auto& arguments : { QStringList { "export", model, "--out", model } + data,
             QStringList { "evaluate", model, "--save-plan", model } + data,
             QStringList { "sweep", model, "--csv", model } + data }) {
        const auto outcome = run(arguments);
        QCOMPARE(outcome.status, 1);
        QVERIFY2(outcome.err.contains("would overwrite"), outcome.err);
    }
    QCOMPARE(QFileInfo(model).size(), QFileInfo(sample).size());
    const QString classes = path("mine.txt");
    QVERIFY(QFile::copy(QS_SOURCE_DIR "/resources/samples/fashion_mnist_classes.txt", classes));
    const auto outcome = run(QStringList { "evaluate", sample, "--classes", classes, "--save-plan", classes } + data);
    QCOMPARE(outcome.status, 1);
    QVERIFY2(outcome.err.contains("would overwrite"), outcome.err);
}

QTEST_GUILESS_MAIN(TestCliRefusals)
#include "tst_cli_refusals.moc"
