// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/engine/compiled_graph.h"

namespace quantoscope::engine {

/// What a worker has once for all that it runs, one after the other: activations and scratch memory, and the library's
/// stream.
struct Workspace {
    explicit Workspace(std::size_t bytes); ///< throws std::bad_alloc

    tensor::AlignedBuffer arena;
    std::shared_ptr<void> stream;
};

/// The steps of a compiled graph with all their addresses in a workspace: what runs without looking anything up. Not
/// thread safe; the workspace must outlive it.
class BoundProgram {
public:
    /// `wanted`: which steps will ever run; empty: all.
    BoundProgram(CompiledGraphPtr compiled, Workspace& workspace, const std::vector<bool>& wanted = {});

    const CompiledGraph& compiled() const { return *m_compiled; }

    /// InvalidInput unless they are of the types and shapes of CompiledGraph::inputs().
    Result<void> bindInputs(std::span<const TensorView> inputs);
    /// Lets a wanted step read an operand elsewhere than in the workspace, in this run and all that follow.
    void bindOperand(std::size_t step, std::size_t operand, const std::byte* data)
    {
        m_steps[step].inputs[operand].data = const_cast<std::byte*>(data);
    }
    /// Step `index` of the program, which must be a wanted one.
    Result<void> runStep(std::size_t index, const TapCallback& tap = {});

    const TensorView& output(std::size_t i) const { return m_outputs[i]; }
    std::byte* slotData(int slot) const; ///< of a slot in the arena

private:
    /// A step with its addresses.
    struct BoundStep {
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

    const Slot& slot(int index) const { return m_compiled->impl().program.slots[static_cast<std::size_t>(index)]; }
    void* addressOf(const Slot& slot) const;
    Buffer bufferOf(int index) const;
    void bind(std::size_t index);

    CompiledGraphPtr m_compiled;
    Workspace* m_workspace;
    std::vector<BoundStep> m_steps;
    std::vector<InputUse> m_inputUses;
    std::vector<TensorView> m_outputs;
};

} // namespace quantoscope::engine
