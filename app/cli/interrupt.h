// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stop_token>
#include <thread>

#include <csignal>

namespace quantoscope::cli {

/// Turns Ctrl-C (SIGINT) and SIGTERM into a stop request; a second one ends the program at once with status 130. Make
/// it before any other thread, which inherit that the signals are blocked. A thread of its own waits for them, so that
/// no code has to be fit for a signal handler.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    std::stop_token token() const { return m_stop.get_token(); }

private:
    void wait();

    sigset_t m_signals;
    std::stop_source m_stop;
    std::thread m_thread;
};

} // namespace quantoscope::cli
