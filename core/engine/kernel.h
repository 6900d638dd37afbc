// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/quant/encoding.h"
#include "core/tensor/tensor.h"

namespace quantoscope::engine {

/// Physical order of a tensor's elements. Shapes are always logical ([N, C, D...]).
enum class Layout {
    Plain, ///< row-major as ONNX defines it
    ChannelsLast, ///< [N, D..., C] dense; only for rank 3 to 5
};

/// A buffer an executing kernel reads or writes.
struct Buffer {
    DType dtype = DType::Float32;
    const Shape* shape = nullptr; ///< logical; lives as long as the CompiledGraph
    Layout layout = Layout::Plain;
    void* data = nullptr;

    std::int64_t size() const { return shape->size(); }
    template <typename T> const T* in() const { return static_cast<const T*>(data); }
    template <typename T> T* out() const { return static_cast<T*>(data); }
    TensorView view() const { return { dtype, *shape, data }; } ///< only meaningful for Layout::Plain
};

/// One operand of a kernel as known when it is compiled.
struct OperandInfo {
    bool present = false; ///< optional inputs may be absent
    DType dtype = DType::Float32;
    Shape shape;
    Layout layout = Layout::Plain;
    graph::TensorPtr
        constant; ///< set if the value is known (always Plain); already fake-quantized where the plan says so
};

/// A clamp applied to the result before it is stored (a fused Relu, Relu6 or Clip).
struct Clamp {
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

/// Everything a kernel may depend on: node, opset and operands with static shapes.
struct KernelRequest {
    const graph::Node& node;
    int opset = 0;
    std::string where; ///< "node 'conv1' (Conv)" for errors
    std::vector<OperandInfo> inputs; ///< absent ones have present == false
    std::vector<OperandInfo> outputs;
    std::optional<Clamp> activation; ///< only ever set for kernels whose registration says fusesActivation
    bool directSums = false; ///< sums of products as the operator defines them, not by a faster algorithm
    /// Quantizers (per tensor) to apply to the first input before and to the first output after everything else; only
    /// ever set where the registration's fusesQuantizers() agrees.
    std::optional<quant::Encoding> inputQuantizer;
    std::optional<quant::Encoding> outputQuantizer;

    bool has(std::size_t input) const { return input < inputs.size() && inputs[input].present; }
    /// A constant operand's elements as int64 / double; empty if absent or not constant.
    std::optional<std::vector<std::int64_t>> ints(std::size_t input) const;
    std::optional<std::vector<double>> doubles(std::size_t input) const;
    /// Axes and the like: attribute `key` if there, else constant input `input`.
    std::optional<std::vector<std::int64_t>> attributeOrInts(std::string_view key, std::size_t input) const;
    tl::unexpected<Error> unsupported(std::string what, std::string hint = {}) const;
    tl::unexpected<Error> invalid(std::string what, std::string hint = {}) const;
};

/// What a kernel keeps for one worker between runs, such as its library's handles. Made once, before the first run.
class KernelState {
public:
    virtual ~KernelState() = default;
};

/// What one run of a kernel gets. Absent inputs have data == nullptr. `scratch` is 64-byte aligned, scratchBytes()
/// large, and private to the worker.
struct KernelArguments {
    std::span<const Buffer> inputs;
    std::span<const Buffer> outputs;
    std::byte* scratch = nullptr;
    void* stream = nullptr; ///< the worker's dnnl::stream, for kernels in onednn/
    KernelState* state = nullptr; ///< what makeState() made for this worker
};

/// A compiled operator. Immutable after creation; run() may be called by several workers at once and must not allocate.
/// What can be wrong with operands is found at creation; run() throws only where a library fails, and the Executor
/// catches that.
class Kernel {
public:
    virtual ~Kernel() = default;
    virtual void run(const KernelArguments& arguments) const = 0;
    virtual std::size_t scratchBytes() const { return 0; }
    virtual std::unique_ptr<KernelState> makeState() const { return nullptr; }
    /// False for a constant operand that run() never looks at because it was packed at creation; it is then not kept.
    virtual bool readsInput(std::size_t) const { return true; }
    /// Which implementation was chosen, for profiles and tests: "brgconv:avx512_core", "loops", "reference".
    virtual std::string_view implementation() const { return "loops"; }
    /// Input whose buffer the first output may share, if the planner finds that nobody else reads it; -1: none.
    virtual int inPlaceInput() const { return -1; }
    /// True if the output is the input's bytes unchanged (Reshape, Flatten, Squeeze of a Plain tensor): no run is
    /// needed.
    virtual bool isAlias() const { return false; }
};
using KernelPtr = std::unique_ptr<const Kernel>;

/// Layouts a kernel wants, given what it could get for free.
struct LayoutChoice {
    std::vector<Layout> inputs;
    std::vector<Layout> outputs;
};

/// How one operator is computed. A kernel file ends with a table of these and registry.cpp lists the tables.
struct KernelRegistration {
    std::string_view opType;
    /// Validates the request (types, ranks, attributes; unsupported combinations are errors) and builds the kernel.
    /// Operand layouts in the request are those `layouts` chose.
    Result<KernelPtr> (*create)(const KernelRequest& request) = nullptr;
    /// request.inputs[i].layout says what is at hand. nullptr: everything Plain.
    LayoutChoice (*layouts)(const KernelRequest& request) = nullptr;
    bool fusesActivation = false;
    /// Whether `create` takes the quantizers of this request along; nullptr: never.
    bool (*fusesQuantizers)(const KernelRequest& request) = nullptr;
};

enum class KernelSet {
    Fast, ///< oneDNN and vectorised loops
    Reference, ///< plain loops that mirror the operator's definition; falls back to Fast where an operator has only one
};

/// nullptr if the operator has no kernel.
const KernelRegistration* findKernel(std::string_view opType, KernelSet set = KernelSet::Fast);

/// All operators that have a kernel, sorted: the supported-operator table.
std::vector<std::string_view> supportedOperators();

} // namespace quantoscope::engine
