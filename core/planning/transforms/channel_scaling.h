// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/planning/transforms/channel_classes.h"

namespace quantoscope::planning {

/// Output and input channel of each element of a layer's weight.
class WeightIndex {
public:
    WeightIndex(const graph::Graph& graph, const ScalableLayer& layer);

    std::int64_t output(std::size_t element) const;
    std::int64_t input(std::size_t element) const; ///< of all groups

private:
    std::int64_t m_outer; ///< extent of axis 0
    std::int64_t m_middle; ///< extent of axis 1
    std::int64_t m_inner; ///< elements behind axis 1
    std::int64_t m_groups;
    bool m_inputsFirst; ///< axis 0 runs over input channels
};

/// A new graph in which the values of every channel are `factors[class]` times as large: weights and biases take the
/// factors up, constant operands and the bounds of clamps follow. Names stay.
graph::Graph scaleChannels(
    const graph::Graph& graph, const ChannelClasses& classes, const std::vector<double>& factors);

/// The factors by value and channel, values that keep all of theirs left out.
std::map<std::string, std::vector<double>, std::less<>> factorsByValue(
    const graph::Graph& graph, const ChannelClasses& classes, const std::vector<double>& factors);

} // namespace quantoscope::planning
