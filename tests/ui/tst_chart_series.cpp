// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <cmath>
#include <memory>
#include <numeric>

#include <QTest>

#include "ui/charts/channel_series.h"
#include "ui/charts/cost_series.h"
#include "ui/charts/distribution_series.h"
#include "ui/charts/heat_chart.h"
#include "ui/charts/options_series.h"
#include "ui/charts/range_words.h"
#include "ui/charts/sensitivity_series.h"
#include "ui/charts/sweep_series.h"
#include "ui/charts/theme.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

sweep::SweepPoint point(sweep::Bits weights, sweep::Bits activations, double top1)
{
    sweep::SweepPoint result;
    result.weightBits = weights;
    result.activationBits = activations;
    result.top1 = top1;
    result.top1Interval = { top1 - 2, top1 + 2 };
    return result;
}

calibration::Histogram histogramOf(const std::vector<float>& values)
{
    calibration::Histogram histogram;
    histogram.add(values);
    return histogram;
}

double sum(const DistributionSeries& series)
{
    return std::accumulate(series.shares.begin(), series.shares.end(), 0.0);
}

/// Values spread evenly over 0 to 1.
calibration::Histogram evenHistogram()
{
    std::vector<float> values;
    for (int i = 0; i < 4096; ++i)
        values.push_back(static_cast<float>(i) / 4096.0F);
    return histogramOf(values);
}

/// 0, 0.25, 0.5 and 0.75.
quant::Encoding fourLevels()
{
    quant::Encoding encoding;
    encoding.scale = { 0.25F };
    encoding.zeroPoint = { 0 };
    encoding.qmin = 0;
    encoding.qmax = 3;
    return encoding;
}

} // namespace

class TestChartSeries : public QObject {
    Q_OBJECT

private slots:
    void emptySweep()
    {
        const SweepSeries series = sweepSeries({});
        QVERIFY(series.empty());
        QVERIFY(series.ticks.empty());
        const SweepGrid grid = sweepGrid({});
        QVERIFY(grid.cells.empty());
    }

    void linesOverWeightBits()
    {
        sweep::SweepResult result;
        // In no order, as a cancelled and resumed sweep may leave them.
        result.points = { point(8, 4, 90), point(2, 4, 30), point(std::nullopt, 4, 91), point(8, std::nullopt, 92),
            point(2, std::nullopt, 35) };
        const SweepSeries series = sweepSeries(result);
        QVERIFY(series.overWeights);
        QCOMPARE(series.ticks.size(), std::size_t(3));
        QCOMPARE(series.ticks.back().label, QStringLiteral("float"));
        QCOMPARE(series.ticks.back().x, 9.0);
        QCOMPARE(series.lines.size(), std::size_t(2));
        QCOMPARE(series.lines[0].bits, sweep::Bits(4));
        QCOMPARE(series.lines[1].bits, sweep::Bits());
        const auto& line = series.lines[0].points;
        QCOMPARE(line.size(), std::size_t(3));
        QCOMPARE(line[0].x, 2.0);
        QCOMPARE(line[0].top1, 30.0);
        QCOMPARE(line[0].low, 28.0);
        QCOMPARE(line[0].high, 32.0);
        QCOMPARE(line[0].index, std::size_t(1));
        QCOMPARE(line[2].x, 9.0);
    }

    void onlyActivationsVary()
    {
        sweep::SweepResult result;
        result.points = { point(8, 4, 90), point(8, 2, 30) };
        const SweepSeries series = sweepSeries(result);
        QVERIFY(!series.overWeights);
        QCOMPARE(series.lines.size(), std::size_t(1));
        QCOMPARE(series.lines[0].points[0].x, 2.0);
    }

    void gridLeavesHolesWhereNothingIsFinished()
    {
        sweep::SweepResult result;
        result.points = { point(2, 2, 10), point(2, 4, 20), point(4, 2, 30) };
        const SweepGrid grid = sweepGrid(result);
        QCOMPARE(grid.columns.size(), std::size_t(2));
        QCOMPARE(grid.rows.size(), std::size_t(2));
        QCOMPARE(grid.cell(0, 0), std::optional<std::size_t>(0));
        QCOMPARE(grid.cell(1, 0), std::optional<std::size_t>(1));
        QCOMPARE(grid.cell(0, 1), std::optional<std::size_t>(2));
        QVERIFY(!grid.cell(1, 1));
    }

    void axesAreThoseOfTheGridAskedFor_data()
    {
        QTest::addColumn<int>("points");
        QTest::newRow("the first point") << 1;
        QTest::newRow("the first weights") << 3;
        QTest::newRow("all") << 9;
    }

    void axesAreThoseOfTheGridAskedFor()
    {
        QFETCH(int, points);
        sweep::SweepResult result;
        result.weightBits = { std::nullopt, 4, 2 };
        result.activationBits = { 3, 8, std::nullopt };
        for (const sweep::Bits weights : result.weightBits)
            for (const sweep::Bits activations : result.activationBits)
                if (std::ssize(result.points) < points)
                    result.points.push_back(point(weights, activations, 90));
        const SweepSeries series = sweepSeries(result);
        QVERIFY(series.overWeights);
        QCOMPARE(series.ticks.size(), std::size_t(3));
        QCOMPARE(series.ticks[0].x, 2.0);
        QCOMPARE(series.ticks[2].label, QStringLiteral("float"));
        QCOMPARE(series.lines.size(), std::size_t(3));
        QCOMPARE(series.lineTitle, QStringLiteral("Activations"));
        std::size_t drawn = 0;
        for (const auto& line : series.lines)
            drawn += line.points.size();
        QCOMPARE(drawn, static_cast<std::size_t>(points));
        QCOMPARE(series.lines[0].points.back().x, 5.0); // float weights
        const SweepGrid grid = sweepGrid(result);
        QCOMPARE(grid.columns, (std::vector<QString> { "2", "4", "float" }));
        QCOMPARE(grid.rows, (std::vector<QString> { "3", "8", "float" }));
        QCOMPARE(grid.cell(0, 2), std::optional<std::size_t>(0));
        QCOMPARE(grid.cell(0, 0).has_value(), points == 9);
    }

    void coloursCoverWhatIsAroundFloat_data()
    {
        QTest::addColumn<double>("reference");
        QTest::addColumn<double>("lowest");
        QTest::addColumn<double>("highest");
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::addColumn<bool>("clipped");
        QTest::newRow("a cliff") << 93.4 << 10.0 << 93.0 << 83.0 << 93.4 << true;
        QTest::newRow("all near float") << 93.4 << 89.2 << 93.5 << 89.0 << 93.5 << false;
        QTest::newRow("low accuracies") << 8.0 << 1.0 << 9.0 << 1.0 << 9.0 << false;
        QTest::newRow("all alike") << 100.0 << 100.0 << 100.0 << 99.0 << 100.0 << false;
        QTest::newRow("no float") << -1.0 << 10.0 << 90.0 << 80.0 << 90.0 << true;
    }

    void coloursCoverWhatIsAroundFloat()
    {
        QFETCH(double, reference);
        QFETCH(double, lowest);
        QFETCH(double, highest);
        auto result = std::make_shared<sweep::SweepResult>();
        result->points = { point(2, 2, lowest), point(4, 2, (lowest + highest) / 2), point(8, 2, highest) };
        if (reference >= 0) {
            auto network = std::make_shared<evaluation::EvaluationResult>();
            for (int i = 0; i < 1000; ++i)
                network->outcomes.push_back({ i < std::lround(10 * reference) ? 1 : 0, 1, true, 0, 0 });
            result->floatResult = network;
        }
        const AccuracyScale scale = accuracyScale(*result);
        QTEST(scale.low, "low");
        QTEST(scale.high, "high");
        QTEST(scale.clipped, "clipped");
        QVERIFY(scale.position(highest) <= 1);
        HeatChart chart;
        chart.setResult(result);
        QCOMPARE(chart.accuracies().low, scale.low);
        QCOMPARE(chart.scaleLabels().front(), scale.clipped ? QStringLiteral("0") : QString::number(scale.low));
        QCOMPARE(chart.scaleLabels().contains(QString::number(scale.low)), true);
        QVERIFY(chart.scaleLabels().size() >= 2);
        // What lies below the scale is grey, the lighter the less far.
        QCOMPARE(chart.colorOf(scale.low), Theme::viridis(0));
        if (scale.clipped) {
            const QColor far = chart.colorOf(0.1 * scale.low);
            const QColor close = chart.colorOf(0.9 * scale.low);
            QVERIFY(far.saturation() == 0 && close.saturation() == 0);
            QVERIFY(close.lightness() > far.lightness() + 30);
            QVERIFY(scale.place(0.1 * scale.low) < scale.place(0.9 * scale.low) && scale.place(0.9 * scale.low) < 0);
        }
    }

    void filesKeepTheirNames()
    {
        // "mse" is a range only where options are described.
        const std::string data = "/data/mse/entropy, 1,000 images";
        sweep::SweepResult grid;
        grid.points = { point(8, 4, 90) };
        sweep::OptionsStudy options;
        sweep::SensitivityResult alone;
        sweep::SearchResult search;
        search.points.resize(1);
        for (std::string* text : { &grid.data, &options.data, &alone.data, &search.data })
            *text = data;
        for (std::string* text : { &grid.scope, &options.scope, &alone.scope, &search.scope })
            *text = "compute, weights symmetric per channel mse";
        for (const QStringList& captions :
            { sweepSeries(grid).captions, optionsSeries(options).captions, sensitivitySeries(alone).captions,
                costSeries(search, cost::Metric::Size).captions, costSeries(grid, cost::Metric::Size).captions }) {
            QVERIFY2(captions.contains(QString::fromStdString(data)), qPrintable(captions.join(QLatin1Char('\n'))));
            QVERIFY(captions.contains(QStringLiteral("compute layers, weights symmetric per channel MSE")));
        }
    }

    void optionsAreCalledAsInThePanel_data()
    {
        QTest::addColumn<QString>("words");
        QTest::newRow("symmetric per channel, mse") << "symmetric per channel, MSE";
        QTest::newRow("compute, weights symmetric per channel mse, activations asymmetric per tensor min-max")
            << "compute layers, weights symmetric per channel MSE, activations asymmetric per tensor min-max";
        QTest::newRow(
            "W8, A float integer, weights symmetric per tensor entropy rounding half-away, biases at 16 shifted")
            << "W8, A float integer only, weights symmetric per tensor entropy (KL) rounding to nearest, ties away "
               "from "
               "zero, biases at 16 shifted";
        QTest::newRow("W2 A2 compute, rounding floor, first and last at 8")
            << "W2 A2 compute layers, rounding down, first and last at 8";
        QTest::newRow("generic takes no weights with rounding half-away (possible: half-even)")
            << "generic takes no weights with rounding to nearest, ties away from zero (possible: to nearest, ties to "
               "even)";
        QTest::newRow("generic does not work in the scope compute (possible: integer)")
            << "generic does not work in the scope compute layers (possible: integer only)";
        QTest::newRow("Biases are float in the scope 'compute', the ceil of an integer computes")
            << "Biases are float in the scope 'compute layers', the ceil of an integer computes";
        QTest::newRow("symmetric per tensor aciq; aciq:gauss; aciq:laplace")
            << "symmetric per tensor ACIQ (analytic); ACIQ (Gauss); ACIQ (Laplace)";
        QTest::newRow("asymmetric-power-of-two per tensor, percentile:99.9")
            << "asymmetric, power of two per tensor, percentile 99.9";
        QTest::newRow("symmetric per tensor sigma:3; manual:-1,1.5")
            << "symmetric per tensor 3 standard deviations; manual -1 to 1.5";
        QTest::newRow("float") << "float";
    }

    void optionsAreCalledAsInThePanel() { QTEST(inWords(QTest::currentDataTag()), "words"); }

    void everyValueIsInABar()
    {
        std::vector<float> values;
        for (int i = -1000; i <= 3000; ++i)
            values.push_back(static_cast<float>(i) * 0.001F);
        const DistributionSeries series = distributionSeries(histogramOf(values), 100);
        QVERIFY(std::abs(sum(series) - 100) < 1e-9);
        QVERIFY(series.shares.size() <= 101);
        QVERIFY(series.shares.size() > 50);
        QVERIFY(series.first <= -1.0);
        QVERIFY(series.edge(series.shares.size()) >= 3.0);
        QVERIFY(series.at(0.5).has_value());
        QVERIFY(!series.at(-2).has_value());
        QVERIFY(!series.at(99).has_value());
    }

    void nothingSeen()
    {
        QVERIFY(distributionSeries(calibration::Histogram(), 256).empty());
        QCOMPARE(thumbnail(calibration::Histogram(), 8), std::vector<float>(8, 0));
    }

    void fewValuesHaveFewBars_data()
    {
        QTest::addColumn<int>("values");
        QTest::addColumn<int>("bars");
        QTest::newRow("one") << 1 << 24;
        QTest::newRow("a channel of 3x3x16") << 144 << 48;
        QTest::newRow("a small layer") << 2304 << 192;
        QTest::newRow("many") << 1000000 << 256;
    }

    void fewValuesHaveFewBars()
    {
        QFETCH(int, values);
        std::vector<float> some(static_cast<std::size_t>(values));
        for (std::size_t i = 0; i < some.size(); ++i)
            some[i] = static_cast<float>(i + 1) / static_cast<float>(values);
        QTEST(barsFor(histogramOf(some)), "bars");
    }

    void seriesThatAreDrawnOverEachOtherHaveOneDensity()
    {
        // Half as many values over a quarter of the span, in narrower bins: the same mass under bars of another width.
        const auto wide = evenHistogram();
        std::vector<float> values;
        for (int i = 0; i < 2000; ++i)
            values.push_back(static_cast<float>(i) / 8000.0F);
        const auto narrow = histogramOf(values);
        QVERIFY(narrow.binWidth() < wide.binWidth());
        for (const int bars : { 7, 48, 100, 256 }) {
            const DistributionSeries plain = distributionSeries(wide, bars);
            const DistributionSeries other = matchingSeries(narrow, plain.width);
            QVERIFY(other.width >= plain.width * (1 - 1e-9));
            QVERIFY(other.width < plain.width + narrow.binWidth());
            QVERIFY(std::abs(sum(other) * other.width / plain.width - 100) < 1e-6);
        }
        QVERIFY(matchingSeries(calibration::Histogram(), 1).empty());
        QVERIFY(matchingSeries(narrow, 0).empty());
    }

    void tailsShowInThumbnails()
    {
        std::vector<float> values(10000, 0.01F);
        values.push_back(1.0F);
        const auto heights = thumbnail(histogramOf(values), 16);
        QCOMPARE(heights.front(), 1.0F);
        QVERIFY(heights.back() > 0);
    }

    void quantizedBarsHoldTheSameMass()
    {
        const auto histogram = evenHistogram();
        const auto encoding = fourLevels();
        const DistributionSeries plain = distributionSeries(histogram, 256);
        const DistributionSeries series = quantizedSeries(histogram, encoding, plain.width);
        QCOMPARE(series.shares.size(), std::size_t(4));
        QCOMPARE(series.first, -0.125);
        // Equal area: heights are shares scaled to the bars of the plain histogram.
        QVERIFY(std::abs(sum(series) * series.width / plain.width - 100) < 1e-6);
        // 0 takes half a step, 0.75 a step and what is clipped.
        QVERIFY(series.shares[3] > 2.9 * series.shares[0]);
    }

    void aLogarithmicAxisGoesThroughZero()
    {
        const ValueScale scale { 0.5 };
        QCOMPARE(scale.toAxis(0), 0.0);
        QCOMPARE(scale.toAxis(0.5), 1.0);
        QCOMPARE(scale.toAxis(-0.5), -1.0);
        QCOMPARE(scale.toAxis(3.5), 3.0);
        for (const double value : { -77.0, -0.01, 0.0, 0.3, 12345.0 })
            QVERIFY(std::abs(scale.toValue(scale.toAxis(value)) - value) <= 1e-9 * std::abs(value));
        const ValueScale linear;
        QVERIFY(!linear.logarithmic());
        QCOMPARE(linear.toAxis(-3.25), -3.25);
        QCOMPARE(linear.toValue(-3.25), -3.25);
    }

    void logarithmicBarsHoldEveryValue()
    {
        std::vector<float> values;
        for (int i = -1000; i <= 3000; ++i)
            values.push_back(std::copysign(std::exp2(static_cast<float>(std::abs(i) % 10)), static_cast<float>(i)));
        const auto histogram = histogramOf(values);
        const ValueScale scale = scaleFor(histogram);
        QVERIFY(scale.logarithmic());
        const DistributionSeries series = distributionSeries(histogram, scale, 100);
        QVERIFY(std::abs(sum(series) - 100) < 1e-9);
        QCOMPARE(series.edges.size(), series.shares.size() + 1);
        QVERIFY(std::ranges::is_sorted(series.edges));
        QVERIFY(series.edges.front() <= -512);
        QVERIFY(series.edges.back() >= 512);
        // Large values lie in wide bars, small ones in bars of a bin.
        QVERIFY(series.edge(1) - series.edge(0) > 8 * histogram.binWidth());
        const auto zero = series.at(histogram.binWidth() / 2);
        QVERIFY(zero && series.edge(*zero + 1) - series.edge(*zero) <= 2 * histogram.binWidth());
        QVERIFY(!series.at(-1e6) && !series.at(1e6));
        QVERIFY(distributionSeries(calibration::Histogram(), scale, 256).empty());
    }

    void quantizedBarsOfALogarithmicAxisHoldTheSameMass()
    {
        const auto histogram = evenHistogram();
        const auto encoding = fourLevels();
        const ValueScale scale = scaleFor(histogram);
        const DistributionSeries plain = distributionSeries(histogram, scale, 256);
        const DistributionSeries series = quantizedSeries(histogram, encoding, scale, plain.edges);
        QCOMPARE(series.edges, plain.edges);
        QVERIFY(std::abs(sum(series) - 100) < 1e-6);
        // What becomes 0 lies below half a step, whatever the bars.
        double below = 0;
        for (std::size_t bar = 0; bar < series.shares.size(); ++bar)
            if (series.edge(bar + 1) <= 0.125)
                below += series.shares[bar];
        QVERIFY2(std::abs(below - 12.5) < 0.5, qPrintable(QString::number(below)));
        // Within what becomes a level the outline is level.
        for (std::size_t bar = 1; bar < series.shares.size(); ++bar)
            if (series.edge(bar - 1) >= 0.125 && series.edge(bar + 1) <= 0.375)
                QVERIFY2(
                    std::abs(series.shares[bar] - series.shares[bar - 1]) < 1e-9, qPrintable(QString::number(bar)));
    }

    void theHeatOfChannels()
    {
        // Two outer blocks, three channels, four values each.
        const std::vector<float> values { -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, /**/ -1, -1, 1, 1, 0, 0, 0, 0, 1, 1,
            1, 1 };
        const ChannelHeat heat = channelHeat(values, 3, 4, { -1, 1 });
        QCOMPARE(heat.channels(), std::size_t(3));
        QCOMPARE(heat.every, std::size_t(1));
        QCOMPARE(heat.at(0, 0), 75.0F);
        QCOMPARE(heat.at(0, heat.bands - 1), 25.0F);
        QCOMPARE(heat.at(1, heat.bandOf(0)), 100.0F);
        QCOMPARE(heat.at(2, heat.bands - 1), 100.0F);
        QCOMPARE(heat.edge(0), -1.0);
        QCOMPARE(heat.edge(heat.bands), 1.0);
        // Bins wider than bands leave none of them empty: a value far out makes bins of 1/32.
        std::vector<float> wide { 100 };
        for (int i = 0; i < 4000; ++i)
            wide.push_back(static_cast<float>(i) / 4000.0F);
        const std::vector<calibration::Histogram> coarse { histogramOf(wide) };
        QVERIFY(coarse.front().binWidth() > 1.0 / static_cast<double>(ChannelHeat::mostBands));
        const ChannelHeat even = channelHeat(coarse, { 0, 1 });
        double total = 0;
        for (std::size_t band = 0; band + 1 < even.bands; ++band) {
            QVERIFY2(std::abs(even.at(0, band) - 100.0F / 96) < 0.2F, qPrintable(QString::number(even.at(0, band))));
            total += static_cast<double>(even.at(0, band));
        }
        QVERIFY(std::abs(total + static_cast<double>(even.at(0, even.bands - 1)) - 100) < 1e-3);
        // Eight values a channel would be one in a band at most; more values, more bands.
        QCOMPARE(heat.bands, std::size_t(16));
        QCOMPARE(channelHeat(std::vector<float>(3 * 144), 3, 144, { -1, 1 }).bands, std::size_t(48));
        QCOMPARE(channelHeat(std::vector<float>(3 * 4000), 3, 4000, { -1, 1 }).bands, ChannelHeat::mostBands);
        const std::vector<calibration::Histogram> seen { histogramOf({ 0.9F, 0.9F, 0.1F, 0.9F }),
            histogramOf({ 0.5F }) };
        const ChannelHeat measured = channelHeat(seen, { 0, 1 });
        QCOMPARE(measured.at(0, measured.bandOf(0.9)), 75.0F);
        QCOMPARE(measured.at(0, measured.bandOf(0.1)), 25.0F);
        QCOMPARE(measured.at(1, measured.bandOf(0.5)), 100.0F);
    }

    void levelsAndSpan()
    {
        quant::Encoding encoding;
        encoding.scale = { 0.5F, 2.0F };
        encoding.zeroPoint = { 0, 0 };
        encoding.qmin = -2;
        encoding.qmax = 1;
        encoding.axis = 0;
        QCOMPARE(gridLevels(encoding, 0), (std::vector<double> { -1, -0.5, 0, 0.5 }));
        QCOMPARE(representableSpan(encoding), (Span { -4, 2 }));
        QCOMPARE(representableSpan(encoding, 0), (Span { -1, 0.5 }));
    }

    void wordLengthsHaveOneHueInBothThemes()
    {
        for (const Theme& theme : { Theme::light(), Theme::night() }) {
            double before = -1;
            for (int i = 0; i <= 6; ++i) {
                const QColor color = theme.ordinal(i / 6.0);
                // One pixel of rounding at dark colours is some degrees.
                const double hue = Theme::light().ordinal(i / 6.0).hslHueF();
                QVERIFY2(std::abs(color.hslHueF() - hue) < 0.02, qPrintable(color.name()));
                // Told apart without any hue: lighter by a tenth of what there is.
                const double light = 0.2126 * std::pow(color.redF(), 2.2) + 0.7152 * std::pow(color.greenF(), 2.2)
                    + 0.0722 * std::pow(color.blueF(), 2.2);
                QVERIFY2(std::cbrt(light) > before + 0.05, qPrintable(color.name()));
                before = std::cbrt(light);
                const double back = theme.dark ? 0.013 : 1.0; // luminance of the backgrounds
                const double contrast = theme.dark ? (light + 0.05) / (back + 0.05) : (back + 0.05) / (light + 0.05);
                QVERIFY2(contrast > 2, qPrintable(color.name()));
            }
        }
    }

    void colours()
    {
        QCOMPARE(Theme::viridis(0), QColor(0x44, 0x01, 0x54));
        QCOMPARE(Theme::viridis(1), QColor(0xfd, 0xe7, 0x25));
        QCOMPARE(Theme::viridis(-3), Theme::viridis(0));
        QCOMPARE(Theme::light().weights, QColor(0x00, 0x72, 0xb2));
        QCOMPARE(Theme::light().activations, QColor(0xe6, 0x9f, 0x00));
        QCOMPARE(Theme::textOn(Qt::white), QColor(0x10, 0x12, 0x14));
        QPalette dark;
        dark.setColor(QPalette::Base, QColor(20, 20, 20));
        QVERIFY(Theme::forPalette(dark).dark);
    }
};

QTEST_MAIN(TestChartSeries)
#include "tst_chart_series.moc"
