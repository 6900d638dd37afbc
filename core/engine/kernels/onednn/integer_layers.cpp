// SPDX-License-Identifier: GPL-3.0-or-later
// Conv, Gemm and MatMul on codes: u8 x s8 -> s32 with the quantizer behind the layer in the epilogue.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/engine/engine.h"
#include "core/engine/kernels/convolution_operands.h"
#include "core/engine/kernels/integer/integer_kernels.h"
#include "core/engine/kernels/onednn/sequence.h"

namespace quantoscope::engine {

namespace {

using namespace onednn;
using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

Tag channelsLast(int rank)
{
    static constexpr Tag tags[] = { Tag::nwc, Tag::nhwc, Tag::ndhwc };
    return tags[rank - 3];
}

Type resultType(const Epilogue& epilogue) { return epilogue.toCodes ? Type::u8 : Type::f32; }

/// oneDNN computes (float(sum) + bias) scale, then the post-ops, then rounds half to even. At most one round, one clip
/// and one linear post-op: two of a kind give wrong results in 2.6.
dnnl::primitive_attr attributesFor(const Epilogue& epilogue)
{
    std::optional<Clamp> clamp { Clamp { epilogue.low, epilogue.high } };
    dnnl::post_ops before;
    if (epilogue.toCodes && epilogue.zeroPoint != 0) {
        // Ties are even before the zero point is added, which may be odd.
        before.append_eltwise(1, dnnl::algorithm::eltwise_round, 0, 0);
        before.append_eltwise(1, dnnl::algorithm::eltwise_clip, epilogue.low, epilogue.high);
        before.append_eltwise(1, dnnl::algorithm::eltwise_linear, 1, static_cast<float>(epilogue.zeroPoint));
        clamp.reset();
    } else if (epilogue.toCodes && epilogue.low == 0 && epilogue.high == 255) {
        clamp.reset(); // what a byte holds anyway
    } else if (!epilogue.toCodes && std::isinf(epilogue.low) && std::isinf(epilogue.high)) {
        clamp.reset();
    }
    dnnl::primitive_attr result = attributes(clamp, before);
    result.set_output_scales(epilogue.multiplier.size() > 1 ? 2 : 0, epilogue.multiplier);
    return result;
}

Operand biasOperand(const PrimitiveSequence& sequence, const Epilogue& epilogue, const Desc& desc)
{
    return sequence.constant(constantMemory(desc, epilogue.bias.data()));
}

/// Appends a primitive of an integer layer and names it.
template <typename Primitive>
Result<void> appendLayer(const KernelRequest& request, PrimitiveSequence& sequence,
    const typename Primitive::primitive_desc& chosen, const Operand& weight, const Epilogue& epilogue, const Desc& bias)
{
    const std::string name = implementationName(chosen);
    if (name.starts_with("ref") || name.find("ref") != std::string::npos)
        return request.unsupported("oneDNN offers only its reference implementation on integers");
    std::vector<std::pair<int, Operand>> arguments { { DNNL_ARG_SRC, sequence.input(0, chosen.src_desc()) },
        { DNNL_ARG_WEIGHTS, sequence.brought(weight, chosen.weights_desc()) },
        { DNNL_ARG_DST, sequence.output(0, chosen.dst_desc()) } };
    if (!epilogue.bias.empty())
        arguments.emplace_back(DNNL_ARG_BIAS, biasOperand(sequence, epilogue, bias));
    sequence.append(Primitive(chosen), chosen.scratchpad_desc(), std::move(arguments));
    sequence.setImplementation("u8s8 " + name);
    return {};
}

/// Input codes with a border of zero points around them, so that the layer behind needs no padding.
class BorderedKernel : public Kernel {
public:
    BorderedKernel(KernelPtr inner, const Shape& input, const Window& window, std::int32_t zeroPoint)
        : m_inner(std::move(inner))
        , m_input(input)
        , m_begin(window.padsBegin)
        , m_zeroPoint(static_cast<std::uint8_t>(zeroPoint))
    {
        m_begin.insert(m_begin.begin(), 3 - m_begin.size(), 0);
        std::vector<std::int64_t> extents { input[0], input[1] };
        for (std::size_t a = 0; a < window.axes(); ++a)
            extents.push_back(input[static_cast<int>(a) + 2] + window.padsBegin[a] + window.padsEnd[a]);
        m_bordered = Shape(std::move(extents));
        m_bytes = (static_cast<std::size_t>(m_bordered.size()) + 63) / 64 * 64;
    }

    static Shape borderedShape(const Shape& input, const Window& window);

    void run(const KernelArguments& arguments) const override
    {
        auto* bordered = reinterpret_cast<std::uint8_t*>(arguments.scratch);
        std::memset(bordered, m_zeroPoint, static_cast<std::size_t>(m_bordered.size()));
        copyInto(arguments.inputs[0].in<std::uint8_t>(), bordered);
        const Buffer source { DType::UInt8, &m_bordered, Layout::ChannelsLast, bordered };
        m_inner->run({ .inputs = { &source, 1 },
            .outputs = arguments.outputs,
            .scratch = arguments.scratch + m_bytes,
            .stream = arguments.stream,
            .state = arguments.state });
    }
    std::size_t scratchBytes() const override { return m_bytes + m_inner->scratchBytes(); }
    std::unique_ptr<KernelState> makeState() const override { return m_inner->makeState(); }
    std::string_view implementation() const override { return m_inner->implementation(); }

private:
    /// [N, D, H, rows of W x C bytes], whatever the rank.
    void copyInto(const std::uint8_t* in, std::uint8_t* out) const
    {
        const auto extent = [](const Shape& shape, int fromEnd) {
            return fromEnd < shape.rank() - 2 ? shape[shape.rank() - 1 - fromEnd] : std::int64_t { 1 };
        };
        const std::int64_t channels = m_input[1];
        const std::int64_t row = extent(m_input, 0) * channels;
        for (std::int64_t n = 0; n < m_input[0]; ++n)
            for (std::int64_t d = 0; d < extent(m_input, 2); ++d)
                for (std::int64_t h = 0; h < extent(m_input, 1); ++h, in += row) {
                    std::int64_t target = n * extent(m_bordered, 2) + d + m_begin[0];
                    target = target * extent(m_bordered, 1) + h + m_begin[1];
                    target = target * extent(m_bordered, 0) + m_begin[2];
                    std::memcpy(out + target * channels, in, static_cast<std::size_t>(row));
                }
    }

    KernelPtr m_inner;
    Shape m_input;
    Shape m_bordered;
    std::vector<std::int64_t> m_begin;
    std::uint8_t m_zeroPoint;
    std::size_t m_bytes = 0;
};

Shape BorderedKernel::borderedShape(const Shape& input, const Window& window)
{
    std::vector<std::int64_t> extents(input.begin(), input.end());
    for (std::size_t a = 0; a < window.axes(); ++a)
        extents[a + 2] += window.padsBegin[a] + window.padsEnd[a];
    return Shape(std::move(extents));
}

/// What every sum of a channel contains because the input is larger by its zero point.
std::vector<std::int64_t> inputSums(const IntegerLayer& layer, std::int64_t channels, std::int64_t stride, bool rows)
{
    const std::int64_t zero = layer.input.zeroPoint();
    if (zero == 0)
        return {};
    std::vector<std::int64_t> sums(static_cast<std::size_t>(channels), 0);
    const auto weights = layer.weight.as<std::int8_t>();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto position = static_cast<std::int64_t>(i);
        sums[static_cast<std::size_t>(rows ? position / stride : position % stride)] += zero * weights[i];
    }
    return sums;
}

/// [g, o, i, k...] over ONNX's memory.
Desc describeWeight(const Shape& weight, std::int64_t groups)
{
    Dims extents(weight.begin(), weight.end());
    if (groups > 1) {
        extents.front() /= groups;
        extents.insert(extents.begin(), groups);
    }
    Dims strides(extents.size());
    dnnl::memory::dim stride = 1;
    for (std::size_t i = extents.size(); i-- > 0; stride *= extents[i])
        strides[i] = stride;
    return { extents, Type::s8, strides };
}

Result<KernelPtr> buildConvolution(
    const KernelRequest& request, const IntegerLayer& layer, Window window, std::int64_t groups)
{
    const auto isZero = [](std::int64_t pad) { return pad == 0; };
    const bool isPadded
        = !std::ranges::all_of(window.padsBegin, isZero) || !std::ranges::all_of(window.padsEnd, isZero);
    const bool needsBorder = isPadded && layer.input.zeroPoint() != 0;
    const Shape& input = request.inputs[0].shape;
    const Shape source = needsBorder ? BorderedKernel::borderedShape(input, window) : input;
    const Window outer = window;
    if (needsBorder) {
        std::ranges::fill(window.padsBegin, 0);
        std::ranges::fill(window.padsEnd, 0);
    }
    for (std::int64_t& dilation : window.dilations)
        --dilation; // oneDNN counts the gaps
    const Shape& output = request.outputs[0].shape;
    const Shape& weight = layer.weight.shape();
    const Epilogue epilogue = epilogueOf(
        layer, inputSums(layer, weight[0], layer.weight.size() / std::max<std::int64_t>(1, weight[0]), true));
    const Desc weightDesc = describeWeight(weight, groups);
    const Desc bias = epilogue.bias.empty() ? Desc() : Desc({ weight[0] }, Type::f32, Tag::a);
    const dnnl::convolution_forward::desc description(dnnl::prop_kind::forward_inference,
        dnnl::algorithm::convolution_direct, Desc(dims(source), Type::u8, channelsLast(input.rank())),
        Desc(weightDesc.dims(), Type::s8, Tag::any), bias,
        Desc(dims(output), resultType(epilogue), channelsLast(input.rank())), window.strides, window.dilations,
        window.padsBegin, window.padsEnd);
    const dnnl::convolution_forward::primitive_desc chosen(description, attributesFor(epilogue), engine());

    auto sequence = std::make_unique<PrimitiveSequence>();
    const Operand weights = sequence->constant(constantMemory(weightDesc, layer.weight.data()));
    QS_CHECK(appendLayer<dnnl::convolution_forward>(request, *sequence, chosen, weights, epilogue, bias));
    if (!needsBorder)
        return sequence;
    return std::make_unique<BorderedKernel>(std::move(sequence), input, outer, layer.input.zeroPoint());
}

Result<KernelPtr> buildMatmul(const KernelRequest& request, const IntegerLayer& layer)
{
    const Shape& input = request.inputs[0].shape;
    const Shape& weight = layer.weight.shape();
    const bool transposed = request.node.intAttribute("transB", 0) != 0;
    const std::int64_t depth = weight[transposed ? 1 : 0];
    const std::int64_t columns = weight[transposed ? 0 : 1];
    if (input.rank() < 1 || input[input.rank() - 1] != depth)
        return request.invalid(
            "operands of shapes " + input.toString() + " and " + weight.toString() + " cannot be multiplied");
    const std::int64_t rows = input.size() / std::max<std::int64_t>(1, depth);
    const Epilogue epilogue = epilogueOf(layer, inputSums(layer, columns, transposed ? depth : columns, transposed));
    const Desc weightDesc({ depth, columns }, Type::s8, transposed ? Tag::ba : Tag::ab);
    const Desc bias = epilogue.bias.empty() ? Desc() : Desc({ 1, columns }, Type::f32, Tag::ab);
    const dnnl::matmul::desc description(Desc({ rows, depth }, Type::u8, Tag::ab),
        Desc({ depth, columns }, Type::s8, Tag::any), bias, Desc({ rows, columns }, resultType(epilogue), Tag::ab));
    const dnnl::matmul::primitive_desc chosen(description, attributesFor(epilogue), engine());

    auto sequence = std::make_unique<PrimitiveSequence>();
    const Operand weights = sequence->constant(constantMemory(weightDesc, layer.weight.data()));
    QS_CHECK(appendLayer<dnnl::matmul>(request, *sequence, chosen, weights, epilogue, bias));
    return sequence;
}

} // namespace

bool addsInFullWidth()
{
    switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::all:
    case dnnl::cpu_isa::avx2_vnni:
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
        return true;
    default:
        return false;
    }
}

Result<KernelPtr> makeIntegerConvolution(const KernelRequest& request, const IntegerLayer& layer)
{
    const int rank = request.inputs[0].shape.rank();
    if (rank < 3 || rank > 5 || request.outputs[0].shape.size() == 0)
        return request.unsupported("a convolution of rank " + std::to_string(rank) + " on integers");
    QS_TRY(const Window window, convolutionWindow(request, false));
    QS_TRY(const std::int64_t groups, convolutionGroups(request, false));
    return guarded(request, [&] { return buildConvolution(request, layer, window, groups); });
}

Result<KernelPtr> makeIntegerMatmul(const KernelRequest& request, const IntegerLayer& layer)
{
    if (layer.weight.shape().rank() != 2 || request.node.intAttribute("transA", 0) != 0
        || request.outputs[0].shape.size() == 0)
        return request.unsupported("a product by anything but a matrix on the right, on integers");
    return guarded(request, [&] { return buildMatmul(request, layer); });
}

} // namespace quantoscope::engine
