// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/flips.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <map>
#include <tuple>
#include <utility>

namespace quantoscope::evaluation {

namespace {

FlipKind kindOf(const ImageOutcome& before, const ImageOutcome& after)
{
    if (before.correct())
        return FlipKind::Lost;
    return after.correct() ? FlipKind::Gained : FlipKind::Moved;
}

} // namespace

const char* toString(FlipKind kind)
{
    switch (kind) {
    case FlipKind::Lost:
        return "lost";
    case FlipKind::Gained:
        return "gained";
    case FlipKind::Moved:
        break;
    }
    return "moved";
}

std::vector<Flip> findFlips(std::span<const ImageOutcome> before, std::span<const ImageOutcome> after)
{
    assert(before.size() == after.size());
    std::vector<Flip> flips;
    for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i].prediction != after[i].prediction)
            flips.push_back({ static_cast<std::int64_t>(i), kindOf(before[i], after[i]), before[i], after[i] });
    const auto rank = [](const Flip& flip) { return std::tuple(flip.kind, -std::abs(flip.marginLoss()), flip.image); };
    std::ranges::sort(flips, {}, rank);
    return flips;
}

std::vector<ConfusionChange> confusionChanges(std::span<const ImageOutcome> before, std::span<const ImageOutcome> after)
{
    assert(before.size() == after.size());
    std::map<std::pair<std::int32_t, std::int32_t>, ConfusionChange> cells;
    const auto cell = [&cells](const ImageOutcome& outcome) -> ConfusionChange& {
        auto& found = cells[{ outcome.label, outcome.prediction }];
        found.label = outcome.label;
        found.prediction = outcome.prediction;
        return found;
    };
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i].label < 0)
            continue;
        ++cell(before[i]).before;
        ++cell(after[i]).after;
    }
    std::vector<ConfusionChange> changes;
    for (const auto& [key, change] : cells)
        if (change.change() != 0)
            changes.push_back(change);
    std::ranges::stable_sort(changes, std::greater(), [](const auto& c) { return std::abs(c.change()); });
    return changes;
}

std::optional<Divergence> firstDivergence(
    std::span<const TensorError> usual, std::span<const TensorError> image, double dB)
{
    assert(usual.size() == image.size());
    for (std::size_t i = 0; i < usual.size(); ++i) {
        if (usual[i].role != quant::Role::Activation)
            continue;
        if (image[i].sqnrDb <= usual[i].sqnrDb - dB)
            return Divergence { i, image[i].sqnrDb, usual[i].sqnrDb };
    }
    return std::nullopt;
}

} // namespace quantoscope::evaluation
