// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/convolution_operands.h"
#include "core/engine/kernels/onednn/sequence.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/vectors/depthwise.h"
#include "core/engine/kernels/vectors/winograd.h"

namespace quantoscope::engine {

namespace {

using namespace onednn;
using Dims = dnnl::memory::dims;

/// What Conv and ConvTranspose have in common once their shapes are checked.
struct Geometry {
    Dims strides;
    Dims dilations; ///< oneDNN counts the gaps: 0 is dense
    Dims padsBegin;
    Dims padsEnd;
    std::int64_t groups = 1;
};

Geometry toGeometry(const Window& window, std::int64_t groups)
{
    Geometry geometry { window.strides, window.dilations, window.padsBegin, window.padsEnd, groups };
    for (std::int64_t& dilation : geometry.dilations)
        --dilation;
    return geometry;
}

/// The weight as oneDNN indexes it, ([g,] o, i, k...), over ONNX's memory: Conv stores (g o, i, k...), ConvTranspose (g
/// i, o, k...).
dnnl::memory::desc describeWeight(const Shape& weight, std::int64_t groups, bool transposed)
{
    const std::int64_t outer = weight[0] / groups;
    const std::int64_t inner = weight[1];
    Dims spatial(weight.begin() + 2, weight.end());
    std::int64_t taps = 1;
    for (std::int64_t extent : spatial)
        taps *= extent;
    Dims extents = transposed ? Dims { inner, outer } : Dims { outer, inner };
    Dims strides = transposed ? Dims { taps, inner * taps } : Dims { inner * taps, taps };
    std::int64_t stride = taps;
    for (std::int64_t extent : spatial) {
        stride /= extent;
        extents.push_back(extent);
        strides.push_back(stride);
    }
    if (groups > 1) {
        extents.insert(extents.begin(), groups);
        strides.insert(strides.begin(), outer * inner * taps);
    }
    return { extents, dnnl::memory::data_type::f32, strides };
}

/// Builds the sequence for either primitive; Forward is dnnl::convolution_forward or dnnl::deconvolution_forward.
template <typename Forward>
Result<KernelPtr> build(
    const KernelRequest& request, const Geometry& geometry, dnnl::algorithm algorithm, bool transposed)
{
    const auto source = describe(request.inputs[0].shape, request.inputs[0].layout);
    const auto destination = describe(request.outputs[0].shape, request.outputs[0].layout);
    const auto weight = describeWeight(request.inputs[1].shape, geometry.groups, transposed);
    const auto bias = request.has(2) ? describeRowMajor(dims(request.inputs[2].shape)) : dnnl::memory::desc();
    const typename Forward::desc description(dnnl::prop_kind::forward_inference, algorithm, source,
        describeAny(weight.dims()), bias, destination, geometry.strides, geometry.dilations, geometry.padsBegin,
        geometry.padsEnd);
    const typename Forward::primitive_desc chosen(description, attributes(request.activation), engine());
    QS_CHECK(refuseReference(request, chosen));

    auto sequence = std::make_unique<PrimitiveSequence>();
    const Operand packed = sequence->brought(operandOf(*sequence, request, 1, weight), chosen.weights_desc());
    std::vector<std::pair<int, Operand>> arguments { { DNNL_ARG_SRC, sequence->input(0, source) },
        { DNNL_ARG_WEIGHTS, packed }, { DNNL_ARG_DST, sequence->output(0, destination) } };
    if (request.has(2))
        arguments.emplace_back(DNNL_ARG_BIAS, operandOf(*sequence, request, 2, bias));
    sequence->append(Forward(chosen), chosen.scratchpad_desc(), std::move(arguments));
    sequence->setImplementation(implementationName(chosen));
    return sequence;
}

Result<KernelPtr> createConvolution(const KernelRequest& request)
{
    QS_CHECK(requireFloat32(request));
    QS_TRY(const Window window, convolutionWindow(request, false));
    QS_TRY(const std::int64_t groups, convolutionGroups(request, false));
    if (depthwiseSuits(request, window, groups))
        return makeDepthwise(request, window);
    if (winogradWins(request, window, groups))
        return makeWinograd(request, window);
    if (request.inputQuantizer || request.outputQuantizer)
        return request.unsupported("quantizers are not part of this convolution");
    return guarded(request, [&] {
        return build<dnnl::convolution_forward>(
            request, toGeometry(window, groups), dnnl::algorithm::convolution_direct, false);
    });
}

bool fusesQuantizers(const KernelRequest& request)
{
    if (!requireFloat32(request))
        return false;
    const auto window = convolutionWindow(request, false);
    const auto groups = convolutionGroups(request, false);
    return window && groups && (depthwiseSuits(request, *window, *groups) || winogradWins(request, *window, *groups));
}

Result<KernelPtr> createTransposed(const KernelRequest& request)
{
    QS_CHECK(requireFloat32(request));
    QS_TRY(const Window window, convolutionWindow(request, true));
    QS_TRY(const std::int64_t groups, convolutionGroups(request, true));
    return guarded(request, [&] {
        return build<dnnl::deconvolution_forward>(
            request, toGeometry(window, groups), dnnl::algorithm::deconvolution_direct, true);
    });
}

constexpr KernelRegistration kernels[] = {
    { .opType = "Conv",
        .create = createConvolution,
        .layouts = featureMapLayouts,
        .fusesActivation = true,
        .fusesQuantizers = fusesQuantizers },
    { .opType = "ConvTranspose", .create = createTransposed, .layouts = featureMapLayouts, .fusesActivation = true },
};

} // namespace

std::span<const KernelRegistration> onednnConvolutionKernels() { return kernels; }

} // namespace quantoscope::engine
