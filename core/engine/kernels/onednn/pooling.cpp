// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/onednn/sequence.h"
#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

namespace {

using namespace onednn;

/// Whether the last window on some axis reaches beyond input and pads, as only ceil_mode makes it.
bool overhangs(const Window& window, const Shape& input, const Shape& output)
{
    for (std::size_t a = 0; a < window.axes(); ++a) {
        const int axis = static_cast<int>(a) + 2;
        const std::int64_t reach = (output[axis] - 1) * window.strides[a] + window.span(a);
        if (reach > window.padsBegin[a] + input[axis] + window.padsEnd[a])
            return true;
    }
    return false;
}

Result<KernelPtr> build(const KernelRequest& request, Window window, dnnl::algorithm algorithm)
{
    const Shape& input = request.inputs[0].shape;
    const Shape& output = request.outputs[0].shape;
    for (std::size_t a = 0; a < window.axes(); ++a) {
        const int axis = static_cast<int>(a) + 2;
        window.padsEnd[a] = (output[axis] - 1) * window.strides[a] + window.span(a) - input[axis] - window.padsBegin[a];
        --window.dilations[a]; // oneDNN counts the gaps
    }
    const auto type
        = request.inputs[0].dtype == DType::UInt8 ? dnnl::memory::data_type::u8 : dnnl::memory::data_type::f32;
    const auto source = describe(input, request.inputs[0].layout, type);
    const auto destination = describe(output, request.outputs[0].layout, type);
    const dnnl::pooling_v2_forward::desc description(dnnl::prop_kind::forward_inference, algorithm, source, destination,
        window.strides, window.kernel, window.dilations, window.padsBegin, window.padsEnd);
    const dnnl::pooling_v2_forward::primitive_desc chosen(description, attributes(std::nullopt), engine());
    QS_CHECK(refuseReference(request, chosen));

    auto sequence = std::make_unique<PrimitiveSequence>();
    sequence->append(dnnl::pooling_v2_forward(chosen), chosen.scratchpad_desc(),
        { { DNNL_ARG_SRC, sequence->input(0, source) }, { DNNL_ARG_DST, sequence->output(0, destination) } });
    sequence->setImplementation(implementationName(chosen));
    return sequence;
}

Result<KernelPtr> createWindowed(const KernelRequest& request, dnnl::algorithm algorithm)
{
    // The largest of bytes is a byte; a mean of bytes would be rounded.
    const bool picksBytes = algorithm == dnnl::algorithm::pooling_max && request.inputs[0].dtype == DType::UInt8
        && request.inputs[0].shape.size() > 0;
    if (!picksBytes)
        QS_CHECK(requireFloat32(request));
    const Shape& input = request.inputs[0].shape;
    if (input.rank() < 3 || input.rank() > 5)
        return request.unsupported("input of shape " + input.toString() + ", expected rank 3 to 5");
    auto kernel = request.node.intsAttribute("kernel_shape");
    if (kernel.empty())
        return request.invalid("attribute 'kernel_shape' is missing");
    QS_TRY(const Window window, slidingWindow(request, input, std::move(kernel)));
    if (algorithm == dnnl::algorithm::pooling_avg_include_padding && overhangs(window, input, request.outputs[0].shape))
        return request.unsupported("oneDNN would count what lies beyond the padding");
    return guarded(request, [&] { return build(request, window, algorithm); });
}

Result<KernelPtr> createMaxPool(const KernelRequest& request)
{
    if (request.outputs.size() > 1 && request.outputs[1].present)
        return request.unsupported("oneDNN does not compute the Indices output");
    return createWindowed(request, dnnl::algorithm::pooling_max);
}

Result<KernelPtr> createAveragePool(const KernelRequest& request)
{
    const bool includesPads = request.node.intAttribute("count_include_pad", 0) != 0;
    return createWindowed(request,
        includesPads ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding);
}

Result<KernelPtr> createGlobal(const KernelRequest& request, dnnl::algorithm algorithm)
{
    QS_CHECK(requireFloat32(request));
    const Shape& input = request.inputs[0].shape;
    if (input.rank() < 3 || input.rank() > 5)
        return request.unsupported("input of shape " + input.toString() + ", expected rank 3 to 5");
    Window window;
    window.kernel.assign(input.begin() + 2, input.end());
    window.strides.assign(window.axes(), 1);
    window.dilations.assign(window.axes(), 1);
    window.padsBegin.assign(window.axes(), 0);
    window.padsEnd.assign(window.axes(), 0);
    return guarded(request, [&] { return build(request, window, algorithm); });
}

Result<KernelPtr> createGlobalAverage(const KernelRequest& request)
{
    return createGlobal(request, dnnl::algorithm::pooling_avg_exclude_padding);
}

Result<KernelPtr> createGlobalMax(const KernelRequest& request)
{
    return createGlobal(request, dnnl::algorithm::pooling_max);
}

constexpr KernelRegistration kernels[] = {
    { .opType = "MaxPool", .create = createMaxPool, .layouts = featureMapLayouts },
    { .opType = "AveragePool", .create = createAveragePool, .layouts = featureMapLayouts },
    { .opType = "GlobalAveragePool", .create = createGlobalAverage, .layouts = featureMapLayouts },
    { .opType = "GlobalMaxPool", .create = createGlobalMax, .layouts = featureMapLayouts },
};

} // namespace

std::span<const KernelRegistration> onednnPoolingKernels() { return kernels; }

} // namespace quantoscope::engine
