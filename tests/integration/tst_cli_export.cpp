// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
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

} // namespace

class TestCliExport : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        if (!QFileInfo::exists(testImages))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + testImages + " is absent"));
    }

    void writes_data()
    {
        QTest::addColumn<QStringList>("options");
        QTest::addColumn<bool>("isModel");
        QTest::addColumn<double>("container"); ///< bits a weight takes on disk; 0: not in the file
        QTest::newRow("qdq") << QStringList { "--format", "qdq" } << true << 8.0;
        QTest::newRow("qdq, native") << QStringList { "--containers", "native" } << true << 4.0;
        QTest::newRow("qonnx") << QStringList { "--format", "qonnx" } << true << 32.0;
        QTest::newRow("float") << QStringList { "--format", "float" } << true << 32.0;
        QTest::newRow("encodings") << QStringList { "--format", "encodings" } << false << 0.0;
        QTest::newRow("csv") << QStringList { "--format", "csv" } << false << 0.0;
    }

    void writes()
    {
        QFETCH(QStringList, options);
        QFETCH(bool, isModel);
        QFETCH(double, container);
        const QString file = m_folder.filePath("out");
        const auto outcome = test::runCommandLine(
            QStringList { "export", sample, "--data", testImages, "--limit", "64", "--calib-count", "32",
                "--weight-bits", "4", "--activation-bits", "8", "--out", file, "--json" }
            + options);
        QVERIFY2(outcome.status == 0, outcome.err);
        const Json json = Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false);
        QCOMPARE(json["bytes"].get<qint64>(), QFileInfo(file).size());
        QCOMPARE(json["opset"].is_null(), !isModel);
        QCOMPARE(json["checks"].is_null(), !isModel);
        if (isModel) {
            QCOMPARE(json["checks"]["agreement"].get<double>(), 100.0);
            QVERIFY(json["checks"]["first_difference"].is_null());
        }
        std::size_t weights = 0;
        for (const auto& tensor : json["containers"]["tensors"]) {
            if (tensor["kind"] != "weight")
                continue;
            ++weights;
            QCOMPARE(tensor["computed_in"].is_null(), json["format"] != "qdq");
            QCOMPARE(tensor["bits"].get<int>(), 4);
            QCOMPARE(tensor["bytes_on_disk"].get<double>(), tensor["elements"].get<double>() * container / 8);
        }
        QCOMPARE(weights, std::size_t { 22 });
    }

    void listsTensorsToPeople()
    {
        const auto outcome = test::runCommandLine({ "export", sample, "--calib", testImages, "--calib-count", "32",
            "--weight-bits", "4", "--tensors", "--out", m_folder.filePath("listed.onnx") });
        QVERIFY2(outcome.status == 0, outcome.err);
        QVERIFY(outcome.out.contains("int8, values restricted to 4 bits"));
        QVERIFY2(outcome.out.contains("float, because its bias is float"), outcome.out);
        QVERIFY(outcome.out.contains("wider than the word-lengths"));
        QVERIFY(outcome.out.contains("the scope 'integer' makes integers of both"));
    }

private:
    QTemporaryDir m_folder;
};

QTEST_GUILESS_MAIN(TestCliExport)
#include "tst_cli_export.moc"
