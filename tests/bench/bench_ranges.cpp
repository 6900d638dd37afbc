// SPDX-License-Identifier: GPL-3.0-or-later
// How long choosing a range takes, per tensor: what a person waits for after switching the estimator.
#include <array>
#include <cmath>
#include <string>

#include <benchmark/benchmark.h>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"

using namespace quantoscope;

namespace {

constexpr std::array specs { "min-max", "mse", "percentile:99.9", "entropy", "aciq", "sigma:4" };
constexpr std::array bitWidths { 4, 8, 10, 16 };

Tensor drawTensor(const Shape& shape, bool rectified)
{
    base::Random random(3);
    Tensor tensor(DType::Float32, shape);
    for (float& value : tensor.as<float>()) {
        const double sample = random.normal() * (random.uniform() < 0.01 ? 4 : 1);
        value = static_cast<float>(rectified ? std::max(0.0, sample) : sample);
    }
    return tensor;
}

quant::QuantizerConfig configFor(int bits, bool symmetric)
{
    quant::QuantizerConfig config;
    config.bits = bits;
    config.symmetric = symmetric;
    return config;
}

void activation(benchmark::State& state, const char* spec, int bits, bool rectified)
{
    calibration::TensorStats stats;
    stats.observe(drawTensor({ 1'000'000 }, rectified).view());
    const auto config = configFor(bits, false);
    const auto range = *quant::RangeSpec::parse(spec);
    for (auto _ : state)
        benchmark::DoNotOptimize(calibration::estimateEncoding(stats, config, range));
}

/// What every movement of a dragged handle asks for.
void expectedError(benchmark::State& state, int bits)
{
    calibration::TensorStats stats;
    stats.observe(drawTensor({ 1'000'000 }, true).view());
    const auto encoding = quant::encodingForRange(configFor(bits, false), 0, 2);
    for (auto _ : state)
        benchmark::DoNotOptimize(calibration::expectedError(stats.histogram(), encoding));
}

void weight(benchmark::State& state, const char* spec, int bits, const Shape& shape)
{
    const Tensor tensor = drawTensor(shape, false);
    auto config = configFor(bits, true);
    config.granularity = quant::Granularity::perChannel(0);
    const auto range = *quant::RangeSpec::parse(spec);
    for (auto _ : state)
        benchmark::DoNotOptimize(calibration::estimateWeightEncoding(tensor.view(), config, range));
    state.counters["time a value"] = benchmark::Counter(static_cast<double>(tensor.size()),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void registerAll()
{
    const auto add = [](const std::string& name, auto function) {
        benchmark::RegisterBenchmark(name.c_str(), function)->Unit(benchmark::kMicrosecond);
    };
    for (const char* spec : specs)
        for (const int bits : bitWidths) {
            const std::string suffix = std::string("/") + spec + "/" + std::to_string(bits) + " bits";
            add("activation, two-sided" + suffix, [=](auto& state) { activation(state, spec, bits, false); });
            add("activation, rectified" + suffix, [=](auto& state) { activation(state, spec, bits, true); });
            for (const Shape& shape : { Shape { 64, 64, 3, 3 }, Shape { 960, 1, 3, 3 }, Shape { 1000, 1280 } })
                add("weight " + shape.toString() + suffix, [=](auto& state) { weight(state, spec, bits, shape); });
        }
    for (const int bits : bitWidths)
        add("expected error/" + std::to_string(bits) + " bits", [=](auto& state) { expectedError(state, bits); });
}

} // namespace

int main(int argc, char** argv)
{
    registerAll();
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
