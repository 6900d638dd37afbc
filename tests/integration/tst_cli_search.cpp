// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// Sensitivity, mixed word-lengths and the trend in words, as a person or a script asks for them.
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "core/cost/energy.h"
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
    return QStringList { command, sample, "--data", testImages, "--calib", trainImages, "--calib-count", "16",
        "--limit", "60" }
    + more;
}

Json parse(const Outcome& outcome) { return Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false); }

bool begins(const QString& name, const QByteArray& magic)
{
    QFile written(name);
    return written.open(QIODevice::ReadOnly) && written.read(100).contains(magic);
}

} // namespace

class TestCliSearch : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void showsWhichLayerHurts();
    void estimatesWithoutMeasuring();
    void findsMixedWordLengths();
    void aProfileLimitsTheSearch();
    void readsTheTrend();
    void drawsMaps();
    void comparesModels();
    void energyIsAChoice();
    void refuses_data();
    void refuses();

private:
    QString path(const QString& name) const { return m_folder.filePath(name); }

    QTemporaryDir m_folder;
};

void TestCliSearch::initTestCase()
{
    QVERIFY(m_folder.isValid());
    for (const QString& needed : { sample, testImages, trainImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
}

void TestCliSearch::showsWhichLayerHurts()
{
    const auto outcome = run(quick("sensitivity",
        { "--bits", "2,8", "--activation-bits", "4", "--json", "--csv", path("s.csv"), "--chart", path("s.svg") }));
    QVERIFY2(outcome.status == 0, outcome.err);
    QCOMPARE(outcome.err, QByteArray());
    const Json json = parse(outcome);
    QCOMPARE(json["layers"].size(), std::size_t { 22 * 2 + 20 }); // two shortcuts read what their blocks read
    for (const auto& point : json["layers"])
        for (const char* member : { "name", "kind", "bits", "top1", "delta_top1", "delta_top1_ci95", "sqnr_db" })
            QVERIFY2(point.contains(member), member);
    QVERIFY(!json["trust"].empty() && !json["trust_in_words"].get<std::string>().empty());
    QVERIFY(begins(path("s.csv"), "# each tensor alone"));
    QVERIFY(begins(path("s.svg"), "<?xml"));
}

void TestCliSearch::estimatesWithoutMeasuring()
{
    const auto outcome = run(quick("sensitivity", { "--bits", "4", "--activation-bits", "float", "--measure", "off" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    QVERIFY(outcome.out.contains("KL [nat]"));
    QVERIFY(!outcome.out.contains("top-1"));
}

void TestCliSearch::findsMixedWordLengths()
{
    const QString plan = path("mixed.json");
    const auto outcome = run(quick("search",
        { "--budget", "size=W4A8", "--weight-bits", "3,4,6", "--activation-bits", "8", "--refine", "1", "--save-plan",
            plan, "--json", "--csv", path("p.csv"), "--chart", path("p.png") }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    const Json& chosen = json["chosen"];
    QVERIFY(chosen["price"].get<double>() <= json["allowed"].get<double>() * (1 + 1e-9));
    QVERIFY(!json["front"].empty() && !json["at_equal_price"].empty());
    QCOMPARE(json["energy_model"]["name"].get<std::string>(), std::string("horowitz-45nm"));
    QVERIFY(begins(path("p.csv"), "# W{"));
    QVERIFY(begins(path("p.png"), "PNG"));
    // The plan is what was measured.
    const auto again
        = parse(run({ "evaluate", sample, "--data", testImages, "--limit", "60", "--plan", plan, "--json" }));
    QCOMPARE(again["quantized"]["top1"].get<double>(), chosen["top1"].get<double>());
    QCOMPARE(again["cost"]["size_bytes"].get<double>(), chosen["price"].get<double>());
}

void TestCliSearch::aProfileLimitsTheSearch()
{
    const auto outcome = run(quick("search",
        { "--profile", "int4-weights", "--budget", "size=40%", "--weight-bits", "2..8", "--activation-bits", "4,8",
            "--refine", "0", "--uniform", "off", "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    const auto profile = parse(run({ "profiles", "--json" }));
    for (const auto& row : profile["profiles"]) {
        if (row["name"] != "int4-weights")
            continue;
        for (const auto& entry : json["chosen"]["plan"]) {
            const auto& allowed = row[entry["kind"] == "weight" ? "weights" : "activations"]["bits"];
            const bool fits = std::find(allowed.begin(), allowed.end(), entry["bits"]) != allowed.end()
                || (row.contains("first_last_bits") && entry["bits"] == row["first_last_bits"]);
            QVERIFY(fits);
        }
    }
    QVERIFY(outcome.out.contains("left out"));
}

void TestCliSearch::readsTheTrend()
{
    const auto outcome
        = run(quick("sweep", { "--weight-bits", "2,3,8", "--activation-bits", "2,3,8", "--drop", "3", "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    QCOMPARE(json["trend"]["drop"].get<double>(), 3.0);
    QVERIFY(!json["trend"]["sentences"].empty());
    QVERIFY(run(quick("sweep", { "--weight-bits", "8", "--activation-bits", "8" }))
                .out.contains("trend        The smallest word-lengths within 1.0 point of float"));
}

void TestCliSearch::drawsMaps()
{
    const auto outcome = run(quick("sweep",
        { "--weight-bits", "2,8", "--activation-bits", "2,8", "--map", path("map.svg"), "--map", path("map.png"),
            "--contours", "energy", "--near-float", path("near.svg"), "--chart", path("whole.svg"), "--json" }));
    QVERIFY2(outcome.status == 0, outcome.err);
    QCOMPARE(parse(outcome)["files"].size(), std::size_t { 4 });
    QVERIFY(begins(path("map.png"), "PNG"));
    QFile drawn(path("map.svg"));
    QVERIFY(drawn.open(QIODevice::ReadOnly));
    const QByteArray svg = drawn.readAll();
    QVERIFY(svg.contains("Lines: equal energy"));
    QVERIFY(svg.contains("Accuracy over both word-lengths"));
    const Json points = parse(outcome)["points"];
    for (const auto& point : points)
        QVERIFY(svg.contains('>' + QByteArray::number(point["top1"].get<double>(), 'f', 1) + '<'));
    QVERIFY(svg.contains("µJ<")); // what a line is called
    // The whole scale begins at zero, the last points do not.
    const auto scaleOf = [&](const char* name) {
        QFile file(path(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    QVERIFY(scaleOf("whole.svg").contains(">20<"));
    QVERIFY(!scaleOf("near.svg").contains(">20<"));
    QVERIFY(scaleOf("near.svg").contains("Activations"));
}

void TestCliSearch::comparesModels()
{
    const QString copy = path("copy.onnx");
    QVERIFY(QFile::copy(sample, copy));
    QStringList arguments = quick("sweep",
        { "--weight-bits", "2,8", "--activation-bits", "8", "--json", "--csv", path("grid.csv"), "--map",
            path("map.png"), "--contours", "none" });
    arguments.insert(2, copy);
    const auto outcome = run(arguments);
    QVERIFY2(outcome.status == 0, outcome.err);
    const Json json = parse(outcome);
    QCOMPARE(json["models"].size(), std::size_t { 2 });
    QCOMPARE(json["models"][0]["points"].dump(), json["models"][1]["points"].dump());
    QVERIFY(json["trend"][0].get<std::string>().starts_with("All 2 models have the same smallest word-lengths"));
    QVERIFY(QFileInfo::exists(path("grid-copy.csv")) && QFileInfo::exists(path("grid-fashion_resnet20.csv")));
    QVERIFY(QFileInfo::exists(path("map-copy.png")) && QFileInfo::exists(path("map-fashion_resnet20.png")));
}

void TestCliSearch::energyIsAChoice()
{
    const auto energyOf = [&](const QString& model) {
        const auto outcome
            = run(quick("sweep", { "--weight-bits", "4", "--activation-bits", "8", "--energy", model, "--json" }));
        return outcome.status == 0 ? parse(outcome)["points"][0]["cost"] : Json();
    };
    const Json bops = energyOf("bops");
    QVERIFY(std::abs(bops["energy_pj"].get<double>() - bops["bops"].get<double>() * 4.6 / 1024) < 1);
    Json own = cost::defaultEnergyModel().toJson();
    own["off_chip_bit"] = 0;
    own["on_chip_bit"] = 0;
    QFile file(path("own.json"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(own.dump()));
    file.close();
    const Json mine = energyOf(file.fileName());
    QCOMPARE(mine["energy_memory_pj"].get<double>(), 0.0);
    const Json table = energyOf("horowitz-45nm");
    QCOMPARE(mine["energy_pj"].get<double>(), table["energy_arithmetic_pj"].get<double>());
    QVERIFY(table["energy_memory_pj"].get<double>() > 0);
}

void TestCliSearch::refuses_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("says");
    QTest::newRow("no budget") << quick("search", {}) << 2 << "--budget";
    QTest::newRow("budget of nothing known") << quick("search", { "--budget", "speed=4" }) << 2 << "size=40%";
    QTest::newRow("budget that buys nothing") << quick(
        "search", { "--budget", "size=1%", "--weight-bits", "4,8", "--activation-bits", "8", "--uniform", "off" })
                                              << 1 << "even the fewest bits";
    QTest::newRow("float among the choices")
        << quick("search", { "--budget", "size=40%", "--weight-bits", "4,float" }) << 2 << "float is none";
    QTest::newRow("best flow in a search")
        << quick("search", { "--budget", "size=40%", "--flow", "best" }) << 2 << "--flow best";
    QTest::newRow("unknown estimate") << quick("search", { "--budget", "size=40%", "--estimate", "guess" }) << 2
                                      << "kl";
    QTest::newRow("unknown energy") << quick("sweep", { "--energy", "perpetuum" }) << 2 << "horowitz-45nm";
    QTest::newRow("nothing to try") << quick("sensitivity", { "--bits", "float" }) << 2 << "2..8";
    QTest::newRow("word-length of one bit") << quick("sensitivity", { "--bits", "1" }) << 2 << "2..8";
    QTest::newRow("chart as CSV") << quick("sensitivity", { "--chart", "x.csv" }) << 2 << "--csv";
    QTest::newRow("map as CSV") << quick("sweep", { "--map", "x.csv" }) << 2 << "--csv";
    QTest::newRow("near float as CSV") << quick("sweep", { "--near-float", "x.csv" }) << 2 << "--csv";
    QTest::newRow("contours of no cost") << quick("sweep", { "--map", "x.png", "--contours", "money" }) << 2 << "bops";
    QTest::newRow("contours without a map") << quick("sweep", { "--contours", "bops" }) << 2 << "--map";
}

void TestCliSearch::refuses()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, status);
    QFETCH(QString, says);
    const auto outcome = run(arguments);
    QCOMPARE(outcome.status, status);
    QVERIFY(outcome.saysOneError());
    QVERIFY2(outcome.err.contains(says.toUtf8()), outcome.err);
}

QTEST_APPLESS_MAIN(TestCliSearch)
#include "tst_cli_search.moc"
