// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/job_strip.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QTimer>
#include <QToolButton>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int patienceMilliseconds = 120;
constexpr int widest = 960; // pixels

/// Whether a stage tells what job it is of: "Sensitivity of 42 tensors" of "Sensitivity of layers".
bool saysAlso(const QString& stage, const QString& title)
{
    return stage.contains(title, Qt::CaseInsensitive)
        || stage.section(QLatin1Char(' '), 0, 0).compare(title.section(QLatin1Char(' '), 0, 0), Qt::CaseInsensitive)
        == 0;
}

} // namespace

JobStrip::JobStrip(JobRunner& jobs, QWidget* parent)
    : QWidget(parent)
    , m_jobs(jobs)
{
    // Side by side: a second row would push the whole window up whenever two jobs run.
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(4, 0, 4, 0);
    layout->setSpacing(24);
    for (const Lane lane : lanes) {
        m_rows[lane] = buildRow(lane);
        layout->addWidget(m_rows[lane].widget, 1000);
    }
    m_idle = new QLabel(tr("Ready"));
    m_idle->setEnabled(false);
    m_idle->setMinimumHeight(m_rows[Lane::Quick].widget->sizeHint().height());
    m_idle->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    layout->addWidget(m_idle, 1000);
    layout->addStretch(1);
    connect(&jobs, &JobRunner::changed, this, &JobStrip::refresh);
    connect(&jobs, &JobRunner::progressed, this, &JobStrip::refresh);
    refresh();
}

JobStrip::Row JobStrip::buildRow(Lane lane)
{
    Row row;
    row.widget = new QWidget;
    row.widget->setMaximumWidth(widest); // the buttons stay near what they stop
    row.title = new QLabel;
    row.bar = new QProgressBar;
    row.bar->setMinimumWidth(64);
    row.bar->setMaximumWidth(240);
    row.bar->setFixedHeight(12);
    row.bar->setTextVisible(false);
    row.figures = new QLabel;
    row.figures->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    row.queued = new QLabel;
    row.queued->setEnabled(false);
    row.pause = new QToolButton;
    row.pause->setText(tr("Pause"));
    row.pause->setCheckable(true);
    row.pause->setToolTip(tr("Hold this job and leave the processor to others, until it is pressed again"));
    row.cancel = new QToolButton;
    row.cancel->setText(tr("Cancel"));
    row.cancel->setToolTip(tr("Stop this job and what waits behind it; what is finished is kept (Esc)"));
    auto* layout = new QHBoxLayout(row.widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(row.title);
    layout->addWidget(row.bar, 1);
    layout->addWidget(row.figures, 1);
    layout->addWidget(row.queued);
    layout->addWidget(row.pause);
    layout->addWidget(row.cancel);
    connect(row.cancel, &QToolButton::clicked, this, [this, lane] { m_jobs.cancelLane(lane); });
    connect(row.pause, &QToolButton::clicked, this, [this, lane](bool on) { m_jobs.setPaused(lane, on); });
    row.widget->hide();
    return row;
}

void JobStrip::setIdleText(const QString& text) { m_idle->setText(text); }

void JobStrip::refresh()
{
    bool any = false;
    for (const Lane lane : lanes) {
        Row& row = m_rows[lane];
        const auto running = m_jobs.running(lane);
        if (running && row.job != running->id) {
            // A job that follows another keeps the line; one that begins alone shows after a moment.
            row.job = running->id;
            if (!row.due)
                QTimer::singleShot(patienceMilliseconds, this, [this, &row, id = running->id] {
                    row.due = row.job == id;
                    refresh();
                });
        }
        if (!running) {
            row.job = 0;
            row.due = false;
        }
        const bool visible = running && row.due;
        row.widget->setVisible(visible);
        if (visible)
            show(row, lane, *running);
        any = any || visible;
    }
    m_idle->setVisible(!any);
}

void JobStrip::show(Row& row, Lane lane, const JobRunner::Running& running)
{
    const base::ProgressState& progress = running.progress;
    const QString stage = QString::fromStdString(progress.stage);
    row.title->setText(running.stopping      ? tr("%1: stopping…").arg(running.title)
            : running.paused                 ? tr("%1: paused").arg(running.title)
            : saysAlso(stage, running.title) ? stage
            : stage.isEmpty() || running.title.contains(stage, Qt::CaseInsensitive)
            ? running.title
            : tr("%1: %2").arg(running.title, stage));
    const bool known = progress.total > 0;
    row.bar->setRange(0, known ? 1000 : 0);
    row.bar->setValue(known ? static_cast<int>(1000 * progress.done / progress.total) : 0);
    row.figures->setText(describe(progress));
    const int queued = m_jobs.queued(lane);
    row.queued->setText(queued > 0 ? tr("%n queued", nullptr, queued) : QString());
    row.pause->setChecked(running.paused);
    row.pause->setText(running.paused ? tr("Go on") : tr("Pause"));
    row.pause->setEnabled(!running.stopping);
    row.cancel->setEnabled(!running.stopping);
}

QString JobStrip::describe(const base::ProgressState& state)
{
    const QString unit = QString::fromStdString(state.unit);
    QStringList parts;
    if (state.total > 0)
        parts << tr("%1 of %2 %3").arg(formatCount(state.done), formatCount(state.total), unit);
    if (state.perSecond > 0)
        parts << tr("%1 %2/s").arg(formatSignificant(state.perSecond), unit);
    if (state.secondsLeft)
        parts << tr("%1 left").arg(formatDuration(*state.secondsLeft));
    if (!state.detail.empty())
        parts << QString::fromStdString(state.detail);
    return parts.join(QStringLiteral("    "));
}

} // namespace quantoscope::ui
