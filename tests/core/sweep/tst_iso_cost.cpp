// SPDX-License-Identifier: GPL-3.0-or-later
// labels: unit numeric
#include <cmath>
#include <limits>

#include <QTest>

#include "core/sweep/iso_cost.h"

using namespace quantoscope::sweep;

namespace {

/// cost = (column + 2) * (row + 2), as bit operations are.
CostGrid products(std::size_t columns, std::size_t rows)
{
    CostGrid grid { columns, rows, {} };
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            grid.values.push_back(static_cast<double>((c + 2) * (r + 2)));
    return grid;
}

} // namespace

class TestIsoCost : public QObject {
    Q_OBJECT

private slots:
    void levelsAreRound_data()
    {
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::addColumn<std::vector<double>>("wanted");
        QTest::newRow("decades") << 1.5 << 60.0 << std::vector<double> { 2, 5, 10, 20, 50 };
        QTest::newRow("the ends are left out") << 1.0 << 10.0 << std::vector<double> { 1.5, 2, 3, 4, 5, 6, 8 };
        QTest::newRow("none of 1, 2 and 5") << 3.1 << 3.9 << std::vector<double> { 3.2, 3.4, 3.6, 3.8 };
        QTest::newRow("none below zero") << 0.0 << 10.0 << std::vector<double> {};
        QTest::newRow("none between equals") << 10.0 << 10.0 << std::vector<double> {};
    }
    void levelsAreRound()
    {
        QFETCH(double, low);
        QFETCH(double, high);
        QFETCH(std::vector<double>, wanted);
        QCOMPARE(levelsBetween(low, high, 10), wanted);
    }

    void levelsOfAGrid()
    {
        QCOMPARE(isoLevels(products(7, 7)), (std::vector<double> { 5, 10, 20, 50 })); // 4 .. 64
        QVERIFY(levelsBetween(1e3, 9e9).size() <= 6);
        QVERIFY(isoLevels({ 2, 1, { 5, 5 } }).empty());
        QVERIFY(isoLevels({ 2, 1, { 0, 5 } }).empty()); // one that is known
        QVERIFY(isoLevels({}).empty());
    }

    /// Along the grid's own lines the place follows from the cost by interpolating its logarithm.
    void crossesWhereTheCostIs()
    {
        const auto lines = isoLines(products(3, 2), { 5 }); // costs 4 6 8 / 6 9 12
        QCOMPARE(lines.size(), std::size_t { 1 });
        QCOMPARE(lines[0].level, 5.0);
        QCOMPARE(lines[0].points.size(), std::size_t { 2 });
        const double t = std::log(5.0 / 4) / std::log(6.0 / 4);
        for (const auto& [column, row] : lines[0].points) {
            const bool onRow = row == 0 && std::abs(column - t) < 1e-12;
            const bool onColumn = column == 0 && std::abs(row - t) < 1e-12;
            QVERIFY(onRow || onColumn);
        }
    }

    /// One line, from one edge of the grid to another, and every step of it short.
    void joinsSegments()
    {
        const auto lines = isoLines(products(7, 7), { 20.5 });
        QCOMPARE(lines.size(), std::size_t { 1 });
        const auto& points = lines[0].points;
        QVERIFY(points.size() > 6);
        for (std::size_t i = 1; i < points.size(); ++i) {
            const double dx = points[i].first - points[i - 1].first;
            const double dy = points[i].second - points[i - 1].second;
            QVERIFY(std::hypot(dx, dy) < 1.5);
            QVERIFY(dx * dy <= 1e-12); // more of one, less of the other
        }
        const auto onEdge = [](const std::pair<double, double>& p) {
            return p.first == 0 || p.second == 0 || p.first == 6 || p.second == 6;
        };
        QVERIFY(onEdge(points.front()) && onEdge(points.back()));
    }

    /// A level that grid points have exactly is found once.
    void passesThroughPoints()
    {
        const auto lines = isoLines(products(5, 5), { 12 });
        QCOMPARE(lines.size(), std::size_t { 1 });
    }

    void unknownCostsHaveNoLine()
    {
        auto grid = products(3, 3);
        grid.values[4] = std::numeric_limits<double>::quiet_NaN(); // a corner of every quadrilateral
        QVERIFY(isoLines(grid, { 5, 7, 9 }).empty());
        grid = products(3, 3);
        grid.values[0] = std::numeric_limits<double>::quiet_NaN();
        QVERIFY(!isoLines(grid, { 9.5 }).empty());
        QVERIFY(isoLines(grid, { 4.5 }).empty());
    }
};

QTEST_APPLESS_MAIN(TestIsoCost)
#include "tst_iso_cost.moc"
