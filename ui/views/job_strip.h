// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>

#include <QWidget>

#include "ui/jobs/job_runner.h"

class QLabel;
class QProgressBar;
class QToolButton;

namespace quantoscope::ui {

/// What is running, one line a lane: stage, bar, counts, speed, time left, cancel, and how many wait. Jobs that end
/// before anyone could read it are not shown. One line is always there, so that nothing above jumps; idle, it says what
/// could be done.
class JobStrip : public QWidget {
    Q_OBJECT

public:
    explicit JobStrip(JobRunner& jobs, QWidget* parent = nullptr);

    void setIdleText(const QString& text);

    /// What is known of progress, in words: "640 of 1,000 images   8,900 images/s   0:31 left".
    static QString describe(const base::ProgressState& state);

private:
    struct Row {
        QWidget* widget = nullptr;
        QLabel* title = nullptr;
        QProgressBar* bar = nullptr;
        QLabel* figures = nullptr;
        QLabel* queued = nullptr;
        QToolButton* pause = nullptr;
        QToolButton* cancel = nullptr;
        JobId job = 0;
        bool due = false; ///< the job has been running long enough to be shown
    };
    Row buildRow(Lane lane);
    void refresh();
    void show(Row& row, Lane lane, const JobRunner::Running& running);

    JobRunner& m_jobs;
    std::map<Lane, Row> m_rows;
    QLabel* m_idle = nullptr;
};

} // namespace quantoscope::ui
