// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/range_confidence.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/calibration/range_estimator.h"
#include "core/calibration/range_source.h"

namespace quantoscope::calibration {

namespace {

constexpr int draws = 200;
constexpr double tail = 0.025; ///< beyond each end of the interval

/// Moments of what a histogram counted, values spread evenly over their bin.
Moments momentsOf(const Histogram& histogram, float min, float max)
{
    Moments all;
    const double width = histogram.binWidth();
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const std::int64_t bin = histogram.firstBin() + static_cast<std::int64_t>(i);
        Moments zeros;
        zeros.count = bin == 0 ? histogram.zeros() : 0;
        all.merge(zeros);
        Moments others;
        others.count = histogram.counts()[i] - zeros.count;
        others.mean = (static_cast<double>(bin) + 0.5) * width;
        others.squaredDeviations = static_cast<double>(others.count) * width * width / 12;
        others.absolute = static_cast<double>(others.count) * std::abs(others.mean);
        all.merge(others);
    }
    all.min = min;
    all.max = max;
    return all;
}

/// Statistics as if some blocks had been all there was.
class Resample {
public:
    void add(const ImageBlock& block) { m_all.merge(block.min, block.max, block.histogram); }

    TensorStats stats() const
    {
        Distribution::Parts parts;
        parts.histogram = m_all.histogram;
        TensorMoments moments;
        moments.tensor = momentsOf(m_all.histogram, m_all.min, m_all.max);
        return { Distribution(std::move(parts)), std::move(moments) };
    }

private:
    ImageBlock m_all;
};

double percentileOf(const std::vector<double>& sorted, double share)
{
    const double position = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const auto above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

/// `drawn` and `coarse` come from the blocks' histograms, `value` from all there is.
RangeConfidence::End intervalFor(double value, double coarse, std::vector<double> drawn)
{
    std::ranges::sort(drawn);
    const double below = percentileOf(drawn, tail) - coarse;
    const double above = percentileOf(drawn, 1 - tail) - coarse;
    return { value, value + std::min(below, -above), value + std::max(above, -below) };
}

} // namespace

double RangeConfidence::End::uncertainty() const { return std::max(value - from, to - value); }

double RangeConfidence::uncertainty() const { return std::max(low.uncertainty(), high.uncertainty()); }

Result<RangeConfidence> rangeConfidence(
    const TensorStats& stats, const quant::QuantizerConfig& config, const quant::RangeSpec& range, std::uint64_t seed)
{
    if (config.granularity.kind != quant::Granularity::Kind::PerTensor)
        return fail(ErrorCode::Unsupported, "images are seen apart for whole tensors only, not for channels or blocks",
            {}, "ask for the range per tensor");
    QS_TRY(const auto encoding, estimateEncoding(stats, config, range));
    RangeConfidence result;
    result.step = static_cast<double>(encoding.scale[0]);
    result.imagesPerBlock = stats.blocks().imagesPerBlock();

    std::vector<const ImageBlock*> blocks;
    Resample everything;
    for (const auto& block : stats.blocks().blocks())
        if (!block.empty()) {
            blocks.push_back(&block);
            everything.add(block);
        }
    result.blocks = static_cast<int>(blocks.size());
    const auto chosen = detail::estimateRange(stats, config, range);
    const auto coarse = detail::estimateRange(everything.stats(), config, range);
    std::vector<double> lows;
    std::vector<double> highs;
    base::Random random(seed);
    for (int draw = 0; draw < draws; ++draw) {
        Resample resample;
        for (std::size_t i = 0; i < blocks.size(); ++i)
            resample.add(*blocks[random.below(blocks.size())]);
        const auto drawn = detail::estimateRange(resample.stats(), config, range);
        lows.push_back(drawn.low);
        highs.push_back(drawn.high);
    }
    result.low = intervalFor(chosen.low, coarse.low, std::move(lows));
    result.high = intervalFor(chosen.high, coarse.high, std::move(highs));

    const double uncertainty = result.uncertainty();
    const double extent = result.high.value - result.low.value;
    result.moreImagesHelp
        = result.blocks < RangeConfidence::fewestBlocks || (uncertainty > result.step && uncertainty > 0.05 * extent);
    return result;
}

namespace {

/// Whether the quantizer's range is what its own statistics say.
bool isOwn(const TensorStats& stats, const quant::TensorQuantizer& quantizer)
{
    using Method = quant::RangeSpec::Method;
    if (quantizer.role != quant::Role::Activation || quantizer.range.method == Method::Manual
        || quantizer.config.granularity.kind != quant::Granularity::Kind::PerTensor)
        return false;
    const auto encoding = estimateEncoding(stats, quantizer.config, quantizer.range);
    return encoding && *encoding == quantizer.encoding;
}

} // namespace

Result<std::map<std::string, RangeConfidence, std::less<>>> rangeConfidences(
    const CalibrationStats& stats, const quant::QuantizationPlan& plan, int threads, const base::Job& job)
{
    std::vector<std::pair<std::string, const TensorStats*>> tensors;
    for (const auto& [name, quantizer] : plan.tensors())
        if (const auto* seen = stats.find(name))
            tensors.emplace_back(name, seen);
    std::vector<std::optional<RangeConfidence>> found(tensors.size());
    job.begin("Asking how sure ranges are", std::ssize(tensors), "tensors");
    const auto work = [&](int, std::int64_t item) -> Result<void> {
        const auto& [name, seen] = tensors[static_cast<std::size_t>(item)];
        const auto& quantizer = *plan.find(name);
        if (isOwn(*seen, quantizer)) {
            QS_TRY(found[static_cast<std::size_t>(item)], rangeConfidence(*seen, quantizer.config, quantizer.range));
        }
        job.advance();
        return {};
    };
    QS_CHECK(base::parallelFor(base::resolveThreads(threads), std::ssize(tensors), job.stop, work));
    job.finish();
    std::map<std::string, RangeConfidence, std::less<>> result;
    for (std::size_t i = 0; i < tensors.size(); ++i)
        if (found[i])
            result.emplace(tensors[i].first, *found[i]);
    return result;
}

} // namespace quantoscope::calibration
