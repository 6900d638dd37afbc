// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <QtTest>

#include "core/base/parallel.h"

using namespace quantoscope;
using namespace std::chrono_literals;
using base::parallelFor;

class TestParallel : public QObject {
    Q_OBJECT

private slots:
    void everyItemOnce_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("items");
        for (const int threads : { 1, 2, 7, 0 }) {
            for (const int items : { 0, 1, 2, 1000 })
                QTest::addRow("%d threads, %d items", threads, items) << threads << items;
        }
    }

    void everyItemOnce()
    {
        QFETCH(int, threads);
        QFETCH(int, items);
        std::vector<std::atomic<int>> counts(static_cast<std::size_t>(items));
        std::atomic<bool> badWorker = false;
        const int limit = base::resolveThreads(threads);
        const auto done = parallelFor(threads, items, {}, [&](int worker, std::int64_t item) -> Result<void> {
            if (worker < 0 || worker >= limit)
                badWorker = true;
            ++counts[static_cast<std::size_t>(item)];
            return {};
        });
        QVERIFY(done);
        QVERIFY(!badWorker);
        QVERIFY(std::ranges::all_of(counts, [](const auto& count) { return count == 1; }));
    }

    void oneWorkerNeverOverlapsItself()
    {
        constexpr int threads = 4;
        std::vector<std::atomic<int>> inside(threads);
        std::atomic<bool> overlapped = false;
        std::atomic<int> together = 0;
        std::atomic<int> most = 0;
        QVERIFY(parallelFor(threads, 200, {}, [&](int worker, std::int64_t) -> Result<void> {
            overlapped = overlapped || ++inside[static_cast<std::size_t>(worker)] != 1;
            const int now = ++together;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) { }
            std::this_thread::sleep_for(500us);
            --together;
            --inside[static_cast<std::size_t>(worker)];
            return {};
        }));
        QVERIFY(!overlapped);
        // The workers do work side by side.
        QVERIFY(most > 1 && most <= threads);
    }

    void itemsStartInAscendingOrder()
    {
        std::vector<std::int64_t> order;
        QVERIFY(parallelFor(1, 50, {}, [&](int, std::int64_t item) -> Result<void> {
            order.push_back(item);
            return {};
        }));
        QVERIFY(std::ranges::is_sorted(order) && order.size() == 50);
    }

    void theCallersThreadIsNotAWorker()
    {
        const auto caller = std::this_thread::get_id();
        QVERIFY(parallelFor(1, 3, {}, [&](int, std::int64_t) -> Result<void> {
            return std::this_thread::get_id() == caller ? fail(ErrorCode::Internal, "the caller") : Result<void>();
        }));
    }

    void theLowestFailedItemIsReported()
    {
        // Items 3 and up fail at once, 2 fails last of all.
        for (int round = 0; round < 20; ++round) {
            const auto done = parallelFor(4, 100, {}, [&](int, std::int64_t item) -> Result<void> {
                if (item < 2)
                    return {};
                if (item == 2)
                    std::this_thread::sleep_for(5ms);
                return fail(ErrorCode::Io, "item " + std::to_string(item));
            });
            QVERIFY(!done);
            QCOMPARE(done.error().code, ErrorCode::Io);
            QCOMPARE(done.error().what, std::string("item 2"));
        }
    }

    void noItemStartsAfterAFailure()
    {
        std::atomic<int> started = 0;
        const auto done = parallelFor(2, 100000, {}, [&](int, std::int64_t item) -> Result<void> {
            ++started;
            if (item == 10)
                return fail(ErrorCode::Io, "ten");
            std::this_thread::sleep_for(100us);
            return {};
        });
        QVERIFY(!done);
        QVERIFY2(started < 1000, qPrintable(QString::number(started)));
    }

    void cancellingReturnsQuickly()
    {
        std::stop_source source;
        std::atomic<int> started = 0;
        const auto begin = std::chrono::steady_clock::now();
        const auto done = parallelFor(2, 1000000, source.get_token(), [&](int, std::int64_t) -> Result<void> {
            if (++started == 5)
                source.request_stop();
            std::this_thread::sleep_for(1ms);
            return {};
        });
        QVERIFY(!done);
        QCOMPARE(done.error().code, ErrorCode::Cancelled);
        QVERIFY(started < 20);
        QVERIFY(std::chrono::steady_clock::now() - begin < 5s);
    }

    void cancelledBeforeItBegins()
    {
        std::stop_source source;
        source.request_stop();
        std::atomic<int> started = 0;
        const auto done = parallelFor(2, 10, source.get_token(), [&](int, std::int64_t) -> Result<void> {
            ++started;
            return {};
        });
        QVERIFY(!done && done.error().code == ErrorCode::Cancelled);
        QCOMPARE(started.load(), 0);
    }

    void aStopAfterTheLastItemIsNoFailure()
    {
        std::stop_source source;
        const auto done = parallelFor(1, 3, source.get_token(), [&](int, std::int64_t item) -> Result<void> {
            if (item == 2)
                source.request_stop();
            return {};
        });
        QVERIFY(done);
    }

    void exceptionsBecomeErrors_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("std::runtime_error") << "runtime" << ErrorCode::Internal;
        QTest::newRow("std::bad_alloc") << "memory" << ErrorCode::OutOfMemory;
        QTest::newRow("not even an exception") << "int" << ErrorCode::Internal;
    }

    void exceptionsBecomeErrors()
    {
        QFETCH(QString, kind);
        QFETCH(ErrorCode, code);
        const auto done = parallelFor(2, 10, {}, [&](int, std::int64_t) -> Result<void> {
            if (kind == "runtime")
                throw std::runtime_error("what it said");
            if (kind == "memory")
                throw std::bad_alloc();
            throw 5;
        });
        QVERIFY(!done);
        QCOMPARE(done.error().code, code);
        QVERIFY(kind != "runtime" || done.error().what == "what it said");
        QVERIFY(!done.error().what.empty());
    }

    void threadsAreResolved()
    {
        QVERIFY(base::availableThreads() >= 1);
        QCOMPARE(base::resolveThreads(0), base::availableThreads());
        QCOMPARE(base::resolveThreads(-3), base::availableThreads());
        QCOMPARE(base::resolveThreads(5), 5);
    }
};

QTEST_APPLESS_MAIN(TestParallel)
#include "tst_parallel.moc"
