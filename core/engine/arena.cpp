// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/arena.h"

#include <algorithm>

#include "core/engine/memory_planner.h"

namespace quantoscope::engine {

namespace {

class ArenaPlanner {
public:
    explicit ArenaPlanner(Program& program)
        : m_program(program)
        , m_lifetimes(program.slots.size(), BufferLifetime { 0, static_cast<int>(program.steps.size()), -1 })
    {
    }

    std::size_t plan()
    {
        findLifetimes();
        shareInPlace();
        return place();
    }

private:
    std::size_t rootOf(int slot) const
    {
        while (m_program.slots[static_cast<std::size_t>(slot)].sharedWith >= 0)
            slot = m_program.slots[static_cast<std::size_t>(slot)].sharedWith;
        return static_cast<std::size_t>(slot);
    }

    void touch(int slot, int step)
    {
        if (slot < 0)
            return;
        BufferLifetime& lifetime = m_lifetimes[rootOf(slot)];
        lifetime.first = std::min(lifetime.first, step);
        lifetime.last = std::max(lifetime.last, step);
    }

    void findLifetimes()
    {
        const int steps = static_cast<int>(m_program.steps.size());
        for (int s = 0; s < steps; ++s) {
            for (const auto* operands : { &m_program.steps[s].inputs, &m_program.steps[s].outputs }) {
                for (int slot : *operands)
                    touch(slot, s);
            }
        }
        for (int output : m_program.outputs)
            touch(output, steps);
        for (std::size_t i = 0; i < m_program.slots.size(); ++i) {
            BufferLifetime& lifetime = m_lifetimes[rootOf(static_cast<int>(i))];
            lifetime.bytes = std::max(lifetime.bytes, m_program.slots[i].bytes());
        }
    }

    void shareInPlace()
    {
        for (int s = 0; s < static_cast<int>(m_program.steps.size()); ++s) {
            const Step& step = m_program.steps[s];
            const int input = step.kernel ? step.kernel->inPlaceInput() : -1;
            if (input < 0 || !canShare(step, step.inputs[static_cast<std::size_t>(input)], s))
                continue;
            const std::size_t root = rootOf(step.inputs[static_cast<std::size_t>(input)]);
            const std::size_t output = rootOf(step.outputs[0]);
            m_lifetimes[root].last = m_lifetimes[output].last;
            m_program.slots[output].sharedWith = static_cast<int>(root);
        }
    }

    /// Whether the buffer of `input` is free to become the first output of `step`: in the arena, as large, and read by
    /// this operand of this step last.
    bool canShare(const Step& step, int input, int position) const
    {
        if (input < 0 || m_program.slots[rootOf(input)].place != Slot::Place::Arena)
            return false;
        const std::size_t root = rootOf(input);
        const auto readers = std::count_if(
            step.inputs.begin(), step.inputs.end(), [&](int other) { return other >= 0 && rootOf(other) == root; });
        return readers == 1 && m_lifetimes[root].last == position
            && m_lifetimes[root].bytes == m_lifetimes[rootOf(step.outputs[0])].bytes;
    }

    std::size_t place()
    {
        std::vector<BufferLifetime> buffers;
        std::vector<std::size_t*> targets;
        for (std::size_t i = 0; i < m_program.slots.size(); ++i) {
            Slot& slot = m_program.slots[i];
            if (slot.place != Slot::Place::Arena || slot.sharedWith >= 0 || m_lifetimes[i].last < 0)
                continue;
            buffers.push_back(m_lifetimes[i]);
            targets.push_back(&slot.position);
        }
        for (int s = 0; s < static_cast<int>(m_program.steps.size()); ++s) {
            Step& step = m_program.steps[s];
            if (step.kernel && step.kernel->scratchBytes() > 0) {
                buffers.push_back({ step.kernel->scratchBytes(), s, s });
                targets.push_back(&step.scratch);
            }
        }
        const MemoryPlan plan = planMemory(buffers);
        for (std::size_t i = 0; i < targets.size(); ++i)
            *targets[i] = plan.offsets[i];
        for (std::size_t i = 0; i < m_program.slots.size(); ++i) {
            if (m_program.slots[i].place == Slot::Place::Arena)
                m_program.slots[i].position = m_program.slots[rootOf(static_cast<int>(i))].position;
        }
        return plan.bytes;
    }

    Program& m_program;
    std::vector<BufferLifetime> m_lifetimes; ///< by root slot
};

} // namespace

std::size_t planArena(Program& program) { return ArenaPlanner(program).plan(); }

} // namespace quantoscope::engine
