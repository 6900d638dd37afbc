// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/onednn/sequence.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace onednn;

Result<KernelPtr> buildBatchNormalization(const KernelRequest& request)
{
    const auto map = describe(request.inputs[0].shape, request.inputs[0].layout);
    const auto flags = dnnl::normalization_flags::use_global_stats | dnnl::normalization_flags::use_scale
        | dnnl::normalization_flags::use_shift;
    const dnnl::batch_normalization_forward::desc description(
        dnnl::prop_kind::forward_inference, map, request.node.floatAttribute("epsilon", 1e-5F), flags);
    const dnnl::batch_normalization_forward::primitive_desc chosen(description, attributes(std::nullopt), engine());
    QS_CHECK(refuseReference(request, chosen));

    auto sequence = std::make_unique<PrimitiveSequence>();
    const auto perChannel = describeRowMajor({ request.inputs[0].shape[1] });
    sequence->append(dnnl::batch_normalization_forward(chosen), chosen.scratchpad_desc(),
        { { DNNL_ARG_SRC, sequence->input(0, map) }, { DNNL_ARG_DST, sequence->output(0, map) },
            { DNNL_ARG_SCALE, operandOf(*sequence, request, 1, perChannel) },
            { DNNL_ARG_SHIFT, operandOf(*sequence, request, 2, perChannel) },
            { DNNL_ARG_MEAN, operandOf(*sequence, request, 3, perChannel) },
            { DNNL_ARG_VARIANCE, operandOf(*sequence, request, 4, perChannel) } });
    sequence->setImplementation(implementationName(chosen));
    sequence->setInPlaceInput(0);
    return sequence;
}

Result<KernelPtr> createBatchNormalization(const KernelRequest& request)
{
    QS_CHECK(requireFloat32(request));
    const Shape& map = request.inputs[0].shape;
    if (map.rank() < 3 || map.rank() > 5)
        return request.unsupported("input of shape " + map.toString() + ", expected rank 3 to 5");
    if (request.node.intAttribute("training_mode", 0) != 0)
        return request.unsupported("training mode", "export the model for inference");
    for (std::size_t i = 1; i < 5; ++i) {
        if (!request.has(i) || request.inputs[i].shape != Shape { map[1] })
            return request.invalid("operand " + std::to_string(i + 1) + " of shape "
                + (request.has(i) ? request.inputs[i].shape.toString() : "(absent)") + ", expected ["
                + std::to_string(map[1]) + "]");
    }
    return guarded(request, [&] { return buildBatchNormalization(request); });
}

Result<KernelPtr> buildLocalResponse(const KernelRequest& request)
{
    const auto map = describe(request.inputs[0].shape, request.inputs[0].layout);
    const dnnl::lrn_forward::desc description(dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels,
        map, request.node.intAttribute("size", 0), request.node.floatAttribute("alpha", 1e-4F),
        request.node.floatAttribute("beta", 0.75F), request.node.floatAttribute("bias", 1));
    const dnnl::lrn_forward::primitive_desc chosen(description, attributes(std::nullopt), engine());
    QS_CHECK(refuseReference(request, chosen));

    auto sequence = std::make_unique<PrimitiveSequence>();
    sequence->append(dnnl::lrn_forward(chosen), chosen.scratchpad_desc(),
        { { DNNL_ARG_SRC, sequence->input(0, map) }, { DNNL_ARG_DST, sequence->output(0, map) } });
    sequence->setImplementation(implementationName(chosen));
    return sequence;
}

Result<KernelPtr> createLocalResponse(const KernelRequest& request)
{
    QS_CHECK(requireFloat32(request));
    if (request.inputs[0].shape.rank() != 4)
        return request.unsupported("input of shape " + request.inputs[0].shape.toString() + ", expected rank 4");
    const std::int64_t size = request.node.intAttribute("size", 0);
    if (size < 1)
        return request.invalid("attribute 'size' is " + std::to_string(size) + ", expected at least 1");
    if (size % 2 == 0)
        return request.unsupported("an even number of channels in the sum");
    return guarded(request, [&] { return buildLocalResponse(request); });
}

/// The input as [outer, axis, inner] around the axis the soft maximum is taken over. Up to opset 12 everything from
/// `axis` on is one long axis.
Result<dnnl::memory::dims> softmaxExtents(const KernelRequest& request)
{
    const bool flattens = request.opset < 13;
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const int axis, tensor::normalizeAxis(request.node.intAttribute("axis", flattens ? 1 : -1), shape.rank()));
    dnnl::memory::dims extents { 1, 1, 1 };
    for (int i = 0; i < shape.rank(); ++i) {
        const bool isLong = i == axis || (flattens && i > axis);
        extents[i < axis ? 0 : isLong ? 1 : 2] *= shape[i];
    }
    return extents;
}

Result<KernelPtr> createSoftmaxKind(const KernelRequest& request, dnnl::algorithm algorithm)
{
    QS_CHECK(requireFloat32(request));
    QS_TRY(const dnnl::memory::dims extents, softmaxExtents(request));
    return guarded(request, [&]() -> Result<KernelPtr> {
        const auto rows = describeRowMajor(extents);
        const dnnl::softmax_v2_forward::desc description(dnnl::prop_kind::forward_inference, algorithm, rows, rows, 1);
        const dnnl::softmax_v2_forward::primitive_desc chosen(description, attributes(std::nullopt), engine());
        QS_CHECK(refuseReference(request, chosen));

        auto sequence = std::make_unique<PrimitiveSequence>();
        sequence->append(dnnl::softmax_v2_forward(chosen), chosen.scratchpad_desc(),
            { { DNNL_ARG_SRC, sequence->input(0, rows) }, { DNNL_ARG_DST, sequence->output(0, rows) } });
        sequence->setImplementation(implementationName(chosen));
        sequence->setInPlaceInput(0);
        return sequence;
    });
}

Result<KernelPtr> createSoftmax(const KernelRequest& request)
{
    return createSoftmaxKind(request, dnnl::algorithm::softmax_accurate);
}

Result<KernelPtr> createLogSoftmax(const KernelRequest& request)
{
    return createSoftmaxKind(request, dnnl::algorithm::softmax_log);
}

constexpr KernelRegistration kernels[] = {
    { .opType = "BatchNormalization", .create = createBatchNormalization, .layouts = featureMapLayouts },
    { .opType = "LRN", .create = createLocalResponse, .layouts = featureMapLayouts },
    { .opType = "Softmax", .create = createSoftmax },
    { .opType = "LogSoftmax", .create = createLogSoftmax },
};

} // namespace

std::span<const KernelRegistration> onednnNormalizationKernels() { return kernels; }

} // namespace quantoscope::engine
