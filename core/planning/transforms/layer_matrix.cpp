// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/layer_matrix.h"

#include <algorithm>
#include <cassert>

#include "core/graph/windows.h"

namespace quantoscope::planning {

namespace {

Shape shapeOf(const graph::Graph& graph, graph::ValueId id)
{
    const auto shape = graph.value(id).type.shape();
    assert(shape.has_value());
    return *shape;
}

std::int64_t product(std::span<const std::int64_t> extents)
{
    std::int64_t count = 1;
    for (const auto extent : extents)
        count *= extent;
    return count;
}

} // namespace

Result<LayerMatrix> LayerMatrix::create(const graph::Graph& graph, const graph::Layer& layer)
{
    const std::string where = "layer '" + layer.name + "'";
    if (!layer.weight.valid())
        return fail(ErrorCode::Unsupported, "its weight is not constant", where);
    LayerMatrix matrix;
    if (layer.op == "Conv" || layer.op == "ConvTranspose") {
        QS_CHECK(matrix.setConvolution(graph, layer));
    } else {
        QS_CHECK(matrix.setProduct(graph, layer));
    }
    return matrix;
}

Result<void> LayerMatrix::setConvolution(const graph::Graph& graph, const graph::Layer& layer)
{
    const auto& node = graph.node(layer.node);
    const Shape weight = shapeOf(graph, layer.weight);
    const Shape input = shapeOf(graph, layer.input);
    const Shape output = shapeOf(graph, layer.output);
    m_transposed = layer.op == "ConvTranspose";
    const std::span<const std::int64_t> inputSpatial = std::span(input.dims()).subspan(2);
    const std::vector<std::int64_t> kernel(weight.begin() + 2, weight.end());
    QS_TRY(const auto window,
        m_transposed ? graph::resolveTransposedWindow(node, inputSpatial, kernel)
                     : graph::resolveWindow(node, inputSpatial, kernel));
    for (std::size_t a = 0; a < window.axes(); ++a)
        m_axes.push_back({ inputSpatial[a], output[static_cast<int>(a) + 2], window.kernel[a], window.strides[a],
            window.dilations[a], window.padsBegin[a] });
    m_groups = layer.groups;
    m_taps = product(kernel);
    const std::int64_t inputPlane = product(inputSpatial);
    const std::int64_t outputPlane = product(std::span(output.dims()).subspan(2));
    m_channels = input[1] / m_groups;
    m_rows = output[1] / m_groups;
    m_weightGroupStride = m_rows * m_channels * m_taps;
    m_weightRowStride = m_transposed ? m_taps : m_channels * m_taps;
    m_weightChannelStride = m_transposed ? m_rows * m_taps : m_taps;
    m_positions = output[0] * outputPlane;
    m_inputInner = m_outputInner = outputPlane;
    m_inputOuterStride = input[1] * inputPlane;
    m_inputChannelStride = inputPlane;
    m_outputOuterStride = output[1] * outputPlane;
    m_outputInnerStride = 1;
    m_outputChannelStride = outputPlane;
    return {};
}

Result<void> LayerMatrix::setProduct(const graph::Graph& graph, const graph::Layer& layer)
{
    const auto& node = graph.node(layer.node);
    const Shape weight = shapeOf(graph, layer.weight);
    const Shape input = shapeOf(graph, layer.input);
    if (weight.rank() != 2 || input.rank() < 2)
        return fail(ErrorCode::Unsupported,
            "a product of " + input.toString() + " with a weight " + weight.toString() + " is no single matrix product",
            "layer '" + layer.name + "'");
    const int rowAxis = layer.weightChannelAxis;
    m_rows = weight[rowAxis];
    m_channels = weight[1 - rowAxis];
    m_weightRowStride = rowAxis == 0 ? weight[1] : 1;
    m_weightChannelStride = rowAxis == 0 ? 1 : weight[1];
    m_positions = input.size() / m_channels;
    // Positions run along the input's last axis, channels along the one before, or the other way round.
    const bool transposed = node.intAttribute(layer.weightIsLeft ? "transB" : "transA", 0) != 0;
    const bool channelsLast = transposed == layer.weightIsLeft;
    const std::int64_t inner = input[input.rank() - (channelsLast ? 2 : 1)];
    m_inputInner = m_outputInner = inner;
    m_inputOuterStride = inner * m_channels;
    m_inputInnerStride = channelsLast ? m_channels : 1;
    m_inputChannelStride = channelsLast ? 1 : inner;
    m_outputOuterStride = inner * m_rows;
    m_outputInnerStride = layer.weightIsLeft ? 1 : m_rows;
    m_outputChannelStride = layer.weightIsLeft ? inner : 1;
    return {};
}

std::int64_t LayerMatrix::inputCoordinate(const Axis& axis, std::int64_t output, std::int64_t tap) const
{
    std::int64_t coordinate = output * axis.stride - axis.pad + tap * axis.dilation;
    if (m_transposed) {
        const std::int64_t spread = output + axis.pad - tap * axis.dilation;
        coordinate = spread >= 0 && spread % axis.stride == 0 ? spread / axis.stride : -1;
    }
    return coordinate >= 0 && coordinate < axis.input ? coordinate : -1;
}

void LayerMatrix::locate(std::int64_t position, std::span<std::int64_t> taps) const
{
    const std::int64_t base = position / m_inputInner * m_inputOuterStride;
    if (m_axes.empty()) {
        taps[0] = base + position % m_inputInner * m_inputInnerStride;
        return;
    }
    for (std::int64_t tap = 0; tap < m_taps; ++tap) {
        std::int64_t outputRest = position % m_inputInner;
        std::int64_t tapRest = tap;
        std::int64_t offset = 0;
        std::int64_t stride = 1;
        bool inside = true;
        for (auto axis = m_axes.rbegin(); axis != m_axes.rend(); ++axis) {
            const auto coordinate = inputCoordinate(*axis, outputRest % axis->output, tapRest % axis->kernel);
            inside = inside && coordinate >= 0;
            offset += coordinate * stride;
            stride *= axis->input;
            outputRest /= axis->output;
            tapRest /= axis->kernel;
        }
        taps[static_cast<std::size_t>(tap)] = inside ? base + offset : -1;
    }
}

void LayerMatrix::gather(
    const float* input, std::span<const std::int64_t> taps, std::int64_t group, float* column) const
{
    const float* first = input + group * m_channels * m_inputChannelStride;
    for (std::int64_t channel = 0; channel < m_channels; ++channel, first += m_inputChannelStride)
        for (const std::int64_t tap : taps)
            *column++ = tap < 0 ? 0.0F : first[tap];
}

} // namespace quantoscope::planning
