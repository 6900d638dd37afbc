// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/engine.h"
#include "core/engine/kernels/onednn/runtime.h"
#include "core/engine/kernels/registry.h"
#include "core/engine/program_builder.h"
#include "core/engine/single_thread.h"

namespace quantoscope::engine {

namespace {

/// The first kernel that takes the request with everything plain; definition before speed, for what is folded is small.
Result<KernelPtr> plainKernel(const graph::Graph& graph, graph::NodeId node, const KernelRequest& request)
{
    std::optional<Error> refusal;
    for (KernelSet set : { KernelSet::Reference, KernelSet::Fast }) {
        const KernelRegistration* registration = findKernelOnlyIn(request.node.opType, set);
        if (!registration)
            continue;
        auto kernel = registration->create(request);
        if (kernel || kernel.error().code != ErrorCode::Unsupported)
            return kernel;
        refusal = std::move(kernel).error();
    }
    if (!refusal)
        return noKernel(graph, node);
    return tl::make_unexpected(*std::move(refusal));
}

Result<std::vector<Tensor>> evaluate(
    const graph::Graph& graph, graph::NodeId node, const std::vector<const Tensor*>& inputs)
{
    const SingleThread singleThread;
    QS_TRY(KernelRequest request, requestFor(graph, node));
    QS_TRY(const KernelPtr kernel, plainKernel(graph, node, request));

    std::vector<Buffer> sources;
    for (const Tensor* input : inputs) {
        if (input)
            sources.push_back({ input->dtype(), &input->shape(), Layout::Plain, const_cast<void*>(input->data()) });
        else
            sources.push_back({});
    }
    std::vector<Tensor> results;
    for (const OperandInfo& output : request.outputs)
        results.push_back(output.present ? Tensor(output.dtype, output.shape) : Tensor());
    std::vector<Buffer> targets;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (request.outputs[i].present)
            targets.push_back({ results[i].dtype(), &results[i].shape(), Layout::Plain, results[i].data() });
        else
            targets.push_back({});
    }
    if (kernel->isAlias()) {
        const Tensor& same = *inputs[0];
        return std::vector<Tensor> { same.reshaped(request.outputs[0].shape) };
    }
    tensor::AlignedBuffer scratch(kernel->scratchBytes());
    const auto stream = makeStream();
    const auto state = kernel->makeState();
    kernel->run({ .inputs = sources,
        .outputs = targets,
        .scratch = scratch.data(),
        .stream = stream.get(),
        .state = state.get() });
    return results;
}

} // namespace

graph::NodeEvaluator constantEvaluator() { return evaluate; }

} // namespace quantoscope::engine
