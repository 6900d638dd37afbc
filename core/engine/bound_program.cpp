// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/bound_program.h"

#include <cassert>
#include <new>
#include <utility>

#include "core/engine/kernels/onednn/runtime.h"

namespace quantoscope::engine {

Workspace::Workspace(std::size_t bytes)
    : arena(bytes)
    , stream(makeStream())
{
}

BoundProgram::BoundProgram(CompiledGraphPtr compiled, Workspace& workspace, const std::vector<bool>& wanted)
    : m_compiled(std::move(compiled))
    , m_workspace(&workspace)
{
    assert(workspace.arena.size() >= m_compiled->arenaBytes());
    m_steps.resize(m_compiled->impl().program.steps.size());
    for (std::size_t i = 0; i < m_steps.size(); ++i)
        if (wanted.empty() || wanted[i])
            bind(i);
    for (const int output : m_compiled->impl().program.outputs)
        m_outputs.push_back(bufferOf(output).view());
}

void* BoundProgram::addressOf(const Slot& slot) const
{
    switch (slot.place) {
    case Slot::Place::Arena:
        return m_workspace->arena.data() + slot.position;
    case Slot::Place::Constant:
        return slot.constant ? const_cast<void*>(slot.constant->data()) : nullptr;
    case Slot::Place::Input:
        break;
    }
    return nullptr;
}

Buffer BoundProgram::bufferOf(int index) const
{
    if (index < 0)
        return {};
    const Slot& described = slot(index);
    return { described.dtype, &described.shape, described.layout, addressOf(described) };
}

void BoundProgram::bind(std::size_t index)
{
    const Step& step = m_compiled->impl().program.steps[index];
    BoundStep& bound = m_steps[index];
    for (const int input : step.inputs) {
        if (input >= 0 && slot(input).place == Slot::Place::Input)
            m_inputUses.push_back({ index, bound.inputs.size(), slot(input).position });
        bound.inputs.push_back(bufferOf(input));
    }
    for (const int output : step.outputs)
        bound.outputs.push_back(bufferOf(output));
    if (step.kernel)
        bound.state = step.kernel->makeState();
    else
        bound.tapped = bound.inputs[0].view();
}

Result<void> BoundProgram::bindInputs(std::span<const TensorView> inputs)
{
    const std::vector<PortInfo>& ports = m_compiled->inputs();
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
    for (const InputUse& use : m_inputUses)
        m_steps[use.step].inputs[use.operand].data = const_cast<void*>(inputs[use.input].data());
    return {};
}

Result<void> BoundProgram::runStep(std::size_t index, const TapCallback& tap)
{
    const Step& step = m_compiled->impl().program.steps[index];
    BoundStep& bound = m_steps[index];
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
            .scratch = m_workspace->arena.data() + step.scratch,
            .stream = m_workspace->stream.get(),
            .state = bound.state.get() });
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "not enough memory to run the model", "node '" + step.node + "'");
    } catch (const std::exception& error) {
        return fail(ErrorCode::Internal, error.what(), "node '" + step.node + "' (" + step.op + ")");
    }
    return {};
}

std::byte* BoundProgram::slotData(int index) const
{
    assert(slot(index).place == Slot::Place::Arena);
    return m_workspace->arena.data() + slot(index).position;
}

} // namespace quantoscope::engine
