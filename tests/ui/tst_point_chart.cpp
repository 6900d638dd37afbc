// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// Points of a chart are chosen with keys: every one can be reached, and none is chosen out of sight.
#include <deque>
#include <random>
#include <set>

#include <QSignalSpy>
#include <QTest>

#include "ui/charts/heat_chart.h"
#include "ui/charts/options_chart.h"
#include "ui/charts/point_chart.h"
#include "ui/charts/sweep_chart.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

/// Points where the test wants them, numbered from 0, each covering its own pixel.
class Dots : public PointChart {
public:
    Dots(Groups groups, std::vector<QPointF> dots)
        : PointChart(groups)
        , m_dots(std::move(dots))
    {
        resize(500, 400);
        setHome(xAxis, QCPRange(0, 10));
        setHome(yAxis, QCPRange(0, 10));
        connect(this, &PointChart::pointClicked, this,
            [this](qsizetype point) { setCurrent(static_cast<std::size_t>(point)); });
        replot();
    }

protected:
    void rebuild() override { }

    std::vector<Place> places() const override
    {
        std::vector<Place> all;
        for (std::size_t i = 0; i < m_dots.size(); ++i)
            all.push_back({ i, m_dots[i] });
        return all;
    }

    std::optional<std::size_t> pointAt(const QPointF& position) const override
    {
        for (std::size_t i = 0; i < m_dots.size(); ++i)
            if ((*pixelOf(i) - position).manhattanLength() < 4)
                return i;
        return std::nullopt;
    }

private:
    std::vector<QPointF> m_dots;
};

constexpr Qt::Key arrows[] = { Qt::Key_Left, Qt::Key_Right, Qt::Key_Up, Qt::Key_Down };

int chosenAfter(Dots& dots, std::size_t from, Qt::Key key)
{
    dots.setCurrent(from);
    QTest::keyClick(&dots, key, Qt::ControlModifier);
    return static_cast<int>(*dots.current());
}

std::set<std::size_t> reachable(Dots& dots)
{
    std::set<std::size_t> seen { 0 };
    std::deque<std::size_t> next { 0 };
    while (!next.empty()) {
        const std::size_t from = next.front();
        next.pop_front();
        for (const Qt::Key key : arrows)
            if (const auto to = static_cast<std::size_t>(chosenAfter(dots, from, key)); seen.insert(to).second)
                next.push_back(to);
    }
    return seen;
}

/// Columns of points, the second with a gap: 0 and 1, 2 and 3 and 4, 5.
const std::vector<QPointF> columns { { 1, 1.5 }, { 1, 8 }, { 4, 1 }, { 4, 3 }, { 4, 9 }, { 7, 5 } };

std::vector<QPointF> turned(std::vector<QPointF> dots)
{
    for (QPointF& dot : dots)
        dot = dot.transposed();
    return dots;
}

/// A sweep under way over weights of 2 to 8 bits, the first points of which have these accuracies, with intervals of
/// two points to both sides; float has 94.5 %.
std::shared_ptr<const sweep::SweepResult> growing(const std::vector<double>& accuracies)
{
    auto result = std::make_shared<sweep::SweepResult>();
    result->complete = false;
    auto network = std::make_shared<evaluation::EvaluationResult>();
    for (int i = 0; i < 200; ++i)
        network->outcomes.push_back({ i < 189 ? 1 : 0, 1, true, 0, 0 });
    result->floatResult = network;
    for (int bits = 2; bits <= 8; ++bits)
        result->weightBits.emplace_back(bits);
    result->activationBits = { 8 };
    for (std::size_t i = 0; i < accuracies.size(); ++i) {
        sweep::SweepPoint point;
        point.weightBits = 8 - static_cast<int>(i);
        point.activationBits = 8;
        point.top1 = accuracies[i];
        point.top1Interval = { std::max(0.0, accuracies[i] - 2), std::min(100.0, accuracies[i] + 2) };
        result->points.push_back(point);
    }
    return result;
}

sweep::SweepPoint measured(int weights, int activations)
{
    sweep::SweepPoint point;
    point.weightBits = weights;
    point.activationBits = activations;
    point.top1 = 10.0 * weights;
    return point;
}

sweep::SweepPoint measuredAt(sweep::Bits weights, sweep::Bits activations, double top1)
{
    sweep::SweepPoint point;
    point.weightBits = weights;
    point.activationBits = activations;
    point.top1 = top1;
    point.top1Interval = { top1 - 2, top1 + 2 };
    return point;
}

} // namespace

class TestPointChart : public QObject {
    Q_OBJECT

private slots:
    void arrowsGoFromPointToPoint_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("key");
        QTest::addColumn<int>("to");
        QTest::newRow("up the column") << 2 << int(Qt::Key_Up) << 3;
        QTest::newRow("over the gap") << 3 << int(Qt::Key_Up) << 4;
        QTest::newRow("down again") << 4 << int(Qt::Key_Down) << 3;
        QTest::newRow("nothing above") << 1 << int(Qt::Key_Up) << 1;
        QTest::newRow("never into another column") << 5 << int(Qt::Key_Up) << 5;
        QTest::newRow("the closest of the next column") << 0 << int(Qt::Key_Right) << 2;
        QTest::newRow("the closest, higher up") << 1 << int(Qt::Key_Right) << 4;
        QTest::newRow("back") << 5 << int(Qt::Key_Left) << 3;
        QTest::newRow("nothing beyond") << 5 << int(Qt::Key_Right) << 5;
    }

    void arrowsGoFromPointToPoint()
    {
        QFETCH(int, from);
        QFETCH(int, key);
        Dots dots(PointChart::Groups::Columns, columns);
        QTEST(chosenAfter(dots, static_cast<std::size_t>(from), static_cast<Qt::Key>(key)), "to");
    }

    void rowsAreColumnsLyingDown()
    {
        Dots dots(PointChart::Groups::Rows, turned(columns));
        QCOMPARE(chosenAfter(dots, 2, Qt::Key_Right), 3);
        QCOMPARE(chosenAfter(dots, 5, Qt::Key_Right), 5);
        QCOMPARE(chosenAfter(dots, 0, Qt::Key_Up), 2);
        QCOMPARE(chosenAfter(dots, 5, Qt::Key_Down), 3);
    }

    void everyPointCanBeReached()
    {
        std::mt19937 random(7);
        std::uniform_int_distribution<int> place(0, 9);
        for (int round = 0; round < 20; ++round) {
            std::vector<QPointF> some;
            for (int i = 0; i < 30; ++i) // many lie on each other
                some.emplace_back(place(random), place(random) / 3.0);
            for (const auto groups : { PointChart::Groups::Columns, PointChart::Groups::Rows }) {
                Dots dots(groups, some);
                QCOMPARE(reachable(dots).size(), some.size());
            }
        }
    }

    void plainArrowsMoveTheView()
    {
        Dots dots(PointChart::Groups::Columns, columns);
        dots.setCurrent(2);
        QTest::keyClick(&dots, Qt::Key_Right);
        QCOMPARE(dots.current(), std::optional<std::size_t>(2));
        QVERIFY(dots.xAxis->range().lower > 0);
    }

    void whatIsChosenIsInSight()
    {
        Dots dots(PointChart::Groups::Columns, columns);
        dots.xAxis->setRange(0, 2);
        dots.yAxis->setRange(7, 9);
        dots.replot();
        QCOMPARE(chosenAfter(dots, 1, Qt::Key_Right), 4);
        const QPoint at = dots.pixelOf(4)->toPoint();
        QVERIFY(dots.axisRect()->rect().contains(at));
        // And it is a point like any other to the mouse.
        dots.setCurrent({});
        QTest::mouseClick(&dots, Qt::LeftButton, {}, at);
        QCOMPARE(dots.current(), std::optional<std::size_t>(4));
    }

    void nothingThereNothingChosen()
    {
        Dots dots(PointChart::Groups::Columns, {});
        QTest::keyClick(&dots, Qt::Key_Right, Qt::ControlModifier);
        QVERIFY(!dots.current());
        Dots one(PointChart::Groups::Rows, { { 3, 3 } });
        QTest::keyClick(&one, Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(one.current(), std::optional<std::size_t>(0));
    }

    void accuraciesGrowInWholeSteps_data()
    {
        QTest::addColumn<double>("lowest"); // the end of the lowest interval
        QTest::addColumn<double>("bottom");
        QTest::addColumn<double>("nearFloat");
        QTest::newRow("near float") << 93.2 << 90.0 << 92.0;
        QTest::newRow("on a step") << 90.0 << 80.0 << 90.0;
        QTest::newRow("a little lower") << 84.0 << 80.0 << 89.0;
        QTest::newRow("half") << 50.5 << 40.0 << 89.0;
        QTest::newRow("just below half") << 49.0 << 40.0 << 89.0;
        QTest::newRow("far below") << 22.0 << 20.0 << 89.0;
        QTest::newRow("as guessing") << 12.0 << 0.0 << 89.0;
        QTest::newRow("nothing right") << 0.0 << 0.0 << 89.0;
    }

    void accuraciesGrowInWholeSteps()
    {
        QFETCH(double, lowest);
        for (const auto extent : { SweepChart::Extent::Whole, SweepChart::Extent::NearFloat }) {
            SweepChart chart(extent);
            chart.setResult(growing({ 94.5, lowest + 2 }));
            const QCPRange shown = chart.yAxis->range();
            if (extent == SweepChart::Extent::Whole)
                QTEST(shown.lower, "bottom");
            else
                QTEST(shown.lower, "nearFloat");
            QVERIFY(shown.upper >= 95 && shown.upper <= 102);
        }
    }

    /// One that collapses among them: what was in sight stays in sight, and what is near float does not give way to it.
    void anAxisOnlyGrowsWhileASweepRuns()
    {
        SweepChart whole;
        SweepChart near(SweepChart::Extent::NearFloat);
        QList<double> bottoms;
        std::vector<double> points;
        for (const double top1 : { 94.0, 93.0, 81.5, 48.0, 92.0, 94.0 }) {
            points.push_back(top1);
            for (SweepChart* chart : { &whole, &near })
                chart->setResult(growing(points));
            bottoms << whole.yAxis->range().lower;
            QVERIFY(near.yAxis->range().lower >= 89);
        }
        QCOMPARE(bottoms, (QList<double> { 90, 90, 70, 40, 40, 40 }));
        // Interrupted, it begins without points again when it goes on, and the axis stays.
        for (const std::size_t count : { 0UL, 1UL, 6UL }) {
            whole.setResult(growing({ points.begin(), points.begin() + static_cast<std::ptrdiff_t>(count) }));
            QCOMPARE(whole.yAxis->range().lower, 40.0);
        }
        // Until somebody wants less.
        whole.setResult(growing({ 94.0 }));
        QCOMPARE(whole.yAxis->range().lower, 40.0);
        QTest::keyClick(&whole, Qt::Key_Home);
        QCOMPARE(whole.yAxis->range().lower, 90.0);
        whole.setResult(growing({ 94.0, 66.0 }));
        QCOMPARE(whole.yAxis->range().lower, 60.0); // and it goes on to follow
        // The end changes nothing that is in sight; the next sweep begins anew.
        whole.setResult(growing({ 94.0 }));
        auto finished = std::make_shared<sweep::SweepResult>(*growing({ 94.0, 92.0 }));
        finished->complete = true;
        for (int again = 0; again < 2; ++again) {
            whole.setResult(finished);
            QCOMPARE(whole.yAxis->range().lower, 60.0);
        }
        whole.setResult(growing({ 94.0 }));
        QCOMPARE(whole.yAxis->range().lower, 90.0);
    }

    void whatSomebodyZoomedToStays()
    {
        SweepChart chart;
        chart.setResult(growing({ 94.0 }));
        chart.yAxis->setRange(93, 95);
        chart.setResult(growing({ 94.0, 30.0 }));
        QCOMPARE(chart.yAxis->range(), QCPRange(93, 95));
        chart.resetView();
        QCOMPARE(chart.yAxis->range().lower, 20.0);
    }

    void wordLengthsThatWereLeftOutAreAGap()
    {
        HeatChart chart;
        const auto gaps = [&] {
            int lines = 0;
            for (int i = 0; i < chart.itemCount(); ++i)
                lines += qobject_cast<QCPItemLine*>(chart.item(i)) ? 1 : 0;
            return lines;
        };
        auto result = std::make_shared<sweep::SweepResult>();
        result->points = { measuredAt(2, 4, 80), measuredAt(3, 4, 85), measuredAt(4, 4, 90) };
        chart.setResult(result);
        QCOMPARE(gaps(), 0);
        QVERIFY(!chart.xAxis->label().contains(QStringLiteral("gaps")));
        auto leaping = std::make_shared<sweep::SweepResult>(*result);
        leaping->points.push_back(measuredAt(8, 4, 91));
        leaping->points.push_back(measuredAt(8, 8, 92));
        leaping->points.push_back(measuredAt(std::nullopt, 8, 92)); // float is no leap
        chart.setResult(leaping);
        QCOMPARE(gaps(), 2);
        QVERIFY(chart.xAxis->label().contains(QStringLiteral("gaps")));
    }

    void whatLiesFarBelowFloatIsCounted()
    {
        auto result = std::make_shared<sweep::SweepResult>();
        for (const int activations : { 2, 4, 8 })
            for (const int weights : { 2, 4, 8 })
                result->points.push_back(measuredAt(weights, activations, activations == 2 || weights == 2 ? 12 : 92));
        auto network = std::make_shared<evaluation::EvaluationResult>();
        for (int i = 0; i < 1000; ++i)
            network->outcomes.push_back({ i < 935 ? 1 : 0, 1, true, 0, 0 });
        result->floatResult = network;
        SweepChart chart(SweepChart::Extent::NearFloat);
        chart.resize(600, 400);
        chart.setResult(result);
        chart.replot();
        QCOMPARE(chart.below(), QStringLiteral("5 below 88 %"));
        // The line that is below altogether says so; intervals stand side by side.
        QStringList names;
        int whiskers = 0;
        for (int i = 0; i < chart.legend->itemCount(); ++i)
            if (auto* item = qobject_cast<QCPPlottableLegendItem*>(chart.legend->item(i)))
                names << item->plottable()->name();
        for (int i = 0; i < chart.plottableCount(); ++i)
            whiskers += qobject_cast<QCPErrorBars*>(chart.plottable(i)) ? 1 : 0;
        QVERIFY2(names.contains(QStringLiteral("2 bits, below")), qPrintable(names.join(QLatin1Char('|'))));
        QVERIFY(names.contains(QStringLiteral("8 bits")));
        QCOMPARE(whiskers, 3);
        QVERIFY(std::abs(chart.pixelOf(4)->x() - chart.pixelOf(7)->x()) > 4); // W4 A4 and W4 A8
        std::vector<qsizetype> chosen;
        connect(&chart, &SweepChart::pointClicked, &chart, [&](qsizetype at) { chosen.push_back(at); });
        QTest::mouseClick(&chart, Qt::LeftButton, {}, chart.pixelOf(7)->toPoint());
        chart.setCurrent(7);
        QTest::keyClick(&chart, Qt::Key_Down, Qt::ControlModifier); // A4 below it, in the same column
        QCOMPARE(chosen.front(), qsizetype { 7 });
        QVERIFY(chosen.back() == 4 || chosen.back() == 1);
        chart.setBandsVisible(false);
        QVERIFY(std::abs(chart.pixelOf(4)->x() - chart.pixelOf(7)->x()) < 0.01);
        chart.yAxis->setRange(0, 100);
        QVERIFY(chart.below().isEmpty());
    }

    void optionsSayWhatTheirDotsMean()
    {
        auto study = std::make_shared<sweep::OptionsStudy>();
        for (const int bits : { 3, 3, 4 }) {
            sweep::StudyRow row;
            row.request.weights.bits = bits;
            row.weights = "per tensor";
            row.top1 = 90;
            row.top1Interval = { 89, 91 };
            row.tier = study->rows.size() == 1 ? 2 : 1;
            study->rows.push_back(row);
        }
        study->rows[1].weights = "per channel";
        OptionsChart chart;
        chart.resize(700, 400);
        chart.setStudy(study);
        QCOMPARE(chart.legend->itemCount(), 2);
        QVERIFY(chart.legend->visible());
        // Headings are no rows: no tick, bold words.
        QCOMPARE(chart.series().headings.size(), std::size_t { 2 });
        const auto ticks = chart.yAxis->ticker().dynamicCast<QCPAxisTickerText>()->ticks();
        QCOMPARE(ticks.size(), qsizetype { 3 });
        QStringList bold;
        for (int i = 0; i < chart.itemCount(); ++i)
            if (const auto* text = qobject_cast<QCPItemText*>(chart.item(i)); text && text->font().bold())
                bold << text->text();
        QCOMPARE(bold.size(), qsizetype { 2 });
        QVERIFY(bold.front().startsWith(QStringLiteral("W3")));
        chart.resize(260, 400);
        chart.setStudy(study); // one under the other
        QCOMPARE(chart.legend->wrap(), 1);
    }

    void aMapFollowsTheArrows()
    {
        auto result = std::make_shared<sweep::SweepResult>();
        for (const int weights : { 2, 4, 8 })
            for (const int activations : { 4, 8 })
                result->points.push_back(measured(weights, activations));
        HeatChart chart;
        chart.resize(500, 400);
        chart.setResult(result);
        chart.replot();
        std::vector<qsizetype> chosen;
        connect(&chart, &HeatChart::pointClicked, &chart, [&](qsizetype point) {
            chosen.push_back(point);
            chart.setCurrent(static_cast<std::size_t>(point));
        });
        for (const Qt::Key key : { Qt::Key_Right, Qt::Key_Right, Qt::Key_Up, Qt::Key_Left, Qt::Key_Down })
            QTest::keyClick(&chart, key, Qt::ControlModifier);
        // The first key chooses the first point; W2 A4, W4 A4, W4 A8, W2 A8, W2 A4.
        QCOMPARE(chosen, (std::vector<qsizetype> { 0, 2, 3, 1, 0 }));
    }
};

QTEST_MAIN(TestPointChart)
#include "tst_point_chart.moc"
