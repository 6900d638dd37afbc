// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/progress_bar.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "app/cli/text.h"

namespace quantoscope::cli {

namespace {
constexpr int barWidth = 24;
constexpr const char* wipe = "\r\033[K";

/// What fits into one line of the terminal: wiping clears no more.
std::string fitted(std::string line)
{
    winsize size {};
    constexpr std::size_t usual = 80;
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    std::size_t length = (known ? size.ws_col : usual) - 1;
    if (line.size() <= length)
        return line;
    while (length > 0 && (static_cast<unsigned char>(line[length]) & 0xC0U) == 0x80U)
        --length; // not in the middle of a character
    line.resize(length);
    return line;
}
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
    std::string line = state.stage + " ";
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
    if (!state.detail.empty())
        line += "; " + state.detail;
    std::fputs((wipe + fitted(std::move(line))).c_str(), stderr);
    std::fflush(stderr);
    m_drawn = true;
}

} // namespace quantoscope::cli
