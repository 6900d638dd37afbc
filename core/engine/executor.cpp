// SPDX-License-Identifier: GPL-3.0-or-later
#include <cassert>
#include <chrono>

#include "core/engine/compiled_graph.h"
#include "core/engine/kernels/onednn/runtime.h"
#include "core/engine/single_thread.h"

namespace quantoscope::engine {

namespace {

/// A step with its addresses: everything run() needs without looking anything up.
struct BoundStep {
    const Step* step = nullptr;
    std::vector<Buffer> inputs;
    std::vector<Buffer> outputs;
    std::unique_ptr<KernelState> state;
    TensorView tapped; ///< of a tap on the arena or a constant
};

/// An operand that points into a graph input and so moves from run to run.
struct InputUse {
    std::size_t step = 0;
    std::size_t operand = 0;
    std::size_t input = 0;
};

} // namespace

struct Executor::Impl {
    CompiledGraphPtr compiled;
    tensor::AlignedBuffer arena;
    std::shared_ptr<void> stream;
    std::vector<BoundStep> steps;
    std::vector<InputUse> inputUses;

    void* addressOf(const Slot& slot) const
    {
        switch (slot.place) {
        case Slot::Place::Arena:
            return const_cast<std::byte*>(arena.data()) + slot.position;
        case Slot::Place::Constant:
            return slot.constant ? const_cast<void*>(slot.constant->data()) : nullptr;
        case Slot::Place::Input:
            break;
        }
        return nullptr;
    }

    const Slot& slot(int index) const { return compiled->impl().program.slots[static_cast<std::size_t>(index)]; }

    Buffer bufferOf(int index) const
    {
        if (index < 0)
            return {};
        const Slot& described = slot(index);
        return { described.dtype, &described.shape, described.layout, addressOf(described) };
    }

    void bind(const Step& step)
    {
        BoundStep& bound = steps.emplace_back();
        bound.step = &step;
        for (int index : step.inputs) {
            if (index >= 0 && slot(index).place == Slot::Place::Input)
                inputUses.push_back({ steps.size() - 1, bound.inputs.size(), slot(index).position });
            bound.inputs.push_back(bufferOf(index));
        }
        for (int index : step.outputs)
            bound.outputs.push_back(bufferOf(index));
        if (step.kernel)
            bound.state = step.kernel->makeState();
        else
            bound.tapped = bound.inputs[0].view();
    }

    Result<void> bindInputs(std::span<const TensorView> inputs)
    {
        const std::vector<PortInfo>& ports = compiled->inputs();
        if (inputs.size() != ports.size())
            return fail(ErrorCode::InvalidInput,
                "got " + std::to_string(inputs.size()) + " inputs, expected " + std::to_string(ports.size()));
        for (std::size_t i = 0; i < ports.size(); ++i) {
            if (inputs[i].dtype() != ports[i].dtype || inputs[i].shape() != ports[i].shape)
                return fail(ErrorCode::InvalidInput,
                    "got " + std::string(tensor::name(inputs[i].dtype())) + inputs[i].shape().toString() + ", expected "
                        + std::string(tensor::name(ports[i].dtype)) + ports[i].shape.toString(),
                    "input '" + ports[i].name + "'");
        }
        for (const InputUse& use : inputUses)
            steps[use.step].inputs[use.operand].data = const_cast<void*>(inputs[use.input].data());
        return {};
    }

    Result<void> runStep(BoundStep& bound, const TapCallback& tap)
    {
        const Step& step = *bound.step;
        if (!step.kernel) {
            if (tap) {
                const bool moves = bound.tapped.data() != bound.inputs[0].data;
                tap(static_cast<std::size_t>(step.tap), moves ? bound.inputs[0].view() : bound.tapped);
            }
            return {};
        }
        try {
            step.kernel->run({ .inputs = bound.inputs,
                .outputs = bound.outputs,
                .scratch = arena.data() + step.scratch,
                .stream = stream.get(),
                .state = bound.state.get() });
        } catch (const std::bad_alloc&) {
            return fail(ErrorCode::OutOfMemory, "not enough memory to run the model", "node '" + step.node + "'");
        } catch (const std::exception& error) {
            return fail(ErrorCode::Internal, error.what(), "node '" + step.node + "' (" + step.op + ")");
        }
        return {};
    }
};

Executor::Executor(CompiledGraphPtr compiled)
    : m_impl(std::make_unique<Impl>())
{
    const SingleThread singleThread;
    m_impl->arena = tensor::AlignedBuffer(compiled->arenaBytes());
    m_impl->stream = makeStream();
    m_impl->compiled = std::move(compiled);
    const std::vector<Step>& steps = m_impl->compiled->impl().program.steps;
    m_impl->steps.reserve(steps.size());
    for (const Step& step : steps)
        m_impl->bind(step);
}

Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

Result<void> Executor::run(std::span<const TensorView> inputs, const TapCallback& tap)
{
    QS_CHECK(m_impl->bindInputs(inputs));
    const SingleThread singleThread;
    for (BoundStep& step : m_impl->steps)
        QS_CHECK(m_impl->runStep(step, tap));
    return {};
}

Result<void> Executor::runTimed(std::span<const TensorView> inputs, std::span<double> seconds)
{
    using Clock = std::chrono::steady_clock;
    QS_CHECK(m_impl->bindInputs(inputs));
    const SingleThread singleThread;
    auto next = seconds.begin();
    Clock::time_point before = Clock::now();
    for (BoundStep& step : m_impl->steps) {
        if (!step.step->kernel) // a tap, which nobody listens to here
            continue;
        m_impl->runStep(step, {});
        const Clock::time_point after = Clock::now();
        assert(next != seconds.end());
        *next++ += std::chrono::duration<double>(after - before).count();
        before = after;
    }
    return {};
}

TensorView Executor::output(std::size_t i) const
{
    const std::vector<int>& outputs = m_impl->compiled->impl().program.outputs;
    assert(i < outputs.size());
    return m_impl->bufferOf(outputs[i]).view();
}

} // namespace quantoscope::engine
