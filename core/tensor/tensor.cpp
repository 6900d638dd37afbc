// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tensor/tensor.h"

#include <cassert>
#include <cstring>
#include <new>

namespace quantoscope::tensor {

namespace {

constexpr std::align_val_t alignment { 64 };

[[maybe_unused]] bool holds(DType stored, DType asked)
{
    const auto raw16 = [](DType t) { return t == DType::UInt16 || t == DType::Float16 || t == DType::BFloat16; };
    const auto raw8 = [](DType t) { return t == DType::UInt8 || t == DType::Bool || bitWidth(t) < 8; };
    return stored == asked || (raw16(stored) && asked == DType::UInt16) || (raw8(stored) && asked == DType::UInt8);
}

std::size_t spanSize(DType stored, std::int64_t size)
{
    return isPacked(stored) ? byteSize(stored, static_cast<std::size_t>(size)) : static_cast<std::size_t>(size);
}

} // namespace

AlignedBuffer::AlignedBuffer(std::size_t bytes)
    : m_data(static_cast<std::byte*>(::operator new(bytes ? bytes : 1, alignment)))
    , m_size(bytes)
{
}

void AlignedBuffer::Free::operator()(std::byte* p) const noexcept { ::operator delete(p, alignment); }

Tensor::Tensor(DType dtype, Shape shape)
    : m_dtype(dtype)
    , m_shape(std::move(shape))
    , m_buffer(bytes())
{
    std::memset(m_buffer.data(), 0, m_buffer.size());
}

Tensor::Tensor(const Tensor& other)
    : m_dtype(other.m_dtype)
    , m_shape(other.m_shape)
    , m_buffer(other.m_buffer.size())
{
    if (m_buffer.size())
        std::memcpy(m_buffer.data(), other.m_buffer.data(), m_buffer.size());
}

Tensor& Tensor::operator=(const Tensor& other)
{
    if (this != &other)
        *this = Tensor(other);
    return *this;
}

template <typename T> std::span<const T> TensorView::as() const
{
    assert(holds(m_dtype, DTypeOf<T>::value));
    return { static_cast<const T*>(m_data), spanSize(m_dtype, size()) };
}

template <typename T> std::span<T> Tensor::as()
{
    assert(holds(m_dtype, DTypeOf<T>::value));
    return { reinterpret_cast<T*>(m_buffer.data()), spanSize(m_dtype, size()) };
}

template <typename T> Tensor Tensor::from(Shape shape, std::span<const T> values)
{
    assert(shape.size() == static_cast<std::int64_t>(values.size()));
    Tensor t(DTypeOf<T>::value, std::move(shape));
    if (!values.empty())
        std::memcpy(t.data(), values.data(), values.size_bytes());
    return t;
}

Tensor Tensor::reshaped(Shape shape) const
{
    assert(shape.size() == size());
    Tensor copy(*this);
    copy.m_shape = std::move(shape);
    return copy;
}

#define QS_INSTANTIATE(T)                                                                                              \
    template std::span<const T> TensorView::as<T>() const;                                                             \
    template std::span<T> Tensor::as<T>();                                                                             \
    template Tensor Tensor::from<T>(Shape, std::span<const T>);

QS_INSTANTIATE(float)
QS_INSTANTIATE(double)
QS_INSTANTIATE(std::int8_t)
QS_INSTANTIATE(std::uint8_t)
QS_INSTANTIATE(std::int16_t)
QS_INSTANTIATE(std::uint16_t)
QS_INSTANTIATE(std::int32_t)
QS_INSTANTIATE(std::uint32_t)
QS_INSTANTIATE(std::int64_t)
QS_INSTANTIATE(std::uint64_t)
#undef QS_INSTANTIATE

} // namespace quantoscope::tensor
