// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <dnnl.hpp>

#include "core/engine/kernel.h"

// For the .cpp files of this folder only: oneDNN's types stay out of everyone else's sight.
namespace quantoscope::engine::onednn {

/// The process' one engine object; primitives, memory and streams of different engines do not mix.
const dnnl::engine& engine();

dnnl::memory::dims dims(const Shape& shape);
/// A tensor of this shape in this layout; `shape` must have rank >= 3 for ChannelsLast.
dnnl::memory::desc describe(
    const Shape& shape, Layout layout, dnnl::memory::data_type type = dnnl::memory::data_type::f32);
dnnl::memory::desc describeRowMajor(
    dnnl::memory::dims dims, dnnl::memory::data_type type = dnnl::memory::data_type::f32);
dnnl::memory::desc describeAny(dnnl::memory::dims dims);

/// Attributes every primitive here has: scratchpad from the caller, and the clamp as last post-op.
/// oneDNN 2.6 computes wrong results with two eltwise post-ops of one kind, so there is never more than this one.
dnnl::primitive_attr attributes(const std::optional<Clamp>& clamp, dnnl::post_ops before = {});

/// Where a primitive's argument lives when the kernel runs.
struct Operand {
    enum class Kind { Input, Output, Scratch, Constant };
    Kind kind = Kind::Input;
    std::size_t index = 0; ///< of input or output; Scratch: byte offset
    dnnl::memory::desc desc;
    dnnl::memory constant; ///< Constant: shared by all workers, never written
};

/// A kernel made of primitives that run one after the other. Built once, then immutable.
class PrimitiveSequence : public Kernel {
public:
    Operand input(std::size_t index, dnnl::memory::desc desc) const;
    Operand output(std::size_t index, dnnl::memory::desc desc) const;
    Operand constant(dnnl::memory memory) const;
    /// A fresh region of the scratch memory.
    Operand scratch(const dnnl::memory::desc& desc);

    /// Appends a primitive; its scratchpad, if it wants one, is taken from the kernel's scratch memory.
    void append(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
        std::vector<std::pair<int, Operand>> arguments);
    void appendReorder(const Operand& from, const Operand& to);

    /// `operand` in the layout `wanted`: itself if it is that already, reordered once now if it is constant, by a
    /// reorder in every run otherwise.
    Operand brought(const Operand& operand, const dnnl::memory::desc& wanted);

    void setImplementation(std::string name) { m_implementation = std::move(name); }
    void setInPlaceInput(int input) { m_inPlaceInput = input; }

    void run(const KernelArguments& arguments) const override;
    std::size_t scratchBytes() const override { return m_scratchBytes; }
    std::unique_ptr<KernelState> makeState() const override;
    bool readsInput(std::size_t index) const override;
    std::string_view implementation() const override { return m_implementation; }
    int inPlaceInput() const override { return m_inPlaceInput; }

private:
    struct Stage {
        dnnl::primitive primitive;
        std::vector<std::pair<int, Operand>> arguments;
    };
    std::vector<Stage> m_stages;
    std::size_t m_scratchBytes = 0;
    std::string m_implementation;
    int m_inPlaceInput = -1;
};

/// A constant operand's elements as oneDNN memory described by `desc` (a copy).
dnnl::memory constantMemory(const dnnl::memory::desc& desc, const void* data);

/// Operand `i` of the request: constant memory if its value is known, otherwise the run-time input.
Operand operandOf(
    const PrimitiveSequence& sequence, const KernelRequest& request, std::size_t i, const dnnl::memory::desc& desc);

/// "jit:avx512_core" and the like.
std::string implementationName(const dnnl::primitive_desc_base& description);

/// Runs `build` and turns what oneDNN throws into Unsupported, so that the reference kernel takes over.
Result<KernelPtr> guarded(const KernelRequest& request, const std::function<Result<KernelPtr>()>& build);

/// Unsupported unless every present operand is float32.
Result<void> requireFloat32(const KernelRequest& request);

/// Unsupported if oneDNN could only offer its own plain loops: ours are no slower and follow the operator's definition.
Result<void> refuseReference(const KernelRequest& request, const dnnl::primitive_desc_base& description);

/// A LayoutChoice for operators whose first input and first output are feature maps [N, C, D...]: channels last for
/// float32 and uint8 of rank 3 to 5, everything else plain.
LayoutChoice featureMapLayouts(const KernelRequest& request);

} // namespace quantoscope::engine::onednn
