// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/engine/kernel.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/graph/passes/passes.h"
#include "core/quant/plan.h"

namespace quantoscope::engine {

class CompileCache;

/// Computes single nodes with the kernels of this module; what graph::inferShapes folds constants with.
graph::NodeEvaluator constantEvaluator();

/// From a model as read to the graph everything downstream works on: graph::prepare with the engine's evaluator, then
/// verification and a check that every operator has a kernel (Unsupported names node, operator, opset and why).
/// Symbolic extents stay symbolic.
Result<std::shared_ptr<const graph::Graph>> prepareGraph(
    const graph::Model& model, const graph::PassOptions& passes = {});

/// graph::findUnsupported plus operators that have a schema but no kernel.
std::vector<graph::Unsupported> findUnsupported(const graph::Graph& graph);

/// What compute layers calculate with under a plan.
enum class Arithmetic {
    Float, ///< float32 on fake-quantized values
    Integer, ///< u8 x s8 -> s32 in every compute layer, or an error that names the first one that cannot
    Auto, ///< integers in every layer where they are exact and there is a fast kernel for them, float in the others
};

Result<Arithmetic> parseArithmetic(const std::string& text); ///< "float", "integer", "auto"
std::string toString(Arithmetic arithmetic);
/// True if the processor adds up products of bytes in 32 bits (VNNI). Without, pairs of products are added in 16 bits
/// with saturation; there, Arithmetic::Auto leaves layers whose word-lengths could overflow in float.
bool addsInFullWidth();

/// How many compute layers calculate with what.
struct ArithmeticUse {
    int integerLayers = 0;
    int floatLayers = 0;
    std::string toString() const; ///< "float", "integer" or "mixed"
    friend bool operator==(const ArithmeticUse&, const ArithmeticUse&) = default;
};

struct CompileOptions {
    std::map<std::string, Shape> inputShapes; ///< needed for every input with symbolic extents
    std::map<std::string, graph::TensorPtr> boundInputs; ///< inputs with known elements, see graph::InferenceOptions
    /// Values of the prepared graph to show to the tap callback as they are produced, before any quantizer of their
    /// own. Inputs and constants can be tapped as well; a tensor may be named twice. Tapping a value inside a fused
    /// pair takes the pair apart.
    std::vector<std::string> taps;
    /// Compute only what these values of the prepared graph need and deliver them as outputs, under a plan that may
    /// quantize more than is left; empty: the graph's own outputs. In Scope::Integer an output is delivered quantized.
    std::vector<std::string> outputs;
    bool fuseActivations = true;
    KernelSet kernels = KernelSet::Fast;
    Arithmetic arithmetic = Arithmetic::Float; ///< a plan without tensors computes in float whatever is said here
    std::shared_ptr<CompileCache> cache {}; ///< of kernels to share with other graphs; null: none
};

struct PortInfo {
    std::string name;
    DType dtype = DType::Float32;
    Shape shape;
};

/// A graph ready to run: kernels with packed weights, a memory plan, quantizers in place. Immutable and thread safe;
/// one Executor a worker runs it.
class CompiledGraph {
public:
    CompiledGraph();
    ~CompiledGraph();
    CompiledGraph(const CompiledGraph&) = delete;
    CompiledGraph& operator=(const CompiledGraph&) = delete;

    const std::vector<PortInfo>& inputs() const;
    const std::vector<PortInfo>& outputs() const;
    const std::vector<PortInfo>& taps() const;
    std::size_t arenaBytes() const; ///< activations and scratch of one executor
    ArithmeticUse arithmeticUse() const;

    struct StepInfo {
        std::string node;
        std::string op;
        std::string implementation;
    };
    std::vector<StepInfo> steps() const; ///< in execution order, quantizers and reorders included

    struct Impl;
    Impl& impl() { return *m_impl; }
    const Impl& impl() const { return *m_impl; }

private:
    std::unique_ptr<Impl> m_impl;
};
using CompiledGraphPtr = std::shared_ptr<const CompiledGraph>;

/// Binds shapes, folds what becomes constant, places the plan's quantizers (weights and biases fake-quantized once,
/// activations by a step of their own or fused), chooses kernels and layouts and plans memory by lifetime.
///
/// Meaning of the plan: Scope::Compute: an activation's quantizer sits on the edges into compute layers only; everyone
/// else reads the float value. Scope::Integer: it sits where the tensor is produced (after a fused activation),
/// everyone reads the quantized value, and graph outputs deliver it too. Arithmetic is float32 (fake-quantization), or
/// integer where CompileOptions::arithmetic says so: a layer's int32 sums are exact, and become
/// clamp(round_half_even((sum + bias / (s_x s_w)) s_x s_w / s_y)) + z_y, or float32 values where no quantizer follows.
/// Errors: Unsupported, InvalidInput (shapes, with node), NotFound (plan or taps name an unknown tensor), OutOfMemory.
Result<CompiledGraphPtr> compile(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, const CompileOptions& options);

/// `tap` indexes CompiledGraph::taps(); the view is Plain, and valid during the call only.
using TapCallback = std::function<void(std::size_t tap, const TensorView& value)>;

/// Runs a CompiledGraph on one thread: owns arena and oneDNN stream. Not thread safe; make one a worker. After warm-up
/// a run does not allocate (but for the few dozen bytes oneDNN takes inside every primitive). compile() and run() keep
/// OpenMP to one thread while they work, whatever the caller has set.
class Executor {
public:
    explicit Executor(CompiledGraphPtr compiled); ///< throws std::bad_alloc
    ~Executor();
    Executor(Executor&&) noexcept;
    Executor& operator=(Executor&&) noexcept;

    /// Inputs in the order of CompiledGraph::inputs(), exactly those types and shapes (InvalidInput otherwise).
    /// Internal or OutOfMemory, with the node, if a library fails.
    Result<void> run(std::span<const TensorView> inputs, const TapCallback& tap = {});
    /// The same, and adds the seconds that each of CompiledGraph::steps() took to `seconds`, as many as there are
    /// steps.
    Result<void> runTimed(std::span<const TensorView> inputs, std::span<double> seconds);
    /// Output `i` of the last run; valid until the next.
    const TensorView& output(std::size_t i) const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace quantoscope::engine
