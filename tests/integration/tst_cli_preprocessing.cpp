// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Images prepared otherwise than in the network's training: the command line says so, and with which options it would
// fit.
#include <QFileInfo>
#include <QTest>

#include "core/base/json.h"
#include "tests/support/command_line.h"
#include "tests/support/tiny_files.h"

using namespace quantoscope;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

/// Notes of an evaluation of the float network on a few images, joined.
QString notesWith(const QStringList& options)
{
    const auto outcome = test::runCommandLine(QStringList { "evaluate", sample, "--data", images, "--limit", "200",
                                                  "--weight-bits", "float", "--activation-bits", "float", "--json" }
        + options);
    const auto document = Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false);
    if (outcome.status != 0 || !document.is_object())
        return "no document: " + QString::fromUtf8(outcome.err);
    QStringList notes;
    for (const auto& note : document.value("notes", Json::array()))
        notes << QString::fromStdString(note.get<std::string>());
    return notes.join('\n');
}

} // namespace

class TestCliPreprocessing : public QObject {
    Q_OBJECT

private slots:
    void saysWhatWouldFit();
    void isSilentWhereImagesFit();
    void inputsNeedNotBeSquare_data();
    void inputsNeedNotBeSquare();
    void refusesWhatIsNoSize();
};

void TestCliPreprocessing::saysWhatWouldFit()
{
    if (!QFileInfo::exists(images))
        QSKIP("dataset-fashion-mnist is not installed");
    const QString notes = notesWith({ "--mean", "3", "--std", "0.1" });
    QVERIFY2(notes.contains("guessing would be on 10.00 %"), qPrintable(notes));
    QVERIFY2(notes.contains("with --preprocess unit it is right on 9"), qPrintable(notes));
}

void TestCliPreprocessing::isSilentWhereImagesFit()
{
    if (!QFileInfo::exists(images))
        QSKIP("dataset-fashion-mnist is not installed");
    const QString notes = notesWith({ "--preprocess", "unit" });
    QVERIFY2(!notes.contains("guessing"), qPrintable(notes));
}

void TestCliPreprocessing::inputsNeedNotBeSquare_data()
{
    QTest::addColumn<QStringList>("sizes");
    QTest::addColumn<QString>("said"); // of a refusal: the way out
    QTest::addColumn<bool>("works");
    QTest::newRow("nothing said") << QStringList() << "--resize 32x24" << false;
    QTest::newRow("square") << QStringList { "--crop", "24" } << "--resize 32x24" << false;
    QTest::newRow("the other way round") << QStringList { "--resize", "24x32" } << "--resize 32x24" << false;
    QTest::newRow("both sides") << QStringList { "--resize", "32x24" } << "resized to 32 x 24" << true;
    QTest::newRow("crop") << QStringList { "--crop", "32x24" } << "centre 32 x 24" << true;
    QTest::newRow("both") << QStringList { "--resize", "40", "--crop", "32x24" } << "shorter side 40, centre 32 x 24"
                          << true;
    QTest::newRow("calibration otherwise") << QStringList { "--crop", "32x24", "--calib", "data_batch_1.bin",
        "--calib-resize", "32x24", "--calib-crop", "32x24" }
                                           << "centre 32 x 24" << true;
    QTest::newRow("calibration that does not fit") << QStringList { "--crop", "32x24", "--calib", "data_batch_1.bin",
        "--calib-crop", "24" } << "--resize 32x24" << false;
}

void TestCliPreprocessing::inputsNeedNotBeSquare()
{
    QFETCH(QStringList, sizes);
    QFETCH(QString, said);
    QFETCH(bool, works);
    const test::TinyFiles wide(16, test::smallConvNet(3, 24, 32, 10));
    const QString data = QString::fromStdString(wide.images().string());
    for (QString& option : sizes)
        if (option.endsWith(".bin"))
            option = QString::fromStdString(wide.calibration().string());
    const auto outcome = test::runCommandLine(
        QStringList { "evaluate", wide.modelPath(), "--data", data, "--calib-count", "8", "--json" } + sizes);
    QVERIFY2((outcome.status == 0) == works, outcome.err.constData());
    const QByteArray text = works ? outcome.out : outcome.err;
    QVERIFY2(text.contains(said.toUtf8()), text.constData());
    QVERIFY2(works || outcome.saysOneError(), outcome.err.constData());
}

void TestCliPreprocessing::refusesWhatIsNoSize()
{
    for (const QString& option : QStringList { "--resize", "--crop", "--calib-resize", "--calib-crop" }) {
        const auto outcome = test::runCommandLine({ "evaluate", sample, "--data", images, option, "224px" });
        QCOMPARE(outcome.status, 2);
        QVERIFY2(outcome.err.contains(option.toUtf8()) && outcome.err.contains("320x240"), outcome.err.constData());
    }
}

QTEST_GUILESS_MAIN(TestCliPreprocessing)
#include "tst_cli_preprocessing.moc"
