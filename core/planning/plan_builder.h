// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// Where a quantizer may sit, before anyone chose numbers.
struct QuantizerSlot {
    std::string tensor;
    quant::Role role = quant::Role::Activation;
    std::string sharesWith; ///< earlier slot whose encoding this one takes over (data movement, Concat); empty: none
    bool ownValues = true; ///< false where values are only passed on (data movement, Concat): the range is the sources'
    std::vector<std::string> layers; ///< compute layers that read it (weights: that own it)
    int channelAxis = 1; ///< weights: axis of output channels
    bool isLogits = false; ///< a graph output: never clipped by default
    std::optional<std::pair<double, double>> fixedRange; ///< Softmax and Sigmoid output [0, 1]
    std::string biasInput; ///< Role::Bias: activation whose scale the bias takes
    std::string biasWeight; ///< Role::Bias: weight whose scale the bias takes
};

/// Quantizers of a scope, in topological order, exactly as docs of the command line define the two scopes:
/// Compute: weight and non-constant operands of every Conv, ConvTranspose, Gemm, MatMul.
/// Integer: every floating activation from image to output except between Conv/ConvTranspose/Gemm/MatMul/Add and a
/// fused activation; data movement (MaxPool, Reshape, Flatten, Transpose, Slice, Squeeze, Unsqueeze, Pad with zeros,
/// Split, Gather, Identity...) shares its input's; Concat inputs and output share one; biases.
std::vector<QuantizerSlot> placeQuantizers(const graph::Graph& graph, quant::Scope scope);

/// The wishes for one kind of tensor. bits empty: float.
struct TensorWish {
    std::optional<int> bits = 8;
    std::string scheme = "symmetric"; ///< symmetric | asymmetric | power-of-two
    bool perChannel = false;
    quant::RangeSpec range;
    friend bool operator==(const TensorWish&, const TensorWish&) = default;
};

/// --layer 'NAME:w=4,a=8': NAME is a glob over layer names; "float" for bits is allowed; weight-range=... and
/// activation-range=... take what --weight-range takes. A tensor that several layers share follows the overridden one,
/// or the one that asks for the largest word-length.
struct LayerOverride {
    std::string pattern;
    std::optional<std::optional<int>> weightBits; ///< outer empty: not mentioned; inner empty: float
    std::optional<std::optional<int>> activationBits;
    std::optional<quant::RangeSpec> weightRange;
    std::optional<quant::RangeSpec> activationRange;

    static Result<LayerOverride> parse(const std::string& text);
    friend bool operator==(const LayerOverride&, const LayerOverride&) = default;
};

/// Everything asked for, as the options panel and the command line have it.
struct PlanRequest {
    quant::Scope scope = quant::Scope::Compute;
    TensorWish weights { 8, "symmetric", true, {} };
    TensorWish activations { 8, "asymmetric", false, {} };
    quant::Rounding rounding = quant::Rounding::HalfEven;
    /// Weights and input activations of the first and the last compute layer; in Scope::Integer the last one's output
    /// too.
    std::optional<int> firstLastBits;
    std::vector<LayerOverride> overrides; ///< later ones win; none matching is an error
    std::uint64_t seed = 0;

    /// "W4 A8 compute, weights symmetric per channel MSE, activations ..., first and last at 8"
    std::string describe() const;
    std::string describeOptions() const; ///< the same without the two word-lengths, for a grid of them
    Result<void> validate() const;
    friend bool operator==(const PlanRequest&, const PlanRequest&) = default;
};

/// Chooses every encoding. Every slot of the scope that is not float gets an entry, those that share one too. Symmetric
/// weights use the signed grid. A graph output keeps its full range unless a layer override says otherwise. `stats` may
/// be null while no activation is quantized. A bias is quantized in Scope::Integer where both its activation and weight
/// are, with scale s_x s_w; where it would overflow int32 the weight's scale of that channel is raised and the change
/// is noted. What cannot be done as wished (a per-channel encoding that tensors would have to share, a bias behind
/// per-channel activations) is done the next best way and noted. InvalidInput: statistics missing for a tensor (names
/// it), an override that matches no layer.
struct BuiltPlan {
    quant::QuantizationPlan plan;
    std::vector<std::string> notes; ///< what a person should know: raised scales, dead channels
};
Result<BuiltPlan> buildPlan(
    const graph::Graph& graph, const calibration::CalibrationStats* stats, const PlanRequest& request);

} // namespace quantoscope::planning
