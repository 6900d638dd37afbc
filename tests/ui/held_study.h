// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <functional>

#include <QDeadlineTimer>
#include <QTest>
#include <QThread>

#include "ui/jobs/job_runner.h"

namespace quantoscope::test {

/// Lets the study that runs go on for a moment at a time until `enough`, and holds it there, whatever the speed of the
/// machine: between two moments everything that it told is handled. To be called at once after it was started. False:
/// it ended before, or that took too long.
inline bool holdWhen(ui::JobRunner& jobs, const std::function<bool()>& enough, int patience)
{
    constexpr unsigned long longestMoment = 20; // milliseconds, less than a few points of any study take
    jobs.setPaused(ui::Lane::Study, true);
    QDeadlineTimer late(patience);
    for (unsigned long moment = 1; !enough(); moment = std::min(2 * moment, longestMoment)) {
        if (late.hasExpired() || !jobs.running(ui::Lane::Study))
            return false;
        jobs.setPaused(ui::Lane::Study, false);
        QThread::msleep(moment);
        jobs.setPaused(ui::Lane::Study, true);
        QTest::qWait(1);
    }
    return jobs.running(ui::Lane::Study).has_value();
}

} // namespace quantoscope::test
