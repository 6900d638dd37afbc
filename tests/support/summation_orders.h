// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/parallel.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "tests/support/reordered_network.h"

namespace quantoscope::test {

/// One way to compute a network: all give the same result in exact arithmetic.
struct Order {
    const char* name;
    engine::KernelSet kernels;
    SummationOrder sums;
    bool allImages; ///< cheap enough to run on more than a few images
    engine::Arithmetic arithmetic = engine::Arithmetic::Float;
};

inline const std::vector<Order> orders {
    { "as it is", engine::KernelSet::Fast, {}, true },
    { "channels reversed", engine::KernelSet::Fast, { .channelsReversed = true }, true },
    { "transposed", engine::KernelSet::Fast, { .transposed = true }, false },
    { "both", engine::KernelSet::Fast, { .channelsReversed = true, .transposed = true }, false },
    { "double sums", engine::KernelSet::Reference, {}, false },
};

using Logits = std::vector<std::vector<double>>; ///< [images][classes]

inline void transpose(std::span<float> images, std::int64_t side)
{
    const auto n = static_cast<std::size_t>(side);
    for (std::size_t plane = 0; plane < images.size(); plane += n * n)
        for (std::size_t y = 0; y < n; ++y)
            for (std::size_t x = 0; x < y; ++x)
                std::swap(images[plane + y * n + x], images[plane + x * n + y]);
}

/// The logits of the first `count` images.
inline Result<Logits> runInOrder(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const Order& order, std::size_t count)
{
    const auto network = reordered(graph, plan, order.sums);
    auto dims = samples.sampleShape(); // [C, H, H]
    dims.insert(dims.begin(), 1);
    engine::CompileOptions options;
    options.kernels = order.kernels;
    options.arithmetic = order.arithmetic;
    options.inputShapes = { { graph.value(graph.inputs().front()).name, Shape(dims) } };
    QS_TRY(const auto compiled, engine::compile(network.graph, network.plan, options));

    Logits logits(count);
    std::vector<std::optional<engine::Executor>> executors(static_cast<std::size_t>(base::resolveThreads(0)));
    const auto work = [&](int worker, std::int64_t image) -> Result<void> {
        auto& executor = executors[static_cast<std::size_t>(worker)];
        if (!executor)
            executor.emplace(compiled);
        Tensor input(DType::Float32, Shape(dims));
        samples.fill(image, 1, input.as<float>());
        if (order.sums.transposed)
            transpose(input.as<float>(), dims.back());
        const TensorView view = input.view();
        QS_CHECK(executor->run({ &view, 1 }));
        const auto output = executor->output(0);
        const auto values = output.as<float>();
        logits[static_cast<std::size_t>(image)].assign(values.begin(), values.end());
        return {};
    };
    QS_CHECK(base::parallelFor(0, static_cast<std::int64_t>(count), {}, work));
    return logits;
}

/// Mean absolute difference over the images that both have.
inline double distance(const Logits& a, const Logits& b)
{
    double total = 0;
    std::size_t count = 0;
    for (std::size_t image = 0; image < std::min(a.size(), b.size()); ++image) {
        for (std::size_t c = 0; c < a[image].size(); ++c)
            total += std::abs(a[image][c] - b[image][c]);
        count += a[image].size();
    }
    return total / static_cast<double>(count);
}

inline double largestDifference(const std::vector<double>& a, const std::vector<double>& b)
{
    double largest = 0;
    for (std::size_t c = 0; c < a.size(); ++c)
        largest = std::max(largest, std::abs(a[c] - b[c]));
    return largest;
}

inline int predictionOf(const std::vector<double>& logits)
{
    return static_cast<int>(std::ranges::max_element(logits) - logits.begin());
}

/// How far results of one plan lie apart only because their sums ran in another order, and so how far another float32
/// implementation of the same may lie from ours.
///
/// Where a value sits on a rounding edge, the order of summation decides to which side it falls, and from there on two
/// results are as far apart as one quantization step takes them, however small the difference that did it. How often
/// that happens and how far it carries depends on network, plan, library and instruction set; so it is measured, here
/// and now, on the same images. If somebody else's result comes from the same computation, it is one more order, and
/// its mean distance from ours is expected to be the mean distance of ours from each other. Twice that is the limit: by
/// the triangle inequality it holds for any two results that are each as far from the exact one as our own are from
/// each other, and it leaves room for chance (each of our own ResNet-20 orders against the rest: 0.8 to 1.2 of the
/// mean, under AVX2 and AVX-512). Added to it is the rounding of the last layer: 8 units in the last place
/// of the largest logit.
class OrderNoise {
public:
    /// `results` of two or more orders; the first `images` of each are compared.
    OrderNoise(std::vector<Logits> results, std::size_t images)
        : m_results(std::move(results))
    {
        for (std::size_t a = 0; a < m_results.size(); ++a) {
            for (std::size_t b = a + 1; b < m_results.size(); ++b) {
                const Logits first(m_results[b].begin(), m_results[b].begin() + static_cast<std::ptrdiff_t>(images));
                m_mean += distance(m_results[a], first);
                ++m_pairs;
            }
        }
        m_mean /= m_pairs;
        for (const auto& image : m_results.front())
            for (const double logit : image)
                m_largestLogit = std::max(m_largestLogit, std::abs(logit));
    }

    double mean() const { return m_mean; }
    double limit() const
    {
        return 2 * m_mean + 8 * static_cast<double>(std::numeric_limits<float>::epsilon()) * m_largestLogit;
    }
    /// Mean over our orders of their distances from `other`.
    double distanceFrom(const Logits& other) const
    {
        double total = 0;
        for (const auto& result : m_results)
            total += distance(result, other);
        return total / static_cast<double>(m_results.size());
    }
    const std::vector<Logits>& results() const { return m_results; }

private:
    std::vector<Logits> m_results; ///< one an order
    double m_mean = 0;
    int m_pairs = 0;
    double m_largestLogit = 0;
};

} // namespace quantoscope::test
