// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Statistics of calibration images that outlive a run of the command line.
#include <QDirIterator>
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

QStringList filesBelow(const QString& folder)
{
    QStringList files;
    for (QDirIterator entry(folder, QDir::Files, QDirIterator::Subdirectories); entry.hasNext();)
        files << entry.next();
    return files;
}

} // namespace

class TestCliStatistics : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void nextRunNeedsNoInference();
    void switchedOff_data();
    void switchedOff();
    void damageIsRepaired();
    void unusableFolder();

private:
    /// What `evaluate --json` says, keeping statistics below `cacheHome`.
    Json evaluate(const QString& cacheHome, const QStringList& more = {}, const QString& images = "16") const;
    static QString source(const Json& json)
    {
        return json.contains("statistics") ? QString::fromStdString(json["statistics"].get<std::string>()) : QString();
    }
};

void TestCliStatistics::initTestCase()
{
    for (const QString& needed : { sample, testImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
}

Json TestCliStatistics::evaluate(const QString& cacheHome, const QStringList& more, const QString& images) const
{
    test::RunOptions options;
    options.cacheHome = cacheHome;
    const auto outcome = test::runCommandLine(
        QStringList { "evaluate", sample, "--data", testImages, "--calib-count", images, "--limit", "50", "--json" }
            + more,
        options);
    if (outcome.status != 0)
        qFatal("%s", outcome.err.constData());
    return Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false);
}

void TestCliStatistics::nextRunNeedsNoInference()
{
    const QTemporaryDir folder;
    const Json first = evaluate(folder.path(), { "--activation-bits", "4" });
    QCOMPARE(source(first), QString());
    QCOMPARE(filesBelow(folder.path()).size(), 1);
    const Json again = evaluate(folder.path(), { "--activation-bits", "4" });
    QCOMPARE(source(again), QString("from the cache"));
    QVERIFY(again["quantized"] == first["quantized"]);
    // Another word-length and estimator need no other statistics, other images do.
    QCOMPARE(source(evaluate(folder.path(), { "--activation-bits", "6", "--activation-range", "mse" })),
        QString("from the cache"));
    QCOMPARE(source(evaluate(folder.path(), {}, "15")), QString());
    QCOMPARE(filesBelow(folder.path()).size(), 2);
}

void TestCliStatistics::switchedOff_data()
{
    QTest::addColumn<bool>("byOption");
    QTest::newRow("--no-cache") << true;
    QTest::newRow("QUANTOSCOPE_NO_CACHE") << false;
}

void TestCliStatistics::switchedOff()
{
    QFETCH(bool, byOption);
    const QTemporaryDir folder;
    const QStringList off = byOption ? QStringList { "--no-cache" } : QStringList {};
    for (int run = 0; run < 2; ++run)
        QCOMPARE(source(evaluate(byOption ? folder.path() : QString(), off)), QString());
    QVERIFY(filesBelow(folder.path()).isEmpty());
}

void TestCliStatistics::damageIsRepaired()
{
    const QTemporaryDir folder;
    const Json first = evaluate(folder.path());
    QFile file(filesBelow(folder.path()).value(0));
    QVERIFY(file.open(QIODevice::ReadWrite));
    QVERIFY(file.resize(file.size() / 2));
    file.close();
    const Json second = evaluate(folder.path());
    QCOMPARE(source(second), QString());
    QVERIFY(second["quantized"] == first["quantized"]);
    QCOMPARE(source(evaluate(folder.path())), QString("from the cache"));
}

void TestCliStatistics::unusableFolder()
{
    const QTemporaryDir folder;
    QFile file(folder.filePath("file"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(source(evaluate(file.fileName())), QString());
}

QTEST_GUILESS_MAIN(TestCliStatistics)
#include "tst_cli_statistics.moc"
