// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// ONNX files written byte by byte, independently of protobuf and of the program's own writer, so that tests can say
/// things that neither would. Field numbers are those of onnx.proto.
namespace quantoscope::test {

/// A protobuf message in the making.
class Wire {
public:
    Wire& number(int field, std::int64_t value)
    {
        tag(field, 0);
        varint(static_cast<std::uint64_t>(value));
        return *this;
    }
    Wire& text(int field, const std::string& value)
    {
        tag(field, 2);
        varint(value.size());
        m_bytes += value;
        return *this;
    }
    Wire& message(int field, const Wire& value) { return text(field, value.m_bytes); }
    Wire& fixed32(int field, float value)
    {
        tag(field, 5);
        m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    /// Packed fixed-width elements: float_data, double_data.
    template <typename T> Wire& packed(int field, const std::vector<T>& values)
    {
        return text(field, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
    }
    /// Packed varints: int32_data, int64_data, uint64_data.
    Wire& packedNumbers(int field, const std::vector<std::int64_t>& values)
    {
        Wire inner;
        for (const auto value : values)
            inner.varint(static_cast<std::uint64_t>(value));
        return text(field, inner.m_bytes);
    }

    const std::string& string() const { return m_bytes; }
    std::vector<std::uint8_t> bytes() const { return { m_bytes.begin(), m_bytes.end() }; }

private:
    void tag(int field, int type) { varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type)); }
    void varint(std::uint64_t value)
    {
        while (value >= 0x80) {
            m_bytes += static_cast<char>(value | 0x80);
            value >>= 7;
        }
        m_bytes += static_cast<char>(value);
    }

    std::string m_bytes;
};

namespace onnx_field {
enum Model {
    IrVersion = 1,
    ProducerName = 2,
    DocString = 6,
    Graph = 7,
    OpsetImport = 8,
    Metadata = 14,
    Training = 20,
    Functions = 25
};
enum Graph {
    Nodes = 1,
    GraphName = 2,
    Initializers = 5,
    Inputs = 11,
    Outputs = 12,
    ValueInfos = 13,
    SparseInitializers = 15
};
enum Tensor {
    Dims = 1,
    DataType = 2,
    Segment = 3,
    FloatData = 4,
    Int32Data = 5,
    StringData = 6,
    Int64Data = 7,
    TensorName = 8,
    RawData = 9,
    DoubleData = 10,
    Uint64Data = 11,
    ExternalEntries = 13,
    DataLocation = 14
};
}

inline Wire wireNode(const std::string& op, const std::vector<std::string>& inputs,
    const std::vector<std::string>& outputs, const std::vector<Wire>& attributes = {}, const std::string& name = {})
{
    Wire node;
    for (const auto& input : inputs)
        node.text(1, input);
    for (const auto& output : outputs)
        node.text(2, output);
    if (!name.empty())
        node.text(3, name);
    node.text(4, op);
    for (const auto& attribute : attributes)
        node.message(5, attribute);
    return node;
}

/// dims: a negative one is left unknown.
inline Wire wireValue(const std::string& name, int elementType, const std::vector<std::int64_t>& dims)
{
    Wire shape;
    for (const auto dim : dims)
        shape.message(1, dim < 0 ? Wire() : Wire().number(1, dim));
    const Wire type = Wire().message(1, Wire().number(1, elementType).message(2, shape));
    return Wire().text(1, name).message(2, type);
}

inline Wire wireTensor(const std::string& name, int elementType, const std::vector<std::int64_t>& dims)
{
    Wire tensor;
    for (const auto dim : dims)
        tensor.number(onnx_field::Dims, dim);
    return tensor.number(onnx_field::DataType, elementType).text(onnx_field::TensorName, name);
}

inline Wire wireModel(const Wire& graph, int opset = 13, int irVersion = 7)
{
    return Wire()
        .number(onnx_field::IrVersion, irVersion)
        .message(onnx_field::Graph, graph)
        .message(onnx_field::OpsetImport, Wire().text(1, "").number(2, opset));
}

/// y = x + w with x and w float32[2]; the tensor is w.
inline Wire wireAddGraph(const Wire& tensor)
{
    return Wire()
        .message(onnx_field::Nodes, wireNode("Add", { "x", "w" }, { "y" }, {}, "add"))
        .text(onnx_field::GraphName, "g")
        .message(onnx_field::Initializers, tensor)
        .message(onnx_field::Inputs, wireValue("x", 1, { 2 }))
        .message(onnx_field::Outputs, wireValue("y", 1, { 2 }));
}

inline Wire floatTensor(const std::string& name, const std::vector<float>& values)
{
    return wireTensor(name, 1, { static_cast<std::int64_t>(values.size()) }).packed(onnx_field::RawData, values);
}

} // namespace quantoscope::test
