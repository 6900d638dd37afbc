// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/key_builder.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <variant>

namespace quantoscope::engine {

namespace {

/// Spreads every bit over all 64 (the finalizer of MurmurHash3).
std::uint64_t mixed(std::uint64_t value)
{
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdU;
    value ^= value >> 33U;
    value *= 0xc4ceb9fe1a85ec53U;
    return value ^ (value >> 33U);
}

struct AttributeAdder {
    KeyBuilder& builder;

    void operator()(std::int64_t number) const { builder.add(number); }
    void operator()(float number) const { builder.add(number); }
    void operator()(const std::string& text) const { builder.add(text); }
    void operator()(const graph::TensorPtr& tensor) const { builder.add(*tensor); }
    void operator()(const std::vector<std::int64_t>& numbers) const { builder.addAll(numbers); }
    void operator()(const std::vector<float>& numbers) const { builder.addAll(numbers); }
    void operator()(const std::vector<std::string>& texts) const
    {
        builder.add(texts.size());
        for (const std::string& text : texts)
            builder.add(text);
    }
    /// What it holds is not known: like nothing else.
    void operator()(const graph::Opaque&) const
    {
        static std::atomic<std::uint64_t> count { 0 };
        builder.add(++count);
    }
};

} // namespace

/// Weights go through four chains side by side, which do not wait for each other.
void KeyBuilder::bytes(std::span<const std::byte> bytes)
{
    constexpr std::size_t worthChains = 256;
    constexpr std::uint64_t factor = 0x9e3779b97f4a7c15U;
    std::size_t at = 0;
    if (bytes.size() >= worthChains) {
        std::array<std::uint64_t, 4> chains { 1, 2, 3, 4 };
        std::array<std::uint64_t, 4> values {};
        for (; at + sizeof values <= bytes.size(); at += sizeof values) {
            std::memcpy(values.data(), bytes.data() + at, sizeof values);
            for (std::size_t i = 0; i < chains.size(); ++i)
                chains[i] = std::rotl((chains[i] ^ values[i]) * factor, 29);
        }
        for (const std::uint64_t chain : chains)
            word(chain);
    }
    for (; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + at, 8);
        word(value);
    }
    if (at < bytes.size()) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + at, bytes.size() - at);
        word(value);
    }
}

KeyBuilder& KeyBuilder::add(std::string_view text)
{
    word(text.size());
    bytes(std::as_bytes(std::span(text)));
    return *this;
}

KeyBuilder& KeyBuilder::add(float number) { return add(std::bit_cast<std::uint32_t>(number)); }

KeyBuilder& KeyBuilder::add(double number) { return add(std::bit_cast<std::uint64_t>(number)); }

KeyBuilder& KeyBuilder::add(const ValueKey& key) { return add(key.high).add(key.low); }

KeyBuilder& KeyBuilder::add(const Shape& shape) { return addAll(shape.dims()); }

KeyBuilder& KeyBuilder::add(const Tensor& tensor)
{
    add(tensor.dtype()).add(tensor.shape());
    bytes({ static_cast<const std::byte*>(tensor.data()), tensor.bytes() });
    return *this;
}

KeyBuilder& KeyBuilder::add(const quant::Encoding& encoding)
{
    return addAll(encoding.scale)
        .addAll(encoding.zeroPoint)
        .add(encoding.qmin)
        .add(encoding.qmax)
        .add(encoding.axis)
        .add(static_cast<int>(encoding.rounding));
}

KeyBuilder& KeyBuilder::add(const std::optional<Clamp>& clamp)
{
    add(clamp.has_value());
    return clamp ? add(clamp->low).add(clamp->high) : *this;
}

KeyBuilder& KeyBuilder::add(const graph::Node& node)
{
    add(node.opType).add(node.domain).add(node.attributes.size());
    for (const auto& [name, attribute] : node.attributes) {
        add(name).add(attribute.index());
        std::visit(AttributeAdder { *this }, attribute);
    }
    return *this;
}

KeyBuilder& KeyBuilder::add(const KernelRequest& request)
{
    add(request.node).add(request.opset).add(request.activation).add(request.directSums);
    for (const auto* quantizer : { &request.inputQuantizer, &request.outputQuantizer }) {
        add(quantizer->has_value());
        if (*quantizer)
            add(**quantizer);
    }
    for (const auto* operands : { &request.inputs, &request.outputs }) {
        add(operands->size());
        for (const OperandInfo& operand : *operands) {
            add(operand.present).add(operand.dtype).add(operand.shape).add(operand.layout);
            add(operand.constant != nullptr);
            if (operand.constant)
                add(*operand.constant);
        }
    }
    return *this;
}

ValueKey KeyBuilder::key() const { return { mixed(m_high), mixed(m_low ^ m_high) }; }

} // namespace quantoscope::engine
