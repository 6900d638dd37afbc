// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>
#include <stop_token>
#include <thread>

#include <QtTest>

#include "core/base/time_limit.h"

using namespace std::chrono_literals;
using quantoscope::base::TimeLimit;
using Clock = TimeLimit::Clock;

namespace {

/// How long until the token is asked to stop; a second at most.
Clock::duration waitFor(const std::stop_token& token)
{
    const auto start = Clock::now();
    while (!token.stop_requested() && Clock::now() - start < 1s)
        std::this_thread::sleep_for(1ms);
    return Clock::now() - start;
}

}

class TestTimeLimit : public QObject {
    Q_OBJECT

private slots:
    void stopsWhenTimeIsUp()
    {
        const TimeLimit limit({}, Clock::now() + 60ms);
        QVERIFY(!limit.token().stop_requested() && !limit.over());
        const auto waited = waitFor(limit.token());
        QVERIFY(waited > 40ms && waited < 600ms);
        QVERIFY(limit.over());
    }

    void stopsWithTheOuterOne()
    {
        std::stop_source outer;
        const TimeLimit limit(outer.get_token(), Clock::now() + 1h);
        QVERIFY(!limit.token().stop_requested());
        outer.request_stop();
        QVERIFY(limit.token().stop_requested());
        QVERIFY(!limit.over());
    }

    void aLimitThatHasPassed()
    {
        const TimeLimit limit({}, Clock::now() - 1s);
        QVERIFY(limit.over());
        QVERIFY(waitFor(limit.token()) < 600ms);
    }

    void endsAtOnceWhenNoLongerNeeded()
    {
        const auto start = Clock::now();
        std::stop_token token;
        {
            const TimeLimit limit({}, start + 1h);
            token = limit.token();
        }
        QVERIFY(Clock::now() - start < 600ms);
        QVERIFY(!token.stop_requested()); // work that goes on is not disturbed
    }
};

QTEST_APPLESS_MAIN(TestTimeLimit)
#include "tst_time_limit.moc"
