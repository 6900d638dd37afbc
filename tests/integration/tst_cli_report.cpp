// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// The report of a project and of a plan, costs as axes, energy tables, several models in one study.
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "tests/support/command_line.h"

using namespace quantoscope;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString testImages = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
const QString trainImages = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

Json parsed(const QByteArray& text) { return Json::parse(text.begin(), text.end(), nullptr, false); }

QByteArray contentOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

bool isWellFormed(const QByteArray& page)
{
    QXmlStreamReader reader(page);
    while (!reader.atEnd())
        reader.readNext();
    return !reader.hasError();
}

} // namespace

class TestCliReport : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void ofAProject();
    void ofAPlan();
    void refuses_data();
    void refuses();
    void listsAndEditsEnergy();
    void refusesEnergy_data();
    void refusesEnergy();
    void drawsOverCost_data();
    void drawsOverCost();
    void comparesModels();

private:
    QString path(const QString& name) const { return m_folder.filePath(name); }
    QStringList quick(const QString& command, const QStringList& more) const
    {
        return QStringList { command, sample, "--data", testImages, "--calib", trainImages, "--calib-count", "16",
            "--limit", "40", "--json" }
        + more;
    }

    QTemporaryDir m_folder;
};

void TestCliReport::initTestCase()
{
    for (const QString& needed : { sample, testImages, trainImages })
        if (!QFileInfo::exists(needed))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + needed + " is absent"));
}

void TestCliReport::ofAProject()
{
    const QStringList project { "--project", path("study.qscope") };
    for (const auto& command :
        { quick("sweep", { "--weight-bits", "3,8", "--activation-bits", "8,float", "--energy", "word-length" }),
            quick("evaluate", { "--weight-bits", "4", "--activation-bits", "8" }),
            quick("layers", { "--weight-bits", "4", "--activation-bits", "8" }),
            QStringList { "inspect", sample, "--json" } }) {
        const auto outcome = test::runCommandLine(command + project);
        QVERIFY2(outcome.status == 0, outcome.err.constData());
    }
    const auto written = test::runCommandLine(
        QStringList { "report", "--out", path("report.html"), "--title", "A <title>", "--json" } + project);
    QVERIFY2(written.status == 0, written.err.constData());
    const Json json = parsed(written.out);
    QCOMPARE(json["file"].get<std::string>(), path("report.html").toStdString());
    QCOMPARE(json["studies"].get<int>(), 4);
    QCOMPARE(json["results"].get<int>(), 6); // float and four points of the grid, one of evaluate
    const auto page = contentOf(path("report.html"));
    QCOMPARE(json["bytes"].get<qsizetype>(), page.size());
    QVERIFY(isWellFormed(page));
    for (const auto* text : { "A &lt;title&gt;", "<svg", "W{3, 8} A{8, float}", "word-length", "horowitz-45nm",
             "fashion_resnet20", "SHA-256", "The smallest word-lengths", "Quantoscope" })
        QVERIFY2(page.contains(text), text);
    for (const auto* text : { "http", "src=", "url(", "<script" })
        QVERIFY2(!page.contains(text), text);
    // Again while somebody else writes the project.
    QVERIFY(QFile::copy(path("study.qscope"), path("copy.qscope")));
    const auto again
        = test::runCommandLine({ "report", "--out", path("again.html"), "--project", path("copy.qscope") });
    QCOMPARE(again.status, 0);
    QVERIFY(again.out.contains("4 studies"));
}

void TestCliReport::ofAPlan()
{
    const QStringList bits { "--weight-bits", "5", "--activation-bits", "7" };
    QCOMPARE(
        test::runCommandLine(quick("evaluate", bits + QStringList { "--save-plan", path("plan.json") })).status, 0);
    const auto evaluated = test::runCommandLine(quick("evaluate", { "--plan", path("plan.json") }));
    const auto written
        = test::runCommandLine(quick("report", { "--plan", path("plan.json"), "--out", path("plan.html") }));
    QVERIFY2(written.status == 0, written.err.constData());
    QCOMPARE(parsed(written.out)["studies"].get<int>(), 2); // accuracy, errors of tensors
    const auto page = contentOf(path("plan.html"));
    QVERIFY(isWellFormed(page));
    const double top1 = parsed(evaluated.out)["quantized"]["top1"].get<double>();
    QVERIFY2(page.contains(QByteArray::number(top1, 'f', 2)), page.left(3000).constData());
    QVERIFY(page.contains("Errors of each tensor"));
    QVERIFY(page.contains("W5 A7"));
}

void TestCliReport::refuses_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("status");
    const QString out = path("none.html");
    QTest::newRow("nothing to report") << QStringList { "--out", out } << 2;
    QTest::newRow("no file") << QStringList { "--project", path("study.qscope") } << 2;
    QTest::newRow("a plan without images") << QStringList { sample, "--out", out } << 2;
    QTest::newRow("no such project") << QStringList { "--project", path("absent.qscope"), "--out", out } << 1;
    QTest::newRow("no such folder") << QStringList { "--project", path("study.qscope"), "--out", path("no/none.html") }
                                    << 1;
    QTest::newRow("over the project") << QStringList { "--project", path("study.qscope"), "--out",
        path("study.qscope") } << 1;
    QTest::newRow("no project") << QStringList { "--project", sample, "--out", out } << 1;
}

void TestCliReport::refuses()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, status);
    const auto outcome = test::runCommandLine(QStringList { "report" } + arguments);
    QCOMPARE(outcome.status, status);
    QVERIFY2(outcome.saysOneError(), outcome.err.constData());
    QVERIFY(!QFileInfo::exists(path("none.html")));
    QVERIFY(!QFileInfo::exists(path("absent.qscope")));
}

void TestCliReport::listsAndEditsEnergy()
{
    const auto list = parsed(test::runCommandLine({ "energy", "--json" }).out);
    QVERIFY(list["energy_models"].size() >= 4);
    const auto edited = test::runCommandLine(
        { "energy", "horowitz-45nm", "--set", "off_chip_bit=0", "--set", "multiply.quadratic=0.01", "--set",
            "weights_in=on-chip", "--save", path("own.json"), "--project", path("energy.qscope"), "--json" });
    QVERIFY2(edited.status == 0, edited.err.constData());
    const Json model = parsed(edited.out)["energy_model"];
    QCOMPARE(model["name"].get<std::string>(), std::string("horowitz-45nm (edited)"));
    QCOMPARE(model["off_chip_bit"].get<double>(), 0.0);
    QCOMPARE(model["multiply"]["quadratic"].get<double>(), 0.01);
    QCOMPARE(model["weights_in"].get<std::string>(), std::string("on-chip"));
    QVERIFY(parsed(contentOf(path("own.json"))) == model);
    // The project's commands count with it; --energy says otherwise; a project without one has the default.
    const auto used = [&](const QStringList& more) {
        const auto outcome = test::runCommandLine(
            quick("evaluate", QStringList { "--weight-bits", "4", "--activation-bits", "float" } + more));
        return parsed(outcome.out)["energy_model"];
    };
    const QStringList project { "--project", path("energy.qscope") };
    QVERIFY(used(project) == model);
    QCOMPARE(used(project + QStringList { "--energy", "bops" })["name"].get<std::string>(), std::string("bops"));
    QVERIFY(used({ "--energy", path("own.json") }) == model);
    QCOMPARE(used({ "--project", path("new.qscope") })["name"].get<std::string>(), std::string("horowitz-45nm"));
    QVERIFY(parsed(test::runCommandLine(QStringList { "energy", "--json" } + project).out)["energy_model"] == model);
    // Step by step: what is kept is changed further.
    const auto further = test::runCommandLine(QStringList { "energy", "--json", "--set", "float_add=7" } + project);
    QCOMPARE(parsed(further.out)["energy_model"]["float_add"].get<double>(), 7.0);
    QCOMPARE(parsed(further.out)["energy_model"]["off_chip_bit"].get<double>(), 0.0);
}

void TestCliReport::refusesEnergy_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("status");
    QTest::newRow("no value") << QStringList { "--set", "off_chip_bit" } << 2;
    QTest::newRow("no field") << QStringList { "--set", "=1" } << 2;
    QTest::newRow("an unknown field") << QStringList { "--set", "colour=1" } << 1;
    QTest::newRow("an unknown part of a field") << QStringList { "--set", "multiply.cubic=1" } << 1;
    QTest::newRow("a part of what has none") << QStringList { "--set", "off_chip_bit.linear=x" } << 1;
    QTest::newRow("negative") << QStringList { "--set", "on_chip_bit=-1" } << 1;
    QTest::newRow("no number") << QStringList { "--set", "on_chip_bit=much" } << 1;
    QTest::newRow("unknown") << QStringList { "coal" } << 1;
}

void TestCliReport::refusesEnergy()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, status);
    const auto outcome
        = test::runCommandLine(QStringList { "energy" } + arguments + QStringList { "--save", path("bad.json") });
    QCOMPARE(outcome.status, status);
    QVERIFY2(outcome.saysOneError(), outcome.err.constData());
    QVERIFY(!QFileInfo::exists(path("bad.json")));
}

void TestCliReport::drawsOverCost_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("title");
    const QStringList bits { "--weight-bits", "4,8", "--activation-bits", "8" };
    QTest::newRow("sweep over size") << (QStringList { "sweep", "--chart-axis", "size" } + bits)
                                     << QByteArray("Size of parameters");
    QTest::newRow("sensitivity over energy") << QStringList { "sensitivity", "--chart-axis", "energy", "--weight-bits",
        "4", "--activation-bits", "float" } << QByteArray("Energy of an image");
    QTest::newRow("options over bit operations")
        << (QStringList { "options", "--chart-axis", "bops", "--weight-ranges", "min-max;mse" } + bits)
        << QByteArray("Bit operations");
    QTest::newRow("search over activations")
        << (QStringList { "search", "--chart-axis", "peak-activations", "--budget", "size=W8A8", "--refine", "0" }
               + bits)
        << QByteArray("Most activations");
}

void TestCliReport::drawsOverCost()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, title);
    const auto command = quick(arguments.takeFirst(), arguments);
    const auto drawn = test::runCommandLine(command + QStringList { "--chart", path("cost.svg") });
    QVERIFY2(drawn.status == 0, drawn.err.constData());
    QVERIFY(contentOf(path("cost.svg")).contains(title));
    const auto alone = test::runCommandLine(command);
    QCOMPARE(alone.status, 2); // an axis needs a chart
    const auto unknown = test::runCommandLine(quick("sweep", { "--chart", path("cost.svg"), "--chart-axis", "money" }));
    QCOMPARE(unknown.status, 2);
    QVERIFY2(unknown.saysOneError(), unknown.err.constData());
}

void TestCliReport::comparesModels()
{
    QVERIFY(QFile::copy(sample, path("other.onnx")));
    const QStringList project { "--project", path("models.qscope") };
    const auto outcome = test::runCommandLine(quick("sweep",
        QStringList { path("other.onnx"), "--weight-bits", "3,8", "--activation-bits", "8", "--csv", path("all.csv"),
            "--chart", path("all.svg") }
            + project));
    QVERIFY2(outcome.status == 0, outcome.err.constData());
    const Json json = parsed(outcome.out);
    QCOMPARE(json["models"].size(), std::size_t { 2 });
    QVERIFY(json["trend"].size() >= 2);
    QVERIFY(json["depth"].is_null()); // both are as deep
    const auto table = contentOf(path("all.csv"));
    QCOMPARE(table.count('\n'), 6);
    QVERIFY(table.contains("model,layers,weight_bits") && table.contains("\"other\",")
        && table.contains("\"fashion_resnet20\","));
    for (const auto* file : { "all.svg", "all-other.svg", "all-fashion_resnet20.csv" })
        QVERIFY2(QFileInfo(path(file)).size() > 0, file);
    const auto written = test::runCommandLine(QStringList { "report", "--out", path("models.html") } + project);
    QVERIFY2(written.status == 0, written.err.constData());
    const auto page = contentOf(path("models.html"));
    QVERIFY(isWellFormed(page) && page.contains("Models compared"));
}

QTEST_GUILESS_MAIN(TestCliReport)
#include "tst_cli_report.moc"
