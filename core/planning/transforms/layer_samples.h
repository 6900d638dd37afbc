// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/planning/transforms/layer_matrix.h"
#include "core/tensor/tensor.h"

namespace quantoscope::planning {

/// What a layer reads or puts out at sampled positions of every image, a row each. Stored in panels of `lanes` columns
/// so that products of columns run through memory in order.
class SampleMatrix {
public:
    static constexpr std::int64_t lanes = 16;

    SampleMatrix() = default;
    SampleMatrix(std::int64_t groups, std::int64_t columns, std::int64_t rows);

    std::int64_t groups() const { return m_groups; }
    std::int64_t columns() const { return m_columns; } ///< of a group
    std::int64_t rows() const { return m_rows; }
    std::int64_t panels() const { return (m_columns + lanes - 1) / lanes; } ///< of a group
    const float* panel(std::int64_t group, std::int64_t panel) const
    {
        return m_values.as<float>().data() + (group * panels() + panel) * m_rows * lanes;
    }
    float at(std::int64_t group, std::int64_t row, std::int64_t column) const
    {
        return panel(group, column / lanes)[row * lanes + column % lanes];
    }
    void subtract(const SampleMatrix& other); ///< of the same extents
    void setRow(std::int64_t group, std::int64_t row, const float* values); ///< columns() of them

private:
    std::int64_t m_groups = 0;
    std::int64_t m_columns = 0;
    std::int64_t m_rows = 0;
    Tensor m_values;
};

/// Which positions of which image make up the rows of a SampleMatrix: spread evenly over the image, at random within
/// each part, the same for the same seed. Every fifth image's rows come last, so that they can be held back.
class PositionSampler {
public:
    /// At most `wanted` positions an image, and no more than keep the samples within `memory` bytes.
    PositionSampler(const LayerMatrix& matrix, std::int64_t images, std::int64_t batch, std::int64_t wanted,
        std::size_t memory, std::uint64_t seed);

    std::int64_t rows() const { return m_images * m_perImage; }
    std::int64_t heldBackRows() const { return m_images / heldBackEvery * m_perImage; } ///< the last of them
    /// Takes the rows of one batch from the layer's input: the matrix' columns() and a constant 1 that stands for the
    /// bias. Thread safe for different batches.
    void collectInputs(std::int64_t batch, const TensorView& input, SampleMatrix& samples) const;
    /// The same of the layer's output.
    void collectOutputs(std::int64_t batch, const TensorView& output, SampleMatrix& samples) const;
    /// Calls `visit(row, position)` for the same rows; position within the batch.
    template <typename Visit> void forEachRow(std::int64_t batch, const Visit& visit) const
    {
        for (std::int64_t image = batch * m_batch; image < m_images && image < (batch + 1) * m_batch; ++image)
            for (std::int64_t i = 0; i < m_perImage; ++i)
                visit(slotOf(image) * m_perImage + i, image % m_batch * m_available + positionOf(image, i));
    }

private:
    static constexpr std::int64_t heldBackEvery = 5;

    std::int64_t slotOf(std::int64_t image) const
    {
        const std::int64_t kept = image - image / heldBackEvery;
        return image % heldBackEvery == heldBackEvery - 1 ? m_images - m_images / heldBackEvery + image / heldBackEvery
                                                          : kept;
    }
    std::int64_t positionOf(std::int64_t image, std::int64_t i) const;

    const LayerMatrix& m_matrix;
    std::int64_t m_images;
    std::int64_t m_batch;
    std::int64_t m_available;
    std::int64_t m_perImage;
    std::uint64_t m_seed;
};

} // namespace quantoscope::planning
