// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/program_builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "core/engine/compile_cache.h"
#include "core/engine/direct_sums.h"
#include "core/engine/kernels/internal.h"
#include "core/engine/kernels/registry.h"
#include "core/engine/kernel_chooser.h"
#include "core/engine/key_builder.h"

namespace quantoscope::engine {

namespace {

using graph::NodeId;
using graph::ValueId;

constexpr int none = -1;

Result<OperandInfo> operandInfo(const graph::Graph& graph, ValueId id, const std::string& where)
{
    OperandInfo info;
    if (!id.valid())
        return info;
    const graph::Value& value = graph.value(id);
    const auto shape = value.type.shape();
    if (!value.type.dtype || !shape)
        return fail(ErrorCode::Unsupported,
            "tensor '" + value.name + "' is " + value.type.toString()
                + ": its shape is not known before it is computed",
            where, "give every input a fixed shape");
    info.present = true;
    info.dtype = *value.type.dtype;
    info.shape = *shape;
    info.constant = value.constant;
    return info;
}

/// The tensor's elements in channels-last order.
graph::TensorPtr channelsLastCopy(const Tensor& tensor)
{
    auto copy = std::make_shared<Tensor>(tensor.dtype(), tensor.shape());
    const KernelPtr reorder = makeReorder(tensor.dtype(), tensor.shape(), Layout::Plain, Layout::ChannelsLast);
    if (reorder->isAlias()) {
        std::memcpy(copy->data(), tensor.data(), tensor.bytes());
        return copy;
    }
    const Buffer from { tensor.dtype(), &tensor.shape(), Layout::Plain, const_cast<void*>(tensor.data()) };
    const Buffer to { tensor.dtype(), &tensor.shape(), Layout::ChannelsLast, copy->data() };
    reorder->run({ .inputs = { &from, 1 }, .outputs = { &to, 1 } });
    return copy;
}

class ProgramBuilder {
public:
    ProgramBuilder(const Lowered& lowered, const CompileOptions& options)
        : m_lowered(lowered)
        , m_graph(lowered.graph)
        , m_options(options)
        , m_chooser(lowered, options)
        , m_places(lowered.graph.values().empty() ? 0 : lowered.graph.values().back().index() + 1)
    {
        for (std::size_t tap = 0; tap < lowered.taps.size(); ++tap)
            m_taps[lowered.taps[tap]].push_back(static_cast<int>(tap));
    }

    Result<Program> build()
    {
        QS_CHECK(addInputs());
        for (ValueId tapped : m_lowered.taps) {
            if (m_graph.isConstant(tapped))
                showTaps(tapped);
        }
        QS_TRY(const std::vector<NodeId> order, m_graph.topologicalOrder());
        for (NodeId node : order) {
            if (!m_absorbed.contains(node) && isNeeded(node))
                QS_CHECK(addNode(node));
        }
        for (ValueId output : m_lowered.outputs)
            addOutput(output);
        return std::move(m_program);
    }

private:
    /// Where a value is to be found in each layout, and which one it was computed in.
    struct Places {
        std::array<int, 2> slots { none, none };
        Layout first = Layout::Plain;
    };

    /// A quantizer of a graph input, whose step is made when it is known in which layout its result is read.
    struct Pending {
        NodeId node;
        const PlacedQuantizer* quantizer = nullptr;
    };

    bool isNeeded(NodeId node) const
    {
        for (ValueId output : m_graph.node(node).outputs) {
            if (output.valid() && !m_graph.isConstant(output))
                return true;
        }
        return false;
    }

    int addSlot(Slot slot)
    {
        m_program.slots.push_back(std::move(slot));
        return static_cast<int>(m_program.slots.size()) - 1;
    }

    int newSlot(const OperandInfo& info, Layout layout)
    {
        Slot slot;
        slot.dtype = info.dtype;
        slot.shape = info.shape;
        slot.layout = layout;
        return addSlot(std::move(slot));
    }

    void settle(ValueId value, int slot, Layout layout)
    {
        m_places[value.index()].slots[static_cast<std::size_t>(layout)] = slot;
        m_places[value.index()].first = layout;
        showTaps(value);
    }

    Result<void> addInputs()
    {
        std::size_t position = 0;
        for (ValueId input : m_graph.inputs()) {
            if (m_graph.isConstant(input))
                continue;
            QS_TRY(const OperandInfo info, operandInfo(m_graph, input, "input '" + m_graph.value(input).name + "'"));
            const int slot = newSlot(info, Layout::Plain);
            m_program.slots.back().place = Slot::Place::Input;
            m_program.slots.back().position = position;
            m_program.slots.back().key = KeyBuilder("input").add(position++).add(info.dtype).add(info.shape).key();
            settle(input, slot, Layout::Plain);
        }
        return {};
    }

    Layout layoutAtHand(ValueId value) const
    {
        return m_graph.isConstant(value) ? Layout::Plain : m_places[value.index()].first;
    }

    int constantSlot(ValueId value, Layout layout)
    {
        const Tensor& tensor = *m_graph.value(value).constant;
        Slot slot;
        slot.dtype = tensor.dtype();
        slot.shape = tensor.shape();
        slot.layout = layout;
        slot.place = Slot::Place::Constant;
        slot.constant = layout == Layout::Plain ? m_graph.value(value).constant : channelsLastCopy(tensor);
        slot.key = KeyBuilder("constant").add(layout).add(tensor).key();
        return addSlot(std::move(slot));
    }

    /// The slot that holds `value` in `layout`, with a reorder step if there is none yet.
    int slotIn(ValueId value, Layout layout)
    {
        int& known = m_places[value.index()].slots[static_cast<std::size_t>(layout)];
        if (known != none)
            return known;
        if (m_graph.isConstant(value))
            return known = constantSlot(value, layout);
        if (const auto pending = m_pending.extract(value))
            return addQuantizerStep(pending.mapped().node, *pending.mapped().quantizer, Layout::Plain, layout);
        const Layout from = m_places[value.index()].first;
        const int source = m_places[value.index()].slots[static_cast<std::size_t>(from)];
        Slot slot = m_program.slots[static_cast<std::size_t>(source)];
        slot.layout = layout;
        slot.place = Slot::Place::Arena;
        slot.sharedWith = none;
        KernelPtr reorder = makeReorder(slot.dtype, slot.shape, from, layout);
        const ValueKey key = KeyBuilder("Reorder").add(slot.dtype).add(slot.shape).add(from).add(layout).key();
        known = addSlot(std::move(slot));
        addStep(m_graph.value(value).name, "Reorder", std::move(reorder), key, { source }, { known });
        return known;
    }

    /// `key` names the kernel with all its numbers.
    void addStep(std::string node, std::string op, std::shared_ptr<const Kernel> kernel, const ValueKey& key,
        std::vector<int> inputs, std::vector<int> outputs)
    {
        if (kernel->isAlias()) {
            Slot& output = m_program.slots[static_cast<std::size_t>(outputs[0])];
            const Slot& input = m_program.slots[static_cast<std::size_t>(inputs[0])];
            output.sharedWith = inputs[0];
            output.place = input.place;
            output.position = input.position;
            output.constant = input.constant;
            output.key = input.key;
            return;
        }
        setKeys(key, inputs, outputs);
        Step step;
        step.node = std::move(node);
        step.op = std::move(op);
        step.kernel = std::move(kernel);
        step.inputs = std::move(inputs);
        step.outputs = std::move(outputs);
        m_program.steps.push_back(std::move(step));
    }

    void setKeys(const ValueKey& kernel, const std::vector<int>& inputs, const std::vector<int>& outputs)
    {
        KeyBuilder step("step");
        step.add(kernel);
        for (const int input : inputs) {
            step.add(input >= 0);
            if (input >= 0)
                step.add(m_program.slots[static_cast<std::size_t>(input)].key);
        }
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i] >= 0)
                m_program.slots[static_cast<std::size_t>(outputs[i])].key
                    = KeyBuilder("output").add(i).add(step.key()).key();
    }

    void showTaps(ValueId value)
    {
        const auto tapped = m_taps.find(value);
        if (tapped == m_taps.end())
            return;
        for (int tap : tapped->second) {
            Step step;
            step.node = m_graph.value(value).name;
            step.op = "Tap";
            step.inputs = { slotIn(value, Layout::Plain) };
            step.tap = tap;
            m_program.steps.push_back(std::move(step));
        }
    }

    /// Graph outputs are plain, and survive the caller's inputs.
    void addOutput(ValueId value)
    {
        int slot = slotIn(value, Layout::Plain);
        if (m_program.slots[static_cast<std::size_t>(slot)].place == Slot::Place::Input) {
            Slot copy = m_program.slots[static_cast<std::size_t>(slot)];
            copy.place = Slot::Place::Arena;
            copy.sharedWith = none;
            const std::size_t bytes = copy.bytes();
            const int target = addSlot(std::move(copy));
            addStep(m_graph.value(value).name, "Copy", makeCopy(bytes), KeyBuilder("Copy").add(bytes).key(), { slot },
                { target });
            slot = target;
        }
        m_program.outputs.push_back(slot);
    }

    Result<void> addNode(NodeId id)
    {
        if (const auto quantizer = m_lowered.quantizers.find(id); quantizer != m_lowered.quantizers.end()) {
            addQuantizer(id, quantizer->second);
            return {};
        }
        if (const auto own = m_lowered.kernels.find(id); own != m_lowered.kernels.end())
            return addOwnKernel(id, own->second);
        QS_TRY(KernelRequest request, requestFor(m_graph, id));
        const graph::Node& node = m_graph.node(id);
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.hasInput(i))
                request.inputs[i].layout = layoutAtHand(node.inputs[i]);
        }
        request.directSums = needsDirectSums(m_lowered, id, m_options);
        if (const auto taken = m_takenAlong.find(node.inputs.empty() ? ValueId {} : node.inputs[0]);
            taken != m_takenAlong.end())
            request.inputQuantizer = taken->second;
        QS_TRY(KernelChooser::Choice choice, m_chooser.choose(id, request));

        std::vector<int> inputs;
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const bool isRead
                = node.hasInput(i) && !(m_graph.isConstant(node.inputs[i]) && !choice.kernel->readsInput(i));
            inputs.push_back(isRead ? slotIn(node.inputs[i], choice.layouts.inputs[i]) : none);
        }
        std::vector<ValueId> values = node.outputs;
        if (choice.activation) {
            values[0] = choice.activation->output;
            m_absorbed.insert(choice.activation->node);
        }
        if (choice.quantizer.valid()) {
            values.resize(choice.deliversBoth ? 2 : values.size());
            values[choice.deliversBoth ? 1 : 0] = m_graph.node(choice.quantizer).outputs[0];
            request.outputs.resize(values.size(), OperandInfo(request.outputs[0]));
            m_absorbed.insert(choice.quantizer);
        }
        std::vector<int> outputs;
        for (std::size_t i = 0; i < values.size(); ++i)
            outputs.push_back(values[i].valid() ? newSlot(request.outputs[i], choice.layouts.outputs[i]) : none);
        addStep(m_graph.label(id), node.opType, std::move(choice.kernel), choice.key, std::move(inputs), outputs);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i].valid())
                settle(values[i], outputs[i], choice.layouts.outputs[i]);
        }
        return {};
    }

    Result<void> addOwnKernel(NodeId id, const OwnKernel& own)
    {
        const graph::Node& node = m_graph.node(id);
        const Layout layout = own.layout.value_or(layoutAtHand(node.inputs[0]));
        std::vector<int> inputs;
        for (const ValueId input : node.inputs)
            inputs.push_back(slotIn(input, layout));
        QS_TRY(const OperandInfo info, operandInfo(m_graph, node.outputs[0], "node '" + node.name + "'"));
        const int output = newSlot(info, layout);
        addStep(node.name, node.opType, own.kernel, KeyBuilder("own").add(own.key).add(layout).key(), std::move(inputs),
            { output });
        settle(node.outputs[0], output, layout);
        return {};
    }

    void addQuantizer(NodeId id, const PlacedQuantizer& quantizer)
    {
        const graph::Node& node = m_graph.node(id);
        if (m_pending.contains(node.inputs[0]))
            slotIn(node.inputs[0], layoutAtHand(node.inputs[0]));
        if (m_chooser.isTakenAlong(node.outputs[0], quantizer)) {
            m_places[node.outputs[0].index()] = m_places[node.inputs[0].index()];
            m_takenAlong.emplace(node.outputs[0], quantizer.encoding);
            return;
        }
        const Layout layout = orderMatters(quantizer.encoding) ? Layout::Plain : layoutAtHand(node.inputs[0]);
        const Slot& source = m_program.slots[static_cast<std::size_t>(slotIn(node.inputs[0], layout))];
        if (source.place == Slot::Place::Input && quantizedReorderSuits(source.dtype, source.shape, quantizer.encoding))
            m_pending.emplace(node.outputs[0], Pending { id, &quantizer });
        else
            addQuantizerStep(id, quantizer, layout, layout);
    }

    /// The step of a quantizer whose input is read in one layout and whose result is wanted in one.
    int addQuantizerStep(NodeId id, const PlacedQuantizer& quantizer, Layout from, Layout to)
    {
        const graph::Node& node = m_graph.node(id);
        const int input = slotIn(node.inputs[0], from);
        Slot slot = m_program.slots[static_cast<std::size_t>(input)];
        slot.place = Slot::Place::Arena;
        slot.sharedWith = none;
        slot.layout = to;
        KernelPtr kernel = from == to ? makeFakeQuantize(quantizer.encoding, slot.shape, to, quantizer.seed)
                                      : makeQuantizedReorder(slot.shape, quantizer.encoding);
        const ValueKey key = KeyBuilder(fakeQuantizeOp)
                                 .add(quantizer.encoding)
                                 .add(quantizer.seed)
                                 .add(slot.shape)
                                 .add(from)
                                 .add(to)
                                 .key();
        const int output = addSlot(std::move(slot));
        addStep(node.name, node.opType, std::move(kernel), key, { input }, { output });
        settle(node.outputs[0], output, to);
        return output;
    }

    const Lowered& m_lowered;
    const graph::Graph& m_graph;
    const CompileOptions& m_options;
    KernelChooser m_chooser;
    Program m_program;
    std::vector<Places> m_places; ///< by ValueId::index()
    std::unordered_set<NodeId> m_absorbed; ///< activations computed by the node before them
    std::unordered_map<ValueId, std::vector<int>> m_taps;
    std::unordered_map<ValueId, quant::Encoding> m_takenAlong; ///< quantizers that the reader of the value applies
    std::unordered_map<ValueId, Pending> m_pending; ///< by their output
};

} // namespace

Result<KernelRequest> requestFor(const graph::Graph& graph, NodeId id)
{
    const graph::Node& node = graph.node(id);
    KernelRequest request { .node = node,
        .opset = graph.opset(),
        .where = "node '" + graph.label(id) + "' (" + node.opType + ")",
        .inputs = {},
        .outputs = {},
        .activation = {},
        .directSums = false,
        .inputQuantizer = {},
        .outputQuantizer = {} };
    for (ValueId input : node.inputs) {
        QS_TRY(OperandInfo info, operandInfo(graph, input, request.where));
        request.inputs.push_back(std::move(info));
    }
    for (ValueId output : node.outputs) {
        QS_TRY(OperandInfo info, operandInfo(graph, output, request.where));
        info.constant = nullptr;
        request.outputs.push_back(std::move(info));
    }
    return request;
}

tl::unexpected<Error> noKernel(const graph::Graph& graph, NodeId id)
{
    const graph::Node& node = graph.node(id);
    const std::string op = node.domain.empty() ? node.opType : node.domain + "::" + node.opType;
    return fail(ErrorCode::Unsupported, "operator " + op + " is not one Quantoscope computes",
        "node '" + graph.label(id) + "'", "the help lists the supported operators");
}

Result<Program> buildProgram(const Lowered& lowered, const CompileOptions& options)
{
    return ProgramBuilder(lowered, options).build();
}

} // namespace quantoscope::engine
