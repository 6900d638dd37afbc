// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/distribution.h"
#include "core/calibration/histogram.h"
#include "core/calibration/image_blocks.h"
#include "core/calibration/moments.h"
#include "core/calibration/tails.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/tensor/tensor.h"

namespace quantoscope::calibration {

/// SEEN: what one tensor did over all calibration images. merge(a, b) equals having seen everything in one: exactly for
/// extremes, counts, histograms and tails, up to float64 rounding for the moments.
class TensorStats {
public:
    TensorStats() = default;
    /// `perChannel`: keep the extents along axis 1 apart, where there are such and their number stays the same.
    explicit TensorStats(bool perChannel)
        : m_distribution(perChannel)
    {
    }
    TensorStats(Distribution distribution, TensorMoments moments);

    /// One batch, [N, C, ...] row-major, of a floating type. Its shape may be another one every time; where it changes
    /// the number of channels these are no longer kept apart. `firstImage`: number of the batch's first image among all
    /// images, for blocks(); -1: those that follow the ones seen so far.
    void observe(const TensorView& batch, std::int64_t firstImage = -1);
    void merge(const TensorStats& other);
    /// The same without what is known of channels, for tensors that are to share an encoding.
    TensorStats withoutChannels() const;

    std::uint64_t count() const { return m_moments.tensor.count; } ///< finite values
    std::uint64_t nonFinite() const { return m_moments.nonFinite; }
    float min() const { return m_moments.tensor.min; } ///< exact; 0 while nothing was seen
    float max() const { return m_moments.tensor.max; }
    double mean() const { return m_moments.tensor.mean; }
    double variance() const { return m_moments.tensor.variance(); } ///< population variance
    double meanAbsolute() const { return m_moments.tensor.meanAbsolute(); }
    const Histogram& histogram() const { return m_distribution.parts().histogram; }
    const Tails& tails() const { return m_distribution.parts().tails; }
    /// The value below which `share` (0..1) of all values lies: exact, with linear interpolation between neighbours in
    /// order (position share (count - 1)), where the tails reach; from the histogram elsewhere. 0 while nothing was
    /// seen.
    double quantile(double share) const;

    /// Extents along axis 1; empty where they are not kept apart.
    const std::vector<Moments>& channels() const { return m_moments.channels; }
    /// As many as channels(), or none where there are too many channels: see Distribution::channelBins() and
    /// Distribution::channelSample.
    const std::vector<Histogram>& channelHistograms() const { return m_distribution.parts().channels; }
    const ImageBlocks& blocks() const { return m_distribution.parts().blocks; }

    const Distribution& distribution() const { return m_distribution; }
    const TensorMoments& moments() const { return m_moments; }
    /// Memory that this takes: bounded, whatever the number of images and their size.
    std::size_t bytes() const;

private:
    Distribution m_distribution;
    TensorMoments m_moments;
    std::int64_t m_images = 0; ///< numbered so far, where the caller gives no numbers
};

/// Statistics of every observed tensor of a prepared graph. Immutable, shared.
class CalibrationStats {
public:
    std::int64_t images = 0;
    std::string description; ///< data and pre-processing, one line
    std::map<std::string, TensorStats, std::less<>> tensors;

    const TensorStats* find(std::string_view tensor) const;
    std::size_t bytes() const; ///< memory that this takes
};
using CalibrationStatsPtr = std::shared_ptr<const CalibrationStats>;

/// What CalibrationStats::description says of samples.
std::string describeSamples(const dataset::SampleSet& samples);

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
    std::int64_t batch = 0; ///< 0: as chooseBatch() says
    int threads = 0;
    bool perChannel = true; ///< keep channels apart too
};

/// Runs the float graph over the samples and observes every floating activation a plan could quantize (graph inputs
/// included, constants not). Memory does not depend on the number of samples. The same result for any number of
/// threads. A NaN or infinity in an activation is an error that names the tensor. Progress in images; cancellable.
Result<CalibrationStatsPtr> calibrate(const graph::Graph& graph, const dataset::SampleSet& samples,
    const CalibrationOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::calibration
