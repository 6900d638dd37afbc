// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/progress_bar.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "app/cli/text.h"

namespace quantoscope::cli {

namespace {
constexpr int barWidth = 24;
constexpr const char* wipe = "\r\033[K";
}

ProgressBar::ProgressBar()
    : m_terminal(isatty(STDERR_FILENO) != 0)
    , m_progress([this](const base::ProgressState& state) { draw(state); })
{
}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::clear()
{
    if (m_drawn)
        std::fputs(wipe, stderr);
    m_drawn = false;
}

void ProgressBar::draw(const base::ProgressState& state)
{
    if (!m_terminal)
        return;
    std::string line = wipe + state.stage + " ";
    if (state.total > 0) {
        const double part = std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
        const auto filled = static_cast<std::size_t>(std::lround(part * barWidth));
        line += "[" + std::string(filled, '#') + std::string(barWidth - filled, '.') + "] ";
    }
    line += count(state.done) + (state.total > 0 ? " of " + count(state.total) : "") + " " + state.unit;
    if (state.perSecond > 0)
        line += ", " + significant(state.perSecond) + "/s";
    if (state.secondsLeft)
        line += ", " + duration(*state.secondsLeft) + " left";
    std::fputs(line.c_str(), stderr);
    std::fflush(stderr);
    m_drawn = true;
}

} // namespace quantoscope::cli
