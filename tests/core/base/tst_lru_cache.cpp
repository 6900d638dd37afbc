// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <QTest>

#include "core/base/lru_cache.h"

using quantoscope::base::LruCache;
using Cache = LruCache<int, std::string>;

namespace {

std::shared_ptr<const std::string> text(const char* value) { return std::make_shared<const std::string>(value); }

} // namespace

class TestLruCache : public QObject {
    Q_OBJECT

private slots:
    void findsWhatItKeeps()
    {
        Cache cache(100);
        QVERIFY(!cache.find(1));
        cache.keep(1, text("one"), 10);
        QVERIFY(cache.find(1));
        QCOMPARE(*cache.find(1), std::string("one"));
        QCOMPARE(cache.bytes(), std::size_t { 10 });
    }

    void theFirstOfTwoIsKept()
    {
        Cache cache(100);
        cache.keep(1, text("first"), 10);
        QCOMPARE(*cache.keep(1, text("second"), 20), std::string("first"));
        QCOMPARE(cache.bytes(), std::size_t { 10 });
    }

    void whatWasNotAskedForLongestGoesFirst()
    {
        Cache cache(30);
        for (int key = 1; key <= 3; ++key)
            cache.keep(key, text("x"), 10);
        QVERIFY(cache.find(1)); // now 2 is the oldest
        cache.keep(4, text("x"), 10);
        QVERIFY(cache.find(1));
        QVERIFY(!cache.find(2));
        QVERIFY(cache.find(3));
        QVERIFY(cache.find(4));
        QCOMPARE(cache.bytes(), std::size_t { 30 });
        cache.keep(5, text("large"), 25);
        QCOMPARE(cache.size(), std::size_t { 1 });
        QVERIFY(cache.find(5));
    }

    void whatExceedsTheBudgetIsHandedBack()
    {
        Cache cache(30);
        cache.keep(1, text("x"), 10);
        QCOMPARE(*cache.keep(2, text("too large"), 31), std::string("too large"));
        QVERIFY(!cache.find(2));
        QVERIFY(cache.find(1));
    }

    void whatIsDroppedLivesOnInUse()
    {
        Cache cache(10);
        const auto held = cache.keep(1, text("held"), 10);
        cache.keep(2, text("other"), 10);
        QVERIFY(!cache.find(1));
        QCOMPARE(*held, std::string("held"));
    }
};

QTEST_APPLESS_MAIN(TestLruCache)
#include "tst_lru_cache.moc"
