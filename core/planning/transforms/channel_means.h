// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/planning/transforms/transforms.h"
#include "core/quant/plan.h"
#include "core/tensor/tensor.h"

namespace quantoscope::planning {

/// Sums over all places of each channel of a tensor; they add up from batch to batch.
struct ChannelSums {
    std::vector<double> channels; ///< empty: nothing seen
    double places = 0; ///< elements a channel

    ChannelSums& operator+=(const ChannelSums& other);
    /// InvalidInput, with `tensor`, for a mean that is not finite.
    Result<std::vector<double>> means(const std::string& tensor) const;
};

/// Of the first `count` of the `batch` images that `value`, float32, is of.
ChannelSums sumChannels(const TensorView& value, int axis, std::int64_t count, std::int64_t batch);

/// A value of a network and the axis its channels lie along.
struct ChannelValue {
    std::string name;
    int axis = 1;
};

/// What a layer puts out.
ChannelValue outputOf(const graph::Graph& graph, const graph::Layer& layer);

/// E[x_c] of every channel c of each value, before any quantizer of its own, over the images of `data` and all
/// positions, in the network that `plan` makes of data.graph. One pass, which computes no more of the network than the
/// values need. Sums in double, batch by batch in order: the same for any number of threads. `batch` as
/// calibration::FeedOptions has it. Advances `job` by the images seen; begins no stage. Errors: as calibration::Feed;
/// InvalidInput for a mean that is not finite; Cancelled.
Result<std::vector<std::vector<double>>> channelMeans(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const std::vector<ChannelValue>& values, std::int64_t batch, const base::Job& job);

} // namespace quantoscope::planning
