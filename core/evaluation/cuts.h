// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace quantoscope::evaluation {

/// A place where values could be kept, so that later evaluations may begin there.
struct CutCandidate {
    std::size_t step = 0; ///< steps up to this one need not run then
    std::size_t bytes = 0; ///< that keeping the values takes, for all images
};

/// Where to keep values so that an edit of one layer costs least on average: every step that takes a noticeable part of
/// the time is as likely to be edited as any other, and costs what lies behind the last cut before it. One cut after
/// the other, the one that saves most among those that the rest of `budget` allows, at most `most`. `seconds`: of each
/// step. Returns indices into `candidates`, which are in the order of their steps, ascending.
std::vector<std::size_t> chooseCuts(
    std::span<const double> seconds, std::span<const CutCandidate> candidates, std::size_t budget, std::size_t most);

} // namespace quantoscope::evaluation
