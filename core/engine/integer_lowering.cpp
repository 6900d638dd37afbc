// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/integer_lowering.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/engine/compile_cache.h"
#include "core/engine/integer_operands.h"
#include "core/engine/key_builder.h"
#include "core/engine/program_builder.h"
#include "core/graph/layers.h"
#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::engine {

namespace {

using graph::NodeId;
using graph::ValueId;

/// Whether every element of the first output is an element of the first input, moved or chosen by order alone.
bool onlyMovesCodes(const graph::Node& node)
{
    static constexpr std::array operators { std::string_view("DepthToSpace"), std::string_view("Flatten"),
        std::string_view("Identity"), std::string_view("MaxPool"), std::string_view("Reshape"),
        std::string_view("Slice"), std::string_view("SpaceToDepth"), std::string_view("Squeeze"),
        std::string_view("Transpose"), std::string_view("Unsqueeze") };
    return node.domain.empty() && node.outputs.size() == 1
        && std::ranges::find(operators, node.opType) != operators.end();
}

/// Whether a Pad fills up with zeros, which every grid has.
bool padsWithZeros(const graph::Graph& graph, const graph::Node& node)
{
    if (!node.domain.empty() || node.opType != "Pad" || graph.opset() < 11
        || node.stringAttribute("mode", "constant") != "constant")
        return false;
    if (!node.hasInput(2))
        return true;
    const graph::TensorPtr& fill = graph.value(node.inputs[2]).constant;
    return fill && tensor::toDoubles(fill->view()) == std::vector<double> { 0.0 };
}

class IntegerRewriter {
public:
    IntegerRewriter(Lowered& lowered, const CompileOptions& options)
        : m_lowered(lowered)
        , m_graph(lowered.graph)
        , m_fusion(lowered.graph)
        , m_options(options)
    {
    }

    Result<void> rewrite()
    {
        QS_TRY(const std::vector<NodeId> order, m_graph.topologicalOrder());
        for (const NodeId id : order) {
            if (graph::computeLayer(m_graph, id)) {
                QS_CHECK(rewriteLayer(id));
            } else if (m_graph.node(id).opType == "Add") {
                rewriteAdd(id);
            } else if (m_graph.node(id).opType == "GlobalAveragePool") {
                rewriteGlobalAverage(id);
            } else if (m_graph.node(id).opType == "AveragePool") {
                rewriteAverage(id);
            }
        }
        m_graph.removeDead();
        return {};
    }

private:
    /// Integers that stand for a float value.
    struct Codes {
        ValueId value;
        CodeGrid grid;
    };

    /// Where the result of a node goes.
    struct Target {
        ValueId result; ///< the float value, behind a fused activation
        std::optional<Clamp> activation;
        NodeId quantizer; ///< that alone reads it and can be computed along; invalid: the result stays float
    };

    std::optional<CodeGrid> quantizerGrid(NodeId node) const
    {
        const auto quantizer = m_lowered.quantizers.find(node);
        return quantizer == m_lowered.quantizers.end() ? std::nullopt : CodeGrid::of(quantizer->second.encoding);
    }

    /// The grid a float value lies on, if integers can stand for it.
    std::optional<CodeGrid> gridOf(ValueId value) const
    {
        if (const auto known = m_codes.find(value); known != m_codes.end())
            return known->second.grid;
        const NodeId producer = m_graph.value(value).producer;
        if (!producer.valid())
            return std::nullopt;
        if (const auto grid = quantizerGrid(producer))
            return grid;
        const graph::Node& node = m_graph.node(producer);
        if (onlyMovesCodes(node) || padsWithZeros(m_graph, node))
            return gridOf(node.inputs[0]);
        return node.opType == "Concat" && node.domain.empty() ? commonGrid(node) : std::nullopt;
    }

    std::optional<CodeGrid> commonGrid(const graph::Node& node) const
    {
        const auto first = gridOf(node.inputs.front());
        if (!first)
            return std::nullopt;
        for (const ValueId input : node.inputs) {
            const auto other = gridOf(input);
            if (!other || !first->keepsCodesOf(*other))
                return std::nullopt;
        }
        return first;
    }

    /// The integers of a value that gridOf() knows, made where there are none yet.
    Codes codesOf(ValueId value)
    {
        if (const auto known = m_codes.find(value); known != m_codes.end())
            return known->second;
        const NodeId producer = m_graph.value(value).producer;
        const auto grid = gridOf(value);
        ValueId codes;
        if (m_lowered.quantizers.contains(producer))
            codes = codesBehindQuantizer(m_graph.node(producer).inputs[0], *grid);
        else
            codes = movedCodes(producer);
        return m_codes.emplace(value, Codes { codes, *grid }).first->second;
    }

    ValueId codesBehindQuantizer(ValueId input, const CodeGrid& grid)
    {
        if (const auto from = gridOf(input)) {
            const Codes codes = codesOf(input);
            return grid.keepsCodesOf(*from) ? codes.value : tableNode(codes, grid);
        }
        const auto shape = *m_graph.value(input).type.shape();
        return ownNode("QuantizeToCodes", m_graph.value(input).name + " codes", { input }, DType::UInt8, shape,
            { makeQuantizeToCodes(grid, shape.size()), keyOf("QuantizeToCodes", { grid }, shape), {} });
    }

    ValueId tableNode(const Codes& codes, const CodeGrid& grid)
    {
        const auto shape = *m_graph.value(codes.value).type.shape();
        return ownNode("RequantizeCodes", m_graph.value(codes.value).name + " requantized", { codes.value },
            DType::UInt8, shape,
            { makeTableLookup(requantizationTable(codes.grid, grid), shape.size()),
                keyOf("RequantizeCodes", { codes.grid, grid }, shape), {} });
    }

    /// The same operator on integers; it is generic in the element type.
    ValueId movedCodes(NodeId id)
    {
        graph::Node node = m_graph.node(id);
        const std::size_t operands = node.opType == "Concat" ? node.inputs.size() : 1;
        for (std::size_t i = 0; i < operands; ++i)
            node.inputs[i] = codesOf(node.inputs[i]).value;
        if (node.opType == "Pad") {
            node.inputs.resize(std::max<std::size_t>(node.inputs.size(), 3));
            const auto zero = static_cast<std::uint8_t>(gridOf(m_graph.node(id).inputs[0])->zeroPoint());
            node.inputs[2] = m_graph.addConstant({}, std::make_shared<const Tensor>(Tensor::scalar(zero)));
        }
        graph::ValueType type = m_graph.value(node.outputs[0]).type;
        type.dtype = DType::UInt8;
        const ValueId output = m_graph.addValue({}, type);
        node.outputs = { output };
        m_graph.addNode(std::move(node));
        return output;
    }

    static ValueKey keyOf(const char* kind, const std::vector<CodeGrid>& grids, const Shape& shape,
        const std::optional<Clamp>& clamp = {})
    {
        KeyBuilder builder(kind);
        for (const CodeGrid& grid : grids)
            builder.add(grid.encoding());
        return builder.add(shape).add(clamp).key();
    }

    ValueId ownNode(const char* op, std::string name, std::vector<ValueId> inputs, DType dtype, const Shape& shape,
        OwnKernel kernel)
    {
        graph::Node node;
        node.name = std::move(name);
        node.opType = op;
        node.domain = ownDomain;
        node.inputs = std::move(inputs);
        graph::ValueType type;
        type.dtype = dtype;
        type.dims = graph::toDims(shape);
        const ValueId output = m_graph.addValue({}, type);
        node.outputs = { output };
        m_lowered.kernels.emplace(m_graph.addNode(std::move(node)), std::move(kernel));
        return output;
    }

    Target targetOf(NodeId id) const
    {
        Target target { m_graph.node(id).outputs[0], {}, {} };
        if (const auto fused = m_fusion.after(id)) {
            target.result = fused->output;
            target.activation = Clamp { fused->low, fused->high };
        }
        const auto readers = m_graph.consumers(target.result);
        if (readers.size() != 1 || m_graph.isOutput(target.result))
            return target;
        const auto grid = quantizerGrid(readers.front());
        if (grid && grid->roundsHalfEven())
            target.quantizer = readers.front();
        return target;
    }

    std::optional<CodeGrid> gridOf(const Target& target) const
    {
        return target.quantizer.valid() ? quantizerGrid(target.quantizer) : std::nullopt;
    }

    /// Puts a kernel in the place of a node, its activation and, if it delivers codes, the quantizer behind them.
    void replace(NodeId id, const Target& target, const char* op, std::vector<ValueId> inputs, OwnKernel kernel)
    {
        const auto grid = gridOf(target);
        const auto shape = *m_graph.value(target.result).type.shape();
        const ValueId made = ownNode(
            op, m_graph.label(id), std::move(inputs), grid ? DType::UInt8 : DType::Float32, shape, std::move(kernel));
        if (!grid) {
            m_graph.replaceUses(target.result, made);
            for (auto* ports : { &m_lowered.outputs, &m_lowered.taps })
                std::ranges::replace(*ports, target.result, made);
            return;
        }
        // Who reads the float value gets the integers back as floats; nobody may.
        const ValueId quantized = m_graph.node(target.quantizer).outputs[0];
        m_codes.emplace(quantized, Codes { made, *grid });
        m_graph.setInput(target.quantizer, 0, made);
        m_graph.node(target.quantizer).opType = "DequantizeCodes";
        m_lowered.quantizers.erase(target.quantizer);
        m_lowered.kernels.emplace(target.quantizer,
            OwnKernel { makeDequantizeCodes(*grid, shape.size()), keyOf("DequantizeCodes", { *grid }, shape), {} });
    }

    Result<void> rewriteLayer(NodeId id)
    {
        const graph::Layer layer = *graph::computeLayer(m_graph, id);
        auto done = tryLayer(layer);
        if (done) {
            ++m_lowered.use.integerLayers;
            return {};
        }
        ++m_lowered.use.floatLayers;
        if (done.error().code != ErrorCode::Unsupported)
            return tl::make_unexpected(std::move(done).error());
        if (m_options.arithmetic == Arithmetic::Auto)
            return {};
        return fail(ErrorCode::Unsupported,
            "layer '" + layer.name + "' cannot compute in integers: " + done.error().what, "node '" + layer.name + "'",
            "the engine 'auto' computes such layers in float");
    }

    Result<void> tryLayer(const graph::Layer& layer)
    {
        const auto inputGrid = gridOf(layer.input);
        const Target target = targetOf(layer.node);
        QS_TRY(const KernelRequest request, requestFor(m_graph, layer.node));
        const bool isConvolution = layer.op == "Conv";
        OwnKernel own { {}, keyOf(layer, request, inputGrid, target),
            isConvolution ? Layout::ChannelsLast : Layout::Plain };
        const auto make = [&]() -> Result<KernelPtr> {
            QS_TRY(const IntegerOperands operands, integerOperands(m_lowered, layer, inputGrid));
            const IntegerLayer described { *inputGrid, gridOf(target), operands.weight, operands.scale, operands.bias,
                target.activation };
            return isConvolution ? makeIntegerConvolution(request, described) : makeIntegerMatmul(request, described);
        };
        const bool hasWeight = layer.weight.valid() && m_graph.isConstant(layer.weight);
        const std::size_t bytes = hasWeight ? m_graph.value(layer.weight).constant->bytes() / sizeof(float) : 0;
        QS_TRY(own.kernel, kernelFrom(m_options.cache.get(), own.key, bytes, make));
        replace(layer.node, target, isConvolution ? "IntegerConv" : "IntegerMatMul", { codesOf(layer.input).value },
            std::move(own));
        return {};
    }

    /// Of the kernel that computes the layer in integers: all that integerOperands() and it look at.
    ValueKey keyOf(const graph::Layer& layer, const KernelRequest& request, const std::optional<CodeGrid>& input,
        const Target& target) const
    {
        KeyBuilder builder("integer layer");
        builder.add(request).add(target.activation);
        for (const auto& grid : { input, gridOf(target) }) {
            builder.add(grid.has_value());
            if (grid)
                builder.add(grid->encoding());
        }
        for (const ValueId constant : { layer.weight, layer.bias }) {
            const auto known = m_lowered.constantGrids.find(constant);
            builder.add(known != m_lowered.constantGrids.end());
            if (known != m_lowered.constantGrids.end())
                builder.add(known->second);
        }
        return builder.key();
    }

    void rewriteAdd(NodeId id)
    {
        const graph::Node& node = m_graph.node(id);
        if (!node.domain.empty() || m_graph.isConstant(node.inputs[0]) || m_graph.isConstant(node.inputs[1]))
            return;
        const auto shape = m_graph.value(node.outputs[0]).type.shape();
        const auto a = gridOf(node.inputs[0]);
        const auto b = gridOf(node.inputs[1]);
        const Target target = targetOf(id);
        const auto grid = gridOf(target);
        const bool alike = m_graph.value(node.inputs[0]).type.shape() == shape
            && m_graph.value(node.inputs[1]).type.shape() == shape;
        if (!a || !b || !grid || !alike)
            return;
        const ValueKey key = keyOf("IntegerAdd", { *a, *b, *grid }, *shape, target.activation);
        auto kernel = kernelFrom(m_options.cache.get(), key, 0,
            [&]() -> Result<KernelPtr> { return makeIntegerAdd(*a, *b, *grid, target.activation, shape->size()); });
        const ValueId left = codesOf(node.inputs[0]).value;
        const ValueId right = codesOf(m_graph.node(id).inputs[1]).value;
        replace(id, target, "IntegerAdd", { left, right }, { *std::move(kernel), key, {} });
    }

    void rewriteGlobalAverage(NodeId id)
    {
        const ValueId input = m_graph.node(id).inputs[0];
        const auto from = gridOf(input);
        const Target target = targetOf(id);
        const auto to = gridOf(target);
        const auto shape = m_graph.value(input).type.shape();
        if (!from || !to || !shape || shape->rank() < 3 || shape->rank() > 5)
            return;
        const ValueId codes = codesOf(input).value;
        replace(id, target, "IntegerGlobalAverage", { codes },
            { makeIntegerGlobalAverage(*shape, *from, *to), keyOf("IntegerGlobalAverage", { *from, *to }, *shape),
                Layout::ChannelsLast });
    }

    void rewriteAverage(NodeId id)
    {
        const ValueId input = m_graph.node(id).inputs[0];
        const auto from = gridOf(input);
        const Target target = targetOf(id);
        const auto to = gridOf(target);
        const auto request = requestFor(m_graph, id);
        if (!m_graph.node(id).domain.empty() || !from || !to || target.activation || !request)
            return;
        auto kernel = makeIntegerAverage(*request, *from, *to);
        if (!kernel) // Unsupported: the float operator stays
            return;
        const ValueKey key = KeyBuilder("IntegerAverage").add(*request).add(from->encoding()).add(to->encoding()).key();
        const ValueId codes = codesOf(input).value;
        replace(id, target, "IntegerAverage", { codes }, { *std::move(kernel), key, Layout::ChannelsLast });
    }

    Lowered& m_lowered;
    graph::Graph& m_graph;
    const graph::ActivationFusion m_fusion; ///< of the graph before it was changed
    const CompileOptions& m_options;
    std::map<ValueId, Codes> m_codes; ///< by the float value they stand for
};

} // namespace

Result<void> useIntegers(Lowered& lowered, const CompileOptions& options)
{
    return IntegerRewriter(lowered, options).rewrite();
}

} // namespace quantoscope::engine
