// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace quantoscope::tensor {

/// A raw buffer aligned to 64 bytes (a cache line, an AVX-512 register).
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t bytes); ///< uninitialised; throws std::bad_alloc
    std::byte* data() { return m_data.get(); }
    const std::byte* data() const { return m_data.get(); }
    std::size_t size() const { return m_size; }

private:
    struct Free {
        void operator()(std::byte* p) const noexcept;
    };
    std::unique_ptr<std::byte, Free> m_data;
    std::size_t m_size = 0;
};

/// Somebody else's elements, read only, row-major and dense. Valid as long as the owner is.
class TensorView {
public:
    TensorView() = default;
    TensorView(DType dtype, Shape shape, const void* data)
        : m_dtype(dtype)
        , m_shape(std::move(shape))
        , m_data(data)
    {
    }

    DType dtype() const { return m_dtype; }
    const Shape& shape() const { return m_shape; }
    std::int64_t size() const { return m_shape.size(); }
    std::size_t bytes() const { return byteSize(m_dtype, static_cast<std::size_t>(size())); }
    const void* data() const { return m_data; }

    /// The elements as T, which must be the C++ type of dtype() (std::uint8_t for Bool too). Asserts otherwise.
    template <typename T> std::span<const T> as() const;

private:
    DType m_dtype = DType::Float32;
    Shape m_shape { 0 };
    const void* m_data = nullptr;
};

/// A dense row-major tensor that owns its elements. Copies are deep; share with std::shared_ptr<const Tensor>.
/// Reading from several threads is safe, writing is not.
class Tensor {
public:
    Tensor() = default;
    Tensor(DType dtype, Shape shape); ///< zero-filled; throws std::bad_alloc
    Tensor(const Tensor& other);
    Tensor& operator=(const Tensor& other);
    Tensor(Tensor&&) noexcept = default;
    Tensor& operator=(Tensor&&) noexcept = default;

    /// A tensor holding `values`, which must be shape.size() many.
    template <typename T> static Tensor from(Shape shape, std::span<const T> values);
    template <typename T> static Tensor from(Shape shape, const std::vector<T>& values)
    {
        return from<T>(std::move(shape), std::span<const T>(values));
    }
    template <typename T> static Tensor scalar(T value) { return from<T>(Shape {}, std::span<const T>(&value, 1)); }

    DType dtype() const { return m_dtype; }
    const Shape& shape() const { return m_shape; }
    std::int64_t size() const { return m_shape.size(); }
    std::size_t bytes() const { return byteSize(m_dtype, static_cast<std::size_t>(size())); }
    void* data() { return m_buffer.data(); }
    const void* data() const { return m_buffer.data(); }

    template <typename T> std::span<T> as();
    template <typename T> std::span<const T> as() const { return view().template as<T>(); }

    TensorView view() const { return { m_dtype, m_shape, m_buffer.data() }; }

    /// The same elements under another shape of the same size.
    Tensor reshaped(Shape shape) const;

private:
    DType m_dtype = DType::Float32;
    Shape m_shape { 0 };
    AlignedBuffer m_buffer;
};

/// Every element converted to `to`. Float to integer truncates toward zero and saturates, NaN becomes 0; float16 and
/// bfloat16 round half to even; packed types are unpacked or packed. This is ONNX Cast.
Tensor convert(const TensorView& from, DType to);
/// The same into memory of the caller, byteSize(to, count) large; allocates nothing. In place (source == target) where
/// both types are equally wide.
void convertElements(DType from, const void* source, DType to, void* target, std::int64_t count);

/// The elements widened to double / int64, for the small tensors that hold shapes, axes and scales.
std::vector<double> toDoubles(const TensorView& view);
std::vector<std::int64_t> toInt64s(const TensorView& view);

/// Index of the first NaN or infinity, -1 if all are finite or the type is integer.
std::int64_t firstNonFinite(const TensorView& view);

float halfToFloat(std::uint16_t bits);
std::uint16_t floatToHalf(float value); ///< rounds half to even
float bfloat16ToFloat(std::uint16_t bits);
std::uint16_t floatToBfloat16(float value); ///< rounds half to even

} // namespace quantoscope::tensor

namespace quantoscope {
using tensor::Tensor;
using tensor::TensorView;
}
