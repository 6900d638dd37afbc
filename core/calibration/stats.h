// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/tensor/tensor.h"

namespace quantoscope::calibration {

/// Counts over a range that grows as values arrive. Bins are [i w, (i+1) w) with w a power of two and zero on a bin
/// edge, so growing (joining neighbours) and merging are exact: the result depends only on the values, not on their
/// order or the threads. w is the smallest (not below 2^-120) with which zero and everything seen fit into targetBins
/// bins.
class Histogram {
public:
    static constexpr int targetBins = 4096; ///< after growing, the used range with zero spans more than half of it

    void add(std::span<const float> values); ///< non-finite values are skipped
    void merge(const Histogram& other);

    double binWidth() const; ///< 0 while empty or all values are zero
    std::int64_t firstBin() const { return m_first; } ///< bin i covers [ (firstBin+i) w, (firstBin+i+1) w )
    const std::vector<std::uint64_t>& counts() const { return m_counts; }
    double low() const; ///< lower edge of the first non-empty bin
    double high() const; ///< upper edge of the last non-empty bin
    std::uint64_t total() const { return m_total; }
    std::uint64_t zeros() const { return m_zeros; } ///< exact zeros, which counts() has in the bin that begins at 0
    friend bool operator==(const Histogram&, const Histogram&) = default;

private:
    static constexpr int minExponent = -120;

    void grow(int exponent);
    void cover(std::int64_t first, std::int64_t last);
    void count(std::span<const float> values);

    int m_exponent = minExponent; ///< binWidth = 2^m_exponent
    std::int64_t m_first = 0;
    std::vector<std::uint64_t> m_counts; ///< from the lowest to the highest bin that was ever hit
    std::uint64_t m_total = 0;
    std::uint64_t m_zeros = 0;
};

/// SEEN: what one tensor did over all calibration images. merge(a, b) equals having seen everything in one: exactly for
/// extremes, counts and histogram, up to float64 rounding for the moments.
class TensorStats {
public:
    struct Channel {
        float min = 0;
        float max = 0;
    };

    TensorStats() = default;
    /// `channels`: extents along the channel axis (axis 1) whose ranges are kept apart; 0: none.
    explicit TensorStats(std::int64_t channels);

    /// One batch, [N, C, ...] row-major, of a floating type. The channel count may not change; other extents may.
    void observe(const TensorView& batch);
    void merge(const TensorStats& other); ///< both keep the same number of channels
    /// The same without channel ranges, for tensors that are to share an encoding.
    TensorStats withoutChannels() const;

    std::uint64_t count() const { return m_count; } ///< finite values
    std::uint64_t nonFinite() const { return m_nonFinite; }
    float min() const { return m_min; } ///< exact; 0 while nothing was seen
    float max() const { return m_max; }
    double mean() const;
    double variance() const; ///< population variance
    double meanAbsolute() const;
    const Histogram& histogram() const { return m_histogram; }
    const std::vector<Channel>& channels() const { return m_channels; }

private:
    void observeRun(std::span<const float> values, std::size_t channel);

    std::uint64_t m_count = 0;
    std::uint64_t m_nonFinite = 0;
    float m_min = 0;
    float m_max = 0;
    double m_sum = 0;
    double m_sumSquares = 0;
    double m_sumAbsolute = 0;
    Histogram m_histogram;
    std::vector<Channel> m_channels;
    std::vector<bool> m_channelSeen; ///< as many as channels: false while nothing finite was there
};

/// Statistics of every observed tensor of a prepared graph. Immutable, shared.
class CalibrationStats {
public:
    std::int64_t images = 0;
    std::string description; ///< data and pre-processing, one line
    std::map<std::string, TensorStats, std::less<>> tensors;

    const TensorStats* find(std::string_view tensor) const;
};
using CalibrationStatsPtr = std::shared_ptr<const CalibrationStats>;

/// How a graph is fed from a sample set.
struct InputBinding {
    std::string input; ///< the graph input that takes the images
    std::int64_t batch = 1; ///< images a run; 1 where the model fixes it
    Shape shape; ///< [batch, C, H, W] or [batch, H, W, C]
};

/// Fits the samples to the graph's (single) input; `wantedBatch` is used where the model leaves the batch extent open
/// and the graph compiles with it (a Reshape to a fixed batch falls back to 1). InvalidInput says both shapes and which
/// option
/// (--resize, --crop, --channels, --layout) would make them fit.
Result<InputBinding> bindInput(const graph::Graph& graph, const dataset::SampleSet& samples, std::int64_t wantedBatch);

struct CalibrationOptions {
    std::int64_t batch = 8;
    int threads = 0;
    bool perChannel = true; ///< keep channel ranges too
};

/// Runs the float graph over the samples and observes every floating activation a plan could quantize (graph inputs
/// included, constants not). Memory does not depend on the number of samples. The same result for any number of
/// threads. A NaN or infinity in an activation is an error that names the tensor. Progress in images; cancellable.
Result<CalibrationStatsPtr> calibrate(const graph::Graph& graph, const dataset::SampleSet& samples,
    const CalibrationOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::calibration
