// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/writer.h"

#include <array>
#include <limits>
#include <map>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include <onnx/onnx_pb.h>

#include "core/base/file.h"
#include "core/graph/onnx_types.h"
#include "core/onnx_io/tensor_codec.h"

namespace quantoscope::onnx_io {

namespace fs = std::filesystem;
using graph::Graph;
using graph::Value;
using graph::ValueId;
using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;

namespace {

/// Smaller constants stay in the model, so that shapes and scales can be read without the data file.
constexpr std::size_t smallestExternal = 1024;
/// Runtimes map the data file into memory; 4 KiB is a page.
constexpr std::uint64_t externalAlignment = 4096;

/// Constants that go to a file of their own, in the order and at the offsets they have there.
struct ExternalPlan {
    std::string fileName; ///< empty: everything stays in the model
    std::vector<std::pair<std::uint64_t, const Tensor*>> parts;
    std::uint64_t bytes = 0;

    bool takes(const Tensor& tensor) const { return !fileName.empty() && tensor.bytes() >= smallestExternal; }
    std::uint64_t append(const Tensor& tensor)
    {
        const auto offset = (bytes + externalAlignment - 1) / externalAlignment * externalAlignment;
        parts.emplace_back(offset, &tensor);
        bytes = offset + tensor.bytes();
        return offset;
    }
};

using ValueDocs = std::map<std::string, std::string>;

template <typename Proto> void exportDoc(const Value& value, const ValueDocs& docs, Proto& proto)
{
    if (const auto found = docs.find(value.name); found != docs.end())
        proto.set_doc_string(found->second);
}

void exportType(const Value& value, const ValueDocs& docs, ::onnx::ValueInfoProto& proto)
{
    proto.set_name(value.name);
    exportDoc(value, docs, proto);
    if (!value.type.dtype)
        return;
    auto& type = *proto.mutable_type()->mutable_tensor_type();
    type.set_elem_type(graph::dtypeToOnnx(*value.type.dtype));
    if (!value.type.dims)
        return;
    auto& shape = *type.mutable_shape();
    for (const auto& dim : *value.type.dims) {
        auto& extent = *shape.add_dim();
        if (dim.known())
            extent.set_dim_value(dim.value);
        else if (!dim.symbol.empty())
            extent.set_dim_param(dim.symbol);
    }
}

/// std::visit over the kinds of an attribute; false for one whose content was not kept when it was read.
struct AttributeWriter {
    AttributeProto& proto;

    bool operator()(std::int64_t value) const
    {
        proto.set_type(AttributeProto::INT);
        proto.set_i(value);
        return true;
    }
    bool operator()(float value) const
    {
        proto.set_type(AttributeProto::FLOAT);
        proto.set_f(value);
        return true;
    }
    bool operator()(const std::string& value) const
    {
        proto.set_type(AttributeProto::STRING);
        proto.set_s(value);
        return true;
    }
    bool operator()(const graph::TensorPtr& value) const
    {
        proto.set_type(AttributeProto::TENSOR);
        encodeTensor(*value, {}, *proto.mutable_t());
        return true;
    }
    bool operator()(const std::vector<std::int64_t>& values) const
    {
        proto.set_type(AttributeProto::INTS);
        proto.mutable_ints()->Add(values.begin(), values.end());
        return true;
    }
    bool operator()(const std::vector<float>& values) const
    {
        proto.set_type(AttributeProto::FLOATS);
        proto.mutable_floats()->Add(values.begin(), values.end());
        return true;
    }
    bool operator()(const std::vector<std::string>& values) const
    {
        proto.set_type(AttributeProto::STRINGS);
        for (const auto& value : values)
            proto.add_strings(value);
        return true;
    }
    bool operator()(const graph::Opaque&) const { return false; }
};

Result<void> exportNode(const Graph& graph, graph::NodeId id, ::onnx::NodeProto& proto)
{
    const auto& node = graph.node(id);
    const auto nameOf = [&](ValueId value) { return value.valid() ? graph.value(value).name : std::string(); };
    for (const auto input : node.inputs)
        proto.add_input(nameOf(input));
    for (const auto output : node.outputs)
        proto.add_output(nameOf(output));
    if (!node.name.empty())
        proto.set_name(node.name);
    proto.set_op_type(node.opType);
    if (!node.domain.empty())
        proto.set_domain(node.domain);
    if (!node.docString.empty())
        proto.set_doc_string(node.docString);
    for (const auto& [key, value] : node.attributes) {
        auto& attribute = *proto.add_attribute();
        attribute.set_name(key);
        if (!std::visit(AttributeWriter { attribute }, value))
            return fail(ErrorCode::Unsupported,
                "attribute '" + key + "' is a " + std::get<graph::Opaque>(value).kind + ", which cannot be written",
                "node '" + graph.label(id) + "'");
    }
    return {};
}

void exportConstant(const Value& value, ExternalPlan& external, TensorProto& proto)
{
    const auto& tensor = *value.constant;
    if (!external.takes(tensor)) {
        encodeTensor(tensor, value.name, proto);
        return;
    }
    encodeTensor(tensor, value.name, proto, TensorPart::Header);
    proto.set_data_location(TensorProto::EXTERNAL);
    const std::array<std::pair<const char*, std::string>, 3> entries { {
        { "location", external.fileName },
        { "offset", std::to_string(external.append(tensor)) },
        { "length", std::to_string(tensor.bytes()) },
    } };
    for (const auto& [key, text] : entries) {
        auto& entry = *proto.add_external_data();
        entry.set_key(key);
        entry.set_value(text);
    }
}

/// `listConstants`: up to IR version 3 an initializer has to be among the inputs too.
Result<void> exportGraph(
    const Graph& graph, bool listConstants, ExternalPlan& external, const ValueDocs& docs, ::onnx::GraphProto& proto)
{
    proto.set_name(graph.name.empty() ? "graph" : graph.name);
    if (!graph.docString.empty())
        proto.set_doc_string(graph.docString);
    QS_TRY(const auto order, graph.topologicalOrder());
    for (const auto id : order)
        QS_CHECK(exportNode(graph, id, *proto.add_node()));
    for (const auto id : graph.inputs())
        exportType(graph.value(id), docs, *proto.add_input());
    for (const auto id : graph.outputs())
        exportType(graph.value(id), docs, *proto.add_output());
    for (const auto id : graph.values()) {
        const auto& value = graph.value(id);
        if (value.constant) {
            auto& initializer = *proto.add_initializer();
            exportConstant(value, external, initializer);
            exportDoc(value, docs, initializer);
            if (listConstants)
                exportType(value, docs, *proto.add_input());
        } else if (value.producer.valid() && value.type.dtype && !graph.isOutput(id)) {
            exportType(value, docs, *proto.add_value_info());
        }
    }
    return {};
}

Result<ModelProto> exportModel(const graph::Model& model, ExternalPlan& external, const ValueDocs& docs = {})
{
    ModelProto proto;
    const int irVersion = model.irVersion > 0 ? model.irVersion : minimumIrVersion(model.graph.opset());
    proto.set_ir_version(irVersion);
    const auto setIfAny = [](const std::string& text, auto set) {
        if (!text.empty())
            set(text);
    };
    setIfAny(model.producerName, [&](const auto& text) { proto.set_producer_name(text); });
    setIfAny(model.producerVersion, [&](const auto& text) { proto.set_producer_version(text); });
    setIfAny(model.domain, [&](const auto& text) { proto.set_domain(text); });
    setIfAny(model.docString, [&](const auto& text) { proto.set_doc_string(text); });
    if (model.modelVersion != 0)
        proto.set_model_version(model.modelVersion);
    for (const auto& [domain, version] : model.graph.opsets) {
        auto& opset = *proto.add_opset_import();
        opset.set_domain(domain);
        opset.set_version(version);
    }
    for (const auto& [key, text] : model.metadata) {
        auto& entry = *proto.add_metadata_props();
        entry.set_key(key);
        entry.set_value(text);
    }
    QS_CHECK(exportGraph(model.graph, irVersion < 4, external, docs, *proto.mutable_graph()));
    return proto;
}

Result<std::vector<std::uint8_t>> serialize(const ModelProto& proto)
{
    const std::size_t size = proto.ByteSizeLong();
    if (size > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return fail(ErrorCode::Unsupported,
            "the model takes " + std::to_string(size) + " bytes, more than the 2 GB that one file can hold", {},
            "write it with external data");
    std::vector<std::uint8_t> bytes(size);
    // ONNX messages have no map fields: protobuf writes them in field order, the same every time.
    proto.SerializeWithCachedSizesToArray(bytes.data());
    return bytes;
}

std::uint64_t constantBytes(const Graph& graph)
{
    std::uint64_t bytes = 0;
    for (const auto id : graph.values()) {
        if (const auto& constant = graph.value(id).constant)
            bytes += constant->bytes();
    }
    return bytes;
}

Result<void> writeExternal(const ExternalPlan& external, std::ostream& out, const std::stop_token& stop)
{
    constexpr std::size_t atOnce = std::size_t { 16 } << 20; // a fraction of a second on a slow disk
    std::uint64_t written = 0;
    for (const auto& [offset, tensor] : external.parts) {
        const std::string padding(static_cast<std::size_t>(offset - written), '\0');
        out.write(padding.data(), static_cast<std::streamsize>(padding.size()));
        const auto* bytes = static_cast<const char*>(tensor->data());
        for (std::size_t at = 0; at < tensor->bytes(); at += atOnce) {
            if (stop.stop_requested())
                return base::cancelled();
            out.write(bytes + at, static_cast<std::streamsize>(std::min(atOnce, tensor->bytes() - at)));
        }
        written = offset + tensor->bytes();
    }
    return {};
}

tl::unexpected<Error> outOfMemory()
{
    return fail(ErrorCode::OutOfMemory, "the serialised model does not fit into memory");
}

} // namespace

int minimumIrVersion(int opset)
{
    // Opset -> IR version of the ONNX release that brought it (onnx/docs/Versioning.md).
    constexpr std::array<std::pair<int, int>, 10> releases { {
        { 8, 3 },
        { 9, 4 },
        { 10, 5 },
        { 11, 6 },
        { 14, 7 },
        { 18, 8 },
        { 20, 9 },
        { 22, 10 },
        { 23, 11 },
        { 24, 12 },
    } };
    for (const auto& [newest, irVersion] : releases) {
        if (opset <= newest)
            return irVersion;
    }
    return 13;
}

Result<std::vector<std::uint8_t>> serializeModel(const graph::Model& model)
try {
    ExternalPlan inlineOnly;
    QS_TRY(const auto proto, exportModel(model, inlineOnly));
    return serialize(proto);
} catch (const std::bad_alloc&) {
    return outOfMemory();
}

Result<std::uint64_t> writeModel(const graph::Model& model, const fs::path& path, const WriteOptions& options)
try {
    ExternalPlan external;
    if (constantBytes(model.graph) > options.externalThreshold)
        external.fileName = path.filename().string() + ".data";
    QS_TRY(const auto proto, exportModel(model, external, options.valueDocs));
    QS_TRY(const auto bytes, serialize(proto));
    if (options.stop.stop_requested())
        return base::cancelled();
    QS_CHECK(base::writeFileAtomically(path, [&](std::ostream& out) -> Result<void> {
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        out.flush();
        if (!out)
            return fail(ErrorCode::Io, "writing failed, the disk may be full", path.string(), "free some space");
        // The data file is put in place last but one: only renaming the model is left to go wrong after it.
        if (external.parts.empty())
            return {};
        auto dataPath = path;
        dataPath.replace_filename(external.fileName);
        return base::writeFileAtomically(
            dataPath, [&](std::ostream& data) { return writeExternal(external, data, options.stop); });
    }));
    return bytes.size() + external.bytes;
} catch (const std::bad_alloc&) {
    return outOfMemory();
}

} // namespace quantoscope::onnx_io
