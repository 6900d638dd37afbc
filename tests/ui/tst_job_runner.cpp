// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <atomic>
#include <latch>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <QEventLoop>
#include <QSignalSpy>
#include <QTest>
#include <QThread>

#include "ui/jobs/job_runner.h"

using namespace quantoscope;
using namespace quantoscope::ui;
using namespace std::chrono_literals;

namespace {

/// A job that ends when it is asked to stop, or when `open` is set.
std::function<Result<int>(const base::Job&)> waiting(std::atomic<bool>& open, int value)
{
    return [&open, value](const base::Job& job) -> Result<int> {
        while (!open && !job.stopRequested())
            std::this_thread::sleep_for(1ms);
        if (job.stopRequested())
            return base::cancelled();
        return value;
    };
}

} // namespace

class TestJobRunner : public QObject {
    Q_OBJECT

private slots:
    void deliversOnTheGuiThread()
    {
        JobRunner runner;
        std::thread::id worker;
        std::thread::id receiver;
        std::optional<int> got;
        runner.start<int>(
            { QStringLiteral("job"), Lane::Quick, {} },
            [&](const base::Job&) -> Result<int> {
                worker = std::this_thread::get_id();
                return 42;
            },
            [&](Result<int> result) {
                receiver = std::this_thread::get_id();
                got = *result;
            });
        QVERIFY(!runner.idle());
        QTRY_COMPARE(got, std::optional(42));
        QVERIFY(worker != std::this_thread::get_id());
        QCOMPARE(receiver, std::this_thread::get_id());
        QVERIFY(runner.idle());
    }

    void aPausedJobWaits_data()
    {
        QTest::addColumn<bool>("cancelled");
        QTest::newRow("goes on") << false;
        QTest::newRow("cancelled while it waits") << true;
    }

    void aPausedJobWaits()
    {
        QFETCH(bool, cancelled);
        JobRunner runner;
        std::atomic<int> steps = 0;
        std::atomic<bool> end = false;
        bool done = false;
        runner.start<int>(
            { QStringLiteral("counting"), Lane::Study, {} },
            [&](const base::Job& job) -> Result<int> {
                job.begin("Counting", 0, "steps");
                while (!end && !job.stopRequested()) {
                    std::this_thread::sleep_for(1ms);
                    job.advance();
                    ++steps;
                }
                return 1;
            },
            [&](const Result<int>&) { done = true; });
        QTRY_VERIFY(steps > 0);
        runner.setPaused(Lane::Study, true);
        QVERIFY(runner.running(Lane::Study)->paused);
        // It stops where it next tells how far it is.
        int before = -1;
        QTRY_VERIFY([&] {
            const int now = steps;
            QTest::qWait(200);
            return std::exchange(before, now) == steps;
        }());
        if (cancelled) {
            runner.cancelLane(Lane::Study);
        } else {
            runner.setPaused(Lane::Study, false);
            QTRY_VERIFY(steps > before);
            end = true;
        }
        QTRY_VERIFY(done);
    }

    void aPausedJobDoesNotKeepTheProgramFromEnding()
    {
        JobRunner runner;
        std::atomic<bool> began = false;
        runner.start<int>(
            { QStringLiteral("endless"), Lane::Study, {} },
            [&](const base::Job& job) -> Result<int> {
                while (!job.stopRequested()) {
                    std::this_thread::sleep_for(1ms);
                    job.begin("Turning", 0, "rounds");
                    began = true;
                }
                return 1;
            },
            [](const Result<int>&) {});
        QTRY_VERIFY(began);
        runner.setPaused(Lane::Study, true);
    }

    void aLaneRunsOneAfterTheOther()
    {
        JobRunner runner;
        std::atomic<int> inside = 0;
        std::atomic<int> most = 0;
        QList<int> order;
        for (int i = 0; i < 6; ++i)
            runner.start<int>(
                { QStringLiteral("job"), Lane::Study, {} },
                [&inside, &most, i](const base::Job&) -> Result<int> {
                    most = std::max(most.load(), ++inside);
                    std::this_thread::sleep_for(2ms);
                    --inside;
                    return i;
                },
                [&order](Result<int> result) { order << *result; });
        QCOMPARE(runner.queued(Lane::Study), 5);
        QTRY_COMPARE(order, (QList<int> { 0, 1, 2, 3, 4, 5 }));
        QCOMPARE(most.load(), 1);
    }

    void lanesDoNotWaitForEachOther()
    {
        JobRunner runner;
        std::atomic<bool> open = false;
        bool quick = false;
        runner.start<int>({ QStringLiteral("long"), Lane::Study, {} }, waiting(open, 1), [](Result<int>) {});
        runner.start<int>(
            { QStringLiteral("short"), Lane::Quick, {} }, [](const base::Job&) -> Result<int> { return 1; },
            [&](Result<int>) { quick = true; });
        QTRY_VERIFY(quick);
        QVERIFY(runner.running(Lane::Study).has_value());
        open = true;
        QTRY_VERIFY(runner.idle());
    }

    void aNewerJobOfTheChannelMakesOlderOnesStale()
    {
        JobRunner runner;
        std::atomic<bool> open = false;
        QList<int> got;
        const auto start = [&](int value) {
            runner.start<int>({ QStringLiteral("job"), Lane::Quick, QStringLiteral("channel") }, waiting(open, value),
                [&got, value](const Result<int>& result) { got << (result ? value : -value); });
        };
        start(1);
        start(2);
        start(3);
        QCOMPARE(runner.queued(Lane::Quick), 1);
        open = true;
        QTRY_VERIFY(runner.idle());
        QCOMPARE(got, QList<int> { 3 });
    }

    void aResultThatWasReadyButNotDeliveredIsStaleToo()
    {
        JobRunner runner;
        std::latch done(1);
        bool delivered = false;
        runner.start<int>(
            { QStringLiteral("job"), Lane::Quick, QStringLiteral("channel") },
            [&](const base::Job&) -> Result<int> {
                done.count_down();
                return 1;
            },
            [&](Result<int>) { delivered = true; });
        done.wait();
        std::this_thread::sleep_for(20ms);
        runner.drop(QStringLiteral("channel"));
        QTRY_VERIFY(runner.idle());
        QVERIFY(!delivered);
    }

    void cancelReachesTheRunningJobAndRefusesTheWaitingOnes()
    {
        JobRunner runner;
        std::atomic<bool> open = false;
        QList<ErrorCode> ends;
        const auto end
            = [&ends](const Result<int>& result) { ends << (result ? ErrorCode::Internal : result.error().code); };
        const JobId first = runner.start<int>({ QStringLiteral("a"), Lane::Study, {} }, waiting(open, 1), end);
        const JobId second = runner.start<int>({ QStringLiteral("b"), Lane::Study, {} }, waiting(open, 2), end);
        runner.start<int>({ QStringLiteral("c"), Lane::Study, {} }, waiting(open, 3), end);
        runner.cancel(second);
        QCOMPARE(ends, QList<ErrorCode> { ErrorCode::Cancelled });
        runner.cancel(first);
        QVERIFY(runner.running(Lane::Study)->stopping);
        QTRY_COMPARE(ends.size(), 2);
        runner.cancelLane(Lane::Study);
        QTRY_COMPARE(ends, (QList<ErrorCode> { ErrorCode::Cancelled, ErrorCode::Cancelled, ErrorCode::Cancelled }));
    }

    void progressArrivesOnTheGuiThread()
    {
        JobRunner runner;
        QList<std::int64_t> seen;
        connect(&runner, &JobRunner::progressed, this, [&](Lane lane, const base::ProgressState& state) {
            QCOMPARE(lane, Lane::Evaluation);
            seen << state.done;
        });
        std::atomic<bool> open = false;
        runner.start<int>(
            { QStringLiteral("job"), Lane::Evaluation, {} },
            [&](const base::Job& job) -> Result<int> {
                job.begin("Counting", 10, "things");
                job.advance(10);
                job.finish();
                while (!open)
                    std::this_thread::sleep_for(1ms);
                return 0;
            },
            [](Result<int>) {});
        QTRY_VERIFY(!seen.isEmpty() && seen.back() == 10);
        QCOMPARE(runner.running(Lane::Evaluation)->progress.unit, std::string("things"));
        open = true;
        QTRY_VERIFY(runner.idle());
    }

    void whatAJobPostsArrivesInOrderBeforeItsResult()
    {
        JobRunner runner;
        QList<int> got;
        bool elsewhere = false;
        runner.start<int>(
            { QStringLiteral("job"), Lane::Study, {} },
            [&](const base::Job&) -> Result<int> {
                for (int i = 0; i < 100; ++i)
                    runner.post([&, i] {
                        got << i;
                        elsewhere = elsewhere || QThread::currentThread() != thread();
                    });
                return 100;
            },
            [&](const Result<int>& result) { got << *result; });
        QTRY_VERIFY(runner.idle());
        QList<int> wanted(101);
        std::iota(wanted.begin(), wanted.end(), 0);
        QCOMPARE(got, wanted);
        QVERIFY(!elsewhere);
    }

    void othersArriveWhileAMessageIsBeingHandled()
    {
        JobRunner runner;
        bool ended = false;
        runner.start<int>(
            { QStringLiteral("job"), Lane::Study, {} },
            [&](const base::Job&) -> Result<int> {
                auto loop = std::make_shared<QEventLoop*>(nullptr);
                runner.post([loop] { // as a dialog does
                    QEventLoop inner;
                    *loop = &inner;
                    inner.exec();
                });
                runner.post([loop, &ended] {
                    ended = *loop != nullptr;
                    (*loop)->quit();
                });
                return 1;
            },
            [](const Result<int>&) {});
        QTRY_VERIFY(runner.idle());
        QVERIFY(ended);
    }

    void anExceptionBecomesAnError_data()
    {
        QTest::addColumn<bool>("memory");
        QTest::newRow("of memory") << true;
        QTest::newRow("another") << false;
    }

    void anExceptionBecomesAnError()
    {
        QFETCH(bool, memory);
        JobRunner runner;
        std::optional<ErrorCode> code;
        runner.start<int>(
            { QStringLiteral("job"), Lane::Quick, {} },
            [memory](const base::Job&) -> Result<int> {
                if (memory)
                    throw std::bad_alloc();
                throw std::runtime_error("odd");
            },
            [&](const Result<int>& result) { code = result.error().code; });
        QTRY_COMPARE(code, std::optional(memory ? ErrorCode::OutOfMemory : ErrorCode::Internal));
    }

    void theDestructorWaitsAndDeliversNothing()
    {
        std::atomic<bool> ended = false;
        bool delivered = false;
        {
            JobRunner runner;
            std::latch begun(1);
            runner.start<int>(
                { QStringLiteral("job"), Lane::Quick, {} },
                [&](const base::Job& job) -> Result<int> {
                    begun.count_down();
                    while (!job.stopRequested())
                        std::this_thread::sleep_for(1ms);
                    std::this_thread::sleep_for(20ms);
                    ended = true;
                    return 1;
                },
                [&](Result<int>) { delivered = true; });
            begun.wait();
        }
        QVERIFY(ended);
        QCoreApplication::processEvents();
        QVERIFY(!delivered);
    }
};

QTEST_GUILESS_MAIN(TestJobRunner)
#include "tst_job_runner.moc"
