// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/exporting/containers.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::exporting {

/// Least opset of ai.onnx that the plan takes in a format: 13; for QDQ 21 where a 4-bit or a 16-bit container is used.
int requiredOpset(
    const quant::QuantizationPlan& plan, const graph::Graph& prepared, Format format, Containers containers);

/// Writes a plan into a graph, at the places engine::compile() gives its quantizers; the nodes are the format's own.
class PlanWriter {
public:
    PlanWriter(graph::Graph& graph, const quant::QuantizationPlan& plan)
        : m_graph(graph)
        , m_plan(plan)
    {
    }
    virtual ~PlanWriter() = default;
    PlanWriter(const PlanWriter&) = delete;
    PlanWriter& operator=(const PlanWriter&) = delete;

    /// Errors: NotFound (the plan names a tensor the graph does not have), Unsupported (an activation rounded in a way
    /// that the format cannot say, a tensor that is not float32), InvalidInput (an encoding that does not fit its
    /// tensor).
    Result<void> run();

protected:
    /// Empty if the format can say it; what it cannot, in words, otherwise.
    virtual std::string refusal(const quant::TensorQuantizer& quantizer, bool isConstant) const = 0;
    /// Adds what makes `result` the quantized value of the constant `id`.
    virtual void writeConstant(
        graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name, graph::ValueId result)
        = 0;
    /// Adds what makes `result` the quantized value of the activation `id`, which the plan knows as `name`.
    virtual void writeActivation(
        graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name, graph::ValueId result)
        = 0;
    /// Whether writeActivation() adds anything.
    virtual bool quantizesActivations() const { return true; }
    virtual std::string resultSuffix() const = 0; ///< of the quantized value's name

    graph::ValueId addResult(const std::string& name, graph::ValueType type);
    graph::ValueId addConstant(const std::string& name, Tensor tensor);
    graph::Node makeNode(std::string opType, std::vector<graph::ValueId> inputs, graph::ValueId result) const;

    graph::Graph& m_graph;
    const quant::QuantizationPlan& m_plan;

private:
    Result<void> check(graph::ValueId value, const quant::TensorQuantizer& quantizer) const;
    bool isRead(graph::ValueId value) const;
    void redirect(graph::ValueId from, graph::ValueId to);
    std::vector<std::pair<graph::NodeId, std::size_t>> layerUses(graph::ValueId value) const;
    void quantizeConstant(graph::ValueId value, const quant::TensorQuantizer& quantizer);
    void quantizeActivation(graph::ValueId value, const quant::TensorQuantizer& quantizer);
};

/// One value for a tensor, or one a channel.
Shape parameterShape(const quant::Encoding& encoding); ///< rank 0, or rank 1
/// The same with the channels along the encoding's axis of a tensor of `type`, to broadcast with it.
Shape broadcastShape(const quant::Encoding& encoding, const graph::ValueType& type);

} // namespace quantoscope::exporting
