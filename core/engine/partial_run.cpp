// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/partial_run.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/engine/bound_program.h"
#include "core/engine/single_thread.h"

namespace quantoscope::engine {

namespace {

/// Who makes what in a program.
class Producers {
public:
    explicit Producers(const Program& program)
        : m_program(program)
        , m_step(program.slots.size(), -1)
    {
        for (std::size_t s = 0; s < program.steps.size(); ++s)
            for (const int output : program.steps[s].outputs)
                if (output >= 0)
                    m_step[static_cast<std::size_t>(output)] = static_cast<int>(s);
    }

    /// The slot that a step writes, for one that is another name for it.
    int origin(int slot) const
    {
        while (m_step[static_cast<std::size_t>(slot)] < 0 && at(slot).sharedWith >= 0)
            slot = at(slot).sharedWith;
        return slot;
    }
    const Slot& at(int slot) const { return m_program.slots[static_cast<std::size_t>(slot)]; }
    bool isComputed(int slot) const { return slot >= 0 && at(slot).place == Slot::Place::Arena; }
    Waypoint waypoint(int slot) const { return { at(slot).key, slot, at(slot).bytes() }; }

private:
    const Program& m_program;
    std::vector<int> m_step; ///< by slot; -1: none
};

} // namespace

PartialRun::PartialRun(CompiledGraphPtr compiled, const std::function<bool(const ValueKey&)>& known,
    const std::function<bool(const ValueKey&)>& wanted)
    : m_compiled(std::move(compiled))
{
    const Program& program = m_compiled->impl().program;
    const Producers producers(program);
    std::vector<bool> loaded(program.slots.size(), false);
    m_runs = stepsToRun(known, loaded);
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        if (m_runs[s]) {
            m_actions.push_back({ Action::Kind::Run, s });
            ++m_steps;
        }
        for (const int output : program.steps[s].outputs) {
            if (output < 0)
                continue;
            const Waypoint value = producers.waypoint(output);
            if (!m_runs[s]) {
                if (loaded[static_cast<std::size_t>(output)])
                    addLoad(value);
                continue;
            }
            m_computed.push_back(value);
            if (wanted && wanted(value.key)) {
                m_actions.push_back({ Action::Kind::Save, m_saves.size() });
                m_saves.push_back(value);
            }
        }
    }
}

/// Steps read the value where it lies; it is copied only where it is an output, or computed upon in place.
void PartialRun::addLoad(const Waypoint& value)
{
    const Program& program = m_compiled->impl().program;
    const Producers producers(program);
    const auto isValue = [&](int slot) { return producers.isComputed(slot) && producers.origin(slot) == value.slot; };
    bool copied = std::ranges::any_of(program.outputs, isValue);
    std::vector<DirectUse> uses;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        if (!m_runs[s])
            continue;
        const Step& step = program.steps[s];
        for (std::size_t i = 0; i < step.inputs.size(); ++i)
            if (isValue(step.inputs[i]))
                uses.push_back({ s, i, m_loads.size() });
        const bool reads = !uses.empty() && uses.back().step == s;
        copied = copied || (reads && std::ranges::any_of(step.outputs, [&](int output) {
            return output >= 0 && producers.at(output).sharedWith >= 0;
        }));
    }
    if (copied)
        m_actions.push_back({ Action::Kind::Load, m_loads.size() });
    else
        std::ranges::copy(uses, std::back_inserter(m_directUses));
    m_loads.push_back(value);
}

/// From the outputs back to what is known.
std::vector<bool> PartialRun::stepsToRun(const std::function<bool(const ValueKey&)>& known, std::vector<bool>& loaded)
{
    const Program& program = m_compiled->impl().program;
    const Producers producers(program);
    std::vector<bool> needed(program.slots.size(), false);
    const auto need = [&](int slot) {
        if (slot < 0)
            return;
        if (program.slots[static_cast<std::size_t>(slot)].place == Slot::Place::Input)
            m_readsInputs = true;
        else if (producers.isComputed(slot))
            needed[static_cast<std::size_t>(producers.origin(slot))] = true;
    };
    for (const int output : program.outputs)
        need(output);
    std::vector<bool> runs(program.steps.size(), false);
    for (std::size_t s = program.steps.size(); s-- > 0;) {
        const Step& step = program.steps[s];
        if (!step.kernel)
            continue;
        for (const int output : step.outputs) {
            if (output < 0 || !needed[static_cast<std::size_t>(output)])
                continue;
            if (known && known(producers.at(output).key))
                loaded[static_cast<std::size_t>(output)] = true;
            else
                runs[s] = true;
        }
        if (runs[s])
            std::ranges::for_each(step.inputs, need);
    }
    return runs;
}

struct PartialExecutor::Impl {
    struct Bound {
        PartialRunPtr run;
        BoundProgram program;
    };

    Workspace workspace;
    std::vector<std::unique_ptr<Bound>> runs;
    std::size_t last = 0;

    explicit Impl(std::size_t arenaBytes)
        : workspace(arenaBytes)
    {
    }
};

PartialExecutor::PartialExecutor(std::size_t arenaBytes)
{
    const SingleThread singleThread;
    m_impl = std::make_unique<Impl>(arenaBytes);
}

PartialExecutor::~PartialExecutor() = default;
PartialExecutor::PartialExecutor(PartialExecutor&&) noexcept = default;
PartialExecutor& PartialExecutor::operator=(PartialExecutor&&) noexcept = default;

std::size_t PartialExecutor::add(PartialRunPtr run)
{
    const SingleThread singleThread;
    BoundProgram program(run->compiled(), m_impl->workspace, run->m_runs);
    m_impl->runs.push_back(std::make_unique<Impl::Bound>(Impl::Bound { std::move(run), std::move(program) }));
    return m_impl->runs.size() - 1;
}

Result<void> PartialExecutor::run(std::size_t number, std::span<const TensorView> inputs,
    std::span<const std::byte* const> loads, std::span<std::byte* const> saves)
{
    Impl::Bound& bound = *m_impl->runs[number];
    const PartialRun& run = *bound.run;
    assert(loads.size() == run.m_loads.size() && saves.size() == run.m_saves.size());
    if (run.m_readsInputs)
        QS_CHECK(bound.program.bindInputs(inputs));
    for (const PartialRun::DirectUse& use : run.m_directUses)
        bound.program.bindOperand(use.step, use.operand, loads[use.load]);
    const SingleThread singleThread;
    m_impl->last = number;
    for (const PartialRun::Action& action : run.m_actions) {
        switch (action.kind) {
        case PartialRun::Action::Kind::Run:
            QS_CHECK(bound.program.runStep(action.index));
            break;
        case PartialRun::Action::Kind::Load: {
            const Waypoint& value = run.m_loads[action.index];
            std::memcpy(bound.program.slotData(value.slot), loads[action.index], value.bytes);
            break;
        }
        case PartialRun::Action::Kind::Save: {
            const Waypoint& value = run.m_saves[action.index];
            std::memcpy(saves[action.index], bound.program.slotData(value.slot), value.bytes);
            break;
        }
        }
    }
    return {};
}

const TensorView& PartialExecutor::output(std::size_t i) const { return m_impl->runs[m_impl->last]->program.output(i); }

std::size_t Boundary::bytes() const
{
    return std::accumulate(values.begin(), values.end(), std::size_t { 0 },
        [](std::size_t sum, const Waypoint& value) { return sum + value.bytes; });
}

std::vector<Boundary> boundaries(const CompiledGraph& compiled)
{
    const Program& program = compiled.impl().program;
    const Producers producers(program);
    const auto lastStep = program.steps.size();
    std::vector<std::size_t> lastUse(program.slots.size(), 0); // by origin
    std::size_t lastInput = 0; // steps up to here read a graph input
    for (std::size_t s = 0; s < lastStep; ++s)
        for (const int input : program.steps[s].inputs) {
            if (producers.isComputed(input))
                lastUse[static_cast<std::size_t>(producers.origin(input))] = s;
            else if (input >= 0 && producers.at(input).place == Slot::Place::Input)
                lastInput = s;
        }
    for (const int output : program.outputs)
        if (producers.isComputed(output))
            lastUse[static_cast<std::size_t>(producers.origin(output))] = lastStep;
    std::vector<Boundary> result;
    std::vector<int> alive;
    for (std::size_t s = 0; s < lastStep; ++s) {
        for (const int output : program.steps[s].outputs)
            if (output >= 0)
                alive.push_back(output);
        std::erase_if(alive, [&](int slot) { return lastUse[static_cast<std::size_t>(slot)] <= s; });
        if (s < lastInput)
            continue;
        Boundary boundary { s, {} };
        for (const int slot : alive)
            boundary.values.push_back(producers.waypoint(slot));
        result.push_back(std::move(boundary));
    }
    return result;
}

} // namespace quantoscope::engine
