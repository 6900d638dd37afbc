// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Hardware profiles, schemes and accumulators as the command line shows them.
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "core/quant/hardware_profile.h"
#include "tests/support/command_line.h"

using namespace quantoscope;
using test::Outcome;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString testImages = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
const QString trainImages = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

Outcome run(const QStringList& arguments) { return test::runCommandLine(arguments); }

QStringList quick(const QString& command, const QStringList& more)
{
    return QStringList { command, sample, "--data", testImages, "--calib", trainImages, "--calib-count", "32",
        "--limit", "100" }
    + more;
}

Json parse(const Outcome& outcome) { return Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false); }

} // namespace

class TestCliProfiles : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void lists();
    void aProfileSetsTheDefaults();
    void sweepsLeaveOut();
    void refuses_data();
    void refuses();
    void plansOfAnotherKindAreRefused();
    void ownFile();
    void everyOptionReachesThePlan();
    void narrowAccumulatorsAreNoted();
};

void TestCliProfiles::initTestCase()
{
    for (const QString& needed : { sample, testImages, trainImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
}

void TestCliProfiles::lists()
{
    const auto people = run({ "profiles" });
    QCOMPARE(people.status, 0);
    const Json json = parse(run({ "profiles", "--json" }));
    QCOMPARE(json["profiles"].size(), quant::builtInProfiles().size());
    for (const auto& row : json["profiles"]) {
        QVERIFY(people.out.contains(row["name"].get<std::string>().c_str()));
        const auto profile = quant::HardwareProfile::fromJson(row);
        QVERIFY(profile && *profile == *quant::findProfile(row["name"]));
    }
}

void TestCliProfiles::aProfileSetsTheDefaults()
{
    const auto outcome = run(quick("evaluate", { "--profile", "mcu-8bit-power-of-two", "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    QCOMPARE(json["profile"].get<std::string>(), std::string("mcu-8bit-power-of-two"));
    const auto scope = json["scope"].get<std::string>();
    for (const char* word : { "W8 A8 integer", "weights power-of-two per tensor", "signed", "biases at 8 shifted" })
        QVERIFY2(scope.find(word) != std::string::npos, scope.c_str());
    // Every tensor of a fixed-point network has a Q format.
    QVERIFY(json["q_formats"].size() > 40);
    for (const auto& [name, format] : json["q_formats"].items())
        QVERIFY2(format.get<std::string>().starts_with("Q"), name.c_str());
    const auto& accumulator = json["accumulator"];
    QVERIFY(accumulator["observed_bits"] <= accumulator["worst_case_bits"]);
    QVERIFY(accumulator["worst_case_bits"] <= 32);
    QCOMPARE(accumulator["layers"].size(), std::size_t { 22 });
    QVERIFY(json["float"]["top1"].get<double>() - json["quantized"]["top1"].get<double>() < 10);
}

void TestCliProfiles::sweepsLeaveOut()
{
    const auto outcome = run(
        quick("sweep", { "--profile", "int4-weights", "--weight-bits", "4,8", "--activation-bits", "6,8", "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    QCOMPARE(json["points"].size(), std::size_t { 1 });
    QCOMPARE(json["points"][0]["weight_bits"].get<int>(), 4);
    QCOMPARE(json["points"][0]["activation_bits"].get<int>(), 8);
    const auto notes = json["notes"].dump();
    for (const char* words : { "left out weight bits {8}", "left out activation bits {6}", "packed two a byte" })
        QVERIFY2(notes.find(words) != std::string::npos, notes.c_str());
}

void TestCliProfiles::refuses_data()
{
    QTest::addColumn<QStringList>("options");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* name, const QStringList& options, const char* words) {
        QTest::newRow(name) << options << QString(words);
    };
    row("unknown profile", { "--profile", "tpu" }, "generic-int8");
    row("weight bits", { "--profile", "generic-int8", "--weight-bits", "4" }, "its multipliers take 8-bit weights");
    row("scope", { "--profile", "generic-int8", "--scope", "compute" }, "scope compute");
    row("rounding", { "--profile", "generic-int8", "--rounding", "floor" }, "rounding floor");
    row("first and last", { "--profile", "research-first-last-8", "--first-last-bits", "4" }, "at 8 bits, not at 4");
    row("layer", { "--profile", "generic-int8", "--layer", "*:w=6" }, "layer '*'");
    row("biases", { "--profile", "generic-int8", "--bias-bits", "16" }, "biases start the 32-bit sums");
    row("bias bits", { "--bias-bits", "7" }, "8..32");
    row("bias room", { "--bias-room", "clip" }, "clip");
    row("sign", { "--weight-sign", "plus" }, "plus");
    row("narrow", { "--weight-narrow", "yes" }, "yes");
}

void TestCliProfiles::refuses()
{
    QFETCH(QStringList, options);
    QFETCH(QString, words);
    const auto outcome = run(quick("evaluate", options));
    QCOMPARE(outcome.status, 2);
    QVERIFY2(outcome.saysOneError() && outcome.err.contains(words.toUtf8()), outcome.err);
}

void TestCliProfiles::plansOfAnotherKindAreRefused()
{
    const QTemporaryDir folder;
    const QString plan = folder.filePath("plan.json");
    QCOMPARE(run(quick("evaluate", { "--save-plan", plan, "--activation-bits", "float" })).status, 0);
    const auto outcome = run(quick("evaluate", { "--plan", plan, "--profile", "generic-int8" }));
    QCOMPARE(outcome.status, 1);
    QVERIFY2(outcome.saysOneError() && outcome.err.contains("scope compute"), outcome.err);
}

void TestCliProfiles::ownFile()
{
    const QTemporaryDir folder;
    auto profile = *quant::findProfile("generic-int8");
    profile.name = "mine";
    profile.weights.bits = { 6 };
    QFile file(folder.filePath("mine.json"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(profile.toJson().dump()));
    file.close();
    const auto outcome = run(quick("evaluate", { "--profile", file.fileName(), "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    QCOMPARE(json["profile"].get<std::string>(), std::string("mine"));
    QVERIFY(json["scope"].get<std::string>().starts_with("W6 A8 integer"));
}

void TestCliProfiles::everyOptionReachesThePlan()
{
    const QTemporaryDir folder;
    const QString plan = folder.filePath("plan.json");
    const auto outcome = run(quick("evaluate",
        { "--save-plan", plan, "--scope", "integer", "--weight-narrow", "on", "--activation-sign", "signed",
            "--activation-rounding", "floor", "--bias-bits", "24", "--layer",
            "*conv1*:w=4,weight-scheme=asymmetric,weight-granularity=tensor,narrow=off" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    QFile file(plan);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto text = file.readAll();
    const Json json = Json::parse(text.begin(), text.end());
    int overridden = 0;
    for (const auto& [name, tensor] : json["tensors"].items()) {
        const auto& config = tensor["config"];
        const auto& encoding = tensor["encoding"];
        if (tensor["role"] == "activation")
            QVERIFY2(encoding["qmin"] == -128 && encoding["rounding"] == "floor", name.c_str());
        if (tensor["role"] == "bias")
            QVERIFY2(encoding["qmax"] == (1 << 23) - 1, name.c_str());
        if (tensor["role"] != "weight")
            continue;
        if (!tensor["overridden"]) {
            QVERIFY2(encoding["qmin"] == -127 && encoding["rounding"] == "half-even", name.c_str());
            continue;
        }
        ++overridden;
        QVERIFY2(config["bits"] == 4 && config["symmetric"] == false && !encoding.contains("axis"), name.c_str());
    }
    QVERIFY(overridden > 0);
    // Read back, it is the same plan.
    const auto again = run(quick("evaluate", { "--plan", plan, "--json" }));
    QVERIFY2(again.status == 0, again.err);
}

void TestCliProfiles::narrowAccumulatorsAreNoted()
{
    const QTemporaryDir folder;
    auto profile = *quant::findProfile("generic-int8");
    profile.accumulatorBits = 16;
    QFile file(folder.filePath("narrow.json"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(profile.toJson().dump()));
    file.close();
    const auto outcome = run(quick("layers", { "--profile", file.fileName(), "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const auto notes = parse(outcome)["notes"].dump();
    QVERIFY2(notes.find("can overflow an accumulator of 16 bits") != std::string::npos, notes.c_str());
}

QTEST_GUILESS_MAIN(TestCliProfiles)
#include "tst_cli_profiles.moc"
