// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/channel_means.h"

#include <cmath>
#include <utility>

#include "core/base/ordered_merge.h"
#include "core/base/parallel.h"
#include "core/calibration/feed.h"

namespace quantoscope::planning {

namespace {

/// What one batch adds to the mean of one value.
struct Sums {
    std::vector<double> channels;
    double places = 0; ///< elements a channel
};

/// Sums over the first `count` of the `batch` images that `value` is of.
Sums sumsOf(const TensorView& value, int axis, std::int64_t count, std::int64_t batch)
{
    const Shape& shape = value.shape();
    std::int64_t outer = 1;
    std::int64_t inner = 1;
    for (int i = 0; i < shape.rank(); ++i)
        (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
    if (outer % batch == 0)
        outer = outer / batch * count;
    const std::int64_t channels = shape[axis];
    Sums sums { std::vector<double>(static_cast<std::size_t>(channels), 0.0), static_cast<double>(outer * inner) };
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

void add(std::vector<Sums>& total, std::vector<Sums>&& batch)
{
    if (total.empty()) {
        total = std::move(batch);
        return;
    }
    for (std::size_t v = 0; v < total.size(); ++v) {
        total[v].places += batch[v].places;
        for (std::size_t c = 0; c < total[v].channels.size(); ++c)
            total[v].channels[c] += batch[v].channels[c];
    }
}

} // namespace

Result<std::vector<std::vector<double>>> channelMeans(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const std::vector<ChannelValue>& values, std::int64_t batch, const base::Job& job)
{
    calibration::FeedOptions options { .batch = batch, .count = data.images };
    for (const auto& value : values)
        options.taps.push_back(value.name);
    options.outputs = options.taps;
    QS_TRY(const auto feed, calibration::Feed::create(data.graph, plan, data.samples, std::move(options)));
    calibration::FeedWorkers workers(feed, data.threads);

    std::vector<Sums> total;
    base::OrderedMerge<std::vector<Sums>> merge(
        data.threads, [&total](std::vector<Sums>&& sums) { add(total, std::move(sums)); });
    QS_CHECK(
        base::parallelFor(data.threads, feed.batches(), job.stop, [&](int worker, std::int64_t item) -> Result<void> {
            base::OrderedMerge<std::vector<Sums>>::Turn turn(merge, item);
            std::vector<Sums> sums(values.size());
            QS_CHECK(workers[worker].run(item, [&](std::size_t tap, const TensorView& value) {
                sums[tap] = sumsOf(value, values[tap].axis, feed.count(item), feed.batch());
            }));
            turn.deliver(std::move(sums), job.stop);
            job.advance(feed.count(item));
            return {};
        }));

    std::vector<std::vector<double>> means;
    for (std::size_t v = 0; v < values.size(); ++v) {
        auto& mean = means.emplace_back(std::move(total[v].channels));
        for (double& m : mean) {
            m /= total[v].places;
            if (!std::isfinite(m))
                return fail(ErrorCode::InvalidInput, "the mean of a channel is NaN or infinite",
                    "tensor '" + values[v].name + "'", "check the pre-processing; the network overflows here");
        }
    }
    return means;
}

} // namespace quantoscope::planning
