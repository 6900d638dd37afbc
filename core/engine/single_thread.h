// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <omp.h>

namespace quantoscope::engine {

/// Limits OpenMP to one thread on the calling thread for its lifetime: oneDNN bakes the number of threads into a
/// primitive when it is made, and parallelism here is one stream a worker.
class SingleThread {
public:
    SingleThread()
        : m_before(omp_get_max_threads())
    {
        if (m_before != 1)
            omp_set_num_threads(1);
    }
    ~SingleThread()
    {
        if (m_before != 1)
            omp_set_num_threads(m_before);
    }
    SingleThread(const SingleThread&) = delete;
    SingleThread& operator=(const SingleThread&) = delete;

private:
    int m_before;
};

} // namespace quantoscope::engine
