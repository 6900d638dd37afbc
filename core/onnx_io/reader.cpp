// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/reader.h"

#include <algorithm>
#include <limits>
#include <new>
#include <set>
#include <utility>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include "core/base/file.h"
#include "core/graph/verifier.h"
#include "core/onnx_io/external_data.h"
#include "core/onnx_io/importer.h"
#include "core/onnx_io/sniff.h"
#include "core/onnx_io/tensor_codec.h"

namespace quantoscope::onnx_io {

namespace fs = std::filesystem;
namespace protobuf = google::protobuf;
using ::onnx::ModelProto;

namespace {

constexpr int oldestOpset = 7;
constexpr std::size_t protobufLimit = std::numeric_limits<int>::max();

/// Parses the bytes; an error tells what they are instead.
template <typename Message> Result<Message> parse(std::span<const std::uint8_t> bytes)
{
    if (bytes.size() > protobufLimit)
        return fail(ErrorCode::InvalidInput,
            "has " + std::to_string(bytes.size()) + " bytes, more than the 2 GB that protobuf can hold", {},
            "export the model with external data");
    const protobuf::LogSilencer silence;
    protobuf::io::CodedInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
    Message message;
    if (bytes.empty() || !message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
        return tl::make_unexpected(explainUnreadable(bytes));
    return message;
}

Result<std::map<std::string, int>> importOpsets(const ModelProto& proto)
{
    std::map<std::string, int> opsets;
    for (const auto& entry : proto.opset_import()) {
        const std::string domain = entry.domain() == "ai.onnx" ? "" : entry.domain();
        if (entry.version() < 1 || entry.version() > std::numeric_limits<int>::max())
            return fail(ErrorCode::InvalidInput,
                "imports opset " + std::to_string(entry.version()) + " of domain '" + domain + "'");
        opsets[domain] = static_cast<int>(entry.version());
    }
    if (opsets.empty())
        opsets[""] = 1; // IR versions 1 and 2 had no import list
    const auto standard = opsets.find("");
    if (standard != opsets.end() && standard->second < oldestOpset)
        return fail(ErrorCode::Unsupported,
            "uses opset " + std::to_string(standard->second) + ", " + std::to_string(oldestOpset)
                + " and later can be read",
            {}, "convert it with onnx.version_converter, or export it again");
    return opsets;
}

Result<void> refuseFunctionsAndTraining(const ModelProto& proto)
{
    if (proto.training_info_size() > 0)
        return fail(ErrorCode::Unsupported, "contains training information", {}, "export the model for inference");
    std::set<std::pair<std::string, std::string>> functions;
    for (const auto& function : proto.functions())
        functions.emplace(function.domain(), function.name());
    for (const auto& node : proto.graph().node())
        if (functions.contains({ node.domain(), node.op_type() }))
            return fail(ErrorCode::Unsupported,
                "calls the function '" + node.op_type() + "' that the model itself defines",
                "node '" + node.name() + "'", "inline it with onnx.inliner, or export without functions");
    return {};
}

Result<graph::Model> importModel(ModelProto& proto, const ExternalData& external, const ReadOptions& options)
{
    graph::Model model;
    QS_TRY(auto opsets, importOpsets(proto));
    QS_CHECK(refuseFunctionsAndTraining(proto));
    model.irVersion
        = static_cast<int>(std::clamp<std::int64_t>(proto.ir_version(), 0, std::numeric_limits<int>::max()));
    model.producerName = proto.producer_name();
    model.producerVersion = proto.producer_version();
    model.domain = proto.domain();
    model.modelVersion = proto.model_version();
    model.docString = proto.doc_string();
    for (const auto& entry : proto.metadata_props())
        model.metadata[entry.key()] = entry.value();
    Importer importer(external, options.memoryLimit);
    QS_TRY(model.graph, importer.run(*proto.mutable_graph()));
    model.graph.opsets = std::move(opsets);
    QS_CHECK(graph::verify(model.graph, { .requireFinite = false }));
    return model;
}

Result<ModelProto> parseModelProto(std::span<const std::uint8_t> bytes)
{
    QS_TRY(auto proto, parse<ModelProto>(bytes));
    // Short random bytes often are a valid protobuf of unknown fields: without a graph they are no model.
    if (!proto.has_graph()) {
        auto error = explainUnreadable(bytes);
        if (proto.ir_version() > 0)
            error = { ErrorCode::InvalidInput, "is a model without a graph", {}, "export the model again" };
        return tl::make_unexpected(std::move(error));
    }
    return proto;
}

tl::unexpected<Error> outOfMemory()
{
    return fail(ErrorCode::OutOfMemory, "does not fit into memory", {}, "close other programs or use a smaller model");
}

tl::unexpected<Error> inFile(const fs::path& path, Error error)
{
    error.where = path.string() + (error.where.empty() ? "" : ", " + error.where);
    return tl::make_unexpected(std::move(error));
}

fs::path folderOf(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

} // namespace

Result<graph::Model> parseModel(std::span<const std::uint8_t> bytes, const fs::path& folder, const ReadOptions& options)
try {
    QS_TRY(auto proto, parseModelProto(bytes));
    return importModel(proto, ExternalData(folder), options);
} catch (const std::bad_alloc&) {
    return outOfMemory();
}

Result<graph::Model> readModel(const fs::path& path, const ReadOptions& options)
try {
    QS_TRY(auto bytes, base::readFile(path, protobufLimit));
    auto proto = parseModelProto(bytes);
    bytes = {}; // the proto has its own copy; a large file need not stay in memory beside it
    if (!proto)
        return inFile(path, std::move(proto).error());
    auto model = importModel(*proto, ExternalData(folderOf(path)), options);
    if (!model)
        return inFile(path, std::move(model).error());
    model->path = path;
    return model;
} catch (const std::bad_alloc&) {
    return inFile(path, outOfMemory().value());
}

FileNotes readNotes(const fs::path& path)
try {
    const auto bytes = base::readFile(path, protobufLimit);
    const auto proto = bytes ? parseModelProto(*bytes) : Result<ModelProto>(tl::make_unexpected(Error {}));
    FileNotes notes;
    if (!proto)
        return notes;
    const auto& graph = proto->graph();
    const auto takeDocs = [&](const auto& values) {
        for (const auto& value : values)
            if (!value.doc_string().empty())
                notes.valueDocs.insert_or_assign(value.name(), value.doc_string());
    };
    takeDocs(graph.initializer());
    takeDocs(graph.value_info());
    takeDocs(graph.input());
    takeDocs(graph.output());
    const auto& constants = graph.initializer();
    notes.hasExternalData = std::any_of(constants.begin(), constants.end(),
        [](const auto& constant) { return constant.data_location() == ::onnx::TensorProto::EXTERNAL; });
    return notes;
} catch (const std::bad_alloc&) {
    return {};
}

bool hasExternalData(const fs::path& path) { return readNotes(path).hasExternalData; }

Result<Tensor> readTensor(const fs::path& path)
try {
    QS_TRY(const auto bytes, base::readFile(path, protobufLimit));
    const auto proto = parse<::onnx::TensorProto>(bytes);
    if (!proto)
        return inFile(path, proto.error());
    const ExternalData external(folderOf(path));
    const auto claim = checkTensor(*proto, external);
    if (!claim)
        return inFile(path, claim.error());
    auto tensor = decodeTensor(*proto, *claim, external);
    if (!tensor)
        return inFile(path, std::move(tensor).error());
    return tensor;
} catch (const std::bad_alloc&) {
    return inFile(path, outOfMemory().value());
}

} // namespace quantoscope::onnx_io
