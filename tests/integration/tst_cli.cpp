// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// The built command line program, driven as a person or a script would.
#include <csignal>
#include <set>

#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/sample_commands.h"

using namespace quantoscope;
using test::Outcome;

namespace {

Outcome run(const QStringList& arguments) { return test::runCommandLine(arguments); }

Json parse(const QByteArray& text) { return Json::parse(text.begin(), text.end(), nullptr, false); }

/// What an object lacks of the members that the contract names.
QString missing(const Json& object, const QStringList& members)
{
    QStringList absent;
    for (const auto& member : members)
        if (!object.is_object() || !object.contains(member.toStdString()))
            absent << member;
    return absent.join(", ");
}

bool isPercentInterval(const Json& interval, const Json& value)
{
    return interval.is_array() && interval.size() == 2 && interval[0].get<double>() <= value.get<double>()
        && value.get<double>() <= interval[1].get<double>();
}

} // namespace

class TestCli : public QObject, private test::SampleCommands {
    Q_OBJECT

private slots:
    void initTestCase();
    void inspects();
    void evaluates();
    void showsTablesToPeople();
    void sweeps();
    void racesGiveUpWhatIsHopeless();
    void memoryDoesNotChangeFigures();
    void listsLayers();
    void exportsAndReloads();
    void savesAndTakesPlans();
    void sameSeedSameResult();
    void saysWhereDefaultsComeFrom();
    void listsUnsupportedOperators();
    void listsSupportedOperators();
    void interruptKeepsFinishedPoints();
    void interruptEndsEvaluation();

private:
    void interrupt(const QStringList& arguments, int afterMs, Outcome& outcome) const;
};

void TestCli::initTestCase()
{
    QVERIFY2(QFileInfo(test::commandLineProgram()).isExecutable(), qPrintable(test::commandLineProgram()));
    if (!obstacle().isEmpty())
        QSKIP(qPrintable(obstacle()));
}

void TestCli::inspects()
{
    const auto people = run({ "inspect", sample });
    QCOMPARE(people.status, 0);
    QVERIFY(people.out.contains("conv1") && people.out.contains("Every operator is supported"));
    const auto outcome = run({ "inspect", sample, "--json" });
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.err, QByteArray());
    const Json json = parse(outcome.out);
    QCOMPARE(missing(json, { "model", "layers", "unsupported" }), QString());
    QCOMPARE(missing(json["model"], { "opset", "ir", "parameters", "macs", "inputs", "outputs" }), QString());
    QCOMPARE(json["layers"].size(), std::size_t { 22 });
    QVERIFY(json["unsupported"].empty());
    std::int64_t macs = 0;
    for (const auto& layer : json["layers"]) {
        QCOMPARE(missing(layer, { "name", "op", "input_shape", "output_shape", "weight_shape", "parameters", "macs" }),
            QString());
        macs += layer["macs"].get<std::int64_t>();
    }
    QCOMPARE(json["model"]["macs"].get<std::int64_t>(), macs);
}

void TestCli::evaluates()
{
    const auto outcome = run(quick("evaluate", { "--json", "--weight-bits", "8", "--activation-bits", "8" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome.out);
    QCOMPARE(missing(json,
                 { "scope", "images", "float", "quantized", "delta_top1", "delta_top1_ci95", "p_value", "agreement",
                     "cost", "engine", "images_per_second", "seconds", "data", "preprocess", "calibration" }),
        QString());
    QCOMPARE(missing(json["float"], { "top1", "top5", "top1_ci95" }), QString());
    QCOMPARE(missing(json["quantized"], { "top1", "top5", "top1_ci95", "loss" }), QString());
    QCOMPARE(missing(json["cost"], { "size_bytes", "macs", "bops", "energy_pj" }), QString());
    QCOMPARE(json["images"].get<int>(), 200);
    QVERIFY(json["float"]["top1"].get<double>() > 85);
    QVERIFY(json["agreement"].get<double>() > 95);
    QVERIFY(isPercentInterval(json["float"]["top1_ci95"], json["float"]["top1"]));
    QVERIFY(isPercentInterval(json["delta_top1_ci95"], json["delta_top1"]));
    QVERIFY(json["scope"].get<std::string>().find("W8 A8 compute") == 0);
    const auto float32
        = parse(run(quick("evaluate", { "--json", "--weight-bits", "float", "--activation-bits", "float" })).out);
    QCOMPARE(float32["agreement"].get<double>(), 100.0);
    QCOMPARE(float32["scope"].get<std::string>(), std::string("float"));
}

void TestCli::showsTablesToPeople()
{
    const auto outcome
        = run(quick("evaluate", { "--first-last-bits", "8", "--weight-bits", "4", "--activation-bits", "4" }));
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.err, QByteArray()); // no progress where nobody watches
    for (const char* word :
        { "W4 A4 compute", "first and last at 8", "95 % interval", "McNemar", "200 of ", "named by the model", "gray" })
        QVERIFY2(outcome.out.contains(word), word);
}

void TestCli::sweeps()
{
    const QString png = path("sweep.png");
    const QString svg = path("sweep.svg");
    const QString pdf = path("sweep.pdf");
    const QString csv = path("sweep.csv");
    const auto outcome = run(quick("sweep",
        { "--json", "--weight-bits", "2,8", "--activation-bits", "4,float", "--chart", png, "--chart", svg, "--chart",
            pdf, "--csv", csv }));
    QVERIFY2(outcome.status == 0, outcome.err);
    QCOMPARE(outcome.err, QByteArray());
    const Json json = parse(outcome.out);
    QCOMPARE(missing(json, { "float", "points", "scope", "data", "preprocess" }), QString());
    QCOMPARE(json["points"].size(), std::size_t { 4 });
    for (const auto& point : json["points"]) {
        QCOMPARE(
            missing(point, { "weight_bits", "activation_bits", "top1", "top1_ci95", "delta_top1", "cost" }), QString());
        QVERIFY(isPercentInterval(point["top1_ci95"], point["top1"]));
    }
    QCOMPARE(json["points"][1]["activation_bits"].get<std::string>(), std::string("float"));
    QVERIFY(
        json["points"][0]["top1"].get<double>() + 20 < json["points"][3]["top1"].get<double>()); // the cliff at 2 bits
    const auto begins = [](const QString& name, const QByteArray& magic) {
        QFile written(name);
        return written.open(QIODevice::ReadOnly) && written.size() > 1000 && written.read(100).contains(magic);
    };
    QVERIFY(begins(png, "PNG"));
    QVERIFY(begins(svg, "<?xml"));
    QVERIFY(begins(pdf, "%PDF"));
    QFile table(csv);
    QVERIFY(table.open(QIODevice::ReadOnly));
    QCOMPARE(table.readAll().count('\n'), 6);
}

void TestCli::racesGiveUpWhatIsHopeless()
{
    const QStringList grid { "--weight-bits", "2,8", "--activation-bits", "8" };
    const auto outcome = run(quick("sweep", grid + QStringList { "--race", "2", "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome.out);
    QCOMPARE(missing(json["racing"], { "drop", "stopped", "images_run", "images_of_all" }), QString());
    const auto& coarse = json["points"][0];
    QVERIFY(coarse["stopped_early"].get<bool>());
    QCOMPARE(coarse["images"].get<int>(), 128);
    QVERIFY(!json["points"][1]["stopped_early"].get<bool>());
    QCOMPARE(json["points"][1]["images"].get<int>(), 200);
    QCOMPARE(json["racing"]["stopped"].get<int>(), 1);
    QCOMPARE(json["racing"]["images_run"].get<int>(), 328);
    const auto people = run(quick("sweep", grid + QStringList { "--race", "2" }));
    QVERIFY2(people.out.contains("1 points stopped early") && people.out.contains("328 of 400"), people.out);
    const auto published = run(quick("sweep", grid + QStringList { "--json" }));
    QVERIFY(!parse(published.out).contains("racing"));
    QCOMPARE(parse(published.out)["points"][0]["images"].get<int>(), 200);
    QCOMPARE(run(quick("sweep", { "--race", "101" })).status, 2);
}

void TestCli::memoryDoesNotChangeFigures()
{
    const auto points = [&](const QString& memory) {
        const auto outcome = run(quick("sensitivity", { "--bits", "3", "--json", "--memory", memory }));
        return outcome.status == 0 ? parse(outcome.out)["layers"].dump() : outcome.err.toStdString();
    };
    const std::string usual = points("1024");
    QVERIFY2(usual.starts_with("[{"), usual.c_str());
    QCOMPARE(points("0"), usual);
    QCOMPARE(run(quick("sensitivity", { "--memory", "much" })).status, 2);
}

void TestCli::listsLayers()
{
    const auto outcome = run(quick("layers", { "--json", "--scope", "integer" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome.out);
    QCOMPARE(json["images"].get<int>(), 200);
    QVERIFY(json["tensors"].size() > 60);
    QStringList kinds;
    for (const auto& tensor : json["tensors"]) {
        QCOMPARE(missing(tensor,
                     { "name", "kind", "bits", "sqnr_db", "cosine", "mse", "clipped_percent", "own_error",
                         "inherited_error", "encoding" }),
            QString());
        kinds << QString::fromStdString(tensor["kind"].get<std::string>());
    }
    QVERIFY(kinds.contains("weight") && kinds.contains("activation") && kinds.contains("bias"));
    const auto calibrationOnly = run({ "layers", sample, "--calib", trainImages, "--calib-count", "16" });
    QVERIFY2(calibrationOnly.status == 0, calibrationOnly.err);
    QVERIFY(calibrationOnly.out.contains("On 16 images"));
}

void TestCli::exportsAndReloads()
{
    const QString out = path("quantized.onnx");
    const auto outcome = run(
        quick("export", { "--json", "--format", "qdq", "--out", out, "--weight-bits", "4", "--activation-bits", "6" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome.out);
    QCOMPARE(missing(json, { "file", "bytes", "opset", "checks" }), QString());
    QCOMPARE(missing(json["checks"], { "reload_top1", "agreement", "max_abs_diff" }), QString());
    QCOMPARE(json["bytes"].get<qint64>(), QFileInfo(out).size());
    QCOMPARE(json["checks"]["agreement"].get<double>(), 100.0);
    const auto inspected = parse(run({ "inspect", out, "--json" }).out);
    QVERIFY(inspected["unsupported"].empty());
}

void TestCli::savesAndTakesPlans()
{
    const QString plan = path("plan.json");
    const auto first = parse(
        run(quick("evaluate", { "--json", "--weight-bits", "5", "--activation-bits", "5", "--save-plan", plan })).out);
    QVERIFY(QFileInfo::exists(plan));
    const QStringList withoutCalibration { "evaluate", sample, "--data", testImages, "--limit", "200", "--json",
        "--plan", plan };
    const auto again = run(withoutCalibration);
    QVERIFY2(again.status == 0, again.err);
    const Json second = parse(again.out);
    QCOMPARE(second["quantized"].dump(), first["quantized"].dump());
    QCOMPARE(missing(second, { "calibration" }), QString("calibration")); // nothing was calibrated
    const Json changed = parse(run(withoutCalibration + QStringList { "--weight-bits", "2" }).out);
    QVERIFY(changed["quantized"]["top1"].get<double>() + 20 < second["quantized"]["top1"].get<double>());
    QCOMPARE(missing(changed, { "calibration" }), QString("calibration")); // activations kept their encodings
    const Json oneLayer = parse(run(withoutCalibration + QStringList { "--layer", "fc:w=2" }).out);
    QVERIFY(oneLayer["cost"]["size_bytes"].get<double>() < second["cost"]["size_bytes"].get<double>());
    QCOMPARE(run(withoutCalibration + QStringList { "--scope", "integer" }).status, 1);
}

void TestCli::sameSeedSameResult()
{
    const auto result = [&](const QString& seed, const QString& threads) {
        Json json = parse(
            run(quick("evaluate", { "--json", "--seed", seed, "--threads", threads, "--activation-bits", "3" })).out);
        json.erase("seconds");
        json.erase("images_per_second");
        return json.dump();
    };
    QCOMPARE(result("5", "1"), result("5", "3"));
    QVERIFY(result("5", "2") != result("6", "2")); // another sample of images
}

void TestCli::saysWhereDefaultsComeFrom()
{
    const auto json = parse(
        run({ "evaluate", sample, "--data", testImages, "--limit", "50", "--calib-count", "10", "--json" }).out);
    QVERIFY(json["calibration"].get<std::string>().find("the first 10 images of --data") == 0);
    QVERIFY(json["preprocess"].get<std::string>().find("named by the model") != std::string::npos);
    const auto custom = parse(run(quick("evaluate", { "--json", "--mean", "0.5", "--std", "0.25" })).out);
    QVERIFY(custom["preprocess"].get<std::string>().find("custom") == 0);
    QVERIFY(custom["float"]["top1"].get<double>() < json["float"]["top1"].get<double>()); // wrong pre-processing shows
}

void TestCli::listsUnsupportedOperators()
{
    using namespace quantoscope::test;
    const Wire graph = Wire()
                           .message(onnx_field::Nodes, wireNode("Frobnicate", { "x" }, { "y" }, {}, "odd"))
                           .text(onnx_field::GraphName, "g")
                           .message(onnx_field::Inputs, wireValue("x", 1, { 1, 4 }))
                           .message(onnx_field::Outputs, wireValue("y", 1, { 1, 4 }));
    const auto outcome = run({ "inspect", file("odd.onnx", wireModel(graph)), "--json" });
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome.out);
    QCOMPARE(json["unsupported"].size(), std::size_t { 1 });
    QCOMPARE(json["unsupported"][0]["op"].get<std::string>(), std::string("Frobnicate"));
    QCOMPARE(json["unsupported"][0]["name"].get<std::string>(), std::string("odd"));
}

void TestCli::listsSupportedOperators()
{
    const auto outcome = run({ "operators", "--json" });
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome.out);
    std::set<std::string> names;
    for (const auto& row : json["operators"])
        names.insert(row["op"].get<std::string>());
    for (const char* expected : { "Conv", "Gemm", "Relu", "QuantizeLinear", "Resize" })
        QVERIFY2(names.contains(expected), expected);
    QVERIFY(!names.contains("FakeQuantize")); // the engine's own, no operator of ONNX
}

void TestCli::interrupt(const QStringList& arguments, int afterMs, Outcome& outcome) const
{
    QProcess process;
    process.setProcessEnvironment(test::environmentFor({}));
    process.start(test::commandLineProgram(), arguments);
    QVERIFY(process.waitForStarted());
    QVERIFY2(!process.waitForFinished(afterMs * test::slowness), "the work was done before it could be interrupted");
    QElapsedTimer timer;
    timer.start();
    ::kill(static_cast<pid_t>(process.processId()), SIGINT);
    QVERIFY(process.waitForFinished(30'000));
    const auto tookMs = timer.elapsed();
    outcome = { process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError() };
    // Within a second on a quiet machine; the rest is room for a busy one.
    QVERIFY2(tookMs < 3000 * test::slowness, qPrintable(QString("took %1 ms").arg(tookMs)));
}

void TestCli::interruptKeepsFinishedPoints()
{
    Outcome outcome;
    interrupt(QStringList { "sweep", sample, "--data", testImages, "--limit", "300", "--calib", trainImages,
                  "--calib-count", "8", "--weight-bits", "2..16", "--activation-bits", "2..16,float", "--json" },
        4000, outcome);
    QCOMPARE(outcome.status, 130);
    QCOMPARE(outcome.err, QByteArray("cancelled\n"));
    const Json json = parse(outcome.out);
    QVERIFY2(json.is_object(), outcome.out);
    QCOMPARE(json["complete"].get<bool>(), false);
    QVERIFY(!json["points"].empty());
    QVERIFY(json["points"].size() < 15 * 16);
}

void TestCli::interruptEndsEvaluation()
{
    Outcome outcome;
    interrupt({ "evaluate", sample, "--data", trainImages }, 3000, outcome);
    QCOMPARE(outcome.status, 130);
    QCOMPARE(outcome.out, QByteArray());
    QCOMPARE(outcome.err, QByteArray("cancelled\n"));
}

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
