// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/preprocessing_variants.h"

#include <algorithm>
#include <array>
#include <vector>

namespace quantoscope::evaluation {

namespace {

constexpr std::int64_t fewestImages = 20; ///< on fewer, near chance is no news

struct Scaling {
    std::string_view words;
    float scale;
    std::array<float, 3> mean;
    std::array<float, 3> std;
};
constexpr float unit = 1.0F / 255;
/// What networks are usually trained with.
constexpr std::array scalings {
    Scaling { "values from 0 to 1", unit, { 0, 0, 0 }, { 1, 1, 1 } },
    Scaling { "values from 0 to 255", 1, { 0, 0, 0 }, { 1, 1, 1 } },
    Scaling { "values from −1 to 1", unit, { 0.5F, 0.5F, 0.5F }, { 0.5F, 0.5F, 0.5F } },
    Scaling { "mean and deviation of ImageNet", unit, { 0.485F, 0.456F, 0.406F }, { 0.229F, 0.224F, 0.225F } },
    Scaling { "mean and deviation of CIFAR-10", unit, { 0.4914F, 0.4822F, 0.4465F }, { 0.2470F, 0.2435F, 0.2616F } },
    Scaling { "0 to 255 less the mean of ImageNet", 1, { 123.68F, 116.779F, 103.939F }, { 1, 1, 1 } },
};

bool sameValues(const dataset::Preprocessing& a, const dataset::Preprocessing& b)
{
    return a.channels == b.channels && a.scale == b.scale && a.mean == b.mean && a.std == b.std;
}

/// The one asked for first, then every other.
std::vector<PreprocessingVariant> variantsOf(const dataset::Preprocessing& asked)
{
    using dataset::Channels;
    std::vector<PreprocessingVariant> all;
    const auto add = [&all](PreprocessingVariant variant) {
        const bool known = std::ranges::any_of(
            all, [&variant](const auto& other) { return sameValues(variant.preprocessing, other.preprocessing); });
        if (!known)
            all.push_back(std::move(variant));
    };
    const auto addOrder = [&](Channels order) {
        PreprocessingVariant same;
        same.preprocessing = asked;
        same.preprocessing.channels = order;
        same.otherChannelOrder = order != asked.channels;
        add(same);
        for (const Scaling& scaling : scalings) {
            PreprocessingVariant variant = same;
            variant.scaling = scaling.words;
            variant.preprocessing.name = "custom";
            variant.preprocessing.scale = scaling.scale;
            variant.preprocessing.mean = scaling.mean;
            variant.preprocessing.std = scaling.std;
            if (order == Channels::Bgr) { // figures are in the order of the channels
                std::ranges::reverse(variant.preprocessing.mean);
                std::ranges::reverse(variant.preprocessing.std);
            }
            add(std::move(variant));
        }
    };
    addOrder(asked.channels);
    if (asked.channels != Channels::Gray)
        addOrder(asked.channels == Channels::Rgb ? Channels::Bgr : Channels::Rgb);
    return all;
}

} // namespace

double chance(int classes) { return 100.0 / std::max(1, classes); }

bool isNearChance(const EvaluationResult& result)
{
    return result.images() >= fewestImages && result.top1Interval().low <= 2 * chance(result.classes);
}

Result<std::optional<PreprocessingVariant>> findBetterPreprocessing(const graph::Graph& graph,
    const dataset::DatasetPtr& data, const dataset::Preprocessing& asked, std::int64_t count, const base::Job& job)
{
    const auto variants = variantsOf(asked);
    job.begin("Trying other preparations", static_cast<std::int64_t>(variants.size()), "preparations");
    dataset::SampleSet::Options options;
    options.indices = dataset::sampleIndices(data->size(), count, 0);
    std::optional<PreprocessingVariant> best;
    double before = 0;
    Interval askedInterval;
    Interval bestInterval;
    int classes = 0;
    for (const auto& variant : variants) {
        if (job.stopRequested())
            return base::cancelled();
        options.preprocessing = variant.preprocessing;
        const base::Job part { nullptr, job.stop };
        QS_TRY(const auto samples, dataset::SampleSet::load(data, options, part));
        QS_TRY(const auto result, evaluate(graph, {}, *samples, {}, part));
        job.advance();
        if (&variant == &variants.front()) {
            before = result->top1();
            askedInterval = result->top1Interval();
            classes = result->classes;
        } else if (result->top1() > (best ? best->after : before)) {
            best = variant;
            best->images = result->images();
            best->before = before;
            best->after = result->top1();
            bestInterval = result->top1Interval();
        }
    }
    job.finish();
    if (bestInterval.low <= askedInterval.high || bestInterval.low <= 2 * chance(classes))
        return std::nullopt;
    return best;
}

} // namespace quantoscope::evaluation
