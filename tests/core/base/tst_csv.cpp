// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/base/csv.h"

class TestCsv : public QObject {
    Q_OBJECT

private slots:
    void fields_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("field");
        QTest::newRow("empty") << ""
                               << "";
        QTest::newRow("plain") << "layer1.conv 2"
                               << "layer1.conv 2";
        QTest::newRow("comma") << "a,b"
                               << "\"a,b\"";
        QTest::newRow("quotes") << "\"a\"\""
                                << "\"\"\"a\"\"\"\"\"";
        QTest::newRow("line break") << "a\nb"
                                    << "\"a\nb\"";
    }

    void fields()
    {
        QFETCH(QString, text);
        QFETCH(QString, field);
        QCOMPARE(QString::fromStdString(quantoscope::base::csvField(text.toStdString())), field);
    }
};

QTEST_APPLESS_MAIN(TestCsv)
#include "tst_csv.moc"
