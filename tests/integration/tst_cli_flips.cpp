// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
#include <QDir>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/json.h"
#include "core/project/project.h"
#include "tests/support/command_line.h"

using namespace quantoscope;

namespace {

const QString sample = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
const QString classNames = QS_SOURCE_DIR "/resources/samples/fashion_mnist_classes.txt";
const QString testImages = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

test::Outcome run(const QString& command, const QStringList& more)
{
    return test::runCommandLine(QStringList { command, sample, "--data", testImages, "--limit", "300", "--calib-count",
                                    "32", "--weight-bits", "3", "--activation-bits", "4" }
        + more);
}

Json parse(const test::Outcome& outcome) { return Json::parse(outcome.out.begin(), outcome.out.end(), nullptr, false); }

} // namespace

class TestCliFlips : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        if (!QFileInfo::exists(testImages))
            QSKIP(qPrintable("SKIPPED EVERYTHING: " + testImages + " is absent"));
    }

    void agreesWithEvaluate()
    {
        const Json evaluated = parse(run("evaluate", { "--json" }));
        const auto outcome = run("flips", { "--json", "--trace", "3" });
        QVERIFY2(outcome.status == 0, outcome.err);
        const Json json = parse(outcome);
        const auto& images = json["images"];
        QCOMPARE(json["count"].get<int>(), 300);
        QVERIFY(images.size() > 3);
        QVERIFY(std::abs(evaluated["agreement"].get<double>() - 100 * (1 - static_cast<double>(images.size()) / 300))
            < 1e-9);
        const int lost = json["lost"].get<int>();
        const int gained = json["gained"].get<int>();
        QVERIFY(std::abs(evaluated["delta_top1"].get<double>() - 100.0 * (gained - lost) / 300) < 1e-9);
        for (std::size_t i = 0; i < images.size(); ++i) {
            const auto& image = images[i];
            QCOMPARE(image["kind"] == "lost", image["float_prediction"] == image["label"]);
            QCOMPARE(image["margin_before"].get<double>() > 0, image["float_prediction"] == image["label"]);
            QCOMPARE(image.contains("parts_at"), i < 3);
        }
        for (const auto& cell : json["confusion"])
            QVERIFY(cell["float"] != cell["quantized"]);
    }

    void people()
    {
        const auto outcome = run("flips", { "--show", "2", "--trace", "0" });
        QVERIFY2(outcome.status == 0, outcome.err);
        QVERIFY(outcome.out.contains("right in float and wrong quantized"));
        QVERIFY(outcome.out.contains("more: --show N"));
        QVERIFY(outcome.out.contains("confusion matrix"));
    }

    void namesClasses_data()
    {
        QTest::addColumn<QStringList>("more");
        QTest::addColumn<int>("classes");
        QTest::addColumn<QByteArray>("shirt");
        QTest::newRow("without names") << QStringList() << 0 << QByteArray("6");
        QTest::newRow("--classes") << QStringList { "--classes", classNames } << 10 << QByteArray("6 (Shirt)");
    }

    void namesClasses()
    {
        QFETCH(QStringList, more);
        QFETCH(int, classes);
        QFETCH(QByteArray, shirt);
        const Json json = parse(run("flips", more + QStringList { "--json", "--trace", "0" }));
        QCOMPARE(static_cast<int>(json["class_names"].size()), classes);
        if (classes > 0)
            QCOMPARE(json["class_names"][6].get<std::string>(), std::string("Shirt"));
        const auto outcome = run("flips", more + QStringList { "--trace", "0" });
        QVERIFY2(outcome.status == 0, outcome.err);
        // A shirt is taken for a T-shirt, in one table or the other.
        QVERIFY2(outcome.out.contains(" " + shirt + " "), outcome.out);
        QCOMPARE(outcome.out.contains("T-shirt/top"), classes > 0);
    }

    void aProjectRemembersTheList()
    {
        const QTemporaryDir folder;
        const QString file = folder.filePath("study.qscope");
        QVERIFY(QFile::copy(classNames, folder.filePath("words.txt")));
        const auto outcome = run("flips",
            { "--trace", "0", "--project", file, "--classes",
                QDir::current().relativeFilePath(folder.filePath("words.txt")) });
        QVERIFY2(outcome.status == 0, outcome.err);
        {
            const auto project = project::Project::open(file.toStdString(), project::Mode::ReadOnly);
            QVERIFY(project.has_value());
            const auto sources = (*project)->sources();
            QVERIFY(sources.has_value());
            for (const auto& source : *sources)
                QCOMPARE(QString::fromStdString(source.details.value("classes", "")),
                    source.role == "data" ? folder.filePath("words.txt") : QString());
        }
        const QString page = folder.filePath("page.html");
        const auto report = test::runCommandLine({ "report", "--project", file, "--out", page });
        QVERIFY2(report.status == 0, report.err);
        QFile written(page);
        QVERIFY(written.open(QIODevice::ReadOnly));
        QVERIFY(written.readAll().contains(">6 (Shirt)<"));
    }

    void nothingQuantizedNothingFlips()
    {
        const auto outcome = run("flips", { "--weight-bits", "float", "--activation-bits", "float", "--json" });
        QVERIFY2(outcome.status == 2 || parse(outcome)["images"].empty(), outcome.err);
    }
};

QTEST_GUILESS_MAIN(TestCliFlips)
#include "tst_cli_flips.moc"
