// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/jobs/job_runner.h"

#include <algorithm>
#include <utility>

namespace quantoscope::ui {

void JobRunner::Gate::set(bool shut)
{
    {
        const std::scoped_lock lock(mutex);
        closed = shut;
    }
    opened.notify_all();
}

void JobRunner::Gate::pass(const std::stop_token& stop)
{
    std::unique_lock lock(mutex);
    opened.wait(lock, stop, [this] { return !closed; });
}

JobRunner::JobRunner(QObject* parent)
    : QObject(parent)
{
    // A lane is a thread; core spreads its own work over the cores.
    for (const Lane lane : lanes)
        m_lanes[lane] = {};
    m_lanes[Lane::Keep] = {};
}

JobRunner::~JobRunner()
{
    for (auto& [lane, state] : m_lanes) {
        state.waiting.clear();
        if (state.running) {
            state.running->stale = true;
            state.running->stop.request_stop();
        }
    }
    for (auto& [lane, state] : m_lanes)
        if (state.worker.joinable())
            state.worker.join();
}

void JobRunner::enqueue(EntryPtr entry)
{
    if (!entry->ticket.channel.isEmpty())
        drop(entry->ticket.channel);
    const Lane lane = entry->ticket.lane;
    m_lanes[lane].waiting.push_back(std::move(entry));
    next(lane);
    emit changed();
}

void JobRunner::next(Lane lane)
{
    LaneState& state = m_lanes[lane];
    if (state.running || state.waiting.empty())
        return;
    state.running = state.waiting.front();
    state.waiting.pop_front();
    launch(state.running);
}

void JobRunner::launch(const EntryPtr& entry)
{
    m_lanes[entry->ticket.lane].worker = std::jthread([this, entry] {
        base::Progress progress([this, entry](const base::ProgressState& state) {
            post([this, entry, state] {
                entry->progress = state;
                if (!entry->stale && m_lanes[entry->ticket.lane].running == entry)
                    emit progressed(entry->ticket.lane, state);
            });
            entry->gate.pass(entry->stop.get_token());
        });
        post([this, entry, completion = entry->work(base::Job { &progress, entry->stop.get_token() })] {
            finished(entry, completion);
        });
    });
}

void JobRunner::finished(const EntryPtr& entry, const Completion& completion)
{
    LaneState& state = m_lanes[entry->ticket.lane];
    state.worker.join(); // which has nothing left to do
    state.running.reset();
    next(entry->ticket.lane);
    emit changed();
    if (!entry->stale)
        completion();
}

void JobRunner::post(std::function<void()> message)
{
    const std::scoped_lock lock(m_mailLock);
    m_mail.push_back(std::move(message));
    if (m_mail.size() == 1)
        callDeliver();
}

void JobRunner::callDeliver() { QMetaObject::invokeMethod(this, "deliver", Qt::QueuedConnection); }

/// One message; another call is on its way whenever there is another. It is made before the message is read, which may
/// open a dialog: Qt would not wake the dialog's loop for what was queued before it.
void JobRunner::deliver()
{
    std::function<void()> message;
    {
        const std::scoped_lock lock(m_mailLock);
        message = std::move(m_mail.front());
        m_mail.pop_front();
        if (!m_mail.empty())
            callDeliver();
    }
    message();
}

void JobRunner::cancel(JobId id)
{
    for (auto& [lane, state] : m_lanes) {
        if (state.running && state.running->id == id) {
            state.running->stop.request_stop();
            emit changed();
            return;
        }
        const auto found
            = std::find_if(state.waiting.begin(), state.waiting.end(), [id](const EntryPtr& e) { return e->id == id; });
        if (found != state.waiting.end()) {
            const EntryPtr entry = *found;
            state.waiting.erase(found);
            emit changed();
            entry->refuse();
            return;
        }
    }
}

void JobRunner::cancelLane(Lane lane)
{
    LaneState& state = m_lanes[lane];
    const std::deque<EntryPtr> refused = std::exchange(state.waiting, {});
    if (state.running)
        state.running->stop.request_stop();
    emit changed();
    for (const EntryPtr& entry : refused)
        entry->refuse();
}

void JobRunner::setPaused(Lane lane, bool paused)
{
    const EntryPtr& entry = m_lanes[lane].running;
    if (!entry || entry->paused == paused)
        return;
    entry->paused = paused;
    entry->gate.set(paused);
    emit changed();
}

void JobRunner::drop(const QString& channel)
{
    bool any = false;
    for (auto& [lane, state] : m_lanes) {
        any = std::erase_if(state.waiting, [&](const EntryPtr& entry) { return entry->ticket.channel == channel; }) > 0
            || any;
        if (state.running && state.running->ticket.channel == channel) {
            state.running->stale = true;
            state.running->stop.request_stop();
            any = true;
        }
    }
    if (any)
        emit changed();
}

std::optional<JobRunner::Running> JobRunner::running(Lane lane) const
{
    const EntryPtr& entry = m_lanes.at(lane).running;
    // A stale job is only being waited for; nobody wants to hear of it.
    if (!entry || entry->stale)
        return std::nullopt;
    return Running { entry->id, entry->ticket.title, entry->stop.stop_requested(), entry->paused, entry->progress };
}

int JobRunner::queued(Lane lane) const { return static_cast<int>(m_lanes.at(lane).waiting.size()); }

bool JobRunner::waits(const QString& channel) const
{
    return std::ranges::any_of(m_lanes, [&](const auto& lane) {
        return std::ranges::any_of(
            lane.second.waiting, [&](const EntryPtr& entry) { return entry->ticket.channel == channel; });
    });
}

bool JobRunner::idle() const
{
    return std::all_of(std::begin(lanes), std::end(lanes), [this](Lane lane) {
        const LaneState& state = m_lanes.at(lane);
        return !state.running && state.waiting.empty();
    });
}

} // namespace quantoscope::ui
