// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string>
#include <vector>

#include <QtTest>

#include "core/base/sha256.h"

using namespace quantoscope;
using base::Sha256;

namespace {

std::string hashOf(const std::string& text, bool portable, std::size_t piece)
{
    Sha256 hash(portable);
    for (std::size_t i = 0; i < text.size(); i += piece)
        hash.update(std::span<const char>(text).subspan(i, std::min(piece, text.size() - i)));
    return base::toHex(hash.digest());
}

} // namespace

class TestSha256 : public QObject {
    Q_OBJECT

private slots:
    void knownAnswers_data();
    void knownAnswers();
    void bothWaysAgree();
    void digestDoesNotEndIt();
    void listsAreNotJoined();
};

/// The examples that NIST gives for FIPS 180.
void TestSha256::knownAnswers_data()
{
    QTest::addColumn<std::string>("text");
    QTest::addColumn<std::string>("digest");
    QTest::newRow("empty") << std::string()
                           << std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    QTest::newRow("one block") << std::string("abc")
                               << std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    QTest::newRow("two blocks") << std::string("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                                << std::string("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    QTest::newRow("a million letters") << std::string(
        1000000, 'a') << std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

void TestSha256::knownAnswers()
{
    QFETCH(std::string, text);
    QFETCH(std::string, digest);
    for (const bool portable : { false, true })
        for (const std::size_t piece : { std::size_t { 7 }, std::size_t { 64 }, std::size_t { 1000 } })
            QCOMPARE(hashOf(text, portable, piece), digest);
}

void TestSha256::bothWaysAgree()
{
    std::string text;
    for (int i = 0; i < 300; ++i) {
        QCOMPARE(hashOf(text, false, 300), hashOf(text, true, 13));
        text += static_cast<char>(i * 37);
    }
}

void TestSha256::digestDoesNotEndIt()
{
    Sha256 hash;
    hash.update(std::span<const char>("ab", 2));
    hash.digest();
    hash.update(std::span<const char>("c", 1));
    QCOMPARE(base::toHex(hash.digest()), hashOf("abc", true, 3));
}

void TestSha256::listsAreNotJoined()
{
    QVERIFY(Sha256().add("ab").add("c").digest() != Sha256().add("a").add("bc").digest());
    QVERIFY(Sha256().add("").digest() != Sha256().digest());
    QVERIFY(Sha256().add(1).add(2).digest() != Sha256().add(2).add(1).digest());
    QVERIFY(Sha256().add(-1).digest() == Sha256().add(-1).digest());
}

QTEST_APPLESS_MAIN(TestSha256)
#include "tst_sha256.moc"
