// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// The built command line program where a file cannot be written: one clear message, and everything as it was.
#include <csignal>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>

#include "tests/support/command_line.h"
#include "tests/support/ordinary_user.h"

using namespace quantoscope;
using test::runCommandLine;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString testImages = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
const QByteArray oldContent = "what was here before\n";

QStringList quick(const QString& command, const QStringList& more)
{
    return QStringList { command, sample, "--data", testImages, "--limit", "20", "--calib", testImages, "--calib-count",
        "8" }
    + more;
}

/// Every option that writes a file, with what the file may be called.
void addWriters()
{
    QTest::addColumn<QString>("command");
    QTest::addColumn<QStringList>("option");
    QTest::addColumn<QString>("name");
    const QStringList onePoint { "--weight-bits", "8", "--activation-bits", "8" };
    QTest::newRow("--save-plan") << "evaluate" << QStringList { "--save-plan" } << "plan.json";
    QTest::newRow("--csv") << "sweep" << onePoint + QStringList { "--csv" } << "sweep.csv";
    for (const QString kind : { "png", "svg", "pdf" })
        QTest::newRow(qPrintable("--chart " + kind))
            << "sweep" << onePoint + QStringList { "--chart" } << "chart." + kind;
    QTest::newRow("--out") << "export" << QStringList { "--out" } << "model.onnx";
}

} // namespace

class TestCliOutputFiles : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void init();
    void cleanup();
    void noPermission_data() { addWriters(); }
    void noPermission();
    void diskFull_data() { addWriters(); }
    void diskFull();
    void writesWhatItMay_data() { addWriters(); }
    void writesWhatItMay();
    void standardOutputFull_data();
    void standardOutputFull();

private:
    QStringList arguments(const QString& file) const;
    void checkRefused(const test::Outcome& outcome, const QString& hint) const;
    void checkUntouched(const QStringList& files) const;

    QTemporaryDir m_outside;
    QString m_folder; ///< in which nothing can be written
};

void TestCliOutputFiles::initTestCase()
{
    for (const QString& needed : { sample, testImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
    QVERIFY2(QFileInfo(test::commandLineProgram()).isExecutable(), qPrintable(test::commandLineProgram()));
    QVERIFY(m_outside.isValid());
    QVERIFY(QFile::setPermissions(m_outside.path(), QFile::Permissions(0x7755))); // others may come in
    m_folder = m_outside.filePath("closed");
}

void TestCliOutputFiles::init() { QVERIFY(QDir().mkdir(m_folder)); }

void TestCliOutputFiles::cleanup()
{
    QFile::setPermissions(m_folder, QFile::Permissions(0x7755));
    QDir(m_folder).removeRecursively();
}

QStringList TestCliOutputFiles::arguments(const QString& file) const
{
    const auto command = *static_cast<QString*>(QTest::qData("command", QMetaType::QString));
    const auto option = *static_cast<QStringList*>(QTest::qData("option", QMetaType::QStringList));
    return quick(command, option + QStringList { m_folder + "/" + file });
}

/// One line that names the place and says what to do about it.
void TestCliOutputFiles::checkRefused(const test::Outcome& outcome, const QString& hint) const
{
    QVERIFY2(outcome.saysOneError(), outcome.err);
    QVERIFY2(outcome.err.contains((": " + m_folder).toUtf8()), outcome.err);
    QVERIFY2(outcome.err.endsWith((": " + hint + "\n").toUtf8()), outcome.err);
    QCOMPARE(outcome.status, 1);
}

void TestCliOutputFiles::checkUntouched(const QStringList& files) const
{
    QCOMPARE(QDir(m_folder).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), files);
    for (const auto& name : files) {
        QFile file(m_folder + "/" + name);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), oldContent);
    }
}

void TestCliOutputFiles::noPermission()
{
    QFETCH(QString, name);
    const test::RunOptions asOrdinaryUser { .inChild = test::becomeOrdinaryUser };
    if (runCommandLine({ "inspect", sample }, asOrdinaryUser).status != 0)
        QSKIP("SKIPPED: an ordinary user cannot run the program from this build folder");
    for (const bool existing : { false, true }) {
        if (existing) {
            QFile old(m_folder + "/" + name);
            QVERIFY(old.open(QIODevice::WriteOnly) && old.write(oldContent) == oldContent.size());
        }
        QVERIFY(QFile::setPermissions(m_folder, QFile::Permissions(0x5555)));
        checkRefused(runCommandLine(arguments(name), asOrdinaryUser), "choose another one");
        checkUntouched(existing ? QStringList { name } : QStringList {});
        QVERIFY(QFile::setPermissions(m_folder, QFile::Permissions(0x7755)));
    }
}

void TestCliOutputFiles::diskFull()
{
    QFETCH(QString, name);
    // What the system does at this limit differs from a full disk in the error's number only.
    const auto noSpace = [] {
        constexpr rlimit limit { 100, 100 }; // bytes a file
        std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &limit);
    };
    for (const bool existing : { false, true }) {
        if (existing) {
            QFile old(m_folder + "/" + name);
            QVERIFY(old.open(QIODevice::WriteOnly) && old.write(oldContent) == oldContent.size());
        }
        checkRefused(runCommandLine(arguments(name), { .inChild = noSpace }), "free some space");
        checkUntouched(existing ? QStringList { name } : QStringList {});
    }
}

/// That the two above fail for the reason they are meant to.
void TestCliOutputFiles::writesWhatItMay()
{
    QFETCH(QString, name);
    const auto outcome = runCommandLine(arguments(name));
    QVERIFY2(outcome.status == 0, outcome.err);
    QCOMPARE(QDir(m_folder).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList { name });
    QVERIFY(QFileInfo(m_folder + "/" + name).size() > 100);
}

void TestCliOutputFiles::standardOutputFull_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("text") << QStringList { "inspect", sample };
    QTest::newRow("--json") << quick("evaluate", { "--json" });
}

void TestCliOutputFiles::standardOutputFull()
{
    QFETCH(QStringList, arguments);
    if (!QFileInfo::exists("/dev/full"))
        QSKIP("this system has no /dev/full");
    const auto outcome = runCommandLine(arguments, { .standardOutput = "/dev/full" });
    QCOMPARE(outcome.status, 1);
    QVERIFY2(outcome.saysOneError() && outcome.err.contains("standard output"), outcome.err);
}

QTEST_GUILESS_MAIN(TestCliOutputFiles)
#include "tst_cli_output_files.moc"
