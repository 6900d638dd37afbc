// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/onnx_io/external_data.h"

namespace onnx {
class AttributeProto;
class GraphProto;
class NodeProto;
class TensorProto;
class TypeProto;
class ValueInfoProto;
}

namespace quantoscope::onnx_io {

/// Turns one GraphProto into a Graph. Empties the proto as it goes, so that a large model is not in memory twice.
/// Errors carry node or tensor, not the file.
class Importer {
public:
    Importer(const ExternalData& external, std::uint64_t memoryLimit)
        : m_external(external)
        , m_bytesLeft(memoryLimit)
        , m_memoryLimit(memoryLimit)
    {
    }

    Result<graph::Graph> run(::onnx::GraphProto& proto);

private:
    Result<void> checkInitializers(const ::onnx::GraphProto& proto);
    Result<void> claimMemory(std::uint64_t bytes);
    Result<graph::TensorPtr> takeTensor(::onnx::TensorProto& proto);
    Result<void> addInputs(const ::onnx::GraphProto& proto);
    Result<void> addInitializers(::onnx::GraphProto& proto);
    Result<void> declareResults(const ::onnx::GraphProto& proto);
    Result<void> addNodes(::onnx::GraphProto& proto);
    Result<graph::Node> importNode(::onnx::NodeProto& proto);
    Result<graph::Attribute> importAttribute(::onnx::AttributeProto& proto);
    Result<void> markOutputs(const ::onnx::GraphProto& proto);
    void addHints(const ::onnx::GraphProto& proto);

    const ExternalData& m_external;
    std::uint64_t m_bytesLeft;
    std::uint64_t m_memoryLimit;
    std::set<std::string> m_initializerNames;
    graph::Graph m_graph;
};

} // namespace quantoscope::onnx_io
