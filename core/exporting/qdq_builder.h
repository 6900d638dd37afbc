// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/exporting/plan_writer.h"

namespace quantoscope::exporting {

/// Writes a plan into a graph: stored integers for constants, QuantizeLinear / Clip / DequantizeLinear for activations.
/// Word-lengths without a type of their own get bounds: an integer Clip in 8-bit containers; in 16-bit ones, for which
/// runtimes have no integer Clip, Max and Min in float before the quantizer, which comes to the same. Those also stand
/// before quantizers where a runtime would otherwise round the biases of the layer before them, see
/// changedByRuntimes(). The graph must be at an opset that has the containers (see requiredOpset()).
class QdqBuilder : public PlanWriter {
public:
    QdqBuilder(graph::Graph& graph, const quant::QuantizationPlan& plan, Containers containers = Containers::Portable);

private:
    std::string refusal(const quant::TensorQuantizer& quantizer, bool isConstant) const override;
    void writeConstant(graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name,
        graph::ValueId result) override;
    void writeActivation(graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name,
        graph::ValueId result) override;
    std::string resultSuffix() const override { return "_dequantized"; }

    graph::ValueId addScale(const std::string& base, const quant::Encoding& encoding);
    graph::ValueId addZeroPoint(const std::string& base, const quant::Encoding& encoding, DType container);
    graph::ValueId addNode(
        std::string opType, std::vector<graph::ValueId> inputs, graph::ValueId result, int axis = -1);
    graph::ValueId limitFloat(graph::ValueId value, const std::string& name, const quant::Encoding& encoding);
    graph::ValueId limitIntegers(
        graph::ValueId value, const std::string& name, const quant::Encoding& encoding, DType container);

    Containers m_containers;
    std::set<graph::ValueId> m_changedByRuntimes;
};

} // namespace quantoscope::exporting
