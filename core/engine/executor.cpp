// SPDX-License-Identifier: GPL-3.0-or-later
#include <cassert>
#include <chrono>

#include "core/engine/bound_program.h"
#include "core/engine/compiled_graph.h"
#include "core/engine/single_thread.h"

namespace quantoscope::engine {

struct Executor::Impl {
    explicit Impl(CompiledGraphPtr compiled)
        : workspace(compiled->arenaBytes())
        , program(std::move(compiled), workspace)
    {
    }

    Workspace workspace;
    BoundProgram program;

    const std::vector<Step>& steps() const { return program.compiled().impl().program.steps; }
};

namespace {

template <typename Make> auto withOneThread(Make make)
{
    const SingleThread singleThread;
    return make();
}

} // namespace

Executor::Executor(CompiledGraphPtr compiled)
    : m_impl(withOneThread([&] { return std::make_unique<Impl>(std::move(compiled)); }))
{
}

Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

Result<void> Executor::run(std::span<const TensorView> inputs, const TapCallback& tap)
{
    QS_CHECK(m_impl->program.bindInputs(inputs));
    const SingleThread singleThread;
    const std::size_t steps = m_impl->steps().size();
    for (std::size_t i = 0; i < steps; ++i)
        QS_CHECK(m_impl->program.runStep(i, tap));
    return {};
}

Result<void> Executor::runTimed(std::span<const TensorView> inputs, std::span<double> seconds)
{
    using Clock = std::chrono::steady_clock;
    QS_CHECK(m_impl->program.bindInputs(inputs));
    const SingleThread singleThread;
    auto next = seconds.begin();
    const std::vector<Step>& steps = m_impl->steps();
    Clock::time_point before = Clock::now();
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].kernel) // a tap, which nobody listens to here
            continue;
        QS_CHECK(m_impl->program.runStep(i));
        const Clock::time_point after = Clock::now();
        assert(next != seconds.end());
        *next++ += std::chrono::duration<double>(after - before).count();
        before = after;
    }
    return {};
}

const TensorView& Executor::output(std::size_t i) const { return m_impl->program.output(i); }

} // namespace quantoscope::engine
