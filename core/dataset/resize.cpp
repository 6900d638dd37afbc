// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/resize.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>

namespace quantoscope::dataset {

namespace {

constexpr int fractionBits = 32 - 8 - 2; ///< of a weight: 8 bits of sample and two of sum must fit beside it
constexpr std::int32_t half = 1 << (fractionBits - 1);

/// The input samples that one output sample is made of, and their weights in fixed point.
struct Tap {
    int first = 0;
    int count = 0;
    std::size_t weights = 0; ///< offset of the first
};

struct Filter {
    std::vector<Tap> taps;
    std::vector<std::int32_t> weights;
};

/// Weights of outputs first..first+count-1 where `from` samples become `to`: a triangle two samples wide, stretched
/// when shrinking so that every input sample counts.
Filter triangleFilter(int from, int to, int first, int count)
{
    const double scale = static_cast<double>(from) / to;
    const double stretch = std::max(scale, 1.0);
    const double inverse = 1.0 / stretch;
    Filter filter;
    std::vector<double> exact;
    for (int out = first; out < first + count; ++out) {
        const double center = (out + 0.5) * scale;
        const int begin = std::max(0, static_cast<int>(center - stretch + 0.5));
        const int end = std::min(from, static_cast<int>(center + stretch + 0.5));
        exact.clear();
        double sum = 0;
        for (int i = begin; i < end; ++i) {
            exact.push_back(std::max(0.0, 1.0 - std::abs((i - center + 0.5) * inverse)));
            sum += exact.back();
        }
        filter.taps.push_back({ begin, end - begin, filter.weights.size() });
        for (const double weight : exact) {
            const double normalised = sum != 0 ? weight / sum : weight;
            filter.weights.push_back(static_cast<std::int32_t>(0.5 + normalised * (1 << fractionBits)));
        }
    }
    return filter;
}

std::uint8_t toByte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> fractionBits, 0, 255)); }

/// Rows [top, top + rows) of `image`, filtered along x.
template <int channels> Image filterRows(const Image& image, const Filter& filter, int top, int rows)
{
    Image result { rows, static_cast<int>(filter.taps.size()), channels, {} };
    result.pixels.resize(static_cast<std::size_t>(rows) * filter.taps.size() * channels);
    std::uint8_t* out = result.pixels.data();
    for (int y = top; y < top + rows; ++y) {
        const std::uint8_t* row = image.pixels.data() + static_cast<std::size_t>(y) * image.width * channels;
        for (const Tap& tap : filter.taps) {
            std::int32_t sums[channels];
            std::fill_n(sums, channels, half);
            const std::uint8_t* in = row + static_cast<std::size_t>(tap.first) * channels;
            const std::int32_t* weights = filter.weights.data() + tap.weights;
            for (int i = 0; i < tap.count; ++i, in += channels)
                for (int c = 0; c < channels; ++c)
                    sums[c] += in[c] * weights[i];
            for (int c = 0; c < channels; ++c)
                *out++ = toByte(sums[c]);
        }
    }
    return result;
}

/// `image`, whose row 0 is row `top` of what the filter counts in, filtered along y.
Image filterColumns(const Image& image, const Filter& filter, int top)
{
    Image result { static_cast<int>(filter.taps.size()), image.width, image.channels, {} };
    const std::size_t stride = static_cast<std::size_t>(image.width) * image.channels;
    result.pixels.resize(filter.taps.size() * stride);
    std::vector<std::int32_t> sums(stride);
    std::uint8_t* out = result.pixels.data();
    for (const Tap& tap : filter.taps) {
        std::ranges::fill(sums, half);
        for (int i = 0; i < tap.count; ++i) {
            const std::uint8_t* row = image.pixels.data() + static_cast<std::size_t>(tap.first - top + i) * stride;
            const std::int32_t weight = filter.weights[tap.weights + static_cast<std::size_t>(i)];
            for (std::size_t x = 0; x < stride; ++x)
                sums[x] += row[x] * weight;
        }
        out = std::ranges::transform(sums, out, toByte).out;
    }
    return result;
}

} // namespace

Image resizeWindow(const Image& image, int height, int width, const Window& window)
{
    assert(height > 0 && width > 0 && image.height > 0 && image.width > 0);
    assert(image.channels == 1 || image.channels == 3);
    const Filter rows = triangleFilter(image.height, height, window.top, window.height);
    const Filter columns = triangleFilter(image.width, width, window.left, window.width);
    const int top = rows.taps.front().first;
    const int bottom = rows.taps.back().first + rows.taps.back().count;
    const Image across = image.channels == 1 ? filterRows<1>(image, columns, top, bottom - top)
                                             : filterRows<3>(image, columns, top, bottom - top);
    return filterColumns(across, rows, top);
}

Image resizeBilinear(const Image& image, int height, int width)
{
    if (height == image.height && width == image.width)
        return image;
    return resizeWindow(image, height, width, { 0, 0, height, width });
}

} // namespace quantoscope::dataset
