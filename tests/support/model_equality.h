// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/graph/graph.h"

namespace quantoscope::test {

inline std::string hex(const void* data, std::size_t bytes)
{
    std::string text;
    const auto* from = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) {
        text += "0123456789abcdef"[from[i] >> 4];
        text += "0123456789abcdef"[from[i] & 15];
    }
    return text;
}

inline std::string describe(const Tensor& tensor)
{
    return std::string(tensor::name(tensor.dtype())) + tensor.shape().toString() + " "
        + hex(tensor.data(), tensor.bytes());
}

inline std::string describe(const graph::Attribute& attribute)
{
    return std::to_string(attribute.index()) + ":"
        + std::visit(
            [](const auto& value) -> std::string {
                using T = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<T, graph::TensorPtr>) {
                    return describe(*value);
                } else if constexpr (std::is_same_v<T, std::string>) {
                    return value;
                } else if constexpr (std::is_same_v<T, graph::Opaque>) {
                    return value.kind;
                } else if constexpr (std::is_arithmetic_v<T>) {
                    return hex(&value, sizeof value);
                } else {
                    std::string text;
                    for (const auto& item : value) {
                        if constexpr (std::is_same_v<std::decay_t<decltype(item)>, std::string>)
                            text += "'" + item + "' ";
                        else
                            text += hex(&item, sizeof item) + " ";
                    }
                    return text;
                }
            },
            attribute);
}

/// What a model says, a line a statement, sorted: the order of nodes and an ir_version that was left open do not count.
inline std::vector<std::string> statements(const graph::Model& model)
{
    const auto& g = model.graph;
    const auto nameOf = [&](graph::ValueId id) { return id.valid() ? "'" + g.value(id).name + "'" : std::string("-"); };
    std::vector<std::string> lines { "producer " + model.producerName + " " + model.producerVersion,
        "domain " + model.domain, "version " + std::to_string(model.modelVersion), "words " + model.docString,
        "graph " + g.name + ", words " + g.docString };
    for (const auto& [key, text] : model.metadata)
        lines.push_back("metadata " + key + " = " + text);
    for (const auto& [domain, version] : g.opsets)
        lines.push_back("opset " + domain + " " + std::to_string(version));
    for (std::size_t i = 0; i < g.inputs().size(); ++i)
        lines.push_back("input " + std::to_string(i) + " " + nameOf(g.inputs()[i]));
    for (std::size_t i = 0; i < g.outputs().size(); ++i)
        lines.push_back("output " + std::to_string(i) + " " + nameOf(g.outputs()[i]));
    for (const auto id : g.values()) {
        const auto& value = g.value(id);
        lines.push_back("value " + nameOf(id) + " " + value.type.toString()
            + (value.constant ? " = " + describe(*value.constant) : ""));
    }
    for (const auto id : g.nodes()) {
        const auto& node = g.node(id);
        std::string line = "node " + node.name + " " + node.domain + "::" + node.opType + " (";
        for (const auto input : node.inputs)
            line += nameOf(input) + " ";
        line += ") -> ";
        for (const auto output : node.outputs)
            line += nameOf(output) + " ";
        for (const auto& [key, value] : node.attributes)
            line += key + "=" + describe(value) + " ";
        lines.push_back(line + node.docString);
    }
    std::ranges::sort(lines);
    return lines;
}

/// The first statements that only one of two models makes; empty if they say the same.
inline std::string difference(const graph::Model& a, const graph::Model& b)
{
    std::vector<std::string> different;
    std::ranges::set_symmetric_difference(statements(a), statements(b), std::back_inserter(different));
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(different.size(), 2); ++i)
        text += different[i].substr(0, 300) + "\n";
    return text;
}

} // namespace quantoscope::test
