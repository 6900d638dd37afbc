// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/engine/kernels/registry.h"

/// Runs single kernels without a graph: builds the request, chooses layouts, moves operands into them and back.
namespace quantoscope::test {

using engine::KernelSet;
using engine::Layout;
using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, graph::Attribute>;

struct Operand {
    Tensor tensor; ///< Plain
    bool constant = false; ///< known when the kernel is made
    Layout layout = Layout::Plain; ///< at hand
    bool present = true;
};

inline Operand dynamic(Tensor tensor, Layout layout = Layout::Plain)
{
    return { std::move(tensor), false, layout, true };
}
inline Operand constant(Tensor tensor) { return { std::move(tensor), true, Layout::Plain, true }; }
inline Operand ints(const Ints& values)
{
    return constant(Tensor::from(Shape { static_cast<std::int64_t>(values.size()) }, values));
}
inline Operand absent() { return { Tensor(), false, Layout::Plain, false }; }

struct OutputType {
    DType dtype;
    Shape shape;
};

struct KernelCall {
    std::string op;
    std::vector<Operand> inputs;
    std::vector<OutputType> outputs;
    Attributes attributes = {};
    int opset = 18;
    std::optional<engine::Clamp> activation = {};
};

/// Bytes of a Plain tensor of unpacked elements in `layout`, or back.
inline Tensor permuted(const Tensor& tensor, Layout layout, bool back)
{
    const int rank = tensor.shape().rank();
    if (layout == Layout::Plain || rank < 3)
        return tensor;
    Tensor result(tensor.dtype(), tensor.shape());
    const std::int64_t width = tensor::bitWidth(tensor.dtype()) / 8;
    const std::int64_t channels = tensor.shape()[1];
    const std::int64_t places = tensor.size() ? tensor.size() / tensor.shape()[0] / channels : 0;
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
        const std::int64_t n = i / (channels * places);
        const std::int64_t c = i / places % channels;
        const std::int64_t p = i % places;
        const std::int64_t last = (n * places + p) * channels + c;
        std::memcpy(static_cast<std::byte*>(result.data()) + (back ? i : last) * width,
            static_cast<const std::byte*>(tensor.data()) + (back ? last : i) * width, static_cast<std::size_t>(width));
    }
    return result;
}

/// A kernel run once: its outputs, Plain, and what it was.
struct KernelRun {
    std::vector<Tensor> outputs;
    std::vector<Layout> outputLayouts;
    std::string implementation;
};

inline Result<KernelRun> runKernel(const KernelCall& call, KernelSet set = KernelSet::Fast)
{
    graph::Node node;
    node.opType = call.op;
    node.attributes = call.attributes;
    const auto* registration = engine::findKernelOnlyIn(call.op, set);
    if (!registration)
        return fail(ErrorCode::NotFound, "no kernel for " + call.op);
    engine::KernelRequest request { .node = node,
        .opset = call.opset,
        .where = "node 'test' (" + call.op + ")",
        .inputs = {},
        .outputs = {},
        .activation = call.activation,
        .inputQuantizer = {},
        .outputQuantizer = {} };
    for (const auto& operand : call.inputs)
        request.inputs.push_back({ operand.present, operand.tensor.dtype(), operand.tensor.shape(), operand.layout,
            operand.constant ? std::make_shared<const Tensor>(operand.tensor) : nullptr });
    for (const auto& output : call.outputs)
        request.outputs.push_back({ true, output.dtype, output.shape, Layout::Plain, nullptr });
    engine::LayoutChoice layouts { std::vector<Layout>(call.inputs.size(), Layout::Plain),
        std::vector<Layout>(call.outputs.size(), Layout::Plain) };
    if (registration->layouts)
        layouts = registration->layouts(request);
    for (std::size_t i = 0; i < call.inputs.size(); ++i)
        request.inputs[i].layout = layouts.inputs[i];
    for (std::size_t i = 0; i < call.outputs.size(); ++i)
        request.outputs[i].layout = layouts.outputs[i];
    QS_TRY(const auto kernel, registration->create(request));

    std::vector<Tensor> stored;
    std::vector<engine::Buffer> inputs;
    for (std::size_t i = 0; i < call.inputs.size(); ++i)
        stored.push_back(permuted(call.inputs[i].tensor, layouts.inputs[i], false));
    for (std::size_t i = 0; i < stored.size(); ++i)
        inputs.push_back({ stored[i].dtype(), &stored[i].shape(), layouts.inputs[i],
            call.inputs[i].present ? stored[i].data() : nullptr });
    std::vector<Tensor> results;
    std::vector<engine::Buffer> outputs;
    for (const auto& output : call.outputs) {
        results.emplace_back(output.dtype, output.shape);
        std::memset(results.back().data(), 0x5A, results.back().bytes()); // a kernel must write every element
    }
    for (std::size_t i = 0; i < results.size(); ++i)
        outputs.push_back({ results[i].dtype(), &results[i].shape(), layouts.outputs[i], results[i].data() });
    tensor::AlignedBuffer scratch(kernel->scratchBytes());
    std::memset(scratch.data(), 0xA5, scratch.size());
    kernel->run({ .inputs = inputs, .outputs = outputs, .scratch = scratch.data() });
    KernelRun run { {}, layouts.outputs, std::string(kernel->implementation()) };
    for (std::size_t i = 0; i < results.size(); ++i)
        run.outputs.push_back(permuted(results[i], layouts.outputs[i], true));
    return run;
}

/// The first output, or an empty tensor with the error's words where `error` is given.
inline Tensor runForTensor(const KernelCall& call, KernelSet set = KernelSet::Fast, std::string* error = nullptr)
{
    auto run = runKernel(call, set);
    if (run)
        return run->outputs.front();
    if (error)
        *error = run.error().message();
    return Tensor();
}

/// Uniform in [low, high), converted to `dtype`; the same for the same seed.
inline Tensor randomTensor(
    const Shape& shape, std::uint64_t seed, double low = -2, double high = 2, DType dtype = DType::Float32)
{
    base::Random random(seed);
    Tensor tensor(DType::Float64, shape);
    for (double& value : tensor.as<double>())
        value = low + (high - low) * random.uniform();
    return tensor::convert(tensor.view(), dtype);
}

/// Empty if both have one type, one shape and elements within atol + rtol |b|; what differs otherwise.
inline std::string difference(const Tensor& a, const Tensor& b, double rtol = 0, double atol = 0)
{
    if (a.dtype() != b.dtype() || a.shape() != b.shape())
        return std::string(tensor::name(a.dtype())) + a.shape().toString() + " against "
            + std::string(tensor::name(b.dtype())) + b.shape().toString();
    const auto x = tensor::toDoubles(a.view());
    const auto y = tensor::toDoubles(b.view());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const bool same = x[i] == y[i] || (x[i] != x[i] && y[i] != y[i])
            || (x[i] - y[i] <= atol + rtol * std::abs(y[i]) && y[i] - x[i] <= atol + rtol * std::abs(y[i]));
        if (!same)
            return "element " + std::to_string(i) + ": " + std::to_string(x[i]) + " against " + std::to_string(y[i]);
    }
    return {};
}

} // namespace quantoscope::test
