// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::exporting {

/// Writes a plan into a graph: stored integers for constants, QuantizeLinear / Clip / DequantizeLinear for activations,
/// at the places engine::compile() gives them. Word-lengths without a type of their own get bounds: an integer Clip in
/// 8-bit containers; in 16-bit ones, for which runtimes have no integer Clip, Max and Min in float before the
/// quantizer, which comes to the same. The graph must be at an opset that has the containers (see requiredOpset()).
class QdqBuilder {
public:
    QdqBuilder(graph::Graph& graph, const quant::QuantizationPlan& plan)
        : m_graph(graph)
        , m_plan(plan)
    {
    }

    /// Errors: NotFound (the plan names a tensor the graph does not have), Unsupported (an activation rounded other
    /// than half to even, a tensor that is not float32), InvalidInput (an encoding that does not fit its tensor).
    Result<void> run();

    /// 13, or 21 where an activation or weight has more than 8 bits.
    static int requiredOpset(const quant::QuantizationPlan& plan);

private:
    Result<void> check(graph::ValueId value, const quant::TensorQuantizer& quantizer) const;
    bool isRead(graph::ValueId value) const;
    void redirect(graph::ValueId from, graph::ValueId to);
    std::vector<std::pair<graph::NodeId, std::size_t>> layerUses(graph::ValueId value) const;
    void storeConstant(graph::ValueId value, const quant::TensorQuantizer& quantizer);
    void quantizeActivation(graph::ValueId value, const quant::TensorQuantizer& quantizer);

    graph::ValueId addScale(const std::string& base, const quant::Encoding& encoding);
    graph::ValueId addZeroPoint(const std::string& base, const quant::Encoding& encoding, DType container);
    graph::ValueId addResult(const std::string& name, graph::ValueType type);
    graph::ValueId addNode(
        std::string opType, std::vector<graph::ValueId> inputs, graph::ValueId result, int axis = -1);
    graph::ValueId limitFloat(graph::ValueId value, const std::string& name, const quant::Encoding& encoding);
    graph::ValueId limitIntegers(
        graph::ValueId value, const std::string& name, const quant::Encoding& encoding, DType container);

    graph::Graph& m_graph;
    const quant::QuantizationPlan& m_plan;
};

} // namespace quantoscope::exporting
