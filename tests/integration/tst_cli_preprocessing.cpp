// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Images prepared otherwise than in the network's training: the command line says so, and with which options it would
// fit.
#include <QFileInfo>
#include <QTest>

#include "core/base/json.h"
#include "tests/support/command_line.h"

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
    void initTestCase();
    void saysWhatWouldFit();
    void isSilentWhereImagesFit();
};

void TestCliPreprocessing::initTestCase()
{
    if (!QFileInfo::exists(images))
        QSKIP("dataset-fashion-mnist is not installed");
}

void TestCliPreprocessing::saysWhatWouldFit()
{
    const QString notes = notesWith({ "--mean", "3", "--std", "0.1" });
    QVERIFY2(notes.contains("guessing would be on 10.00 %"), qPrintable(notes));
    QVERIFY2(notes.contains("with --preprocess unit it is right on 9"), qPrintable(notes));
}

void TestCliPreprocessing::isSilentWhereImagesFit()
{
    const QString notes = notesWith({ "--preprocess", "unit" });
    QVERIFY2(!notes.contains("guessing"), qPrintable(notes));
}

QTEST_GUILESS_MAIN(TestCliPreprocessing)
#include "tst_cli_preprocessing.moc"
