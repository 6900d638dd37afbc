// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/fingerprint.h"

#include <type_traits>

#include "core/base/sha256.h"

namespace quantoscope::graph {

namespace {

void addTensor(base::Sha256& hash, const Tensor& tensor)
{
    hash.add(tensor::name(tensor.dtype())).add(tensor.shape().toString());
    hash.update(std::span(static_cast<const std::byte*>(tensor.data()), tensor.bytes()));
}

template <typename T> void addList(base::Sha256& hash, const std::vector<T>& list)
{
    hash.add(static_cast<std::int64_t>(list.size()));
    hash.update(std::span<const T>(list));
}

struct AttributeHasher {
    base::Sha256& hash;

    void operator()(std::int64_t number) const { hash.add(number); }
    void operator()(float number) const { hash.update(std::span<const float>(&number, 1)); }
    void operator()(const std::string& text) const { hash.add(text); }
    void operator()(const TensorPtr& tensor) const { addTensor(hash, *tensor); }
    void operator()(const std::vector<std::int64_t>& numbers) const { addList(hash, numbers); }
    void operator()(const std::vector<float>& numbers) const { addList(hash, numbers); }
    void operator()(const std::vector<std::string>& texts) const
    {
        hash.add(static_cast<std::int64_t>(texts.size()));
        for (const auto& text : texts)
            hash.add(text);
    }
    void operator()(const Opaque& opaque) const { hash.add(opaque.kind); }
};

void addNames(base::Sha256& hash, const Graph& graph, const std::vector<ValueId>& values)
{
    hash.add(static_cast<std::int64_t>(values.size()));
    for (const auto id : values)
        hash.add(id.valid() ? graph.value(id).name : std::string());
}

void addNode(base::Sha256& hash, const Graph& graph, const Node& node)
{
    hash.add(node.name).add(node.opType).add(node.domain);
    addNames(hash, graph, node.inputs);
    addNames(hash, graph, node.outputs);
    hash.add(static_cast<std::int64_t>(node.attributes.size()));
    for (const auto& [key, attribute] : node.attributes) {
        hash.add(key).add(static_cast<std::int64_t>(attribute.index()));
        std::visit(AttributeHasher { hash }, attribute);
    }
}

} // namespace

std::string fingerprint(const Graph& graph)
{
    base::Sha256 hash;
    hash.add(static_cast<std::int64_t>(graph.opsets.size()));
    for (const auto& [domain, version] : graph.opsets)
        hash.add(domain).add(version);
    addNames(hash, graph, graph.inputs());
    for (const auto id : graph.inputs())
        hash.add(graph.value(id).type.toString());
    addNames(hash, graph, graph.outputs());
    for (const auto id : graph.nodes())
        addNode(hash, graph, graph.node(id));
    for (const auto id : graph.values())
        if (const auto& value = graph.value(id); value.constant) {
            hash.add(value.name);
            addTensor(hash, *value.constant);
        }
    return base::toHex(hash.digest());
}

} // namespace quantoscope::graph
