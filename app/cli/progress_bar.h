// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

#include "core/base/progress.h"

namespace quantoscope::cli {

/// One line on standard error that is drawn over itself; nothing at all where standard error is not a terminal.
class ProgressBar {
public:
    ProgressBar();
    ~ProgressBar(); ///< wipes the line

    base::Progress& progress() { return m_progress; }
    void clear(); ///< wipes the line before something else is printed

private:
    void draw(const base::ProgressState& state);

    bool m_terminal;
    bool m_drawn = false;
    base::Progress m_progress;
};

} // namespace quantoscope::cli
