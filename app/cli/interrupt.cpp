// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include "app/cli/exit_status.h"

namespace quantoscope::cli {

namespace {
constexpr int wakeSignal = SIGUSR1; ///< tells the waiting thread to end
}

Interrupt::Interrupt()
{
    sigemptyset(&m_signals);
    for (const int signal : { SIGINT, SIGTERM, wakeSignal })
        sigaddset(&m_signals, signal);
    pthread_sigmask(SIG_BLOCK, &m_signals, nullptr);
    m_thread = std::thread([this] { wait(); });
}

Interrupt::~Interrupt()
{
    pthread_kill(m_thread.native_handle(), wakeSignal);
    m_thread.join();
}

void Interrupt::wait()
{
    while (true) {
        int signal = 0;
        if (sigwait(&m_signals, &signal) != 0 || signal == wakeSignal)
            return;
        if (!m_stop.request_stop())
            _exit(exitCancelled);
    }
}

} // namespace quantoscope::cli
