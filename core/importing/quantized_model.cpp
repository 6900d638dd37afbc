// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/quantized_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/importing/imported_quantizer.h"
#include "core/importing/integer_operators.h"
#include "core/importing/quantizer_nodes.h"

namespace quantoscope::importing {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::ValueId;
using quant::Encoding;
using quant::QuantizationPlan;
using quant::Role;
using quant::TensorQuantizer;

namespace {

constexpr const char* planKey = "quantoscope.plan";

bool isComputeLayer(const Node& node)
{
    constexpr std::array ops { "Conv", "ConvTranspose", "Gemm", "MatMul" };
    return node.domain.empty() && std::ranges::find(ops, node.opType) != ops.end();
}

/// Constant nodes become constants, so that scales are known wherever they are written.
void liftConstants(Graph& graph)
{
    for (const auto id : graph.nodes()) {
        const auto& node = graph.node(id);
        if (node.opType != "Constant" || !node.domain.empty() || !node.hasOutput(0))
            continue;
        if (const auto value = node.tensorAttribute("value")) {
            graph.makeConstant(node.outputs[0], value);
            graph.removeNode(id);
        }
    }
}

Tensor dequantized(const Tensor& stored, const Encoding& encoding)
{
    const auto levels = tensor::convert(stored.view(), DType::Int32);
    Tensor values(DType::Float32, stored.shape());
    quant::dequantize(encoding, stored.shape(), levels.as<std::int32_t>(), values.as<float>());
    return values;
}

/// "w" for "w_quantized", the suffix that tools give to stored integers.
std::string baseName(const std::string& name)
{
    constexpr std::string_view suffix = "_quantized";
    return name.size() > suffix.size() && name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

std::optional<QuantizationPlan> planInMetadata(graph::Model& model)
{
    const auto entry = model.metadata.find(planKey);
    if (entry == model.metadata.end())
        return std::nullopt;
    const auto json = Json::parse(entry->second, nullptr, false);
    model.metadata.erase(entry); // says what this file was; the model it becomes is another
    auto plan = json.is_discarded() ? fail(ErrorCode::InvalidInput, "no JSON") : QuantizationPlan::fromJson(json);
    return plan ? std::optional(*std::move(plan)) : std::nullopt;
}

/// Takes the quantizers found in a graph out of it.
class Extraction {
public:
    Extraction(Graph& graph, std::optional<QuantizationPlan> known, QuantizedModel& result)
        : m_graph(graph)
        , m_known(std::move(known))
        , m_result(result)
    {
    }

    Result<void> run()
    {
        QS_TRY(const auto order, m_graph.topologicalOrder());
        for (const auto node : order)
            if (endsQuantizer(m_graph.node(node)))
                collect(node);
        m_result.plan.scope = chooseScope();
        for (const auto& quantizer : m_found)
            extract(quantizer);
        m_graph.removeDead();
        m_graph.opsets.erase(qonnxDomain);
        describe();
        return {};
    }

private:
    /// A value whose quantizer is in the plan, by what was quantized and how.
    struct Extracted {
        Encoding encoding;
        ValueId target;
    };

    void collect(NodeId node)
    {
        std::string why;
        if (auto found = quantizerEndingAt(m_graph, node, why)) {
            m_found.push_back(*std::move(found));
        } else {
            m_result.notes.push_back(
                "node '" + m_graph.label(node) + "' stays as it is, computed but not to be edited: " + why);
        }
    }

    bool onlyLayersRead(ValueId id) const
    {
        return !m_graph.isOutput(id) && std::ranges::all_of(m_graph.consumers(id), [&](NodeId reader) {
            return isComputeLayer(m_graph.node(reader));
        });
    }

    /// Compute where that says all that the file does, unless a plan of ours says that integer was meant.
    quant::Scope chooseScope() const
    {
        if (m_known && m_known->scope == quant::Scope::Integer)
            return quant::Scope::Integer;
        std::map<ValueId, const Encoding*> encodings;
        for (const auto& found : m_found) {
            const bool isBias = found.stored && roleOf(found) == Role::Bias;
            const auto [entry, isNew] = encodings.emplace(found.source, &found.encoding);
            const bool layerReadsSource = std::ranges::any_of(
                m_graph.consumers(found.source), [&](NodeId reader) { return isComputeLayer(m_graph.node(reader)); });
            if (isBias || !onlyLayersRead(found.result) || (!isNew && *entry->second != found.encoding)
                || layerReadsSource)
                return quant::Scope::Integer;
        }
        return quant::Scope::Compute;
    }

    Role roleOf(const QuantizerNodes& found) const
    {
        if (!m_graph.isConstant(found.source))
            return Role::Activation;
        if (found.encoding.bits() > quant::maxBits)
            return Role::Bias;
        for (const auto reader : m_graph.consumers(found.result)) {
            const auto& node = m_graph.node(reader);
            if (!isComputeLayer(node))
                continue;
            return node.hasInput(2) && node.inputs[2] == found.result ? Role::Bias : Role::Weight;
        }
        return Role::Constant;
    }

    /// Whether something reads the value as it is that will not read it quantized.
    bool isReadRaw(const QuantizerNodes& found, ValueId source) const
    {
        if (m_result.plan.scope == quant::Scope::Compute)
            return false;
        if (m_graph.isOutput(source) || (m_graph.isInput(source) && m_graph.isOutput(found.result)))
            return true;
        return std::ranges::any_of(m_graph.consumers(source), [&](NodeId reader) {
            const auto sameHead
                = [&](const QuantizerNodes& other) { return other.head == reader && other.encoding == found.encoding; };
            return !std::ranges::any_of(m_found, sameHead);
        });
    }

    ValueId targetFor(const QuantizerNodes& found, ValueId source)
    {
        const auto name = m_graph.value(source).name;
        if (found.stored)
            return m_graph.addConstant(m_graph.uniqueName(baseName(name)),
                std::make_shared<const Tensor>(dequantized(*m_graph.value(source).constant, found.encoding)));
        if (!isReadRaw(found, source) && !m_quantized.contains(source))
            return source;
        if (m_graph.isConstant(source))
            return m_graph.addConstant(m_graph.uniqueName(name + "_copy"), m_graph.value(source).constant);
        const auto copy = m_graph.addValue(m_graph.uniqueName(name + "_copy"), m_graph.value(source).type);
        Node identity;
        identity.name = m_graph.value(copy).name;
        identity.opType = "Identity";
        identity.inputs = { source };
        identity.outputs = { copy };
        m_graph.addNode(std::move(identity));
        return copy;
    }

    /// What a value that was quantized before is called now.
    ValueId resolved(ValueId id) const
    {
        const auto it = m_targets.find(id);
        return it == m_targets.end() ? id : it->second;
    }

    void extract(const QuantizerNodes& found)
    {
        const auto role = roleOf(found);
        const auto source = resolved(found.source);
        auto& known = m_extracted[source];
        auto same = std::ranges::find(known, found.encoding, &Extracted::encoding);
        // Quantizing what is on that very grid changes nothing.
        if (const auto own = m_quantized.find(source); own != m_quantized.end() && own->second == found.encoding) {
            replace(found.result, source);
            return;
        }
        if (same != known.end()) {
            replace(found.result, same->target);
            return;
        }
        const auto target = targetFor(found, source);
        replace(found.result, target);
        known.push_back({ found.encoding, target });
        m_quantized.emplace(target, found.encoding);
        const auto& name = m_graph.value(target).name;
        m_result.plan.set(name, adopted(name, found, role));
    }

    /// Everybody who read the quantized value reads the target; an output's name goes with it.
    void replace(ValueId quantized, ValueId target)
    {
        m_targets.emplace(quantized, target);
        const auto name = m_graph.value(quantized).name;
        const bool deliversOutput = m_graph.isOutput(quantized);
        m_graph.replaceUses(quantized, target);
        if (!deliversOutput)
            return;
        m_graph.rename(quantized, m_graph.uniqueName(name + "_was"));
        const auto* planned = m_result.plan.find(m_graph.value(target).name);
        if (planned) {
            const auto quantizer = *planned;
            m_result.plan.erase(m_graph.value(target).name);
            m_result.plan.set(name, quantizer);
        }
        m_graph.rename(target, name);
    }

    /// The quantizer of that name in the plan of the metadata, if its numbers are those of the file.
    TensorQuantizer adopted(const std::string& name, const QuantizerNodes& found, Role role) const
    {
        const auto* known = m_known ? m_known->find(name) : nullptr;
        if (known && known->encoding.scale == found.encoding.scale
            && known->encoding.zeroPoint == found.encoding.zeroPoint) {
            const auto& e = known->encoding;
            const bool sameLevels = found.stored ? e.qmin <= found.stored->lowest && found.stored->highest <= e.qmax
                                                 : e.qmin == found.encoding.qmin && e.qmax == found.encoding.qmax;
            if (sameLevels)
                return *known;
        }
        return importedQuantizer(found.encoding, role);
    }

    void describe()
    {
        auto& plan = m_result.plan;
        if (m_known && m_known->scope == plan.scope) {
            plan.title = m_known->title;
            plan.seed = m_known->seed;
            plan.biasRoom = m_known->biasRoom;
            plan.floatOperators = m_known->floatOperators;
            return;
        }
        plan.title = "as in the file: " + describeWidths(plan);
    }

    Graph& m_graph;
    std::optional<QuantizationPlan> m_known;
    QuantizedModel& m_result;
    std::vector<QuantizerNodes> m_found;
    std::map<ValueId, ValueId> m_targets; ///< quantized value of the file -> value that the plan quantizes
    std::map<ValueId, std::vector<Extracted>> m_extracted; ///< by source
    std::map<ValueId, Encoding> m_quantized; ///< values that the plan quantizes
};

} // namespace

bool isQuantized(const Graph& graph)
{
    return std::ranges::any_of(graph.nodes(), [&](NodeId id) {
        const auto& node = graph.node(id);
        return endsQuantizer(node) || isIntegerOperator(node);
    });
}

Result<QuantizedModel> readQuantizedModel(graph::Model model)
{
    QuantizedModel result;
    auto known = planInMetadata(model);
    liftConstants(model.graph);
    expandIntegerOperators(model.graph);
    graph::removeIdentities(model.graph);
    QS_CHECK(Extraction(model.graph, std::move(known), result).run());
    result.model = std::move(model);
    return result;
}

graph::PassOptions preparation()
{
    return { .removeIdentities = false, .foldBatchNorm = false, .separateBiases = false };
}

} // namespace quantoscope::importing
