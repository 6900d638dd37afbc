// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace quantoscope::tensor {

/// Extents of a tensor, outermost first; rank 0 is a scalar. Every extent is known and not negative.
class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<std::int64_t> dims)
        : m_dims(dims)
    {
    }
    explicit Shape(std::vector<std::int64_t> dims)
        : m_dims(std::move(dims))
    {
    }

    int rank() const { return static_cast<int>(m_dims.size()); }
    std::int64_t operator[](int axis) const { return m_dims[static_cast<std::size_t>(axis)]; }
    std::int64_t& operator[](int axis) { return m_dims[static_cast<std::size_t>(axis)]; }
    const std::vector<std::int64_t>& dims() const { return m_dims; }
    auto begin() const { return m_dims.begin(); }
    auto end() const { return m_dims.end(); }

    /// Product of the extents; 1 for a scalar. The shape must have passed checkedSize() if it came from a file.
    std::int64_t size() const;

    /// size() of a shape nobody has vetted: an error for a negative extent or more than 2^40 elements.
    Result<std::int64_t> checkedSize() const;

    /// Row-major strides in elements.
    std::vector<std::int64_t> strides() const;

    /// "[1, 3, 224, 224]"
    std::string toString() const;

    friend bool operator==(const Shape&, const Shape&) = default;

private:
    std::vector<std::int64_t> m_dims;
};

/// Maps an axis in [-rank, rank) to [0, rank); an error outside.
Result<int> normalizeAxis(std::int64_t axis, int rank);

/// NumPy-style (ONNX multidirectional) broadcast of two shapes.
Result<Shape> broadcast(const Shape& a, const Shape& b);

} // namespace quantoscope::tensor

namespace quantoscope {
using tensor::Shape;
}
