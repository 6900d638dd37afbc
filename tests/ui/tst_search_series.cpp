// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// Sensitivities and searches made ready to draw.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <QImage>
#include <QTest>

#include "ui/charts/cost_series.h"
#include "ui/charts/cost_words.h"
#include "ui/charts/sensitivity_chart.h"
#include "ui/charts/sensitivity_series.h"
#include "ui/models/study_texts.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

sweep::SensitivityPoint point(std::size_t unit, int bits, std::optional<double> delta, double divergence = 0)
{
    sweep::SensitivityPoint p { .unit = unit, .bits = bits };
    p.estimates[0] = divergence;
    if (delta) {
        p.measured.emplace();
        p.measured->againstFloat.delta = *delta;
        p.measured->againstFloat.deltaInterval = { *delta - 1, *delta + 2 };
    }
    return p;
}

sweep::SensitivityResult sensitivities(bool measured)
{
    sweep::SensitivityResult result;
    result.estimatedOn = "calibration";
    result.units = { { "a", quant::Role::Activation, { "x" }, { "a" } }, { "a", quant::Role::Weight, { "w" }, { "a" } },
        { "b", quant::Role::Weight, { "v" }, { "b" } } };
    const auto delta = [&](double d) { return measured ? std::optional(d) : std::nullopt; };
    result.points = { point(0, 2, delta(-30), 2), point(0, 8, delta(0.5), 0.1), point(2, 8, delta(-1), 0.2) };
    return result;
}

sweep::SearchPoint searched(std::optional<std::pair<int, int>> uniform, double bytes, double top1)
{
    sweep::SearchPoint p;
    p.uniform = uniform;
    p.origin = uniform ? sweep::SearchPoint::Origin::Uniform : sweep::SearchPoint::Origin::Sum;
    p.price = bytes;
    p.cost.sizeBytes = bytes;
    p.cost.bops = bytes;
    p.top1 = top1;
    p.top1Interval = { top1 - 2, top1 + 1 };
    return p;
}

double luminance(const QColor& color)
{
    const auto linear = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

/// As the WCAG have it: 1 to 21.
double contrast(const QColor& a, const QColor& b)
{
    const double first = luminance(a);
    const double second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

} // namespace

class TestSearchSeries : public QObject {
    Q_OBJECT

private slots:
    void budgetsAreCalledAsOnTheirPage_data()
    {
        QTest::addColumn<QString>("words");
        QTest::newRow("size=15%") << "size 15 % of float";
        QTest::newRow("bops=12.5%") << "bit operations 12.5 % of float";
        QTest::newRow("energy=W4A8") << "energy of W4 A8";
        QTest::newRow("drop=1") << "1 point of top-1 lost";
        QTest::newRow("drop=0.25") << "0.25 points of top-1 lost";
    }

    void budgetsAreCalledAsOnTheirPage()
    {
        const auto budget = sweep::Budget::parse(QTest::currentDataTag());
        QVERIFY(budget.has_value());
        QTEST(budgetText(*budget), "words");
        sweep::SearchResult result;
        result.budget = *budget;
        result.points = { searched(std::pair(8, 8), 200, 90) };
        QVERIFY(paretoSeries(result).captions.back().contains(budgetText(*budget)));
    }

    void pointsAreToldInWords()
    {
        sweep::SearchResult result;
        for (int i = 0; i < 3; ++i)
            result.units.push_back({ "l" + std::to_string(i), quant::Role::Weight, {}, {} });
        result.units.push_back({ "l0", quant::Role::Activation, {}, {} });
        result.points = { searched(std::pair(8, 8), 200, 90), searched(std::nullopt, 100, 89) };
        result.points[1].bits = { 3, 4, 4, 8 };
        for (auto& point : result.points) {
            point.images = 1000;
            point.againstFloat.images = 1000;
            point.cost.bops = 580e6;
        }
        QCOMPARE(describeMix(result, 0), QString());
        QCOMPARE(describeMix(result, 1),
            QStringLiteral("weights: 1 layer at 3 bits, 2 at 4; activations: 1 layer at 8 bits"));
        const QString text = describePoint(result, 1);
        QVERIFY2(text.contains(QStringLiteral("<b>89.0\u00a0%</b>")), qPrintable(text));
        QVERIFY2(text.contains(QStringLiteral("580\u00a0MBOP")), qPrintable(text));
        sweep::SweepResult grid;
        grid.points.emplace_back();
        grid.points[0].weightBits = 3;
        grid.points[0].activationBits = 6;
        grid.points[0].images = 10000;
        QVERIFY(describePoint(grid, 0, 2).startsWith(QStringLiteral("<b>W3 A6 mixed (2 layers)</b>")));
        QVERIFY(describePoint(grid, 0).contains(QStringLiteral("0.00\u00a0%")));
    }

    void estimatesHaveTheirNames_data()
    {
        QTest::addColumn<int>("estimate");
        QTest::addColumn<QString>("name");
        QTest::newRow("kl") << int(sweep::Estimate::Divergence) << "KL divergence";
        QTest::newRow("logit-mse") << int(*sweep::parseEstimate("logit-mse")) << "MSE of the logits";
        QTest::newRow("second-order") << int(*sweep::parseEstimate("second-order")) << "second-order";
        QTest::newRow("noise") << int(*sweep::parseEstimate("noise")) << "quantization noise";
    }

    void estimatesHaveTheirNames()
    {
        QFETCH(int, estimate);
        QFETCH(QString, name);
        for (const double low : { 0.5, -0.1 }) {
            sweep::SensitivityResult result = sensitivities(true);
            sweep::EstimateTrust trust;
            trust.estimate = static_cast<sweep::Estimate>(estimate);
            trust.correlation.spearman = 0.8;
            trust.correlation.spearmanInterval = { low, 0.9 };
            result.trust = { trust };
            const QString text = trustText(result);
            QVERIFY2(text.contains(QLatin1Char(' ') + name
                         + (low > 0 ? QStringLiteral(" comes closest") : QStringLiteral(", has"))),
                qPrintable(text));
        }
    }

    void nothing()
    {
        QVERIFY(sensitivitySeries({}).empty());
        QVERIFY(paretoSeries({}).empty());
    }

    void linesOfLayers()
    {
        const auto series = sensitivitySeries(sensitivities(true));
        QVERIFY(series.measured);
        // Heading, one weight (the other has no point), heading, one activation.
        QCOMPARE(series.lines.size(), std::size_t { 4 });
        QVERIFY(series.lines[0].heading && series.lines[2].heading);
        QCOMPARE(series.lines[1].label, QString("b"));
        QCOMPARE(series.lines[3].label, QString("a"));
        for (std::size_t i = 0; i < 4; ++i)
            QCOMPARE(series.lines[i].y, static_cast<double>(i));
        QCOMPARE(series.wordLengths.size(), std::size_t { 2 });
        QCOMPARE(series.wordLengths[0].bits, 2);
        QCOMPARE(series.wordLengths[0].position, 0.0);
        QCOMPARE(series.wordLengths[1].position, 1.0);
        const auto& mark = series.wordLengths[0].marks.front();
        QCOMPARE(mark.y, 3.0);
        QCOMPARE(mark.value, 30.0); // what is lost is positive
        QCOMPARE(mark.low, 28.0);
        QCOMPARE(mark.high, 31.0);
        QCOMPARE(mark.index, std::size_t { 0 });
        QCOMPARE(series.wordLengths[1].marks[0].index, std::size_t { 2 }); // lines from top to bottom
        QCOMPARE(series.wordLengths[1].marks[1].value, -0.5);
    }

    void mostHarmfulIsWhatHasTheLongestBar()
    {
        sweep::SensitivityResult result;
        for (const char* name : { "sum", "long", "tie", "later" })
            result.units.push_back({ name, quant::Role::Weight, { name }, { name } });
        // The first loses most in sum, the second at the fewest bits, the others the same there.
        result.points = { point(0, 2, -10), point(0, 4, -10), point(0, 8, -10), point(1, 2, -15), point(1, 4, 0),
            point(1, 8, 0), point(2, 2, -10), point(2, 4, -12), point(2, 8, 0), point(3, 4, -50) };
        QStringList order;
        for (const auto& line : sensitivitySeries(result, SensitivityOrder::Harm).lines)
            order << line.label;
        QCOMPARE(order, (QStringList { "Weights", "long", "tie", "sum", "later" }));
    }

    void whiskersCanBeSeenBesideEveryMark_data()
    {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }

    void whiskersCanBeSeenBesideEveryMark()
    {
        QFETCH(bool, dark);
        auto result = std::make_shared<sweep::SensitivityResult>();
        result->units = { { "a", quant::Role::Weight, { "w" }, { "a" } } };
        result->points = { point(0, 2, -30), point(0, 4, -20), point(0, 6, -10) };
        for (auto& p : result->points)
            p.measured->againstFloat.deltaInterval
                = { p.measured->againstFloat.delta - 4, p.measured->againstFloat.delta + 4 };
        SensitivityChart chart;
        chart.setTheme(dark ? Theme::night() : Theme::light());
        chart.resize(900, 300);
        chart.setResult(result);
        chart.setViewport(QRect(0, 0, 900, 300));
        chart.replot();
        const QImage image = chart.toPixmap(900, 300).toImage();
        const double scale = image.width() / 900.0;
        const auto& words = chart.series().wordLengths;
        QCOMPARE(words.size(), std::size_t { 3 });
        // Both halves of each whisker, on the line of its own mark.
        for (const auto& word : words)
            for (const double at : { word.marks[0].value - 2, word.marks[0].value + 2 }) {
                const int x = static_cast<int>(scale * chart.xAxis->coordToPixel(at));
                const int middle = static_cast<int>(scale * chart.pixelOf(word.marks[0].index)->y());
                double best = 1;
                for (int y = middle - 2; y <= middle + 2; ++y)
                    best = std::max(best, contrast(image.pixelColor(x, y), image.pixelColor(x, middle + 5)));
                QVERIFY2(best >= 3, qPrintable(QStringLiteral("%1, %2: %3").arg(word.label).arg(at).arg(best)));
            }
    }

    void everyMarkOfALayerHasItsPlace()
    {
        auto result = std::make_shared<sweep::SensitivityResult>();
        result->units
            = { { "a", quant::Role::Weight, { "w" }, { "a" } }, { "b", quant::Role::Weight, { "v" }, { "b" } } };
        for (const std::size_t unit : { std::size_t { 0 }, std::size_t { 1 } })
            for (const int bits : { 2, 3, 4 })
                result->points.push_back(point(unit, bits, -1)); // the same loss: marks would cover each other
        SensitivityChart chart;
        chart.resize(600, 300);
        chart.setResult(result);
        chart.replot();
        std::vector<qsizetype> chosen;
        connect(&chart, &SensitivityChart::pointClicked, &chart, [&](qsizetype at) {
            chosen.push_back(at);
            chart.setCurrent(static_cast<std::size_t>(at));
        });
        for (std::size_t i = 0; i < result->points.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j)
                QVERIFY(std::abs(chart.pixelOf(i)->y() - chart.pixelOf(j)->y()) >= 5);
            QTest::mouseClick(&chart, Qt::LeftButton, {}, chart.pixelOf(i)->toPoint());
            QCOMPARE(chosen.back(), static_cast<qsizetype>(i));
        }
        // Arrows take the marks of a layer for one row.
        chart.setCurrent(0);
        chosen.clear();
        for (const Qt::Key key : { Qt::Key_Right, Qt::Key_Right, Qt::Key_Down, Qt::Key_Up })
            QTest::keyClick(&chart, key, Qt::ControlModifier);
        QCOMPARE(chosen.size(), std::size_t { 4 });
        QCOMPARE(chosen[0], qsizetype { 1 });
        QCOMPARE(chosen[1], qsizetype { 2 });
        QVERIFY(result->points[static_cast<std::size_t>(chosen[2])].unit == 1);
        QVERIFY(result->points[static_cast<std::size_t>(chosen[3])].unit == 0);
    }

    void estimatesWhereNothingWasMeasured()
    {
        const auto series = sensitivitySeries(sensitivities(false));
        QVERIFY(!series.measured);
        QVERIFY(series.valueTitle.contains("nat"));
        const auto& mark = series.wordLengths[0].marks.front();
        QCOMPARE(mark.value, 2.0);
        QCOMPARE(mark.low, mark.high);
        QVERIFY(series.captions.contains("calibration"));
    }

    void frontOverPrice()
    {
        sweep::SearchResult result;
        result.price = sweep::Price::Size;
        result.budget = *sweep::Budget::parse("size=20%");
        result.allowed = 200;
        result.floatCost.sizeBytes = 1000;
        result.points = { searched(std::pair(4, 8), 150, 80), searched({}, 200, 91), searched(std::pair(4, 4), 150, 60),
            searched({}, 100, 70), searched(std::pair(2, 8), 90, 10) };
        sweep::compareSearchPoints(result);
        result.chosen = 1;
        const auto series = paretoSeries(result);
        QVERIFY(series.colours == CostSeries::Colours::Search);
        QCOMPARE(series.groups.size(), std::size_t { 2 });
        const auto& uniform = series.groups[0].points;
        const auto& mixed = series.groups[1].points;
        QCOMPARE(uniform.size(), std::size_t { 3 });
        QCOMPARE(mixed.size(), std::size_t { 2 });
        QCOMPARE(mixed[0].x, 10.0);
        QCOMPARE(mixed[1].x, 20.0);
        QCOMPARE(mixed[1].low, 89.0);
        QCOMPARE(mixed[1].high, 92.0);
        QCOMPARE(series.budget.value_or(0), 20.0);
        QVERIFY(series.chosen && series.chosen->index == 1);
        QCOMPARE(series.chosen->x, 20.0);
        // Over another cost in its unit, where the budget says nothing.
        const auto bops = costSeries(result, cost::Metric::Bops);
        QCOMPARE(bops.chosen->x, 200.0);
        QVERIFY(!bops.budget);
        QCOMPARE(costSeries(result, cost::Metric::Size).budget.value_or(0), 200.0);
        // Labels only where no other uniform one is both cheaper and more accurate.
        QStringList labels;
        for (const auto& p : uniform)
            labels << p.label;
        labels.sort();
        QCOMPARE(labels, (QStringList { "", "W2 A8", "W4 A8" }));
        QCOMPARE(series.front.size(), std::size_t { 4 });
        for (std::size_t i = 1; i < series.front.size(); ++i) {
            QVERIFY(series.front[i - 1].x < series.front[i].x);
            QVERIFY(series.front[i - 1].top1 < series.front[i].top1);
        }
        QVERIFY(series.xTitle.contains("Size"));
    }

    void aDropHasNoBudgetLine()
    {
        sweep::SearchResult result;
        result.budget = *sweep::Budget::parse("drop=1");
        result.price = sweep::Price::Bops;
        result.floatCost.bops = 1000;
        result.points = { searched({}, 200, 91) };
        const auto series = paretoSeries(result);
        QVERIFY(!series.budget && !series.chosen);
        QVERIFY(series.xTitle.contains("Bit operations") && series.xTitle.contains("% of float"));
    }
};

QTEST_MAIN(TestSearchSeries)
#include "tst_search_series.moc"
