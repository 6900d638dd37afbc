// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit
#include <QRegularExpression>
#include <QTest>
#include <QXmlStreamReader>

#include <nlohmann/json.hpp>

#include "core/cost/energy.h"
#include "core/cost/metric.h"
#include "core/exporting/report/markup.h"
#include "core/exporting/report/plot.h"
#include "core/exporting/report/report.h"

using namespace quantoscope;
using namespace quantoscope::exporting;

namespace {

Json costOf(double factor)
{
    cost::Cost cost;
    cost.sizeBytes = 1000 * factor;
    cost.parameters = 4000;
    cost.bops = 5e6 * factor * factor;
    cost.energyPj = 1e6 * factor;
    cost.peakActivationBytes = 300 * factor;
    cost.accumulatorBits = 20;
    return cost::toJson(cost);
}

Json point(const Json& weights, const Json& activations, double top1)
{
    const double w = weights.is_number() ? weights.get<double>() : 32;
    return { { "weight_bits", weights }, { "activation_bits", activations }, { "top1", top1 },
        { "top1_ci95", { top1 - 1, top1 + 1 } }, { "delta_top1", top1 - 90 },
        { "delta_top1_ci95", { top1 - 91, top1 - 89 } }, { "agreement", 95.0 }, { "cost", costOf(w) },
        { "label", "W4 A4" }, { "price", w }, { "mixed", w > 3 } };
}

ReportStudy study(const std::string& command, Json document)
{
    document["command"] = command;
    document["model"] = "/models/<b>net</b>.onnx";
    document["scope"] = "a \"scope\" & more";
    document["notes"] = { "mind <this>" };
    document["energy_model"] = cost::defaultEnergyModel().toJson();
    return { command, { { "seed", 7 } }, std::move(document), true, "0.1.0", "a machine", "2026-01-01T00:00:00Z" };
}

Json sweepDocument()
{
    return { { "images", 100 }, { "float", { { "top1", 90.0 }, { "top1_ci95", { 85.0, 95.0 } } } },
        { "points", { point(2, 2, 10), point(2, 4, 30), point(4, 2, 50), point(4, 4, 88.5), point(4, "float", 89) } },
        { "trend", { { "sentences", { "The smallest word-lengths." } } } } };
}

Json searchDocument()
{
    Json plan = Json::array({ { { "name", "conv1" }, { "kind", "weight" }, { "bits", 3 } },
        { { "name", "conv1" }, { "kind", "activation" }, { "bits", 5 } } });
    Json chosen = point(4, 4, 88);
    chosen["plan"] = plan;
    return { { "budget", "size=W4A8" }, { "price", "size" }, { "float", { { "top1", 90.0 } } },
        { "points", { point(2, 2, 60), chosen } }, { "front", { point(2, 2, 60), chosen } }, { "chosen", chosen },
        { "at_equal_price",
            { { { "uniform", "W4 A8" }, { "uniform_top1", 86.0 }, { "uniform_price", 100.0 }, { "price_ratio", 0.98 },
                { "mixed_top1", 88.0 }, { "delta_top1", 2.0 }, { "delta_top1_ci95", { 0.5, 3.5 } },
                { "p_value", 0.01 } } } } };
}

Json sensitivityDocument()
{
    Json layers = Json::array();
    for (const auto* kind : { "weight", "activation" })
        for (const int bits : { 2, 8 })
            layers.push_back({ { "name", "conv1" }, { "kind", kind }, { "bits", bits }, { "top1", 88.0 },
                { "top1_ci95", { 80.0, 92.0 } }, { "delta_top1", -2.0 }, { "delta_top1_ci95", { -3.0, -1.0 } },
                { "sqnr_db", bits == 8 ? Json() : Json(12.5) }, { "estimates", { { "kl", 0.1 } } },
                { "cost", costOf(bits) } });
    return { { "layers", layers }, { "trust_in_words", "Of the estimates, kl." },
        { "trust",
            { { { "estimate", "kl" }, { "kind", "both" }, { "bits", "all" }, { "points", 4 }, { "spearman", 0.9 },
                { "spearman_ci95", { 0.5, 1.0 } } } } } };
}

Json optionsDocument()
{
    Json row = point(4, 4, 80);
    row["scheme"] = { { "weights", "symmetric" }, { "activations", "asymmetric" } };
    row["granularity"] = { { "weights", "channel" }, { "activations", "tensor" } };
    row["range"] = { { "weights", "mse" }, { "activations", "min-max" } };
    row["rank"] = 1;
    row["corrections"] = "none";
    return { { "rows", { row } } };
}

ReportContent everything()
{
    ReportContent content;
    content.title = "Title & <title>";
    content.version = "0.1.0";
    content.created = "2026-01-01T00:00:00Z";
    content.sources = { { "model", "/models/net.onnx", "abc", "" } };
    content.studies = { study("sweep", sweepDocument()), study("search", searchDocument()),
        study("sensitivity", sensitivityDocument()), study("options", optionsDocument()),
        study("evaluate", { { "images", 10 }, { "float", { { "top1", 90.0 } } }, { "cost", costOf(4) } }),
        study("layers", { { "tensors", { { { "name", "x" }, { "bits", 4 } } } } }),
        study("flips",
            { { "class_names", { "cat", "<dog>" } },
                { "images",
                    { { { "index", 3 }, { "label", 1 }, { "float_prediction", 2 },
                        { "quantized_prediction", -1 } } } } }),
        study("models",
            { { "trend", { "All models." } },
                { "costs", { { { "name", "a" }, { "points", { point(2, 2, 10), point(4, 4, 88) } } } } } }),
        study("something new", { { "answer", 42 }, { "list", { 1, 2 } } }) };
    content.results = { { "W4 A4", "data", "0123456789abcdef", 100, 88.5, "7", "0.1.0", "a machine", "then" } };
    return content;
}

/// What is wrong with the markup; empty if nothing is.
QString faultOf(const std::string& page)
{
    QXmlStreamReader reader(QByteArray::fromStdString(page));
    while (!reader.atEnd())
        reader.readNext();
    return reader.hasError() ? QString("line %1: %2").arg(reader.lineNumber()).arg(reader.errorString()) : QString();
}

} // namespace

class TestReport : public QObject {
    Q_OBJECT

private slots:
    void isWellFormed_data()
    {
        QTest::addColumn<int>("which");
        const auto content = everything();
        for (int i = 0; i < static_cast<int>(content.studies.size()); ++i)
            QTest::newRow(content.studies[static_cast<std::size_t>(i)].command.c_str()) << i;
        QTest::newRow("all") << -1;
        QTest::newRow("nothing") << -2;
    }

    void isWellFormed()
    {
        QFETCH(int, which);
        ReportContent content = which == -2 ? ReportContent {} : everything();
        if (which >= 0)
            content.studies = { content.studies[static_cast<std::size_t>(which)] };
        const auto page = toHtml(content);
        QVERIFY2(faultOf(page).isEmpty(), qPrintable(faultOf(page)));
        QVERIFY(page.find("<!DOCTYPE html>") == 0);
        QVERIFY(!QString::fromStdString(page).contains(QRegularExpression("\\b(nan|inf)\\b")));
    }

    /// Every study may have lost any of its fields, or have another kind of value there.
    void takesDamagedDocuments()
    {
        for (const auto& whole : everything().studies) {
            for (const auto& [key, value] : whole.document.items()) {
                for (const Json& other : { Json(), Json(-1), Json("x"), Json::array(), Json::object(),
                         Json::array({ 1, "x", nullptr, Json::object() }) }) {
                    auto content = everything();
                    content.studies = { whole };
                    content.studies[0].document[key] = other;
                    const auto page = toHtml(content);
                    const auto what = whole.command + ": " + key + " = " + other.dump();
                    QVERIFY2(faultOf(page).isEmpty(), (what + ": " + faultOf(page).toStdString()).c_str());
                }
            }
        }
        auto content = everything();
        for (auto& study : content.studies)
            study.document = Json();
        QVERIFY(faultOf(toHtml(content)).isEmpty());
    }

    void loadsNothing()
    {
        const auto page = QString::fromStdString(toHtml(everything()));
        for (const auto* word : { "<script", "src=", "url(", "@import", "<link", "<iframe", "javascript:" })
            QVERIFY2(!page.contains(word), word);
        QRegularExpression link("href=\"([^\"]*)\"");
        for (auto matches = link.globalMatch(page); matches.hasNext();) {
            const auto target = matches.next().captured(1);
            QVERIFY2(target.startsWith('#'), qPrintable(target));
            QVERIFY2(page.contains("id=\"" + target.mid(1) + "\""), qPrintable(target));
        }
    }

    void escapes()
    {
        const auto page = toHtml(everything());
        QVERIFY(page.find("<b>net") == std::string::npos);
        QVERIFY(page.find("Word-lengths: &lt;b&gt;net&lt;") != std::string::npos
            || page.find("Word-lengths: b&gt;") != std::string::npos);
        QVERIFY(page.find("mind &lt;this&gt;") != std::string::npos);
        QCOMPARE(report::escaped("<a href='x'>\"&\x01"), std::string("&lt;a href=&#39;x&#39;&gt;&quot;&amp; "));
    }

    void namesClasses()
    {
        auto content = everything();
        std::erase_if(content.studies, [](const auto& study) { return study.command != "flips"; });
        auto page = QString::fromStdString(toHtml(content));
        QVERIFY2(page.contains(">1 (&lt;dog&gt;)<"), qPrintable(page));
        QVERIFY2(page.contains(">2<") && page.contains(">-1<"), qPrintable(page)); // without a name
        content.studies.front().document.erase("class_names");
        page = QString::fromStdString(toHtml(content));
        QVERIFY2(page.contains(">1<") && !page.contains("dog"), qPrintable(page));
    }

    void hasChartsTablesAndProvenance()
    {
        const auto page = QString::fromStdString(toHtml(everything()));
        QVERIFY(page.count("<svg") >= 10);
        for (const auto* text : { "The smallest word-lengths.", "a machine", "2026-01-01T00:00:00Z", "seed 7",
                 "horowitz-45nm", "off_chip_bit", "Of the estimates, kl.", "W4 A8", "[0.50, 3.50]", "88.50",
                 "All models.", "0123456789ab", "SHA-256" })
            QVERIFY2(page.contains(text), text);
        // One table of energies however many studies used it.
        QCOMPARE(page.count("id=\"energy1\""), 1);
        QVERIFY(!page.contains("id=\"energy2\""));
    }

    void saysWhatIsUnfinished()
    {
        auto content = everything();
        QVERIFY(toHtml(content).find("Not finished") == std::string::npos);
        content.studies[0].complete = false;
        QVERIFY(toHtml(content).find("Not finished") != std::string::npos);
    }

    void ticks_data()
    {
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::newRow("percent") << 0.0 << 100.0;
        QTest::newRow("small") << 0.0012 << 0.0019;
        QTest::newRow("negative") << -7.3 << 2.1;
        QTest::newRow("one value") << 3.0 << 3.0;
    }

    void ticks()
    {
        QFETCH(double, low);
        QFETCH(double, high);
        const auto ticks = report::niceTicks(low, high, 6);
        QVERIFY(!ticks.empty() && ticks.size() < 14);
        for (const double tick : ticks)
            QVERIFY(tick >= low - 1e-9 && tick <= high + 1e-9);
    }

    void logarithmicAxesHaveTicks_data()
    {
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::newRow("near each other") << 1.0e5 << 1.1e5;
        QTest::newRow("bits of an accumulator") << 16.0 << 24.0;
        QTest::newRow("between two round numbers") << 3.1e6 << 3.9e6;
        QTest::newRow("nine decades") << 1.0 << 1e9;
        QTest::newRow("one value") << 7.0 << 7.0;
    }

    void logarithmicAxesHaveTicks()
    {
        QFETCH(double, low);
        QFETCH(double, high);
        report::Plot plot { .title = "t", .x = { "x", true, "B" }, .y = { "y" }, .series = {} };
        plot.series.push_back({ .name = "s", .colour = "#000", .points = { { low, 1 }, { high, 2 } } });
        const auto ticks = QString::fromStdString(report::toSvg(plot)).count("class=\"axis\"") - 2; // the two axes
        QVERIFY2(ticks >= 2 && ticks <= 10, qPrintable(QString::number(ticks)));
    }

    void numbers()
    {
        QCOMPARE(report::metric(1234567, "B"), std::string("1.23 MB"));
        QCOMPARE(report::metric(24.7e6, "pJ"), std::string("24.7 µJ"));
        QCOMPARE(report::metric(20, "bit"), std::string("20 bit"));
        QCOMPARE(report::metric(999.9, ""), std::string("1.00 k"));
        QCOMPARE(report::roundMetric(20e6, "pJ"), std::string("20 µJ"));
        QCOMPARE(report::roundMetric(1.5e6, "B"), std::string("1.5 MB"));
        QCOMPARE(report::roundMetric(500, "B"), std::string("500 B"));
        QCOMPARE(report::roundMetric(3000, ""), std::string("3 k"));
        QCOMPARE(report::grouped(270896), std::string("270,896"));
        QCOMPARE(report::coordinate(1.10), std::string("1.1"));
        QCOMPARE(report::coordinate(-0.001), std::string("0"));
        QCOMPARE(report::fixed(std::numeric_limits<double>::quiet_NaN()), std::string("–"));
        QCOMPARE(report::viridis(0), std::string("#440154"));
        QCOMPARE(report::viridis(1), std::string("#fde725"));
    }
};

QTEST_APPLESS_MAIN(TestReport)
#include "tst_report.moc"
