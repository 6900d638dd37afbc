// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/kernel.h"
#include "core/engine/value_key.h"

// What a CompiledGraph is made of; private to the engine.
namespace quantoscope::engine {

/// A buffer steps read and write: part of the arena, a graph input, or a constant.
struct Slot {
    enum class Place { Arena, Input, Constant };
    DType dtype = DType::Float32;
    Shape shape;
    Layout layout = Layout::Plain;
    Place place = Place::Arena;
    std::size_t position = 0; ///< Arena: byte offset; Input: which one
    graph::TensorPtr constant; ///< Constant: elements in the order of `layout`; nullptr if no kernel looks at them
    int sharedWith
        = -1; ///< slot whose bytes these are (an alias, or computed in place); place and position are then equal
    ValueKey key; ///< of what it holds

    std::size_t bytes() const { return tensor::byteSize(dtype, static_cast<std::size_t>(shape.size())); }
};

/// One kernel call, or the moment a tapped value is shown (kernel == nullptr).
struct Step {
    std::string node;
    std::string op;
    std::shared_ptr<const Kernel> kernel;
    std::vector<int> inputs; ///< slots; -1: absent
    std::vector<int> outputs;
    std::size_t scratch = 0; ///< byte offset in the arena
    int tap = -1;
};

struct Program {
    std::vector<Slot> slots;
    std::vector<Step> steps;
    std::vector<int> outputs; ///< slots, all Plain, none in Place::Input
};

struct CompiledGraph::Impl {
    Program program;
    std::vector<PortInfo> inputs;
    std::vector<PortInfo> outputs;
    std::vector<PortInfo> taps;
    std::size_t arenaBytes = 0;
    ArithmeticUse use;
};

} // namespace quantoscope::engine
