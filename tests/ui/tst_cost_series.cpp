// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// Studies made ready to draw over a cost, and the chart.
#include <QApplication>
#include <QTemporaryDir>
#include <QTest>

#include "ui/charts/cost_chart.h"
#include "ui/charts/cost_series.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

cost::Cost costing(double bops)
{
    cost::Cost cost;
    cost.bops = bops;
    cost.sizeBytes = bops / 10;
    return cost;
}

sweep::SweepPoint point(sweep::Bits weights, sweep::Bits activations, double bops, double top1)
{
    sweep::SweepPoint p;
    p.weightBits = weights;
    p.activationBits = activations;
    p.cost = costing(bops);
    p.top1 = top1;
    p.top1Interval = { top1 - 1, top1 + 2 };
    return p;
}

sweep::SweepResult grid()
{
    sweep::SweepResult result;
    result.scope = "scope";
    result.points = { point(4, 8, 320, 80), point(2, 8, 160, 40), point(4, {}, 1280, 82), point(2, 4, 80, 30) };
    return result;
}

} // namespace

class TestCostSeries : public QObject {
    Q_OBJECT

private slots:
    void gridByActivations()
    {
        const auto series = costSeries(grid(), cost::Metric::Bops);
        QVERIFY(series.colours == CostSeries::Colours::Ordered);
        QCOMPARE(series.groups.size(), std::size_t { 3 });
        QCOMPARE(series.groups[0].name, QString("activations 4"));
        QCOMPARE(series.groups[2].name, QString("activations float"));
        QCOMPARE(series.groups[0].position, 0.0);
        QCOMPARE(series.groups[2].position, 1.0);
        const auto& eight = series.groups[1].points;
        QCOMPARE(eight.size(), std::size_t { 2 });
        QCOMPARE(eight[0].x, 160.0); // by cost
        QCOMPARE(eight[0].index, std::size_t { 1 });
        QCOMPARE(eight[1].low, 79.0);
        QCOMPARE(eight[1].high, 82.0);
        QCOMPARE(series.front.size(), std::size_t { 4 });
        QVERIFY(series.xTitle.contains("BOP"));
        QCOMPARE(costSeries(grid(), cost::Metric::Size).groups[1].points[0].x, 16.0);
    }

    /// A logarithmic axis has no place for a cost of nothing.
    void leavesOutWhatCostsNothing() { QVERIFY(costSeries(grid(), cost::Metric::Accumulator).empty()); }

    void searchApart()
    {
        sweep::SearchResult result;
        sweep::SearchPoint uniform;
        uniform.uniform = std::pair(4, 8);
        uniform.cost = costing(320);
        sweep::SearchPoint mixed;
        mixed.cost = costing(300);
        result.points = { uniform, mixed, mixed };
        const auto series = costSeries(result, cost::Metric::Bops);
        QCOMPARE(series.groups.size(), std::size_t { 2 });
        QCOMPARE(series.groups[0].points[0].name, QString("W4 A8"));
        QCOMPARE(series.groups[1].points.size(), std::size_t { 2 });
    }

    void sensitivityOnlyWhereMeasured()
    {
        sweep::SensitivityResult result;
        result.units = { { "a", quant::Role::Weight, { "w" }, { "a" } } };
        sweep::SensitivityPoint p { .unit = 0, .bits = 4 };
        p.cost = costing(100);
        result.points = { p };
        QVERIFY(costSeries(result, cost::Metric::Bops).empty());
        result.points[0].measured.emplace();
        const auto series = costSeries(result, cost::Metric::Bops);
        QCOMPARE(series.groups.size(), std::size_t { 1 });
        QCOMPARE(series.groups[0].points[0].name, QString("a at 4 bits"));
    }

    void optionsByCorrections()
    {
        sweep::OptionsStudy study;
        for (const auto* corrections : { "none", "compensated", "none" }) {
            study.rows.emplace_back();
            study.rows.back().corrections = corrections;
            study.rows.back().cost = costing(100);
        }
        const auto series = costSeries(study, cost::Metric::Bops);
        QCOMPARE(series.groups.size(), std::size_t { 2 });
        QCOMPARE(series.groups[0].points.size(), std::size_t { 2 });
    }

    void modelsSideBySide()
    {
        const auto result = std::make_shared<const sweep::SweepResult>(grid());
        const auto series = costSeries({ { "a", 20, result }, { "b", 32, result } }, cost::Metric::Bops);
        QCOMPARE(series.groups.size(), std::size_t { 2 });
        QVERIFY(series.colours == CostSeries::Colours::Kinds);
        QVERIFY(costSeries(std::vector<sweep::StudiedModel> {}, cost::Metric::Bops).empty());
    }

    void nearFloatIsWhatIsWorthChoosing()
    {
        CostSeries series;
        series.floatTop1 = 93.5;
        series.groups.push_back({ QStringLiteral("some"), 0,
            { { 6, 44, 40, 48, 0, {} }, { 7, 41, 38, 44, 1, {} }, { 10, 92, 90, 94, 2, {} }, { 15, 93, 91, 95, 3, {} },
                { 20, 93.4, 92, 95, 4, {} } } });
        QCOMPARE(nearFloat(series).value_or(0), 88.0);
        series.chosen = series.groups[0].points[2];
        series.chosen->low = 80.5;
        QCOMPARE(nearFloat(series).value_or(0), 80.0); // the answer is in sight
        series.chosen.reset();
        CostChart chart;
        chart.resize(600, 400);
        chart.setSeries(series);
        QVERIFY(chart.yAxis->range().lower < 40);
        QVERIFY(chart.below().isEmpty());
        chart.setNearFloat(true);
        QCOMPARE(chart.yAxis->range().lower, 88.0);
        QCOMPARE(chart.below(), QStringLiteral("2 below 88 %"));
        chart.replot();
        // Arrows are there for the pointer, and what is selected has a word.
        std::vector<qsizetype> clicked;
        QObject::connect(&chart, &CostChart::pointClicked, &chart, [&](qsizetype i) { clicked.push_back(i); });
        QTest::mouseClick(&chart, Qt::LeftButton, {},
            QPoint(static_cast<int>(chart.pixelOf(0)->x()), chart.axisRect()->bottom() - 4));
        QCOMPARE(clicked, (std::vector<qsizetype> { 0 }));
        const int entries = chart.legend->itemCount();
        chart.setCurrent(3);
        QCOMPARE(chart.legend->itemCount(), entries + 1);
        chart.setNearFloat(false);
        QVERIFY(chart.yAxis->range().lower < 40);
        // Nothing to hide, or almost everything.
        series.groups[0].points.erase(series.groups[0].points.begin(), series.groups[0].points.begin() + 2);
        QVERIFY(!nearFloat(series));
        series.floatTop1 = 99.9;
        QVERIFY(!nearFloat(series));
        series.floatTop1.reset();
        QVERIFY(!nearFloat(series));
    }

    void draws()
    {
        CostChart chart;
        QVERIFY(chart.csv().empty());
        chart.setSeries(costSeries(grid(), cost::Metric::Bops));
        QCOMPARE(QString::fromStdString(chart.csv()).count('\n'), 5);
        QVERIFY(
            chart.csv().starts_with("group,network,bops,top1,top1_low,top1_high\n\"activations 4\",\"W2 A4\",80,30"));
        const QTemporaryDir folder;
        for (const auto* name : { "chart.svg", "chart.png", "chart.pdf" }) {
            const auto path = folder.filePath(name).toStdString();
            QVERIFY(exportCostChart(costSeries(grid(), cost::Metric::Bops), path));
            QVERIFY(std::filesystem::file_size(path) > 1000);
        }
        chart.resize(600, 400);
        chart.replot();
        std::vector<qsizetype> clicked;
        QObject::connect(&chart, &CostChart::pointClicked, &chart, [&](qsizetype i) { clicked.push_back(i); });
        QTest::mouseClick(&chart, Qt::LeftButton, {}, chart.pixelOf(1)->toPoint());
        QCOMPARE(clicked, (std::vector<qsizetype> { 1 }));
        QVERIFY(!chart.pixelOf(9));
        // What is zoomed to stays while points come in, and goes with another cost.
        chart.xAxis->setRange(100, 200);
        chart.setSeries(costSeries(grid(), cost::Metric::Bops));
        QCOMPARE(chart.xAxis->range().upper, 200.0);
        chart.setSeries(costSeries(grid(), cost::Metric::Size));
        QVERIFY(chart.xAxis->range().upper < 200 && chart.xAxis->range().upper > 128);
        chart.setCurrent(1);
        chart.setSeries({});
        QVERIFY(chart.series().empty());
    }
};

QTEST_MAIN(TestCostSeries)
#include "tst_cost_series.moc"
