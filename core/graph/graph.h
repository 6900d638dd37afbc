// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/tensor/tensor.h"

namespace quantoscope::graph {

using NodeId = base::Id<struct NodeTag>;
using ValueId = base::Id<struct ValueTag>;
using TensorPtr = std::shared_ptr<const Tensor>;

/// One extent: a number, a name ("batch"), or unknown (no number, empty name).
struct Dim {
    std::int64_t value = -1;
    std::string symbol;

    Dim() = default;
    Dim(std::int64_t v) // NOLINT: a number is a Dim
        : value(v)
    {
    }
    static Dim named(std::string symbol)
    {
        Dim d;
        d.symbol = std::move(symbol);
        return d;
    }
    bool known() const { return value >= 0; }
    std::string toString() const; ///< "224", "batch" or "?"
    friend bool operator==(const Dim&, const Dim&) = default;
};

using Dims = std::vector<Dim>;

Dims toDims(const Shape& shape);
std::optional<Shape> toShape(const Dims& dims); ///< empty unless every extent is known
std::string toString(const Dims& dims); ///< "[batch, 3, 224, 224]"

/// What is known of a tensor before it is computed.
struct ValueType {
    std::optional<DType> dtype;
    std::optional<Dims> dims; ///< empty: not even the rank is known

    std::optional<Shape> shape() const { return dims ? toShape(*dims) : std::nullopt; }
    std::string toString() const; ///< "float32[batch, 3, 224, 224]"
};

/// A tensor in the graph: an input, a constant or the output of a node.
struct Value {
    std::string name; ///< as in the file; unique
    ValueType type;
    TensorPtr constant; ///< set for initializers and folded constants
    NodeId producer; ///< invalid for graph inputs and constants
};

/// A node attribute. Subgraphs and sparse tensors are kept as Opaque: they can be listed, not computed.
struct Opaque {
    std::string kind; ///< "graph", "sparse_tensor", ...
    friend bool operator==(const Opaque&, const Opaque&) = default;
};
using Attribute = std::variant<std::int64_t, float, std::string, TensorPtr, std::vector<std::int64_t>,
    std::vector<float>, std::vector<std::string>, Opaque>;

struct Node {
    std::string name; ///< as in the file; may be empty or shared, see Graph::label()
    std::string opType;
    std::string domain; ///< "" for ai.onnx
    std::vector<ValueId> inputs; ///< an absent optional input is an invalid id
    std::vector<ValueId> outputs; ///< likewise
    std::map<std::string, Attribute> attributes;
    std::string docString;

    bool hasInput(std::size_t i) const { return i < inputs.size() && inputs[i].valid(); }
    bool hasOutput(std::size_t i) const { return i < outputs.size() && outputs[i].valid(); }

    /// The attribute if present and of that type, otherwise `fallback`.
    std::int64_t intAttribute(std::string_view key, std::int64_t fallback) const;
    float floatAttribute(std::string_view key, float fallback) const;
    std::string stringAttribute(std::string_view key, std::string_view fallback) const;
    std::vector<std::int64_t> intsAttribute(std::string_view key, std::vector<std::int64_t> fallback = {}) const;
    std::vector<float> floatsAttribute(std::string_view key) const;
    TensorPtr tensorAttribute(std::string_view key) const; ///< nullptr if absent
    bool hasAttribute(std::string_view key) const;
};

/// A network in static single assignment: nodes that read and write values. Value semantics; copies share constants.
/// Ids stay valid while nodes and values are added; a removed node or value leaves a hole that iteration skips.
/// Not thread safe while it is changed; reading a finished one is.
class Graph {
public:
    std::string name;
    std::string docString;
    std::map<std::string, int> opsets; ///< domain -> version; "" is ai.onnx

    int opset() const; ///< version of ai.onnx, 0 if it is not imported

    // Building
    /// Adds a value; the name must be new (asserts), "" makes one up.
    ValueId addValue(std::string name, ValueType type = {});
    ValueId addConstant(std::string name, TensorPtr tensor);
    ValueId addInput(std::string name, ValueType type);
    void markOutput(ValueId value);
    void setOutputs(std::vector<ValueId> outputs);
    NodeId addNode(Node node); ///< becomes the producer of its outputs (asserts that they have none)

    // Changing
    Node& node(NodeId id) { return *m_nodes[id.index()]; }
    Value& value(ValueId id) { return *m_values[id.index()]; }
    void removeNode(NodeId id); ///< its outputs stay, without a producer
    void removeValue(ValueId id); ///< must have neither producer nor consumers
    /// Makes every reader of `from`, and the graph outputs, read `to` instead.
    void replaceUses(ValueId from, ValueId to);
    /// Turns `value` into a constant; its producer is detached from it.
    void makeConstant(ValueId value, TensorPtr tensor);
    /// Gives `value` another name, which must be new (asserts). Names must not be changed through value().
    void rename(ValueId value, std::string name);
    /// Redirects one input slot of a node; slots up to it that the node lacks become absent inputs.
    void setInput(NodeId node, std::size_t slot, ValueId value);
    /// Makes `node` the producer of `value`, which must have none (asserts), in place of what it produced in that slot.
    void setOutput(NodeId node, std::size_t slot, ValueId value);
    /// `wanted`, with a number behind it if a value has that name already.
    std::string uniqueName(const std::string& wanted) const;
    /// Removes nodes whose outputs nobody reads and values nobody refers to. Returns how many nodes went.
    int removeDead();

    // Reading
    const Node& node(NodeId id) const { return *m_nodes[id.index()]; }
    const Value& value(ValueId id) const { return *m_values[id.index()]; }
    bool contains(NodeId id) const { return id.valid() && id.index() < m_nodes.size() && m_nodes[id.index()]; }
    bool contains(ValueId id) const { return id.valid() && id.index() < m_values.size() && m_values[id.index()]; }
    std::vector<NodeId> nodes() const; ///< in the order they were added (the file's order)
    std::vector<ValueId> values() const;
    const std::vector<ValueId>& inputs() const { return m_inputs; } ///< without initializers
    const std::vector<ValueId>& outputs() const { return m_outputs; }
    std::optional<ValueId> find(std::string_view valueName) const;
    bool isInput(ValueId id) const;
    bool isOutput(ValueId id) const;
    bool isConstant(ValueId id) const { return id.valid() && value(id).constant != nullptr; }
    /// Nodes that read `value`, each once, in file order.
    std::vector<NodeId> consumers(ValueId value) const;
    /// Consumers of every value at once, indexed by ValueId::index(); one pass instead of one per value.
    std::vector<std::vector<NodeId>> allConsumers() const;
    /// What to call a node: its name, or "Op producing 'output'" where the file gave none.
    std::string label(NodeId id) const;
    /// Nodes so that producers come before consumers, ties in file order. InvalidInput names a node on a cycle.
    Result<std::vector<NodeId>> topologicalOrder() const;

    Graph() = default;
    Graph(const Graph& other);
    Graph& operator=(const Graph& other);
    Graph(Graph&&) noexcept = default;
    Graph& operator=(Graph&&) noexcept = default;

private:
    std::vector<std::unique_ptr<Node>> m_nodes;
    std::vector<std::unique_ptr<Value>> m_values;
    std::vector<ValueId> m_inputs;
    std::vector<ValueId> m_outputs;
    std::unordered_map<std::string, ValueId> m_names;
    int m_madeUp = 0;
};

/// A model file: the graph and what else the file says of itself.
struct Model {
    Graph graph;
    std::filesystem::path path; ///< where it was read from; empty for one made in memory
    int irVersion = 0;
    std::string producerName;
    std::string producerVersion;
    std::string domain;
    std::int64_t modelVersion = 0;
    std::string docString;
    std::map<std::string, std::string> metadata; ///< metadata_props
};

} // namespace quantoscope::graph
