// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <cmath>
#include <limits>

#include <QTest>

#include "ui/charts/number_format.h"

using namespace quantoscope::ui;

class TestNumberFormat : public QObject {
    Q_OBJECT

private slots:
    void texts_data()
    {
        QTest::addColumn<QString>("got");
        QTest::addColumn<QString>("expected");
        const double infinity = std::numeric_limits<double>::infinity();
        QTest::newRow("thousands") << formatCount(270896) << "270,896";
        QTest::newRow("three digits") << formatSignificant(0.0123456) << "0.0123";
        QTest::newRow("no digits behind hundreds") << formatSignificant(1234.4) << "1,234";
        QTest::newRow("zero") << formatSignificant(0) << "0";
        QTest::newRow("infinite") << formatSignificant(infinity) << "∞";
        QTest::newRow("not a number") << formatSignificant(std::nan("")) << "–";
        QTest::newRow("percent") << formatPercent(91.5) << QStringLiteral("91.50\u00a0%");
        QTest::newRow("of 1,000 images") << formatTop1(93.2, 1000) << QStringLiteral("93.2\u00a0%");
        QTest::newRow("of 10,000 images") << formatTop1(93.2, 10000) << QStringLiteral("93.20\u00a0%");
        QTest::newRow("points of 256 images") << formatPoints(-0.39, 256) << "−0.4";
        QTest::newRow("points of 10,000 images") << formatPoints(0.3, 10000) << "+0.30";
        QTest::newRow("bare share") << formatShare(91.534, 1001) << "91.53";
        QTest::newRow("no share") << formatShare(std::nan(""), 100) << "–";
        QTest::newRow("gain") << formatSignedPercent(0.3) << "+0.30";
        QTest::newRow("loss") << formatSignedPercent(-1.2) << "−1.20";
        QTest::newRow("no sign for nothing") << formatSignedPercent(-0.001) << "0.00";
        QTest::newRow("bytes") << formatBytes(1083584) << QStringLiteral("1.08\u00a0MB");
        QTest::newRow("few bytes") << formatBytes(12) << QStringLiteral("12.0\u00a0B");
        QTest::newRow("just below a step") << formatBytes(999.6) << QStringLiteral("1.00\u00a0kB");
        QTest::newRow("energy") << formatEnergy(3.21e6) << QStringLiteral("3.21\u00a0µJ");
        QTest::newRow("seconds") << formatDuration(31.4) << "0:31";
        QTest::newRow("minutes") << formatDuration(754) << "12:34";
        QTest::newRow("hours") << formatDuration(3723) << "1:02:03";
        QTest::newRow("small p") << formatProbability(1e-9) << "< 0.001";
        QTest::newRow("p") << formatProbability(0.03125) << "0.031";
        QTest::newRow("bits") << formatBits(4) << "4";
        QTest::newRow("float") << formatBits(std::nullopt) << "float";
        QTest::newRow("decibel") << formatDecibel(31.44) << "31.4";
        QTest::newRow("negative") << formatSignificant(-0.9024) << "−0.902";
        QTest::newRow("negative decibel") << formatDecibel(-29.44) << "−29.4";
        QTest::newRow("tiny") << formatSignificant(1.234e-5) << "1.23×10⁻⁵";
        QTest::newRow("tiny negative") << formatSignificant(-1.234e-5) << "−1.23×10⁻⁵";
        QTest::newRow("huge") << formatSignificant(1.234e12) << "1.23×10¹²";
        QTest::newRow("power alone") << typeset(QStringLiteral("1e-05")) << "10⁻⁵";
        QTest::newRow("nothing to set") << typeset(QStringLiteral("12.5")) << "12.5";
        QTest::newRow("plain") << plainNumber(formatSignificant(-1.234e-5)) << "-1.23e-5";
        QTest::newRow("plain range") << plainNumber(QStringLiteral("−2.98×10¹² to +0.53")) << "-2.98e12 to +0.53";
        QTest::newRow("plain unit") << plainNumber(formatBytes(1083584)) << "1.08 MB";
        QTest::newRow("exact") << formatDecibel(infinity) << "∞";
    }

    void texts()
    {
        QFETCH(QString, got);
        QFETCH(QString, expected);
        QCOMPARE(got, expected);
    }
};

QTEST_GUILESS_MAIN(TestNumberFormat)
#include "tst_number_format.moc"
