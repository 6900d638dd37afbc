// SPDX-License-Identifier: GPL-3.0-or-later
// Images a second of whole networks: float, fake-quantized and in integers, by batch and by the number of independent
// streams. bench_engine [MODEL.onnx] [--benchmark_...]: that model, or the bundled sample and the models of the shared
// folder.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/parallel.h"
#include "tests/bench/bench_network.h"

using namespace quantoscope;
using namespace quantoscope::bench;

namespace {

/// One row: compiled when it is first run, by whichever thread comes first.
class Case {
public:
    Case(std::shared_ptr<const Network> network, std::int64_t batch, Mode mode, quant::Scope scope)
        : m_network(std::move(network))
        , m_batch(batch)
        , m_mode(mode)
        , m_scope(scope)
    {
    }

    void run(benchmark::State& state)
    {
        std::call_once(m_once, [this] { m_compiled = m_network->compile(m_batch, m_mode, m_scope); });
        const Tensor input = randomInput(m_network->inputShape(m_batch));
        const std::array views { input.view() };
        engine::Executor executor(m_compiled);
        for (int warmUp = 0; warmUp < 2; ++warmUp)
            if (const auto done = executor.run(views); !done)
                return state.SkipWithError(done.error().message().c_str());
        for (auto _ : state)
            benchmark::DoNotOptimize(executor.run(views));
        state.SetItemsProcessed(state.iterations() * m_batch);
    }

private:
    std::shared_ptr<const Network> m_network;
    std::int64_t m_batch;
    Mode m_mode;
    quant::Scope m_scope;
    std::once_flag m_once;
    engine::CompiledGraphPtr m_compiled;
};

void registerCases(const std::shared_ptr<const Network>& network)
{
    struct Kind {
        const char* name;
        Mode mode;
        quant::Scope scope;
    };
    constexpr Kind kinds[] { { "float", Mode::Float, quant::Scope::Compute },
        { "fake-quantized", Mode::FakeQuantized, quant::Scope::Compute },
        { "integers-in-compute-scope", Mode::Integer, quant::Scope::Compute },
        { "integers", Mode::Integer, quant::Scope::Integer } };
    for (const auto& [kind, mode, scope] : kinds)
        for (const std::int64_t batch : { 1, 8, 32 }) {
            if (!network->acceptsBatch(batch))
                continue;
            const auto name = network->name() + "/" + kind + "/batch:" + std::to_string(batch);
            const auto row = std::make_shared<Case>(network, batch, mode, scope);
            auto* registered
                = benchmark::RegisterBenchmark(name.c_str(), [row](benchmark::State& state) { row->run(state); });
            registered->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->UseRealTime()->Threads(1);
            if (base::availableThreads() > 1)
                registered->Threads(base::availableThreads());
        }
}

} // namespace

int main(int argc, char** argv)
{
    benchmark::Initialize(&argc, argv);
    if (argc > 1)
        registerCases(std::make_shared<const Network>("model", argv[1]));
    else
        for (const auto& network : networks())
            registerCases(network);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
