// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/exporting/plan_writer.h"

namespace quantoscope::exporting {

inline constexpr const char* qonnxDomain = "qonnx.custom_op.general";

/// Writes a plan into a graph as Quant nodes of QONNX (version 1 of its domain): X, scale, zeropt and bitwidth, all
/// float32. Constants are stored as their quantized values, on which the node changes nothing.
class QonnxBuilder : public PlanWriter {
public:
    using PlanWriter::PlanWriter;

private:
    std::string refusal(const quant::TensorQuantizer& quantizer, bool isConstant) const override;
    void writeConstant(graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name,
        graph::ValueId result) override;
    void writeActivation(graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name,
        graph::ValueId result) override;
    std::string resultSuffix() const override { return "_quant"; }
};

/// Puts the quantized values of the plan's constants in their place; activations stay float.
class FloatBuilder : public PlanWriter {
public:
    using PlanWriter::PlanWriter;

private:
    std::string refusal(const quant::TensorQuantizer&, bool) const override { return {}; }
    void writeConstant(graph::ValueId id, const quant::TensorQuantizer& quantizer, const std::string& name,
        graph::ValueId result) override;
    void writeActivation(graph::ValueId, const quant::TensorQuantizer&, const std::string&, graph::ValueId) override { }
    bool quantizesActivations() const override { return false; }
    std::string resultSuffix() const override { return "_values"; }
};

} // namespace quantoscope::exporting
