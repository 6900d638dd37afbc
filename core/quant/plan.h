// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/graph/graph.h"
#include "core/quant/config.h"
#include "core/quant/encoding.h"

namespace quantoscope::quant {

/// Which tensors are quantized; see docs of the command line.
enum class Scope {
    Compute, ///< weights and inputs of compute layers, seen by compute layers only; bias stays float
    Integer, ///< every tensor from image to output; bias int32 at s_x s_w
};
Result<Scope> parseScope(const std::string& text);
std::string toString(Scope scope);

enum class Role {
    Weight,
    Activation,
    Bias,
    Constant, ///< a constant operand of an element-wise operation or Concat, in Scope::Integer
};
std::string toString(Role role);

/// What to do with a bias that has more levels than its word-length.
enum class BiasRoom {
    RaiseWeightScale, ///< s_w of that channel is raised until the bias at s_x s_w fits: its weights get coarser
    ShiftBias, ///< the bias is stored at s_x s_w 2^k and shifted left by k before it is added, as CMSIS-NN's q7 kernels
               ///< do
};
Result<BiasRoom> parseBiasRoom(const std::string& text); ///< "raise", "shift"
std::string toString(BiasRoom room);

/// What the channels (axis 1) of values are multiplied with, by the values' names.
using ChannelFactors = std::map<std::string, std::vector<double>, std::less<>>;

/// One quantized tensor: what was asked for and which numbers came of it.
struct TensorQuantizer {
    Role role = Role::Activation;
    QuantizerConfig config;
    RangeSpec range;
    Encoding encoding;
    bool overridden = false; ///< set by hand rather than by the plan's defaults
    friend bool operator==(const TensorQuantizer&, const TensorQuantizer&) = default;
};

/// WHERE: tensor name -> quantizer, for one prepared graph. A tensor that is not in it stays float. Names are those of
/// the prepared graph (batch norm folded): a weight's initializer, an activation's value, a bias' initializer. With it,
/// what corrections made of the graph's constants, so that a plan says all that the quantized network differs in. A
/// value type; finished plans are passed as shared_ptr<const>.
class QuantizationPlan {
public:
    Scope scope = Scope::Compute;
    std::string title; ///< "W4 A8, MSE, per channel": the scope line of every result
    std::uint64_t seed = 0; ///< for stochastic rounding
    bool equalized = false; ///< made for what planning::equalize() makes of the prepared graph, not for that itself
    /// Made for what planning::scaledGraph() makes of the prepared graph with these factors; empty: for the graph
    /// itself.
    ChannelFactors channelFactors;
    BiasRoom biasRoom = BiasRoom::RaiseWeightScale; ///< what was done, or would have been, where a bias did not fit
    std::vector<std::string> floatOperators; ///< operators that were to stay float whatever the scope: "Softmax"

    const std::map<std::string, TensorQuantizer, std::less<>>& tensors() const { return m_tensors; }
    const TensorQuantizer* find(std::string_view tensor) const; ///< nullptr: float
    /// Seed of one tensor's stochastic rounding: its own, so that tensors round independently (FNV-1a over the name).
    std::uint64_t seedFor(std::string_view tensor) const;
    void set(std::string tensor, TensorQuantizer quantizer)
    {
        m_tensors.insert_or_assign(std::move(tensor), std::move(quantizer));
    }
    void erase(std::string_view tensor);
    bool empty() const { return m_tensors.empty() && m_constants.empty() && m_addedBiases.empty(); }

    using Constants = std::map<std::string, graph::TensorPtr, std::less<>>;
    /// Float32 values that corrections put in the place of the graph's constants (same shapes): weights that were
    /// rounded otherwise than to nearest, and so lie on their grid already; corrected biases. By tensor name.
    const Constants& constants() const { return m_constants; }
    void setConstant(std::string tensor, graph::TensorPtr values);
    void eraseConstant(std::string_view tensor);
    /// Float32 values of constants of the float network that this is a plan for, where they are not those of the graph
    /// that planning::equalize() or planning::scaledGraph() makes: biases that high ones were absorbed into. By tensor
    /// name.
    const Constants& floatConstants() const { return m_floatConstants; }
    void setFloatConstant(std::string tensor, graph::TensorPtr values);
    /// Biases, [output channels], of compute layers that have none in the graph. By the layer's name (Graph::label()).
    const Constants& addedBiases() const { return m_addedBiases; }
    void setAddedBias(std::string layer, graph::TensorPtr values);

    Json toJson() const;
    static Result<QuantizationPlan> fromJson(const Json& json);
    friend bool operator==(const QuantizationPlan& a, const QuantizationPlan& b); ///< constants by their elements

private:
    std::map<std::string, TensorQuantizer, std::less<>> m_tensors;
    Constants m_constants;
    Constants m_floatConstants;
    Constants m_addedBiases;
};
using PlanPtr = std::shared_ptr<const QuantizationPlan>;

/// `graph` with the plan's float constants in place: the float network that the plan is for. Errors: as
/// correctedGraph().
Result<graph::Graph> floatGraph(const graph::Graph& graph, const QuantizationPlan& plan);
/// The same with the plan's constants and added biases in place; what compile() and the exporters quantize. An added
/// bias becomes the tensor addedBiasName(); behind a MatMul, which has no bias operand, an Add that takes over its
/// output. Errors: NotFound for a tensor or layer that the graph does not have, InvalidInput for a shape or type that
/// does not fit.
Result<graph::Graph> correctedGraph(const graph::Graph& graph, const QuantizationPlan& plan);
std::string addedBiasName(std::string_view layer); ///< "<layer>.bias"

Result<void> savePlan(const QuantizationPlan& plan, const std::filesystem::path& path);
Result<QuantizationPlan> loadPlan(const std::filesystem::path& path);

} // namespace quantoscope::quant
