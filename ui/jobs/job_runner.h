// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include <QObject>
#include <QString>

#include "core/base/error.h"
#include "core/base/progress.h"

namespace quantoscope::ui {

/// Jobs of one lane run one after the other, lanes run beside each other: a long study never keeps an edit waiting.
enum class Lane {
    Quick, ///< what a click waits for: reading a model, building a plan
    Evaluation, ///< data, calibration, accuracy of the current plan
    Study, ///< sweeps and exports
    Detail, ///< what is shown beside the figures once it is known
    Keep, ///< the project's housekeeping: nobody is told of it or can cancel it
};
constexpr Lane lanes[] = { Lane::Quick, Lane::Evaluation, Lane::Study, Lane::Detail }; ///< those people see

using JobId = quint64;

/// What a job is called and what it replaces.
struct JobTicket {
    QString title;
    Lane lane = Lane::Quick;
    /// A new job of the same channel makes the older ones stale: they are stopped and their results dropped. Empty:
    /// none.
    QString channel;
};

/// The one place where work leaves the GUI thread. Work functions run on a worker and get a base::Job that reports and
/// stops; what they return is handed to `done` on the GUI thread, unless a newer job of the channel or drop() made it
/// stale. All members but post() are for the GUI thread. The destructor stops all jobs, waits for the workers and
/// delivers nothing.
///
/// What crosses between threads does so under std::thread and std::mutex, not inside Qt: the thread sanitizer sees
/// these, so that it finds what else the two sides touch.
class JobRunner : public QObject {
    Q_OBJECT

public:
    explicit JobRunner(QObject* parent = nullptr);
    ~JobRunner() override;

    template <typename T>
    JobId start(JobTicket ticket, std::function<Result<T>(const base::Job&)> work, std::function<void(Result<T>)> done);

    /// Asks a job to stop; `done` gets what it returns then (a queued one: Cancelled).
    void cancel(JobId id);
    void cancelLane(Lane lane); ///< the running job and all that wait
    /// Holds the running job where it next tells how far it is, or lets it go on. Cancelling ends a pause.
    void setPaused(Lane lane, bool paused);
    /// Stops the jobs of a channel and forgets their results.
    void drop(const QString& channel);
    /// For workers, while their job runs: has the GUI thread call `message` after what was posted before, and before
    /// the job's `done`.
    void post(std::function<void()> message);

    struct Running {
        JobId id = 0;
        QString title;
        bool stopping = false;
        bool paused = false;
        base::ProgressState progress;
    };
    std::optional<Running> running(Lane lane) const;
    int queued(Lane lane) const;
    bool waits(const QString& channel) const; ///< a job of this channel has not begun yet
    bool idle() const; ///< in the lanes people see

signals:
    void changed(); ///< a job began, ended, was queued or asked to stop
    void progressed(quantoscope::ui::Lane lane, const quantoscope::base::ProgressState& state);

private:
    using Completion = std::function<void()>;
    /// Where workers wait while their job is paused.
    struct Gate {
        std::mutex mutex;
        std::condition_variable_any opened;
        bool closed = false;
        void set(bool shut);
        void pass(const std::stop_token& stop);
    };
    struct Entry {
        JobId id = 0;
        JobTicket ticket;
        std::stop_source stop;
        Gate gate;
        bool paused = false;
        std::function<Completion(const base::Job&)> work;
        Completion refuse; ///< delivers Cancelled for a job that never began
        bool stale = false;
        base::ProgressState progress;
    };
    using EntryPtr = std::shared_ptr<Entry>;
    struct LaneState {
        EntryPtr running;
        std::jthread worker; ///< of the running job
        std::deque<EntryPtr> waiting;
    };

    void enqueue(EntryPtr entry);
    void next(Lane lane);
    void launch(const EntryPtr& entry);
    void finished(const EntryPtr& entry, const Completion& completion);
    void callDeliver(); ///< from the event loop; the lock must be held
    Q_INVOKABLE void deliver();

    std::map<Lane, LaneState> m_lanes;
    JobId m_lastId = 0;
    std::mutex m_mailLock;
    std::deque<std::function<void()>> m_mail;
};

template <typename T>
JobId JobRunner::start(
    JobTicket ticket, std::function<Result<T>(const base::Job&)> work, std::function<void(Result<T>)> done)
{
    auto entry = std::make_shared<Entry>();
    entry->id = ++m_lastId;
    entry->ticket = std::move(ticket);
    entry->work = [work = std::move(work), done](const base::Job& job) -> Completion {
        std::shared_ptr<Result<T>> result;
        try {
            result = std::make_shared<Result<T>>(work(job));
        } catch (const std::bad_alloc&) {
            result = std::make_shared<Result<T>>(fail(ErrorCode::OutOfMemory, "there is not enough memory for this", {},
                "close other programs, or use fewer or smaller images"));
        } catch (const std::exception& e) {
            result = std::make_shared<Result<T>>(fail(ErrorCode::Internal, e.what()));
        } catch (...) {
            result = std::make_shared<Result<T>>(fail(ErrorCode::Internal, "an exception of unknown type"));
        }
        return [result, done] { done(std::move(*result)); };
    };
    entry->refuse = [done] { done(base::cancelled()); };
    const JobId id = entry->id;
    enqueue(std::move(entry));
    return id;
}

} // namespace quantoscope::ui
