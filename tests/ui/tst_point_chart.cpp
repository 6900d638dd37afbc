// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// Points of a chart are chosen with keys: every one can be reached, and none is chosen out of sight.
#include <deque>
#include <random>
#include <set>

#include <QSignalSpy>
#include <QTest>

#include "ui/charts/heat_chart.h"
#include "ui/charts/point_chart.h"

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

sweep::SweepPoint measured(int weights, int activations)
{
    sweep::SweepPoint point;
    point.weightBits = weights;
    point.activationBits = activations;
    point.top1 = 10.0 * weights;
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
