// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <new>
#include <utility>

#include "core/engine/arena.h"
#include "core/engine/compiled_graph.h"
#include "core/engine/lowering.h"
#include "core/engine/program_builder.h"
#include "core/engine/single_thread.h"

namespace quantoscope::engine {

CompiledGraph::CompiledGraph()
    : m_impl(std::make_unique<Impl>())
{
}

CompiledGraph::~CompiledGraph() = default;

const std::vector<PortInfo>& CompiledGraph::inputs() const { return m_impl->inputs; }

const std::vector<PortInfo>& CompiledGraph::outputs() const { return m_impl->outputs; }

const std::vector<PortInfo>& CompiledGraph::taps() const { return m_impl->taps; }

std::size_t CompiledGraph::arenaBytes() const { return m_impl->arenaBytes; }

namespace {

constexpr std::pair<Arithmetic, const char*> arithmeticNames[]
    = { { Arithmetic::Float, "float" }, { Arithmetic::Integer, "integer" }, { Arithmetic::Auto, "auto" } };

} // namespace

Result<Arithmetic> parseArithmetic(const std::string& text)
{
    for (const auto& [arithmetic, name] : arithmeticNames) {
        if (text == name)
            return arithmetic;
    }
    return fail(ErrorCode::InvalidInput, "unknown arithmetic '" + text + "'", {}, "auto, integer or float");
}

std::string toString(Arithmetic arithmetic)
{
    return std::ranges::find(arithmeticNames, arithmetic, &std::pair<Arithmetic, const char*>::first)->second;
}

std::string ArithmeticUse::toString() const
{
    if (integerLayers == 0)
        return "float";
    return floatLayers == 0 ? "integer" : "mixed";
}

ArithmeticUse CompiledGraph::arithmeticUse() const { return m_impl->use; }

std::vector<CompiledGraph::StepInfo> CompiledGraph::steps() const
{
    std::vector<StepInfo> infos;
    for (const Step& step : m_impl->program.steps) {
        if (step.kernel)
            infos.push_back({ step.node, step.op, std::string(step.kernel->implementation()) });
    }
    return infos;
}

namespace {

PortInfo portInfo(const graph::Graph& graph, graph::ValueId id, std::string name)
{
    const graph::ValueType& type = graph.value(id).type;
    return { std::move(name), *type.dtype, *type.shape() };
}

Result<CompiledGraphPtr> compileLowered(const Lowered& lowered, const CompileOptions& options)
{
    auto compiled = std::make_shared<CompiledGraph>();
    CompiledGraph::Impl& impl = compiled->impl();
    QS_TRY(impl.program, buildProgram(lowered, options));
    impl.use = lowered.use;
    impl.arenaBytes = planArena(impl.program);
    for (graph::ValueId input : lowered.graph.inputs()) {
        if (!lowered.graph.isConstant(input))
            impl.inputs.push_back(portInfo(lowered.graph, input, lowered.graph.value(input).name));
    }
    for (std::size_t i = 0; i < lowered.outputs.size(); ++i)
        impl.outputs.push_back(portInfo(lowered.graph, lowered.outputs[i], lowered.outputNames[i]));
    for (std::size_t i = 0; i < lowered.taps.size(); ++i)
        impl.taps.push_back(portInfo(lowered.graph, lowered.taps[i], options.taps[i]));
    return compiled;
}

} // namespace

Result<CompiledGraphPtr> compile(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, const CompileOptions& options)
{
    const SingleThread singleThread;
    try {
        QS_TRY(const Lowered lowered, lower(graph, plan, options));
        return compileLowered(lowered, options);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "not enough memory to compile the model", "model '" + graph.name + "'");
    }
}

} // namespace quantoscope::engine
