// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"

namespace quantoscope::planning {

/// A compute layer seen as one matrix product a group: at every output position, y = W x + b with W [rows(), columns()]
/// and x the columns() inputs that the position reads (im2col), in the order of the weight's own elements. Conv and
/// ConvTranspose in any number of spatial axes, with strides, pads, dilations and groups; Gemm with its transposes and
/// MatMul with a constant matrix on either side.
class LayerMatrix {
public:
    /// All shapes of `graph` must be known. Unsupported for a layer without a constant matrix as weight.
    static Result<LayerMatrix> create(const graph::Graph& graph, const graph::Layer& layer);

    std::int64_t groups() const { return m_groups; }
    std::int64_t rows() const { return m_rows; } ///< output channels of a group
    std::int64_t columns() const { return m_channels * m_taps; } ///< inputs that one output reads
    std::int64_t positions() const { return m_positions; } ///< in one run of the graph, the first image's first

    /// Where element [row, column] of a group's matrix stands in the weight tensor.
    std::int64_t weightIndex(std::int64_t group, std::int64_t row, std::int64_t column) const
    {
        return group * m_weightGroupStride + row * m_weightRowStride + column / m_taps * m_weightChannelStride
            + column % m_taps;
    }
    /// Where output channel `channel` (over all groups) of a position stands in the output tensor.
    std::int64_t outputIndex(std::int64_t position, std::int64_t channel) const
    {
        return position / m_outputInner * m_outputOuterStride + position % m_outputInner * m_outputInnerStride
            + channel * m_outputChannelStride;
    }

    /// Where the first channel of a position's input stands for each tap, -1 for one in the padding. As many as
    /// tapCount().
    void locate(std::int64_t position, std::span<std::int64_t> taps) const;
    std::size_t tapCount() const { return static_cast<std::size_t>(m_taps); }
    /// The columns() inputs of a group at the position that `taps` was located for.
    void gather(const float* input, std::span<const std::int64_t> taps, std::int64_t group, float* column) const;

private:
    /// One spatial axis of a convolution.
    struct Axis {
        std::int64_t input;
        std::int64_t output;
        std::int64_t kernel;
        std::int64_t stride;
        std::int64_t dilation;
        std::int64_t pad;
    };

    Result<void> setConvolution(const graph::Graph& graph, const graph::Layer& layer);
    Result<void> setProduct(const graph::Graph& graph, const graph::Layer& layer);
    std::int64_t inputCoordinate(const Axis& axis, std::int64_t output, std::int64_t tap) const;

    std::int64_t m_groups = 1;
    std::int64_t m_rows = 0;
    std::int64_t m_channels = 0; ///< input channels of a group
    std::int64_t m_taps = 1;
    std::int64_t m_positions = 0;
    std::int64_t m_weightGroupStride = 0;
    std::int64_t m_weightRowStride = 0;
    std::int64_t m_weightChannelStride = 0;
    std::int64_t m_inputInner = 1; ///< positions between two steps of the outer stride
    std::int64_t m_inputOuterStride = 0;
    std::int64_t m_inputInnerStride = 0;
    std::int64_t m_inputChannelStride = 0;
    std::int64_t m_outputInner = 1;
    std::int64_t m_outputOuterStride = 0;
    std::int64_t m_outputInnerStride = 0;
    std::int64_t m_outputChannelStride = 0;
    bool m_transposed = false;
    std::vector<Axis> m_axes; ///< empty for a product
};

} // namespace quantoscope::planning
