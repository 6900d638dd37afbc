// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernel_chooser.h"

#include <algorithm>

#include "core/engine/compile_cache.h"
#include "core/engine/direct_sums.h"
#include "core/engine/kernels/registry.h"
#include "core/engine/key_builder.h"
#include "core/engine/program_builder.h"

namespace quantoscope::engine {

using graph::NodeId;
using graph::ValueId;

KernelChooser::KernelChooser(const Lowered& lowered, const CompileOptions& options)
    : m_lowered(lowered)
    , m_graph(lowered.graph)
    , m_options(options)
    , m_fusion(lowered.graph)
    , m_shown(lowered.taps.begin(), lowered.taps.end())
{
    m_shown.insert(lowered.outputs.begin(), lowered.outputs.end());
}

/// The one node that reads a value, if it is no output or tap as well.
std::optional<NodeId> KernelChooser::onlyReader(ValueId value) const
{
    const auto readers = m_graph.consumers(value);
    if (readers.size() != 1 || m_graph.isOutput(value) || m_shown.contains(value))
        return std::nullopt;
    return readers.front();
}

/// A quantizer that reads a value; invalid: none.
NodeId KernelChooser::quantizerOf(ValueId value) const
{
    for (const NodeId reader : m_graph.consumers(value))
        if (m_lowered.quantizers.contains(reader))
            return reader;
    return {};
}

bool KernelChooser::isTakenAlong(ValueId output, const PlacedQuantizer& quantizer) const
{
    const auto reader = onlyReader(output);
    if (!reader || m_lowered.kernels.contains(*reader) || m_lowered.quantizers.contains(*reader)
        || std::ranges::count(m_graph.node(*reader).inputs, output) != 1
        || m_graph.node(*reader).inputs.front() != output)
        return false;
    const KernelRegistration* registration = findKernelOnlyIn(m_graph.node(*reader).opType, m_options.kernels);
    auto request = requestFor(m_graph, *reader);
    if (!registration || !registration->fusesQuantizers || !request)
        return false;
    request->directSums = needsDirectSums(m_lowered, *reader, m_options);
    request->inputQuantizer = quantizer.encoding;
    return registration->fusesQuantizers(*request);
}

/// Lets the kernel quantize its result itself if it can: in the place of the result where nobody else wants to see
/// that, beside it otherwise.
void KernelChooser::takeQuantizerAlong(
    const KernelRegistration& registration, ValueId result, KernelRequest& request, Choice& choice) const
{
    const NodeId quantizer = registration.fusesQuantizers ? quantizerOf(result) : NodeId {};
    if (!quantizer.valid())
        return;
    KernelRequest fused = request;
    fused.outputQuantizer = m_lowered.quantizers.at(quantizer).encoding;
    const bool both = !onlyReader(result);
    if (both && fused.outputs.size() != 1)
        return;
    fused.outputs.resize(both ? 2 : fused.outputs.size(), OperandInfo(fused.outputs[0]));
    if (!registration.fusesQuantizers(fused))
        return;
    choice.quantizer = quantizer;
    choice.deliversBoth = both;
    request.outputQuantizer = std::move(fused.outputQuantizer);
    request.outputs = std::move(fused.outputs);
}

Result<KernelChooser::Choice> KernelChooser::choose(NodeId id, const KernelRequest& request) const
{
    if (!request.node.domain.empty() && request.node.domain != "ai.onnx")
        return noKernel(m_graph, id);
    const KernelSet other = m_options.kernels == KernelSet::Fast ? KernelSet::Reference : KernelSet::Fast;
    std::optional<Error> refusal;
    for (KernelSet set : { m_options.kernels, other }) {
        const KernelRegistration* registration = findKernelOnlyIn(request.node.opType, set);
        if (!registration)
            continue;
        auto choice = tryKernel(id, request, *registration);
        if (choice)
            return choice;
        if (choice.error().code != ErrorCode::Unsupported)
            return tl::make_unexpected(std::move(choice).error());
        if (!refusal)
            refusal = std::move(choice).error();
    }
    if (!refusal)
        return noKernel(m_graph, id);
    return tl::make_unexpected(*std::move(refusal));
}

Result<KernelChooser::Choice> KernelChooser::tryKernel(
    NodeId id, KernelRequest request, const KernelRegistration& registration) const
{
    Choice choice;
    if (m_options.fuseActivations && registration.fusesActivation)
        choice.activation = m_fusion.after(id);
    if (choice.activation)
        request.activation = Clamp { choice.activation->low, choice.activation->high };
    takeQuantizerAlong(
        registration, choice.activation ? choice.activation->output : m_graph.node(id).outputs[0], request, choice);
    choice.layouts = { std::vector<Layout>(request.inputs.size(), Layout::Plain),
        std::vector<Layout>(request.outputs.size(), Layout::Plain) };
    if (registration.layouts)
        choice.layouts = registration.layouts(request);
    for (std::size_t i = 0; i < request.inputs.size(); ++i)
        request.inputs[i].layout = choice.layouts.inputs[i];
    for (std::size_t i = 0; i < request.outputs.size(); ++i)
        request.outputs[i].layout = choice.layouts.outputs[i];
    choice.key
        = KeyBuilder(&registration == findKernelOnlyIn(request.node.opType, KernelSet::Fast) ? "fast" : "reference")
              .add(request)
              .key();
    std::size_t bytes = 0;
    for (const OperandInfo& input : request.inputs)
        bytes += input.constant ? input.constant->bytes() : 0;
    QS_TRY(choice.kernel,
        kernelFrom(m_options.cache.get(), choice.key, bytes, [&] { return registration.create(request); }));
    return choice;
}

} // namespace quantoscope::engine
