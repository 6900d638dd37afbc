// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/importer.h"

#include <memory>
#include <optional>

#include <onnx/onnx_pb.h>

#include "core/graph/onnx_types.h"
#include "core/onnx_io/element_type.h"
#include "core/onnx_io/tensor_codec.h"

namespace quantoscope::onnx_io {

using graph::Attribute;
using graph::Dim;
using graph::Dims;
using graph::Opaque;
using graph::ValueId;
using graph::ValueType;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::TypeProto;

namespace {

constexpr auto damagedHint = "the file is damaged or was made by a faulty exporter";

std::string quoted(const std::string& name) { return "'" + name + "'"; }

std::string labelOf(const NodeProto& proto)
{
    if (!proto.name().empty())
        return "node " + quoted(proto.name()) + " (" + proto.op_type() + ")";
    const std::string result = proto.output_size() > 0 ? proto.output(0) : "nothing";
    return proto.op_type() + " producing " + quoted(result);
}

Dims importDims(const ::onnx::TensorShapeProto& proto)
{
    Dims dims;
    for (const auto& dim : proto.dim()) {
        // Some exporters write -1 for an extent they do not know.
        if (dim.has_dim_value() && dim.dim_value() >= 0)
            dims.emplace_back(dim.dim_value());
        else if (dim.has_dim_param())
            dims.push_back(Dim::named(dim.dim_param()));
        else
            dims.emplace_back();
    }
    return dims;
}

/// What a declared type says; Unsupported where it is no tensor, or one of elements that are not stored.
Result<ValueType> importType(const TypeProto& proto, const std::string& name)
{
    ValueType type;
    if (proto.value_case() == TypeProto::VALUE_NOT_SET)
        return type;
    if (!proto.has_tensor_type()) {
        const bool isSequence = proto.has_sequence_type();
        const bool isMap = proto.has_map_type();
        return fail(ErrorCode::Unsupported,
            std::string("is a ")
                + (isSequence   ? "sequence"
                        : isMap ? "map"
                                : "value that is not a dense tensor"),
            "value " + quoted(name), "only tensors can be computed");
    }
    const auto& tensorType = proto.tensor_type();
    if (tensorType.elem_type() != 0) {
        type.dtype = graph::dtypeFromOnnx(tensorType.elem_type());
        if (!type.dtype)
            return fail(ErrorCode::Unsupported, "has elements of type " + elementTypeName(tensorType.elem_type()),
                "value " + quoted(name), "only numeric tensors can be computed");
    }
    if (tensorType.has_shape())
        type.dims = importDims(tensorType.shape());
    return type;
}

/// Takes from `declared` what `type` does not know yet.
void refine(ValueType& type, const ValueType& declared)
{
    if (!type.dtype)
        type.dtype = declared.dtype;
    if (!type.dims)
        type.dims = declared.dims;
}

/// The kind of an attribute, deduced from its content where an old exporter left it out.
AttributeProto::AttributeType kindOf(const AttributeProto& proto)
{
    if (proto.type() != AttributeProto::UNDEFINED)
        return proto.type();
    if (proto.has_f())
        return AttributeProto::FLOAT;
    if (proto.has_i())
        return AttributeProto::INT;
    if (proto.has_s())
        return AttributeProto::STRING;
    if (proto.has_t())
        return AttributeProto::TENSOR;
    if (proto.has_g())
        return AttributeProto::GRAPH;
    if (proto.floats_size() > 0)
        return AttributeProto::FLOATS;
    if (proto.ints_size() > 0)
        return AttributeProto::INTS;
    if (proto.strings_size() > 0)
        return AttributeProto::STRINGS;
    return AttributeProto::UNDEFINED;
}

std::string opaqueKind(AttributeProto::AttributeType kind)
{
    switch (kind) {
    case AttributeProto::GRAPH:
        return "graph";
    case AttributeProto::GRAPHS:
        return "graphs";
    case AttributeProto::TENSORS:
        return "tensors";
    case AttributeProto::SPARSE_TENSOR:
        return "sparse_tensor";
    case AttributeProto::SPARSE_TENSORS:
        return "sparse_tensors";
    case AttributeProto::TYPE_PROTO:
        return "type";
    case AttributeProto::TYPE_PROTOS:
        return "types";
    default:
        return "undefined";
    }
}

std::string normalizedDomain(const std::string& domain) { return domain == "ai.onnx" ? std::string() : domain; }

} // namespace

Result<graph::Graph> Importer::run(GraphProto& proto)
{
    if (proto.sparse_initializer_size() > 0)
        return fail(ErrorCode::Unsupported, "has sparse initializers", {}, "export the model with dense weights");
    m_graph.name = proto.name();
    m_graph.docString = proto.doc_string();
    QS_CHECK(checkInitializers(proto));
    QS_CHECK(addInputs(proto));
    QS_CHECK(addInitializers(proto));
    QS_CHECK(declareResults(proto));
    QS_CHECK(addNodes(proto));
    QS_CHECK(markOutputs(proto));
    addHints(proto);
    return std::move(m_graph);
}

Result<void> Importer::claimMemory(std::uint64_t bytes)
{
    if (bytes > m_bytesLeft)
        return fail(ErrorCode::OutOfMemory,
            "the tensors in the file claim more than the " + std::to_string(m_memoryLimit) + " bytes allowed", {},
            "use a machine with more memory or a smaller model");
    m_bytesLeft -= bytes;
    return {};
}

/// Vets all of them before the first is allocated. Strings and the like are only an error where something reads them.
Result<void> Importer::checkInitializers(const GraphProto& proto)
{
    std::set<std::string> read;
    for (const auto& node : proto.node())
        read.insert(node.input().begin(), node.input().end());
    for (const auto& output : proto.output())
        read.insert(output.name());
    for (const auto& initializer : proto.initializer()) {
        const auto& name = initializer.name();
        if (name.empty())
            return fail(ErrorCode::InvalidInput, "has an initializer without name", {}, damagedHint);
        const auto claim = checkTensor(initializer, m_external);
        if (!claim && claim.error().code == ErrorCode::Unsupported && !read.contains(name))
            continue;
        if (!claim)
            return tl::make_unexpected(claim.error());
        QS_CHECK(claimMemory(claim->bytes));
        if (!m_initializerNames.insert(name).second)
            return fail(
                ErrorCode::InvalidInput, "two initializers have the same name", "tensor " + quoted(name), damagedHint);
    }
    return {};
}

Result<graph::TensorPtr> Importer::takeTensor(TensorProto& proto)
{
    QS_TRY(const auto claim, checkTensor(proto, m_external));
    QS_TRY(auto tensor, decodeTensor(proto, claim, m_external));
    proto.Clear();
    return std::make_shared<const Tensor>(std::move(tensor));
}

/// Up to IR version 3 initializers are listed among the inputs too, and later ones may be (as defaults): they are
/// constants.
Result<void> Importer::addInputs(const GraphProto& proto)
{
    for (const auto& input : proto.input()) {
        if (m_initializerNames.contains(input.name()))
            continue;
        if (input.name().empty() || m_graph.find(input.name()))
            return fail(ErrorCode::InvalidInput,
                input.name().empty() ? "has an input without name" : "two inputs have the same name",
                "input " + quoted(input.name()), damagedHint);
        QS_TRY(auto type, importType(input.type(), input.name()));
        m_graph.addInput(input.name(), std::move(type));
    }
    return {};
}

Result<void> Importer::addInitializers(GraphProto& proto)
{
    for (auto& initializer : *proto.mutable_initializer()) {
        if (!m_initializerNames.contains(initializer.name()))
            continue;
        const std::string name = initializer.name();
        QS_TRY(auto tensor, takeTensor(initializer));
        m_graph.addConstant(name, std::move(tensor));
    }
    proto.clear_initializer();
    return {};
}

/// Results exist before any node is added, so that a file whose nodes are not in order can be read.
Result<void> Importer::declareResults(const GraphProto& proto)
{
    for (const auto& node : proto.node()) {
        for (const auto& output : node.output()) {
            if (output.empty())
                continue;
            if (m_graph.find(output))
                return fail(ErrorCode::InvalidInput, "the name " + quoted(output) + " of its output is already taken",
                    labelOf(node), damagedHint);
            m_graph.addValue(output);
        }
    }
    return {};
}

Result<void> Importer::addNodes(GraphProto& proto)
{
    for (auto& nodeProto : *proto.mutable_node()) {
        auto node = importNode(nodeProto);
        if (!node) {
            auto error = std::move(node).error();
            error.where = labelOf(nodeProto) + (error.where.empty() ? "" : ", " + error.where);
            return tl::make_unexpected(std::move(error));
        }
        m_graph.addNode(*std::move(node));
    }
    return {};
}

Result<graph::Node> Importer::importNode(NodeProto& proto)
{
    if (proto.op_type().empty())
        return fail(ErrorCode::InvalidInput, "has no operator", {}, damagedHint);
    graph::Node node;
    node.name = proto.name();
    node.opType = proto.op_type();
    node.domain = normalizedDomain(proto.domain());
    node.docString = proto.doc_string();
    for (const auto& input : proto.input()) {
        const auto value = input.empty() ? std::optional(ValueId {}) : m_graph.find(input);
        if (!value)
            return fail(ErrorCode::InvalidInput, "reads " + quoted(input) + ", which nothing provides", {},
                "an initializer or a node is missing from the file");
        node.inputs.push_back(*value);
    }
    for (const auto& output : proto.output())
        node.outputs.push_back(output.empty() ? ValueId {} : *m_graph.find(output));
    for (auto& attribute : *proto.mutable_attribute()) {
        const std::string name = attribute.name();
        auto value = importAttribute(attribute);
        if (!value) {
            auto error = std::move(value).error();
            error.where = "attribute " + quoted(name);
            return tl::make_unexpected(std::move(error));
        }
        if (!node.attributes.emplace(name, *std::move(value)).second)
            return fail(ErrorCode::InvalidInput, "appears twice", "attribute " + quoted(name), damagedHint);
    }
    return node;
}

Result<Attribute> Importer::importAttribute(AttributeProto& proto)
{
    if (!proto.ref_attr_name().empty())
        return fail(ErrorCode::Unsupported, "refers to an attribute of a function", {}, "export without functions");
    switch (const auto kind = kindOf(proto)) {
    case AttributeProto::FLOAT:
        return Attribute(proto.f());
    case AttributeProto::INT:
        return Attribute(std::int64_t { proto.i() });
    case AttributeProto::STRING:
        return Attribute(proto.s());
    case AttributeProto::FLOATS:
        return Attribute(std::vector<float>(proto.floats().begin(), proto.floats().end()));
    case AttributeProto::INTS:
        return Attribute(std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end()));
    case AttributeProto::STRINGS:
        return Attribute(std::vector<std::string>(proto.strings().begin(), proto.strings().end()));
    case AttributeProto::TENSOR: {
        QS_TRY(const auto claim, checkTensor(proto.t(), m_external));
        QS_CHECK(claimMemory(claim.bytes));
        QS_TRY(auto tensor, takeTensor(*proto.mutable_t()));
        return Attribute(std::move(tensor));
    }
    default:
        return Attribute(Opaque { opaqueKind(kind) });
    }
}

Result<void> Importer::markOutputs(const GraphProto& proto)
{
    for (const auto& output : proto.output()) {
        const auto value = m_graph.find(output.name());
        if (!value)
            return fail(ErrorCode::InvalidInput, "is an output that nothing provides",
                "output " + quoted(output.name()), "a node is missing from the file");
        if (m_graph.isOutput(*value))
            return fail(ErrorCode::InvalidInput, "is listed as an output twice", "output " + quoted(output.name()),
                damagedHint);
        QS_TRY(const auto declared, importType(output.type(), output.name()));
        refine(m_graph.value(*value).type, declared);
        m_graph.markOutput(*value);
    }
    return {};
}

/// value_info is only a hint: what it says of values that are no numeric tensors is not needed until a node wants them.
void Importer::addHints(const GraphProto& proto)
{
    for (const auto& info : proto.value_info()) {
        const auto value = m_graph.find(info.name());
        const auto declared = importType(info.type(), info.name());
        if (value && declared)
            refine(m_graph.value(*value).type, *declared);
    }
}

} // namespace quantoscope::onnx_io
