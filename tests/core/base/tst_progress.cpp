// SPDX-License-Identifier: GPL-3.0-or-later
#include <atomic>
#include <chrono>
#include <cmath>
#include <semaphore>
#include <thread>
#include <vector>

#include <QtTest>

#include "core/base/progress.h"

using namespace quantoscope;
using namespace std::chrono_literals;
using base::Progress;
using base::ProgressState;

class TestProgress : public QObject {
    Q_OBJECT

private slots:
    void beginAndFinishAreAlwaysTold()
    {
        std::vector<ProgressState> heard;
        Progress progress([&](const ProgressState& state) { heard.push_back(state); });
        for (int stage = 0; stage < 3; ++stage) {
            progress.begin("stage " + std::to_string(stage), 10, "images");
            progress.advance(10);
            progress.finish();
        }
        QCOMPARE(heard.size(), 6u);
        for (std::size_t i = 0; i < heard.size(); ++i) {
            QCOMPARE(heard[i].stage, "stage " + std::to_string(i / 2));
            QCOMPARE(heard[i].unit, std::string("images"));
            QCOMPARE(heard[i].total, std::int64_t { 10 });
            QCOMPARE(heard[i].done, std::int64_t { i % 2 == 0 ? 0 : 10 });
        }
    }

    void theListenerIsToldAtMostEvery50Milliseconds()
    {
        using Clock = std::chrono::steady_clock;
        std::vector<Clock::time_point> times;
        Progress progress([&](const ProgressState&) { times.push_back(Clock::now()); });
        progress.begin("stage", 0, "images");
        const auto start = Clock::now();
        while (Clock::now() - start < 420ms)
            progress.advance();
        const auto passed = Clock::now() - start;
        QVERIFY(times.size() >= 3);
        QVERIFY(static_cast<double>(times.size()) <= 2 + passed / 50.0ms);
    }

    void neverTwoListenersAtOnceAndNeverBackwards()
    {
        std::atomic<int> inside = 0;
        std::atomic<bool> together = false;
        std::int64_t last = 0;
        bool backwards = false;
        Progress progress([&](const ProgressState& state) {
            together = together || ++inside != 1;
            backwards = backwards || state.done < last;
            last = state.done;
            // Slower than the interval: the next ones queue up.
            std::this_thread::sleep_for(60ms);
            --inside;
        });
        progress.begin("stage", 0, "images");
        std::vector<std::jthread> workers;
        for (int w = 0; w < 4; ++w) {
            workers.emplace_back([&] {
                const auto start = std::chrono::steady_clock::now();
                while (std::chrono::steady_clock::now() - start < 600ms) {
                    progress.advance();
                    std::this_thread::sleep_for(100us);
                }
            });
        }
        workers.clear();
        progress.finish();
        QVERIFY(!together);
        QVERIFY(!backwards);
        QCOMPARE(last, progress.state().done);
    }

    void whoWaitsForASlowListenerTellsTheLatest()
    {
        std::binary_semaphore inside(0);
        std::binary_semaphore release(0);
        std::vector<std::int64_t> heard;
        Progress progress([&](const ProgressState& state) {
            heard.push_back(state.done);
            if (heard.size() == 1) {
                inside.release();
                release.acquire();
            }
        });
        {
            const std::jthread first([&] { progress.begin("stage", 6, "images"); });
            inside.acquire();
            const std::jthread second([&] { progress.finish(); });
            std::this_thread::sleep_for(30ms);
            const std::jthread third([&] { progress.advance(6); });
            std::this_thread::sleep_for(30ms);
            release.release();
        }
        QVERIFY(heard.size() >= 2);
        QCOMPARE(heard[1], std::int64_t { 6 });
    }

    void everyThreadsWorkIsCounted()
    {
        Progress progress;
        progress.begin("stage", 40000, "images");
        std::vector<std::jthread> workers;
        for (int w = 0; w < 4; ++w) {
            workers.emplace_back([&] {
                for (int i = 0; i < 5000; ++i)
                    progress.advance(2);
            });
        }
        workers.clear();
        QCOMPARE(progress.state().done, std::int64_t { 40000 });
    }

    void theEstimateFollowsFromTheRate()
    {
        Progress progress;
        progress.begin("stage", 100, "images");
        QVERIFY(!progress.state().secondsLeft);
        std::this_thread::sleep_for(100ms);
        progress.advance(25);
        const ProgressState state = progress.state();
        QVERIFY(state.elapsedSeconds >= 0.1);
        QVERIFY(std::abs(state.perSecond - 25 / state.elapsedSeconds) < 1e-6);
        QVERIFY(state.secondsLeft);
        QVERIFY(std::abs(*state.secondsLeft - 75 / state.perSecond) < 1e-6);
    }

    void theRateIsThatOfTheLastSeconds()
    {
        // A slow start must not spoil the estimate for good: almost nothing for two seconds, then a steady rate.
        using Clock = std::chrono::steady_clock;
        Progress progress;
        progress.begin("stage", 1000000, "images");
        std::this_thread::sleep_for(2100ms);
        progress.advance(1);
        const auto start = Clock::now();
        std::int64_t counted = 0;
        while (Clock::now() - start < 2400ms) {
            progress.advance(10);
            counted += 10;
            std::this_thread::sleep_for(10ms);
        }
        const double recent
            = static_cast<double>(counted) / std::chrono::duration<double>(Clock::now() - start).count();
        // Over the whole stage it is 53 % of that.
        QVERIFY(progress.state().perSecond > 0.62 * recent);
        QVERIFY(progress.state().perSecond < 1.2 * recent);
    }

    void noEstimateWithoutATotalAndNoneBelowZero()
    {
        Progress progress;
        progress.begin("open end", 0, "images");
        std::this_thread::sleep_for(5ms);
        progress.advance(5);
        QVERIFY(!progress.state().secondsLeft);
        progress.begin("more than planned", 4, "images");
        std::this_thread::sleep_for(5ms);
        progress.advance(5);
        QCOMPARE(progress.state().secondsLeft.value(), 0.0);
    }

    void aStageStartsFromNothing()
    {
        Progress progress;
        progress.begin("one", 10, "images");
        progress.advance(7);
        progress.begin("two", 5, "points");
        const ProgressState state = progress.state();
        QCOMPARE(state.done, std::int64_t { 0 });
        QCOMPARE(state.stage, std::string("two"));
        QCOMPARE(state.perSecond, 0.0);
    }

    void aJobWithoutProgressIsSilent()
    {
        const base::Job job;
        job.begin("stage", 1, "images");
        job.advance();
        job.finish();
        QVERIFY(!job.stopRequested());
        std::stop_source source;
        Progress progress;
        const base::Job told { &progress, source.get_token() };
        told.begin("stage", 3, "images");
        told.advance(2);
        QCOMPARE(progress.state().done, std::int64_t { 2 });
        source.request_stop();
        QVERIFY(told.stopRequested());
    }

    void aPartOfAJobIsItsDetail()
    {
        QStringList details;
        std::int64_t most = 0;
        Progress progress([&](const ProgressState& state) {
            details << QString::fromStdString(state.detail);
            most = std::max(most, state.done);
        });
        const base::Job whole { &progress, {} };
        whole.begin("Comparing options", 4, "images");
        {
            base::PartOfJob outer(whole);
            outer.job().begin("Choosing", 3, "steps");
            base::PartOfJob inner(outer.job());
            std::this_thread::sleep_for(60ms); // so that it is time to tell
            inner.job().begin("Correcting weights", 21, "layers");
            QCOMPARE(details.last(), QString("Choosing: 0 of 3 steps; Correcting weights: 0 of 21 layers"));
            std::this_thread::sleep_for(60ms);
            inner.job().advance(5);
            QCOMPARE(details.last(), QString("Choosing: 0 of 3 steps; Correcting weights: 5 of 21 layers"));
        }
        QCOMPARE(details.last(), QString());
        QCOMPARE(most, std::int64_t { 0 }); // the whole counts its own work
        whole.begin("next", 1, "images");
        QCOMPARE(progress.state().detail, std::string());
        // Without a listener, and stopped with the whole.
        std::stop_source source;
        base::PartOfJob silent({ nullptr, source.get_token() });
        silent.job().begin("stage", 1, "images");
        source.request_stop();
        QVERIFY(silent.job().stopRequested());
    }
};

QTEST_APPLESS_MAIN(TestProgress)
#include "tst_progress.moc"
