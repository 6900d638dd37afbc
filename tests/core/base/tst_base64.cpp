// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/base/base64.h"

using namespace quantoscope;

/// Base64 against the vectors of RFC 4648, section 10.
class TestBase64 : public QObject {
    Q_OBJECT

private slots:
    void vectors_data();
    void vectors();
    void everyByteSurvives();
    void damagedText_data();
    void damagedText();
};

void TestBase64::vectors_data()
{
    QTest::addColumn<std::string>("plain");
    QTest::addColumn<std::string>("encoded");
    QTest::newRow("empty") << std::string() << std::string();
    QTest::newRow("f") << std::string("f") << std::string("Zg==");
    QTest::newRow("fo") << std::string("fo") << std::string("Zm8=");
    QTest::newRow("foo") << std::string("foo") << std::string("Zm9v");
    QTest::newRow("foob") << std::string("foob") << std::string("Zm9vYg==");
    QTest::newRow("fooba") << std::string("fooba") << std::string("Zm9vYmE=");
    QTest::newRow("foobar") << std::string("foobar") << std::string("Zm9vYmFy");
}

void TestBase64::vectors()
{
    QFETCH(std::string, plain);
    QFETCH(std::string, encoded);
    const auto bytes = std::as_bytes(std::span(plain));
    QCOMPARE(base::toBase64(bytes), encoded);
    const auto back = base::fromBase64(encoded);
    QVERIFY(back);
    QVERIFY(std::ranges::equal(*back, bytes));
}

void TestBase64::everyByteSurvives()
{
    std::vector<std::byte> bytes;
    for (int i = 0; i < 256; ++i)
        bytes.push_back(static_cast<std::byte>(i));
    const auto back = base::fromBase64(base::toBase64(bytes));
    QVERIFY(back);
    QVERIFY(*back == bytes);
}

void TestBase64::damagedText_data()
{
    QTest::addColumn<std::string>("text");
    QTest::newRow("length") << std::string("Zm9");
    QTest::newRow("foreign character") << std::string("Zm9*");
    QTest::newRow("padding inside") << std::string("Zg==Zm9v");
    QTest::newRow("three signs of padding") << std::string("Z===");
    QTest::newRow("bits beyond the end") << std::string("Zh==");
    QTest::newRow("line break") << std::string("Zm9v\nZg=");
}

void TestBase64::damagedText()
{
    QFETCH(std::string, text);
    QVERIFY(!base::fromBase64(text));
}

QTEST_APPLESS_MAIN(TestBase64)
#include "tst_base64.moc"
