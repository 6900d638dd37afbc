// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/layer_samples.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <vector>

#include "core/base/random.h"

namespace quantoscope::planning {

namespace {

std::int64_t roundUp(std::int64_t count)
{
    return (count + SampleMatrix::lanes - 1) / SampleMatrix::lanes * SampleMatrix::lanes;
}

} // namespace

SampleMatrix::SampleMatrix(std::int64_t groups, std::int64_t columns, std::int64_t rows)
    : m_groups(groups)
    , m_columns(columns)
    , m_rows(rows)
    , m_values(DType::Float32, Shape { groups, roundUp(columns), rows })
{
}

void SampleMatrix::setRow(std::int64_t group, std::int64_t row, const float* values)
{
    float* first = m_values.as<float>().data() + group * panels() * m_rows * lanes + row * lanes;
    for (std::int64_t column = 0; column < m_columns; column += lanes, first += m_rows * lanes)
        std::copy_n(values + column, std::min(lanes, m_columns - column), first);
}

void SampleMatrix::subtract(const SampleMatrix& other)
{
    assert(m_values.shape() == other.m_values.shape());
    const auto values = m_values.as<float>();
    const auto others = other.m_values.as<float>();
    std::ranges::transform(values, others, values.begin(), std::minus<> {});
}

PositionSampler::PositionSampler(const LayerMatrix& matrix, std::int64_t images, std::int64_t batch,
    std::int64_t wanted, std::size_t memory, std::uint64_t seed)
    : m_matrix(matrix)
    , m_images(images)
    , m_batch(batch)
    , m_available(matrix.positions() / batch)
    , m_seed(seed)
{
    assert(matrix.positions() % batch == 0);
    const auto bytesAPosition
        = static_cast<std::int64_t>(sizeof(float)) * images * matrix.groups() * roundUp(matrix.columns() + 1);
    const auto affordable = std::max<std::int64_t>(1, static_cast<std::int64_t>(memory) / bytesAPosition);
    m_perImage = std::min({ wanted, affordable, m_available });
}

std::int64_t PositionSampler::positionOf(std::int64_t image, std::int64_t i) const
{
    const std::int64_t first = i * m_available / m_perImage;
    const std::int64_t last = (i + 1) * m_available / m_perImage;
    base::Random random(m_seed ^ (static_cast<std::uint64_t>(image * m_perImage + i) * 0x9E3779B97F4A7C15U));
    return first + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last - first)));
}

void PositionSampler::collectInputs(std::int64_t batch, const TensorView& input, SampleMatrix& samples) const
{
    const auto values = input.as<float>();
    std::vector<std::int64_t> taps(m_matrix.tapCount());
    std::vector<float> column(static_cast<std::size_t>(m_matrix.columns()) + 1, 1.0F);
    forEachRow(batch, [&](std::int64_t row, std::int64_t position) {
        m_matrix.locate(position, taps);
        for (std::int64_t group = 0; group < m_matrix.groups(); ++group) {
            m_matrix.gather(values.data(), taps, group, column.data());
            samples.setRow(group, row, column.data());
        }
    });
}

void PositionSampler::collectOutputs(std::int64_t batch, const TensorView& output, SampleMatrix& samples) const
{
    const auto values = output.as<float>();
    std::vector<float> channels(static_cast<std::size_t>(m_matrix.rows()));
    forEachRow(batch, [&](std::int64_t row, std::int64_t position) {
        for (std::int64_t group = 0; group < m_matrix.groups(); ++group) {
            for (std::int64_t i = 0; i < m_matrix.rows(); ++i)
                channels[static_cast<std::size_t>(i)]
                    = values[static_cast<std::size_t>(m_matrix.outputIndex(position, group * m_matrix.rows() + i))];
            samples.setRow(group, row, channels.data());
        }
    });
}

} // namespace quantoscope::planning
