// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/replay.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "core/base/parallel.h"
#include "core/calibration/feed.h"
#include "core/calibration/stats.h"
#include "core/engine/engine.h"
#include "core/graph/shape_inference.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::NodeId;
using graph::ValueId;

/// The nodes between `from` and `to` as a graph of their own, whose inputs are `from`. Names stay.
class Segment {
public:
    Segment(const Graph& whole, const std::vector<ValueId>& from, const std::vector<ValueId>& to)
        : m_whole(whole)
    {
        m_part.opsets = whole.opsets;
        m_part.name = whole.name;
        for (const ValueId id : from)
            m_known.emplace(id, m_part.addInput(whole.value(id).name, whole.value(id).type));
        for (const ValueId id : to)
            need(id);
        for (const NodeId id : whole.nodes())
            if (m_needed.contains(id))
                addNode(id);
        for (const ValueId id : to)
            m_part.markOutput(m_known.at(id));
    }

    Graph take() { return std::move(m_part); }

private:
    void need(ValueId value)
    {
        std::vector<ValueId> open { value };
        while (!open.empty()) {
            const ValueId id = open.back();
            open.pop_back();
            if (m_known.contains(id))
                continue;
            if (const auto& constant = m_whole.value(id).constant) {
                m_known.emplace(id, m_part.addConstant(m_whole.value(id).name, constant));
                continue;
            }
            m_known.emplace(id, m_part.addValue(m_whole.value(id).name, m_whole.value(id).type));
            const NodeId producer = m_whole.value(id).producer;
            m_needed.insert(producer);
            for (const ValueId input : m_whole.node(producer).inputs)
                if (input.valid())
                    open.push_back(input);
        }
    }

    void addNode(NodeId id)
    {
        graph::Node node = m_whole.node(id);
        for (ValueId& input : node.inputs)
            if (input.valid())
                input = m_known.at(input);
        for (ValueId& output : node.outputs) {
            if (!output.valid())
                continue;
            const auto known = m_known.find(output);
            const auto& value = m_whole.value(output);
            output = known != m_known.end() ? known->second : m_part.addValue(value.name, value.type);
        }
        m_part.addNode(std::move(node));
    }

    const Graph& m_whole;
    Graph m_part;
    std::unordered_map<ValueId, ValueId> m_known;
    std::set<NodeId> m_needed;
};

/// What `plan` says of `part`. Inputs of an integer network arrive quantized.
quant::QuantizationPlan planFor(const Graph& part, const quant::QuantizationPlan& plan)
{
    quant::QuantizationPlan result;
    result.scope = plan.scope;
    result.seed = plan.seed;
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto id = part.find(name);
        if (id && !(plan.scope == quant::Scope::Integer && part.isInput(*id)))
            result.set(name, quantizer);
    }
    for (const auto& [name, values] : plan.constants())
        if (part.find(name))
            result.setConstant(name, values);
    std::set<std::string> layers;
    for (const NodeId node : part.nodes())
        layers.insert(part.label(node));
    for (const auto& [layer, values] : plan.addedBiases()) {
        if (!layers.contains(layer))
            continue;
        result.setAddedBias(layer, values);
        const auto name = quant::addedBiasName(layer);
        if (const auto* quantizer = plan.find(name))
            result.set(name, *quantizer);
    }
    return result;
}

Tensor copyOf(const TensorView& view)
{
    Tensor copy(view.dtype(), view.shape());
    std::memcpy(copy.data(), view.data(), view.bytes());
    return copy;
}

/// The images of one batch, as the network delivers them; the last batch is filled up with the last image.
Tensor imagesOf(const Stage& stage, const quant::QuantizationPlan& plan, std::int64_t item)
{
    const auto& value = stage.graph().value(stage.input());
    Tensor images(DType::Float32, *value.type.shape());
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < stage.batch(); ++i)
        positions.push_back(std::min(item * stage.batch() + i, stage.images() - 1));
    stage.samples().gather(positions, images.as<float>());
    const auto* quantizer = plan.find(value.name);
    if (quantizer && plan.scope == quant::Scope::Integer)
        return quant::fakeQuantize(quantizer->encoding, images.view(), plan.seedFor(value.name));
    return images;
}

} // namespace

Result<std::shared_ptr<const Stage>> Stage::create(
    const Graph& graph, const dataset::SampleSet& samples, std::int64_t images)
{
    auto stage = std::shared_ptr<Stage>(new Stage);
    stage->m_samples = &samples;
    stage->m_images = images < 0 ? samples.size() : std::min(images, samples.size());
    if (stage->m_images == 0)
        return fail(ErrorCode::InvalidInput, "there is no image to correct the network with", {},
            "choose a calibration set with at least one image");
    QS_TRY(const auto wanted, calibration::chooseBatch(graph, samples));
    QS_TRY(const auto binding, calibration::bindInput(graph, samples, std::min(wanted, stage->m_images)));
    stage->m_batch = binding.batch;
    stage->m_graph = graph;
    graph::InferenceOptions inference;
    inference.inputShapes = { { binding.input, binding.shape } };
    inference.evaluator = engine::constantEvaluator();
    QS_CHECK(graph::inferShapes(stage->m_graph, inference));
    stage->m_graph.removeDead();
    stage->m_input = *stage->m_graph.find(binding.input);
    QS_TRY(const auto order, stage->m_graph.topologicalOrder());
    for (std::size_t i = 0; i < order.size(); ++i)
        stage->m_positions.emplace(order[i], i);
    return stage;
}

std::vector<ValueId> Stage::valuesBefore(std::size_t position) const
{
    std::vector<ValueId> live;
    const auto consumers = m_graph.allConsumers();
    for (const ValueId id : m_graph.values()) {
        const auto& value = m_graph.value(id);
        const bool before = value.producer.valid() ? m_positions.at(value.producer) < position : m_graph.isInput(id);
        const bool needed = std::ranges::any_of(
            consumers[id.index()], [&](NodeId consumer) { return m_positions.at(consumer) >= position; });
        if (before && needed && !value.constant)
            live.push_back(id);
    }
    return live;
}

std::size_t Stage::bytes(ValueId value) const
{
    const auto& type = m_graph.value(value).type;
    return tensor::byteSize(*type.dtype, static_cast<std::size_t>(type.shape()->size()));
}

Replay::Replay(std::shared_ptr<const Stage> stage, int threads, std::size_t memory)
    : m_stage(std::move(stage))
    , m_threads(base::resolveThreads(threads))
    , m_memory(memory)
    , m_cut { m_stage->input() }
{
}

bool Replay::holds(ValueId value) const { return std::ranges::find(m_cut, value) != m_cut.end(); }

Result<void> Replay::run(
    const quant::QuantizationPlan& plan, const std::vector<ValueId>& values, const Visitor& visit, const base::Job& job)
{
    std::vector<ValueId> missing;
    std::ranges::copy_if(values, std::back_inserter(missing), [this](ValueId value) { return !holds(value); });
    engine::CompiledGraphPtr compiled;
    if (!missing.empty()) {
        const Graph part = Segment(m_stage->graph(), m_cut, missing).take();
        QS_TRY(compiled, engine::compile(part, planFor(part, plan), {}));
    }
    std::vector<std::optional<engine::Executor>> executors(static_cast<std::size_t>(m_threads));
    return base::parallelFor(
        m_threads, m_stage->batches(), job.stop, [&](int worker, std::int64_t item) -> Result<void> {
            Tensor images;
            std::vector<TensorView> inputs;
            if (m_kept.empty()) {
                images = imagesOf(*m_stage, plan, item);
                inputs = { images.view() };
            } else {
                for (const Tensor& tensor : m_kept[static_cast<std::size_t>(item)])
                    inputs.push_back(tensor.view());
            }
            auto& executor = executors[static_cast<std::size_t>(worker)];
            if (compiled && !executor)
                executor.emplace(compiled);
            if (compiled)
                QS_CHECK(executor->run(inputs));
            std::vector<TensorView> results;
            std::size_t computed = 0;
            for (const ValueId value : values) {
                const auto kept = std::ranges::find(m_cut, value);
                results.push_back(kept != m_cut.end() ? inputs[static_cast<std::size_t>(kept - m_cut.begin())]
                                                      : executor->output(computed++));
            }
            visit(item, results);
            return {};
        });
}

Result<void> Replay::advance(const quant::QuantizationPlan& plan, NodeId node, const base::Job& job)
{
    const auto cut = m_stage->valuesBefore(m_stage->position(node));
    std::size_t bytes = 0;
    for (const ValueId value : cut)
        bytes += m_stage->bytes(value) * static_cast<std::size_t>(m_stage->batches());
    const bool onlyImages = cut == std::vector { m_stage->input() };
    if (bytes > m_memory || onlyImages || cut == m_cut)
        return {};
    Kept kept(static_cast<std::size_t>(m_stage->batches()));
    QS_CHECK(run(
        plan, cut,
        [&](std::int64_t item, std::span<const TensorView> values) {
            const auto batch = static_cast<std::size_t>(item);
            for (const TensorView& value : values)
                kept[batch].push_back(copyOf(value));
            if (!m_kept.empty())
                m_kept[batch].clear(); // so that no more than one cut is held at a time
        },
        job));
    m_cut = cut;
    m_kept = std::move(kept);
    return {};
}

} // namespace quantoscope::planning
