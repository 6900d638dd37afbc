// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/channel_means.h"

#include <cmath>
#include <utility>

#include "core/base/ordered_merge.h"
#include "core/base/parallel.h"
#include "core/calibration/feed.h"

namespace quantoscope::planning {

ChannelSums& ChannelSums::operator+=(const ChannelSums& other)
{
    channels.resize(other.channels.size(), 0.0);
    for (std::size_t c = 0; c < channels.size(); ++c)
        channels[c] += other.channels[c];
    places += other.places;
    return *this;
}

Result<std::vector<double>> ChannelSums::means(const std::string& tensor) const
{
    std::vector<double> means;
    for (const double sum : channels) {
        means.push_back(sum / places);
        if (!std::isfinite(means.back()))
            return fail(ErrorCode::InvalidInput, "the mean of a channel is NaN or infinite", "tensor '" + tensor + "'",
                "check the pre-processing; the network overflows here");
    }
    return means;
}

ChannelSums sumChannels(const TensorView& value, int axis, std::int64_t count, std::int64_t batch)
{
    const Shape& shape = value.shape();
    std::int64_t outer = 1;
    std::int64_t inner = 1;
    for (int i = 0; i < shape.rank(); ++i)
        (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
    if (outer % batch == 0)
        outer = outer / batch * count;
    ChannelSums sums { std::vector<double>(static_cast<std::size_t>(shape[axis]), 0.0),
        static_cast<double>(outer * inner) };
    const float* element = value.as<float>().data();
    for (std::int64_t o = 0; o < outer; ++o)
        for (double& sum : sums.channels) {
            double row = 0;
            for (std::int64_t i = 0; i < inner; ++i)
                row += static_cast<double>(*element++);
            sum += row;
        }
    return sums;
}

ChannelValue outputOf(const graph::Graph& graph, const graph::Layer& layer)
{
    const bool convolves = layer.op == "Conv" || layer.op == "ConvTranspose";
    const auto& value = graph.value(layer.output);
    const int last = value.type.dims ? static_cast<int>(value.type.dims->size()) - 1 : 1;
    return { value.name, convolves ? 1 : last };
}

Result<std::vector<std::vector<double>>> channelMeans(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const std::vector<ChannelValue>& values, std::int64_t batch, const base::Job& job)
{
    using Sums = std::vector<ChannelSums>; // by value
    calibration::FeedOptions options { .batch = batch, .count = data.images };
    for (const auto& value : values)
        options.taps.push_back(value.name);
    options.outputs = options.taps;
    QS_TRY(const auto feed, calibration::Feed::create(data.graph, plan, data.samples, std::move(options)));
    calibration::FeedWorkers workers(feed, data.threads);

    Sums total(values.size());
    base::OrderedMerge<Sums> merge(data.threads, [&total](Sums&& sums) {
        for (std::size_t v = 0; v < total.size(); ++v)
            total[v] += sums[v];
    });
    const auto work = [&](int worker, std::int64_t item) -> Result<void> {
        base::OrderedMerge<Sums>::Turn turn(merge, item);
        Sums sums(values.size());
        QS_CHECK(workers[worker].run(item, [&](std::size_t tap, const TensorView& value) {
            sums[tap] = sumChannels(value, values[tap].axis, feed.count(item), feed.batch());
        }));
        QS_CHECK(turn.deliver(std::move(sums), job.stop));
        job.advance(feed.count(item));
        return {};
    };
    QS_CHECK(base::parallelFor(data.threads, feed.batches(), job.stop, work));
    std::vector<std::vector<double>> means;
    for (std::size_t v = 0; v < values.size(); ++v) {
        QS_TRY(auto mean, total[v].means(values[v].name));
        means.push_back(std::move(mean));
    }
    return means;
}

} // namespace quantoscope::planning
