// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "core/graph/graph.h"

namespace quantoscope::graph {

std::string Dim::toString() const
{
    if (known())
        return std::to_string(value);
    return symbol.empty() ? "?" : symbol;
}

Dims toDims(const Shape& shape) { return { shape.begin(), shape.end() }; }

std::optional<Shape> toShape(const Dims& dims)
{
    if (!std::ranges::all_of(dims, &Dim::known))
        return std::nullopt;
    std::vector<std::int64_t> extents;
    extents.reserve(dims.size());
    for (const Dim& dim : dims)
        extents.push_back(dim.value);
    return Shape(std::move(extents));
}

std::string toString(const Dims& dims)
{
    std::string text = "[";
    for (std::size_t i = 0; i < dims.size(); ++i)
        text += (i ? ", " : "") + dims[i].toString();
    return text + "]";
}

std::string ValueType::toString() const
{
    return std::string(dtype ? tensor::name(*dtype) : "?") + (dims ? graph::toString(*dims) : "[...]");
}

namespace {

template <typename T> const T* attributeAs(const Node& node, std::string_view key)
{
    const auto it = node.attributes.find(std::string(key));
    return it == node.attributes.end() ? nullptr : std::get_if<T>(&it->second);
}

} // namespace

std::int64_t Node::intAttribute(std::string_view key, std::int64_t fallback) const
{
    const auto* found = attributeAs<std::int64_t>(*this, key);
    return found ? *found : fallback;
}

float Node::floatAttribute(std::string_view key, float fallback) const
{
    const auto* found = attributeAs<float>(*this, key);
    return found ? *found : fallback;
}

std::string Node::stringAttribute(std::string_view key, std::string_view fallback) const
{
    const auto* found = attributeAs<std::string>(*this, key);
    return found ? *found : std::string(fallback);
}

std::vector<std::int64_t> Node::intsAttribute(std::string_view key, std::vector<std::int64_t> fallback) const
{
    const auto* found = attributeAs<std::vector<std::int64_t>>(*this, key);
    return found ? *found : std::move(fallback);
}

std::vector<float> Node::floatsAttribute(std::string_view key) const
{
    const auto* found = attributeAs<std::vector<float>>(*this, key);
    return found ? *found : std::vector<float> {};
}

TensorPtr Node::tensorAttribute(std::string_view key) const
{
    const auto* found = attributeAs<TensorPtr>(*this, key);
    return found ? *found : nullptr;
}

bool Node::hasAttribute(std::string_view key) const { return attributes.contains(std::string(key)); }

} // namespace quantoscope::graph
