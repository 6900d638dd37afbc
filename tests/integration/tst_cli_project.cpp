// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// --project FILE: what was finished is never computed again and never lost.
#include <algorithm>
#include <csignal>
#include <optional>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "tests/support/command_line.h"

using namespace quantoscope;
using test::Outcome;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString testImages = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
const QString trainImages = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

/// The document of a run without what a clock decides.
Json figures(const QByteArray& text)
{
    Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    for (const auto* timed : { "seconds", "images_per_second" })
        json.erase(timed);
    return json;
}

/// "NAME: F results found, C computed" of what was said on standard error.
struct Use {
    int found = -1;
    int computed = -1;
};
Use useOf(const QByteArray& err)
{
    static const QRegularExpression line("qscope: ([\\d,]+) results found, ([\\d,]+) computed\n");
    const auto match = line.match(QString::fromUtf8(err));
    const auto number = [&](int i) { return match.captured(i).remove(',').toInt(); };
    return match.hasMatch() ? Use { number(1), number(2) } : Use {};
}

} // namespace

class TestCliProject : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void init() { m_folder.emplace(); } // each row begins with an empty folder
    void resumes_data();
    void resumes();
    void survivesKills();
    void interruptKeepsPoints();
    void secondProcessIsRefused();
    void mergesShards_data();
    void mergesShards();
    void refusesToMerge();
    void findsMovedModels();
    void refusesFiles();

private:
    QString path(const QString& name) const { return m_folder->filePath(name); }
    QStringList quick(const QString& command, const QStringList& more = {}) const;
    QStringList sweep(const QString& project, const QStringList& more = {}) const;
    /// Runs until `milliseconds` are over and then kills. The time it took if it ended before; 0 if it was killed.
    qint64 runAndKill(const QStringList& arguments, int milliseconds) const;

    std::optional<QTemporaryDir> m_folder;
};

void TestCliProject::initTestCase()
{
    QVERIFY2(QFileInfo(test::commandLineProgram()).isExecutable(), qPrintable(test::commandLineProgram()));
    for (const QString& needed : { sample, testImages, trainImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
    m_folder.emplace();
}

QStringList TestCliProject::quick(const QString& command, const QStringList& more) const
{
    return QStringList { command, sample, "--data", testImages, "--calib", trainImages, "--calib-count", "16",
        "--limit", "60", "--json" }
    + more;
}

/// Twelve points, of which a few are corrected, so that a kill hits planning as well as evaluating.
QStringList TestCliProject::sweep(const QString& project, const QStringList& more) const
{
    return quick("sweep", { "--weight-bits", "2..5", "--activation-bits", "4,6,float", "--bias-correction" })
        + (project.isEmpty() ? QStringList {} : QStringList { "--project", path(project) }) + more;
}

qint64 TestCliProject::runAndKill(const QStringList& arguments, int milliseconds) const
{
    QProcess process;
    process.setProcessEnvironment(test::environmentFor({}));
    QElapsedTimer timer;
    timer.start();
    process.start(test::commandLineProgram(), arguments);
    if (process.waitForFinished(milliseconds))
        return std::max<qint64>(1, timer.elapsed());
    ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
    process.waitForFinished(60'000);
    return 0;
}

void TestCliProject::resumes_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("results");
    QTest::newRow("evaluate") << QStringList { "evaluate", "--weight-bits", "3", "--activation-bits", "6",
        "--bias-correction" } << 2;
    QTest::newRow("sweep") << QStringList { "sweep", "--weight-bits", "3,float", "--activation-bits", "6,float" } << 4;
    QTest::newRow("sweep with the best flow")
        << QStringList { "sweep", "--weight-bits", "3", "--activation-bits", "6", "--flow", "best" } << 2;
    QTest::newRow("options") << QStringList { "options", "--weight-bits", "3", "--weight-ranges", "min-max;mse",
        "--correction-sets", "none,bias-correction" }
                             << 5;
}

/// The same document without a project, with a new one, and with one that has everything.
void TestCliProject::resumes()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, results);
    const auto command = quick(arguments.takeFirst(), arguments);
    const auto alone = test::runCommandLine(command);
    QVERIFY2(alone.status == 0, alone.err.constData());
    QCOMPARE(alone.err, QByteArray());
    for (const bool again : { false, true }) {
        const auto kept = test::runCommandLine(command + QStringList { "--project", path("study.qscope") });
        QVERIFY2(kept.status == 0, kept.err.constData());
        QVERIFY(figures(kept.out) == figures(alone.out));
        const auto [found, computed] = useOf(kept.err);
        QCOMPARE(computed, again ? 0 : results);
        QCOMPARE(found, again ? results : 0);
    }
    QCOMPARE(QDir(m_folder->path()).entryList(QDir::Files), QStringList { "study.qscope" });
}

/// kill -9 at random moments, resumed each time until the sweep is done; then anew, until there were enough kills.
/// QUANTOSCOPE_KILLS says how many (default 6); the seed of a failure is in the message.
void TestCliProject::survivesKills()
{
    const int wanted = std::max(1,
        qEnvironmentVariableIntValue("QUANTOSCOPE_KILLS") > 0 ? qEnvironmentVariableIntValue("QUANTOSCOPE_KILLS") : 6);
    const quint32 seed = qEnvironmentVariableIsSet("QUANTOSCOPE_KILL_SEED")
        ? qEnvironmentVariableIntValue("QUANTOSCOPE_KILL_SEED")
        : QRandomGenerator::global()->generate() & 0xFFFF;
    QRandomGenerator random(seed);
    QElapsedTimer timer;
    timer.start();
    const auto undisturbed = test::runCommandLine(sweep({}));
    const int whole = static_cast<int>(timer.elapsed());
    QVERIFY2(undisturbed.status == 0, undisturbed.err.constData());
    const Json expected = figures(undisturbed.out);
    QCOMPARE(expected["points"].size(), std::size_t { 12 });

    int kills = 0;
    int studies = 0;
    while (kills < wanted) {
        const QString project = QString("study%1.qscope").arg(++studies);
        // Each time so late that some work may be done, and so early that there may be some left.
        while (kills < wanted && runAndKill(sweep(project), 50 + random.bounded(whole)) == 0)
            ++kills;
        const auto last = test::runCommandLine(sweep(project));
        QVERIFY2(last.status == 0, qPrintable(QString("seed %1: ").arg(seed) + last.err));
        QVERIFY2(figures(last.out) == expected, qPrintable(QString("seed %1, kill %2").arg(seed).arg(kills)));
        const auto [found, computed] = useOf(last.err);
        QCOMPARE(found + computed, 13); // float is one more
    }
    qInfo("%d kills in %d studies, seed %u", kills, studies, seed);
}

void TestCliProject::interruptKeepsPoints()
{
    const auto undisturbed = test::runCommandLine(sweep({}));
    QProcess process;
    process.setProcessEnvironment(test::environmentFor({}));
    process.start(test::commandLineProgram(), sweep("study.qscope"));
    constexpr qint64 someResults = 150'000; // bytes of SQLite's log; the whole sweep writes several times as many
    QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(path("study.qscope-wal")).size() > someResults, 60'000);
    ::kill(static_cast<pid_t>(process.processId()), SIGINT);
    QVERIFY(process.waitForFinished(60'000));
    QCOMPARE(process.exitCode(), 130);
    const auto resumed = test::runCommandLine(sweep("study.qscope"));
    QVERIFY2(resumed.status == 0, resumed.err.constData());
    QVERIFY(figures(resumed.out) == figures(undisturbed.out));
    const auto [found, computed] = useOf(resumed.err);
    QVERIFY2(found > 0 && computed > 0, resumed.err.constData());
}

void TestCliProject::secondProcessIsRefused()
{
    QProcess first;
    first.setProcessEnvironment(test::environmentFor({}));
    first.start(test::commandLineProgram(), sweep("study.qscope"));
    QTRY_VERIFY_WITH_TIMEOUT(QFileInfo::exists(path("study.qscope")), 30'000);
    const auto second = test::runCommandLine(sweep("study.qscope"));
    QCOMPARE(second.status, 1);
    QVERIFY2(second.saysOneError(), second.err.constData());
    QVERIFY2(second.err.contains("process " + QByteArray::number(first.processId())), second.err.constData());
    first.kill();
    first.waitForFinished();
    QCOMPARE(test::runCommandLine(sweep("study.qscope")).status, 0);
}

void TestCliProject::mergesShards_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("shards");
    QTest::addColumn<QString>("list"); ///< of the document, that shards divide; empty: they do it in another way
    QTest::newRow("sweep") << QStringList { "sweep", "--weight-bits", "2..5", "--activation-bits", "4,6,float",
        "--bias-correction" }
                           << 5 << "points";
    QTest::newRow("sensitivity") << QStringList { "sensitivity", "--weight-bits", "3", "--activation-bits", "float" }
                                 << 3 << "layers";
    QTest::newRow("options") << QStringList { "options", "--weight-bits", "3,4", "--activation-bits", "float",
        "--weight-ranges", "min-max;mse", "--weight-granularities", "tensor,channel" }
                             << 3 << "rows";
    QTest::newRow("more shards than options") << QStringList { "options", "--weight-bits", "4", "--activation-bits",
        "float", "--weight-ranges", "min-max;mse" }
                                              << 3 << "rows";
    QTest::newRow("search") << QStringList { "search", "--weight-bits", "3,6", "--activation-bits", "8", "--budget",
        "size=W6A8", "--refine", "0" }
                            << 2 << "";
}

/// The whole is the one of a single process, and finds everything that was measured in the parts.
void TestCliProject::mergesShards()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, shards);
    QFETCH(QString, list);
    const auto command = quick(arguments.takeFirst(), arguments);
    const auto whole = test::runCommandLine(command);
    QVERIFY2(whole.status == 0, whole.err.constData());
    QStringList parts;
    std::size_t items = 0;
    for (int i = 1; i <= shards; ++i) {
        parts << path(QString("part%1.qscope").arg(i));
        const auto part = test::runCommandLine(
            command + QStringList { "--project", parts.back(), "--shard", QString("%1/%2").arg(i).arg(shards) });
        QVERIFY2(part.status == 0, part.err.constData());
        items += list.isEmpty() ? 0 : figures(part.out)[list.toStdString()].size();
    }
    if (!list.isEmpty())
        QCOMPARE(items, figures(whole.out)[list.toStdString()].size());
    const auto merged = test::runCommandLine(QStringList { "merge", path("all.qscope") } + parts);
    QVERIFY2(merged.status == 0, merged.err.constData());
    const auto all = test::runCommandLine(command + QStringList { "--project", path("all.qscope") });
    QVERIFY2(all.status == 0, all.err.constData());
    QVERIFY(figures(all.out) == figures(whole.out));
    if (!list.isEmpty())
        QCOMPARE(useOf(all.err).computed, 0);
    QVERIFY(useOf(all.err).found > 0);
}

void TestCliProject::refusesToMerge()
{
    const QStringList one { "--weight-bits", "4", "--activation-bits", "8" };
    const auto make = [&](const QString& name, const QStringList& more) {
        return test::runCommandLine(quick("sweep", one + more + QStringList { "--project", path(name) })).status;
    };
    QCOMPARE(make("a.qscope", {}), 0);
    QCOMPARE(make("seed.qscope", { "--seed", "7" }), 0);
    QCOMPARE(make("rounding.qscope", { "--rounding", "floor" }), 0);
    QCOMPARE(make("model.qscope", { "--fold-batch-norm", "off" }), 0); // another network
    for (const auto& [other, says] : { std::pair("seed.qscope", "differs in seed, data"),
             std::pair("rounding.qscope", "differs in request"), std::pair("model.qscope", "differs in model") }) {
        const auto merged = test::runCommandLine({ "merge", path("all.qscope"), path("a.qscope"), path(other) });
        QCOMPARE(merged.status, 1);
        QVERIFY2(merged.saysOneError() && merged.err.contains(says), merged.err.constData());
        QVERIFY(!QFileInfo::exists(path("all.qscope")));
    }
    for (const QString shard : { "0/2", "3/2", "1", "1/0", "a/b", "1/2x" }) {
        const auto refused = test::runCommandLine(sweep("a.qscope", { "--shard", shard }));
        QCOMPARE(refused.status, 2);
        QVERIFY2(refused.saysOneError(), refused.err.constData());
    }
}

void TestCliProject::findsMovedModels()
{
    const QString model = path("model.onnx");
    QVERIFY(QFile::copy(sample, model));
    QVERIFY(QDir(m_folder->path()).mkdir("elsewhere"));
    const QStringList arguments { "evaluate", model, "--data", testImages, "--calib", trainImages, "--calib-count",
        "16", "--limit", "60", "--json", "--project", path("study.qscope") };
    QCOMPARE(test::runCommandLine(arguments).status, 0);
    QVERIFY(QFile::rename(model, path("elsewhere/renamed.onnx")));
    const auto asked = test::runCommandLine(arguments);
    QCOMPARE(asked.status, 1);
    QVERIFY2(asked.saysOneError() && asked.err.contains("say where it is now"), asked.err.constData());
    const auto found = test::runCommandLine(arguments + QStringList { "--look-in", path("elsewhere") });
    QVERIFY2(found.status == 0, found.err.constData());
    QVERIFY(figures(found.out)["model"].get<std::string>().ends_with("elsewhere/renamed.onnx"));
    QCOMPARE(useOf(found.err).computed, 0);
}

void TestCliProject::refusesFiles()
{
    const auto refused = [&](const QString& project) {
        const auto outcome = test::runCommandLine(quick("evaluate", { "--project", project }));
        return outcome.status == 1 && outcome.saysOneError() && outcome.out.isEmpty();
    };
    QFile text(path("text.qscope"));
    QVERIFY(text.open(QIODevice::WriteOnly) && text.write("not a project") > 0);
    text.close();
    QVERIFY(refused(path("text.qscope")));
    QCOMPARE(QFileInfo(path("text.qscope")).size(), 13);
    QVERIFY(refused(m_folder->path()));
    QVERIFY(refused(path("no/folder.qscope")));
    QVERIFY(refused(sample));
}

QTEST_GUILESS_MAIN(TestCliProject)
#include "tst_cli_project.moc"
