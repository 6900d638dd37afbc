// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/range_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>

namespace quantoscope::ui {

namespace {

/// Counts by magnitude, in bins from zero outwards; exact zeros left out.
std::vector<double> folded(const calibration::Histogram& histogram)
{
    std::vector<double> counts;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const std::int64_t bin = histogram.firstBin() + static_cast<std::int64_t>(i);
        const auto at = static_cast<std::size_t>(bin >= 0 ? bin : -bin - 1);
        if (at >= counts.size())
            counts.resize(at + 1, 0);
        counts[at] += static_cast<double>(histogram.counts()[i]);
        if (bin == 0)
            counts[at] -= static_cast<double>(histogram.zeros());
    }
    return counts;
}

} // namespace

MagnitudeBox magnitudes(const calibration::Histogram& histogram)
{
    MagnitudeBox box;
    const std::vector<double> counts = folded(histogram);
    double total = 0;
    for (const double count : counts)
        total += count;
    if (total <= 0)
        return box;
    constexpr std::array<double, 5> shares { 0.01, 0.25, 0.5, 0.75, 0.99 };
    double* const ends[] = { &box.least, &box.lower, &box.median, &box.upper, &box.most };
    std::size_t next = 0;
    double below = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] <= 0)
            continue;
        // Values are spread evenly over their bin.
        while (next < shares.size() && below + counts[i] >= shares[next] * total) {
            const double inside = std::max(0.0, (shares[next] * total - below) / counts[i]);
            *ends[next++] = (static_cast<double>(i) + (i == 0 ? 0.5 : inside)) * histogram.binWidth();
        }
        below += counts[i];
        box.largest = static_cast<double>(i + 1) * histogram.binWidth();
    }
    return box;
}

MagnitudeRange representableMagnitudes(const quant::Encoding& encoding)
{
    MagnitudeRange range { std::numeric_limits<double>::max(), 0 };
    for (std::size_t c = 0; c < encoding.scale.size(); ++c) {
        range.step = std::min(range.step, static_cast<double>(encoding.scale[c]));
        range.end = std::max({ range.end, std::abs(static_cast<double>(encoding.low(c))),
            std::abs(static_cast<double>(encoding.high(c))) });
    }
    return range;
}

bool RangeSeries::empty() const
{
    return std::ranges::none_of(layers, [](const Layer& layer) { return layer.box.has_value(); });
}

void RangeSeries::frame(Parts parts)
{
    double least = std::numeric_limits<double>::max();
    double most = 0;
    for (const Layer& layer : layers) {
        if (layer.box && layer.box->largest > 0) {
            least = std::min(least, parts == Parts::All ? layer.box->least : layer.box->lower);
            most = std::max(most, layer.box->largest);
        }
        if (layer.range) {
            least = std::min(least, layer.range->step);
            most = std::max(most, layer.range->end);
        }
    }
    if (most <= 0 || least <= 0)
        return;
    low = std::exp2(std::floor(std::log2(least)));
    high = std::exp2(std::ceil(std::log2(most) + 1e-9));
    if (low >= high)
        high = 2 * low;
}

std::string toCsv(const RangeSeries& series)
{
    std::ostringstream out;
    out << "layer,p1,p25,p50,p75,p99,largest,step,end\n";
    for (const RangeSeries::Layer& layer : series.layers) {
        out << '"' << layer.name.toStdString() << '"';
        if (const auto& box = layer.box)
            out << ',' << box->least << ',' << box->lower << ',' << box->median << ',' << box->upper << ',' << box->most
                << ',' << box->largest;
        else
            out << ",,,,,,";
        if (layer.range)
            out << ',' << layer.range->step << ',' << layer.range->end << '\n';
        else
            out << ",,\n";
    }
    return out.str();
}

} // namespace quantoscope::ui
