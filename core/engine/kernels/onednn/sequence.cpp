// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/onednn/sequence.h"

#include <cassert>
#include <cmath>
#include <cstring>

#include "core/engine/kernels/onednn/runtime.h"

namespace quantoscope::engine {

std::shared_ptr<void> makeStream() { return std::make_shared<dnnl::stream>(onednn::engine()); }

} // namespace quantoscope::engine

namespace quantoscope::engine::onednn {

namespace {

using Memory = dnnl::memory;

constexpr std::size_t alignment = 64;

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// One worker's memory objects for every argument of every stage.
class SequenceState : public KernelState {
public:
    struct Argument {
        Operand::Kind kind;
        std::size_t index;
        Memory memory;
    };
    struct Stage {
        std::vector<Argument> arguments;
        std::vector<dnnl_exec_arg_t>
            raw; ///< the same objects as the C interface takes them, without a map built per run
    };
    std::vector<Stage> stages;
};

void* addressOf(const SequenceState::Argument& argument, const KernelArguments& arguments)
{
    switch (argument.kind) {
    case Operand::Kind::Input:
        return arguments.inputs[argument.index].data;
    case Operand::Kind::Output:
        return arguments.outputs[argument.index].data;
    case Operand::Kind::Scratch:
        return arguments.scratch + argument.index;
    case Operand::Kind::Constant:
        break;
    }
    return nullptr;
}

} // namespace

const dnnl::engine& engine()
{
    static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
    return instance;
}

Memory::dims dims(const Shape& shape) { return shape.dims(); }

Memory::desc describeRowMajor(Memory::dims dims, Memory::data_type type)
{
    if (dims.empty())
        dims.push_back(1);
    Memory::dims strides(dims.size());
    Memory::dim stride = 1;
    for (std::size_t i = dims.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= std::max<Memory::dim>(1, dims[i]);
    }
    return { dims, type, strides };
}

Memory::desc describe(const Shape& shape, Layout layout, Memory::data_type type)
{
    if (layout == Layout::Plain)
        return describeRowMajor(dims(shape), type);
    static constexpr Memory::format_tag tags[]
        = { Memory::format_tag::nwc, Memory::format_tag::nhwc, Memory::format_tag::ndhwc };
    assert(shape.rank() >= 3 && shape.rank() <= 5);
    return { dims(shape), type, tags[shape.rank() - 3] };
}

Memory::desc describeAny(Memory::dims dims) { return { dims, Memory::data_type::f32, Memory::format_tag::any }; }

dnnl::primitive_attr attributes(const std::optional<Clamp>& clamp, dnnl::post_ops before)
{
    dnnl::primitive_attr result;
    result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (clamp) {
        if (clamp->low == 0 && std::isinf(clamp->high)) {
            before.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
        } else {
            // The clip's bounds must be finite.
            const float largest = std::numeric_limits<float>::max();
            before.append_eltwise(
                1, dnnl::algorithm::eltwise_clip, std::max(clamp->low, -largest), std::min(clamp->high, largest));
        }
    }
    result.set_post_ops(before);
    return result;
}

Operand PrimitiveSequence::input(std::size_t index, Memory::desc desc) const
{
    return { Operand::Kind::Input, index, std::move(desc), {} };
}

Operand PrimitiveSequence::output(std::size_t index, Memory::desc desc) const
{
    return { Operand::Kind::Output, index, std::move(desc), {} };
}

Operand PrimitiveSequence::constant(Memory memory) const
{
    Memory::desc desc = memory.get_desc();
    return { Operand::Kind::Constant, 0, std::move(desc), std::move(memory) };
}

Operand PrimitiveSequence::scratch(const Memory::desc& desc)
{
    const std::size_t offset = m_scratchBytes;
    m_scratchBytes += aligned(desc.get_size());
    return { Operand::Kind::Scratch, offset, desc, {} };
}

void PrimitiveSequence::append(
    const dnnl::primitive& primitive, const Memory::desc& scratchpad, std::vector<std::pair<int, Operand>> arguments)
{
    if (scratchpad.get_size() > 0)
        arguments.emplace_back(DNNL_ARG_SCRATCHPAD, scratch(scratchpad));
    m_stages.push_back({ primitive, std::move(arguments) });
}

void PrimitiveSequence::appendReorder(const Operand& from, const Operand& to)
{
    const dnnl::reorder::primitive_desc description(engine(), from.desc, engine(), to.desc, attributes(std::nullopt));
    append(dnnl::reorder(description), description.scratchpad_desc(), { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } });
}

Operand PrimitiveSequence::brought(const Operand& operand, const Memory::desc& wanted)
{
    if (operand.desc == wanted)
        return operand;
    if (operand.kind == Operand::Kind::Constant) {
        Memory packed(wanted, engine());
        Memory source = operand.constant;
        dnnl::stream stream(engine());
        dnnl::reorder(source, packed).execute(stream, source, packed);
        stream.wait();
        return constant(packed);
    }
    Operand region = scratch(wanted);
    appendReorder(operand, region);
    return region;
}

std::unique_ptr<KernelState> PrimitiveSequence::makeState() const
{
    auto state = std::make_unique<SequenceState>();
    for (const Stage& stage : m_stages) {
        SequenceState::Stage& own = state->stages.emplace_back();
        for (const auto& [id, operand] : stage.arguments) {
            const bool isConstant = operand.kind == Operand::Kind::Constant;
            Memory memory = isConstant ? operand.constant : Memory(operand.desc, engine(), DNNL_MEMORY_NONE);
            own.raw.push_back({ id, memory.get() });
            own.arguments.push_back({ operand.kind, operand.index, std::move(memory) });
        }
    }
    return state;
}

void PrimitiveSequence::run(const KernelArguments& arguments) const
{
    auto& state = static_cast<SequenceState&>(*arguments.state);
    auto& stream = *static_cast<dnnl::stream*>(arguments.stream);
    for (std::size_t s = 0; s < m_stages.size(); ++s) {
        SequenceState::Stage& stage = state.stages[s];
        for (SequenceState::Argument& argument : stage.arguments) {
            if (argument.kind != Operand::Kind::Constant)
                dnnl_memory_set_data_handle(argument.memory.get(), addressOf(argument, arguments));
        }
        const dnnl_status_t status = dnnl_primitive_execute(
            m_stages[s].primitive.get(), stream.get(), static_cast<int>(stage.raw.size()), stage.raw.data());
        dnnl::error::wrap_c_api(status, "oneDNN could not execute a primitive");
    }
}

bool PrimitiveSequence::readsInput(std::size_t index) const
{
    for (const Stage& stage : m_stages) {
        for (const auto& [id, operand] : stage.arguments) {
            if (operand.kind == Operand::Kind::Input && operand.index == index)
                return true;
        }
    }
    return false;
}

Memory constantMemory(const Memory::desc& desc, const void* data)
{
    Memory memory(desc, engine());
    std::memcpy(memory.get_data_handle(), data, desc.get_size());
    return memory;
}

Operand operandOf(
    const PrimitiveSequence& sequence, const KernelRequest& request, std::size_t i, const Memory::desc& desc)
{
    if (const graph::TensorPtr& known = request.inputs[i].constant)
        return sequence.constant(constantMemory(desc, known->as<float>().data()));
    return sequence.input(i, desc);
}

std::string implementationName(const dnnl::primitive_desc_base& description) { return description.impl_info_str(); }

Result<KernelPtr> guarded(const KernelRequest& request, const std::function<Result<KernelPtr>()>& build)
{
    try {
        return build();
    } catch (const dnnl::error& error) {
        if (error.status == dnnl_out_of_memory)
            return fail(ErrorCode::OutOfMemory, "not enough memory for the packed weights", request.where);
        return request.unsupported(std::string("oneDNN refuses this combination (") + error.what() + ")");
    }
}

Result<void> requireFloat32(const KernelRequest& request)
{
    for (const auto* operands : { &request.inputs, &request.outputs }) {
        for (const OperandInfo& operand : *operands) {
            if (operand.present && operand.dtype != DType::Float32)
                return request.unsupported(
                    "operand of type " + std::string(tensor::name(operand.dtype)) + ", this kernel computes float32");
            if (operand.present && operand.shape.size() == 0)
                return request.unsupported("operand without elements, shape " + operand.shape.toString());
        }
    }
    return {};
}

Result<void> refuseReference(const KernelRequest& request, const dnnl::primitive_desc_base& description)
{
    const std::string name = implementationName(description);
    if (name.starts_with("ref") || name.starts_with("simple:any"))
        return request.unsupported("oneDNN offers only its reference implementation");
    return {};
}

LayoutChoice featureMapLayouts(const KernelRequest& request)
{
    LayoutChoice choice { std::vector<Layout>(request.inputs.size(), Layout::Plain),
        std::vector<Layout>(request.outputs.size(), Layout::Plain) };
    const OperandInfo& map = request.inputs.front();
    const int rank = map.shape.rank();
    if ((map.dtype == DType::Float32 || map.dtype == DType::UInt8) && rank >= 3 && rank <= 5) {
        choice.inputs.front() = Layout::ChannelsLast;
        choice.outputs.front() = Layout::ChannelsLast;
    }
    return choice;
}

} // namespace quantoscope::engine::onednn
