// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/engine/kernel.h"
#include "core/engine/value_key.h"
#include "core/quant/encoding.h"
#include "core/tensor/tensor.h"

namespace quantoscope::engine {

/// Makes a key from what goes into it, part by part: parts of other types, or cut otherwise, give other keys.
class KeyBuilder {
public:
    explicit KeyBuilder(std::string_view kind) { add(kind); }

    KeyBuilder& add(std::string_view text);
    template <std::integral T> KeyBuilder& add(T number)
    {
        word(static_cast<std::uint64_t>(number));
        return *this;
    }
    KeyBuilder& add(float number);
    KeyBuilder& add(double number);
    KeyBuilder& add(const ValueKey& key);
    KeyBuilder& add(const Shape& shape);
    KeyBuilder& add(Layout layout) { return add(static_cast<int>(layout)); }
    KeyBuilder& add(DType dtype) { return add(static_cast<int>(dtype)); }
    KeyBuilder& add(const Tensor& tensor); ///< type, shape and elements
    KeyBuilder& add(const quant::Encoding& encoding);
    KeyBuilder& add(const std::optional<Clamp>& clamp);
    KeyBuilder& add(const graph::Node& node); ///< operator and attributes, not its name or operands
    KeyBuilder& add(const KernelRequest& request); ///< everything a kernel may depend on
    template <typename T> KeyBuilder& addAll(const std::vector<T>& list)
    {
        add(list.size());
        bytes(std::as_bytes(std::span(list)));
        return *this;
    }

    ValueKey key() const;

private:
    void word(std::uint64_t value)
    {
        constexpr std::uint64_t first = 0x9e3779b97f4a7c15U;
        constexpr std::uint64_t second = 0xc2b2ae3d27d4eb4fU;
        m_high = (m_high ^ value) * first;
        m_high = (m_high << 29U) | (m_high >> 35U);
        m_low = (m_low + value) * second;
        m_low = (m_low << 31U) | (m_low >> 33U);
    }
    void bytes(std::span<const std::byte> bytes);

    std::uint64_t m_high = 0x243f6a8885a308d3U;
    std::uint64_t m_low = 0x13198a2e03707344U;
};

} // namespace quantoscope::engine
