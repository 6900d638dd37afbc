// SPDX-License-Identifier: GPL-3.0-or-later
#include <memory>

#include <QtTest>

#include "core/base/error.h"
#include "core/base/ids.h"

using namespace quantoscope;

namespace {

Result<std::unique_ptr<int>> made(bool works)
{
    if (!works)
        return fail(ErrorCode::NotFound, "nothing", "here", "look there");
    return std::make_unique<int>(7);
}

Result<int> unpacked(bool first, bool second, int* reached)
{
    QS_TRY(const auto a, made(first));
    ++*reached;
    QS_TRY(auto b, made(second));
    ++*reached;
    return *a + *b;
}

Result<void> checked(bool works)
{
    QS_CHECK(made(works));
    return {};
}

} // namespace

class TestError : public QObject {
    Q_OBJECT

private slots:
    void messageLeavesEmptyPartsOut_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("where");
        QTest::addColumn<QString>("hint");
        QTest::addColumn<QString>("message");
        QTest::newRow("all") << "what"
                             << "where"
                             << "hint"
                             << "what: where: hint";
        QTest::newRow("no place") << "what"
                                  << ""
                                  << "hint"
                                  << "what: hint";
        QTest::newRow("no hint") << "what"
                                 << "where"
                                 << ""
                                 << "what: where";
        QTest::newRow("only what") << "what"
                                   << ""
                                   << ""
                                   << "what";
        QTest::newRow("only a place") << ""
                                      << "where"
                                      << ""
                                      << "where";
        QTest::newRow("nothing") << ""
                                 << ""
                                 << ""
                                 << "";
    }

    void messageLeavesEmptyPartsOut()
    {
        QFETCH(QString, what);
        QFETCH(QString, where);
        QFETCH(QString, hint);
        QFETCH(QString, message);
        const Error error { ErrorCode::Io, what.toStdString(), where.toStdString(), hint.toStdString() };
        QCOMPARE(QString::fromStdString(error.message()), message);
    }

    void tryBindsTheValueOrReturnsTheError()
    {
        int reached = 0;
        QCOMPARE(unpacked(true, true, &reached).value(), 14);
        QCOMPARE(reached, 2);
        reached = 0;
        const auto second = unpacked(true, false, &reached);
        QCOMPARE(reached, 1);
        QVERIFY(!second);
        QCOMPARE(second.error().message(), std::string("nothing: here: look there"));
        reached = 0;
        QVERIFY(!unpacked(false, true, &reached));
        QCOMPARE(reached, 0);
    }

    void checkReturnsTheErrorUnchanged()
    {
        QVERIFY(checked(true));
        const auto failed = checked(false);
        QVERIFY(!failed);
        QCOMPARE(failed.error().code, ErrorCode::NotFound);
        QCOMPARE(failed.error().hint, std::string("look there"));
    }

    void cancellingHasItsOwnCode()
    {
        const Result<void> result = base::cancelled();
        QVERIFY(!result && result.error().code == ErrorCode::Cancelled);
    }

    void idsAreInvalidUntilSet()
    {
        using AnId = base::Id<struct ATag>;
        static_assert(!std::is_convertible_v<AnId, base::Id<struct AnotherTag>>);
        QVERIFY(!AnId {}.valid());
        QVERIFY(AnId { 0 }.valid() && AnId { 3 }.index() == 3);
        QVERIFY(AnId { 1 } < AnId { 2 } && AnId { 1 } != AnId { 2 });
    }
};

QTEST_APPLESS_MAIN(TestError)
#include "tst_error.moc"
