// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cost/metric.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace quantoscope::cost {

namespace {

struct Entry {
    Metric metric;
    const char* word;
    const char* title;
    const char* unit;
    const char* key;
};
constexpr Entry entries[] {
    { Metric::Parameters, "parameters", "Parameters", "", "parameters" },
    { Metric::Macs, "macs", "Multiply-accumulates of an image", "MAC", "macs" },
    { Metric::Size, "size", "Size of parameters", "B", "size_bytes" },
    { Metric::PeakActivations, "peak-activations", "Most activations at once", "B", "peak_activation_bytes" },
    { Metric::Bops, "bops", "Bit operations of an image", "BOP", "bops" },
    { Metric::Accumulator, "accumulator", "Widest accumulator", "bit", "accumulator_bits" },
    { Metric::Energy, "energy", "Energy of an image", "pJ", "energy_pj" },
};

const Entry& entryOf(Metric metric) { return *std::ranges::find(entries, metric, &Entry::metric); }

} // namespace

std::string toString(Metric metric) { return entryOf(metric).word; }
std::string titleOf(Metric metric) { return entryOf(metric).title; }
std::string unitOf(Metric metric) { return entryOf(metric).unit; }
std::string keyOf(Metric metric) { return entryOf(metric).key; }

Result<Metric> parseMetric(const std::string& text)
{
    std::string words;
    for (const Metric metric : allMetrics) {
        if (text == entryOf(metric).word)
            return metric;
        words += (words.empty() ? "" : ", ") + std::string(entryOf(metric).word);
    }
    return fail(ErrorCode::InvalidInput, "'" + text + "' is not a cost", {}, "use one of " + words);
}

double valueOf(const Cost& cost, Metric metric)
{
    switch (metric) {
    case Metric::Parameters:
        return static_cast<double>(cost.parameters);
    case Metric::Macs:
        return static_cast<double>(cost.macs);
    case Metric::Size:
        return cost.sizeBytes;
    case Metric::PeakActivations:
        return cost.peakActivationBytes;
    case Metric::Bops:
        return cost.bops;
    case Metric::Accumulator:
        return cost.accumulatorBits;
    case Metric::Energy:
        break;
    }
    return cost.energyPj;
}

Json toJson(const Cost& cost)
{
    return { { "size_bytes", cost.sizeBytes }, { "parameters", cost.parameters },
        { "peak_activation_bytes", cost.peakActivationBytes }, { "macs", cost.macs }, { "bops", cost.bops },
        { "accumulator_bits", cost.accumulatorBits }, { "energy_pj", cost.energyPj },
        { "energy_arithmetic_pj", cost.arithmeticPj }, { "energy_memory_pj", cost.memoryPj } };
}

} // namespace quantoscope::cost
