// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Corrections, best flow, how sure ranges are, and the comparison of options as the command line shows them.
#include <cmath>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
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

const QStringList lowBits { "--weight-bits", "3", "--activation-bits", "6", "--weight-range", "mse" };
constexpr double heldBack = 8; ///< of 40 calibration images

QStringList quick(const QString& command, const QStringList& more, const QString& calibrationImages = "40")
{
    return QStringList { command, sample, "--data", testImages, "--calib", trainImages, "--calib-count",
        calibrationImages, "--limit", "100" }
    + more;
}

Outcome run(const QString& command, const QStringList& more) { return test::runCommandLine(quick(command, more)); }

Json parse(const QByteArray& text) { return Json::parse(text.begin(), text.end(), nullptr, false); }

/// What the command printed as JSON; null after a failure, with a warning.
Json json(const QString& command, const QStringList& more)
{
    const auto outcome = run(command, more + QStringList { "--json" });
    if (outcome.status != 0)
        qWarning("%s", outcome.err.constData());
    return outcome.status == 0 ? parse(outcome.out) : Json();
}

QStringList namesOf(const Json& corrections)
{
    QStringList names;
    for (const auto& row : corrections)
        names << QString::fromStdString(row["name"]);
    return names;
}

} // namespace

class TestCliCorrections : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void eachFlag_data();
    void eachFlag();
    void tablesForPeople();
    void correctionsBringTheNetworkBack();
    void withoutTheGuard();
    void bestFlow();
    void bestFlowLeavesWhatIsFixed();
    void savedPlansKeepCorrections_data();
    void savedPlansKeepCorrections();
    void savedPlansTellOperatorsAndBiases();
    void rangesTellHowSureTheyAre();
    void options();
    void optionsToFiles();
    void refuses_data();
    void refuses();
    void interrupt_data();
    void interrupt();

private:
    QString path(const QString& name) const { return m_folder.filePath(name); }

    QTemporaryDir m_folder;
};

void TestCliCorrections::initTestCase()
{
    QVERIFY(m_folder.isValid());
    for (const QString& needed : { sample, testImages, trainImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
}

void TestCliCorrections::eachFlag_data()
{
    QTest::addColumn<QStringList>("flags");
    QTest::addColumn<QStringList>("corrections");
    const auto row = [](const char* name, const QStringList& flags, const QStringList& corrections) {
        QTest::newRow(name) << flags << corrections;
    };
    row("cross-layer equalization", { "--equalize" }, { "equalize" });
    row("channel balancing", { "--balance" }, { "balance" });
    row("high-bias absorption", { "--equalize", "--absorb-high-bias" }, { "equalize", "absorb-high-bias" });
    row("error-compensating rounding", { "--compensate" }, { "compensate" });
    row("adaptive rounding", { "--adaptive-rounding" }, { "adaptive-rounding" });
    row("layer reconstruction", { "--reconstruct" }, { "reconstruct" });
    row("gain correction", { "--gain-correction" }, { "gain-correction" });
    row("bias correction", { "--bias-correction" }, { "bias-correction" });
    row("error-compensating rounding before the others", { "--bias-correction", "--gain-correction", "--compensate" },
        { "compensate", "gain-correction", "bias-correction" });
}

void TestCliCorrections::eachFlag()
{
    QFETCH(QStringList, flags);
    QFETCH(QStringList, corrections);
    const Json document = json("evaluate", lowBits + flags);
    QVERIFY(!document.is_null());
    QCOMPARE(namesOf(document["corrections"]), corrections);
    for (const auto& row : document["corrections"]) {
        const double before = row["agreement_before"];
        const double after = row["agreement_after"];
        // Eight of the forty images are held back.
        QCOMPARE(before * heldBack / 100, std::round(before * heldBack / 100));
        QVERIFY(!row["kept"].get<bool>() || after >= before);
        QVERIFY(!row["reason"].get<std::string>().empty());
    }
}

/// Names instead of words, and where a correction was undone.
void TestCliCorrections::tablesForPeople()
{
    const auto outcome = run("evaluate", lowBits + QStringList { "--equalize", "--compensate", "--bias-correction" });
    QVERIFY2(outcome.status == 0, outcome.err);
    for (const char* words : { "cross-layer equalization", "error-compensating rounding", "bias correction",
             "on the calibration images held back" })
        QVERIFY2(outcome.out.contains(words), outcome.out);
    for (const QByteArray& line : outcome.out.split('\n')) {
        const auto cut = line.indexOf("kept but for ");
        if (cut >= 0 && line.endsWith(" layers"))
            QVERIFY2(outcome.out.contains("\nbias correction undone in "), outcome.out);
    }
}

void TestCliCorrections::correctionsBringTheNetworkBack()
{
    const Json plain = json("evaluate", lowBits);
    const Json corrected = json("evaluate", lowBits + QStringList { "--compensate", "--bias-correction" });
    QVERIFY(plain["corrections"].empty());
    QVERIFY(corrected["agreement"].get<double>() > plain["agreement"].get<double>() + 5);
    QVERIFY(corrected["scope"].get<std::string>().find("compensated") != std::string::npos);
    QVERIFY(corrected["cost"] == plain["cost"]);
}

void TestCliCorrections::withoutTheGuard()
{
    const Json document = json("evaluate", lowBits + QStringList { "--gain-correction", "--guard", "off" });
    QCOMPARE(document["corrections"].size(), std::size_t { 1 });
    const auto& row = document["corrections"][0];
    QVERIFY(row["kept"].get<bool>());
    QVERIFY(row["divergence_before"].is_null() && row["divergence_after"].is_null());
    const auto few
        = test::runCommandLine(quick("evaluate", lowBits + QStringList { "--gain-correction", "--json" }, "4"));
    QVERIFY(parse(few.out)["notes"].dump().find("fewer than five calibration images") != std::string::npos);
}

void TestCliCorrections::bestFlow()
{
    const Json document = json("evaluate", { "--weight-bits", "3", "--activation-bits", "4", "--flow", "best" });
    QVERIFY(!document.is_null());
    const auto& flow = document["flow"];
    QVERIFY(flow["agreement_best"].get<double>() > flow["agreement_plain"].get<double>());
    // One choice a stage, the last of which is the network that was evaluated.
    std::map<std::string, int> chosen;
    std::set<std::string> ranges;
    for (const auto& step : flow["steps"]) {
        chosen[step["stage"]] += step["chosen"].get<bool>() ? 1 : 0;
        if (step["stage"] == "ranges of activations")
            ranges.insert(step["choice"]);
    }
    QCOMPARE(ranges.size(), std::size_t { 6 });
    for (const char* stage : { "ranges of activations", "ranges of weights, corrected", "reconstruction" })
        QVERIFY2(chosen[stage] == 1, stage);
    QVERIFY(document["scope"].get<std::string>().find("W3 A4") == 0);
}

void TestCliCorrections::bestFlowLeavesWhatIsFixed()
{
    const Json document = json("evaluate",
        { "--weight-bits", "4", "--activation-bits", "float", "--weight-range", "min-max", "--equalize", "--flow",
            "best" });
    QVERIFY(!document.is_null());
    for (const auto& step : document["flow"]["steps"]) {
        QVERIFY(step["stage"] != "ranges of activations" && step["stage"] != "equalization");
        if (step["stage"] == "ranges of weights, corrected")
            QCOMPARE(step["choice"].get<std::string>(), std::string("min-max"));
    }
    QVERIFY(document["scope"].get<std::string>().find("per channel min-max") != std::string::npos);
}

void TestCliCorrections::savedPlansKeepCorrections_data()
{
    QTest::addColumn<QStringList>("flags");
    QTest::newRow("compensated and bias-corrected") << QStringList { "--compensate", "--bias-correction" };
    QTest::newRow("equalized, high biases absorbed") << QStringList { "--equalize", "--absorb-high-bias" };
    QTest::newRow("balanced and reconstructed") << QStringList { "--balance", "--reconstruct" };
    QTest::newRow("balanced, integer") << QStringList { "--balance", "--scope", "integer" };
    QTest::newRow("all of that, integer") << QStringList { "--equalize", "--absorb-high-bias", "--compensate",
        "--bias-correction", "--scope", "integer" };
}

/// The plan alone makes the same network, and the errors of its tensors are against the same float network.
void TestCliCorrections::savedPlansKeepCorrections()
{
    QFETCH(QStringList, flags);
    const QString plan = path("plan.json");
    const QStringList unguarded { "--guard", "off" };
    const Json first = json("layers", lowBits + flags + unguarded + QStringList { "--save-plan", plan });
    const QStringList reload { "layers", sample, "--data", testImages, "--limit", "100", "--plan", plan, "--json" };
    const auto outcome = test::runCommandLine(reload);
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json again = parse(outcome.out);
    QVERIFY(!again.contains("calibration"));
    QCOMPARE(again["scope"].get<std::string>(), first["scope"].get<std::string>());
    QCOMPARE(again["tensors"].size(), first["tensors"].size());
    for (std::size_t i = 0; i < first["tensors"].size(); ++i)
        for (const char* member : { "name", "sqnr_db", "mse", "own_error", "inherited_error", "encoding" })
            QVERIFY2(again["tensors"][i][member] == first["tensors"][i][member],
                first["tensors"][i]["name"].get<std::string>().c_str());
}

void TestCliCorrections::savedPlansTellOperatorsAndBiases()
{
    const QString plan = path("microcontroller.json");
    QVERIFY(run("evaluate", { "--profile", "mcu-8bit-power-of-two", "--save-plan", plan }).status == 0);
    QFile file(plan);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const Json saved = parse(file.readAll());
    QCOMPARE(saved["bias_room"].get<std::string>(), std::string("shift"));
    QVERIFY(saved["float_operators"] == Json::array({ "Softmax" }));
    // A change keeps to it without the profile being named again.
    const Json changed = json("evaluate", { "--plan", plan, "--layer", "fc:weight-range=mse" });
    QVERIFY(!changed["bias_remedies"].empty());
    for (const auto& remedy : changed["bias_remedies"])
        QCOMPARE(remedy["room"].get<std::string>(), std::string("shift"));
}

void TestCliCorrections::rangesTellHowSureTheyAre()
{
    const auto outcome = run("layers", { "--json", "--activation-range", "percentile:99.9" });
    const Json document = parse(outcome.out);
    int sure = 0;
    for (const auto& tensor : document["tensors"]) {
        const auto& confidence = tensor["range_confidence"];
        QCOMPARE(confidence.is_null(), tensor["kind"] != "activation");
        if (confidence.is_null())
            continue;
        for (const char* end : { "low", "high" }) {
            const auto& interval = confidence[end]["ci95"];
            QVERIFY(interval[0] <= confidence[end]["value"] && confidence[end]["value"] <= interval[1]);
        }
        QVERIFY(confidence["blocks"].get<int>() >= 5);
        sure += confidence["more_images_help"].get<bool>() ? 0 : 1;
    }
    QVERIFY(sure > 0);
    // Three images are too few to tell anything.
    const auto few = test::runCommandLine(quick("layers", {}, "3"));
    QVERIFY2(few.out.contains("More calibration images would help: "), few.out);
    // Weights are known; nothing is said of them.
    const auto weights = run("layers", { "--activation-bits", "float" });
    QVERIFY(weights.status == 0 && !weights.out.contains("alibration images would"));
}

void TestCliCorrections::options()
{
    const Json document = json("options",
        { "--weight-bits", "3", "--activation-bits", "float,8", "--weight-ranges", "min-max;mse",
            "--weight-granularities", "tensor,channel", "--correction-sets", "none,compensate+bias-correction" });
    QVERIFY(!document.is_null());
    QCOMPARE(document["rows"].size(), std::size_t { 2 * 2 * 2 * 2 });
    QVERIFY(document["complete"].get<bool>() && document["left_out"].empty());
    std::map<std::string, std::set<int>> ranks;
    std::map<std::string, double> best;
    for (const auto& row : document["rows"]) {
        for (const char* member : { "range", "granularity", "scheme", "corrections", "weight_bits", "activation_bits",
                 "top1", "top1_ci95", "delta_top1", "rank", "tier", "p_against_best", "beats", "beaten_by" })
            QVERIFY2(row.contains(member), member);
        const auto bits = row["activation_bits"].dump();
        const double top1 = row["top1"];
        if (row["rank"] == 1)
            best[bits] = top1;
        QVERIFY(ranks[bits].insert(row["rank"].get<int>()).second);
        QVERIFY(top1 <= best[bits]); // by rank
    }
    QCOMPARE(ranks.size(), std::size_t { 2 });
    // Per channel and corrected comes first, per tensor min-max without corrections last.
    const auto& first = document["rows"].front();
    QCOMPARE(first["granularity"]["weights"].get<std::string>(), std::string("channel"));
    QCOMPARE(first["corrections"].get<std::string>(), std::string("compensated, bias-corrected"));
    QVERIFY(first["top1"].get<double>() > document["rows"][7]["top1"].get<double>() + 20);
    QVERIFY(first["beats"].get<int>() > 0);
}

void TestCliCorrections::optionsToFiles()
{
    const QString csv = path("options.csv");
    const QString markdown = path("options.md");
    const QString chart = path("options.svg");
    const auto outcome = run("options",
        { "--weight-bits", "4", "--activation-bits", "float", "--weight-schemes", "symmetric,asymmetric-power-of-two",
            "--csv", csv, "--markdown", markdown, "--chart", chart });
    QVERIFY2(outcome.status == 0, outcome.err);
    for (const char* word : { "asymmetric-power-of-two per channel", "McNemar", "2 combinations", "wrote" })
        QVERIFY2(outcome.out.contains(word), outcome.out);
    for (const auto& [name, word] :
        { std::pair { csv, "weight_scheme" }, std::pair { markdown, "## W4, A float" }, std::pair { chart, "<svg" } }) {
        QFile file(name);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY2(file.readAll().contains(word), word);
    }
}

void TestCliCorrections::refuses_data()
{
    QTest::addColumn<QString>("command");
    QTest::addColumn<QStringList>("options");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* name, const char* command, const QStringList& options, const char* words) {
        QTest::newRow(name) << QString(command) << options << QString(words);
    };
    row("unknown flow", "evaluate", { "--flow", "worst" }, "--flow");
    row("guard neither on nor off", "evaluate", { "--guard", "maybe" }, "--guard");
    row("balanced and equalized", "evaluate", { "--balance", "--equalize" }, "choose one of the two");
    row("absorbing without equalizing", "evaluate", { "--absorb-high-bias" }, "equalize as well");
    row("best flow of a study", "options", { "--flow", "best" }, "--flow best chooses them");
    row("unknown correction", "options", { "--correction-sets", "none,retrain" }, "'retrain' is not a correction");
    row("unknown scheme", "options", { "--weight-schemes", "log" }, "asymmetric-power-of-two");
    row("unknown granularity", "options", { "--weight-granularities", "block" }, "choose tensor or channel");
    row("unknown range", "options", { "--activation-ranges", "widest" }, "'widest'");
    row("chart of another kind", "options", { "--chart", "rows.bmp" }, "rows.bmp");
}

void TestCliCorrections::refuses()
{
    QFETCH(QString, command);
    QFETCH(QStringList, options);
    QFETCH(QString, words);
    const auto outcome = run(command, options);
    QCOMPARE(outcome.status, 2);
    QCOMPARE(outcome.out, QByteArray());
    QVERIFY2(outcome.err.contains(words.toUtf8()), outcome.err);
}

void TestCliCorrections::interrupt_data()
{
    QTest::addColumn<QStringList>("options");
    QTest::newRow("evaluate, corrections") << QStringList { "evaluate", "--reconstruct", "--bias-correction" };
    QTest::newRow("evaluate, best flow") << QStringList { "evaluate", "--flow", "best" };
    QTest::newRow("options") << QStringList { "options", "--correction-sets", "compensate,reconstruct" };
}

void TestCliCorrections::interrupt()
{
    QFETCH(QStringList, options);
    const QString command = options.takeFirst();
    QProcess process;
    process.setProcessEnvironment(test::environmentFor({}));
    process.start(test::commandLineProgram(), quick(command, lowBits + options, "2000"));
    QVERIFY(process.waitForStarted());
    QVERIFY2(!process.waitForFinished(4000), "the work was done before it could be interrupted");
    QElapsedTimer timer;
    timer.start();
    ::kill(static_cast<pid_t>(process.processId()), SIGINT);
    QVERIFY(process.waitForFinished(30'000));
    // Within a second on a quiet machine; the rest is room for a busy one.
    QVERIFY2(timer.elapsed() < 3000, qPrintable(QString("took %1 ms").arg(timer.elapsed())));
    QCOMPARE(process.exitCode(), 130);
    QCOMPARE(process.readAllStandardError(), QByteArray("cancelled\n"));
}

QTEST_GUILESS_MAIN(TestCliCorrections)
#include "tst_cli_corrections.moc"
