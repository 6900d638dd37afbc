// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/channel_scaling.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/planning/transforms/capped_activation.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::NodeId;
using graph::ValueId;

class Scaler {
public:
    Scaler(const Graph& graph, const ChannelClasses& classes, const std::vector<double>& factors)
        : m_graph(graph)
        , m_classes(classes)
        , m_factors(factors)
    {
    }

    Graph run()
    {
        for (const auto& layer : m_classes.layers())
            scaleLayer(layer);
        for (const auto& operand : m_classes.operands())
            scaleOperand(operand);
        for (const auto cap : m_classes.caps())
            scaleCap(cap);
        m_graph.removeDead();
        return std::move(m_graph);
    }

    /// Of each channel of a value; empty if all are 1.
    std::vector<double> factorsOf(ValueId value) const
    {
        const auto& dims = m_graph.value(value).type.dims;
        if (!dims || dims->size() < 2 || !(*dims)[1].known())
            return {};
        std::vector<double> factors;
        for (std::int64_t c = 0; c < (*dims)[1].value; ++c) {
            const int number = m_classes.classOf(value, c);
            factors.push_back(number == ChannelClasses::fixed ? 1 : m_factors[static_cast<std::size_t>(number)]);
        }
        if (std::ranges::all_of(factors, [](double f) { return f == 1; }))
            factors.clear();
        return factors;
    }

private:
    void scaleLayer(const ScalableLayer& scalable)
    {
        const auto outputs = factorsOf(scalable.layer.output);
        const auto inputs = factorsOf(scalable.layer.input);
        if (outputs.empty() && inputs.empty())
            return;
        const WeightIndex index(m_graph, scalable);
        const auto at = [](const std::vector<double>& factors, std::int64_t c) {
            return factors.empty() ? 1 : factors[static_cast<std::size_t>(c)];
        };
        scaleConstant(scalable.layer.weight,
            [&](std::size_t i) { return at(outputs, index.output(i)) / at(inputs, index.input(i)); });
        if (scalable.layer.bias.valid())
            scaleConstant(
                scalable.layer.bias, [&](std::size_t i) { return at(outputs, static_cast<std::int64_t>(i)); });
    }

    void scaleConstant(ValueId id, const std::function<double(std::size_t)>& factor)
    {
        auto& constant = m_graph.value(id).constant;
        Tensor scaled = *constant;
        const auto values = scaled.as<float>();
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>(static_cast<double>(values[i]) * factor(i));
        constant = std::make_shared<const Tensor>(std::move(scaled));
    }

    /// Where one element served several channels the operand grows by the axis of channels.
    void scaleOperand(const ScaledOperand& operand)
    {
        const auto factors = factorsOf(operand.value);
        if (factors.empty())
            return;
        const auto id = m_graph.node(operand.node).inputs[operand.slot];
        const auto& value = m_graph.value(id);
        const auto rank = std::ssize(*m_graph.value(operand.value).type.dims);
        const auto name = m_graph.uniqueName(value.name + " equalized");
        const auto scaled
            = m_graph.addConstant(name, std::make_shared<const Tensor>(timesChannels(*value.constant, factors, rank)));
        m_graph.setInput(operand.node, operand.slot, scaled);
    }

    static Tensor timesChannels(const Tensor& constant, const std::vector<double>& factors, std::ptrdiff_t rank)
    {
        std::vector<std::int64_t> extents(static_cast<std::size_t>(rank), 1);
        const auto& shape = constant.shape();
        std::copy(shape.begin(), shape.end(), extents.end() - shape.rank());
        const bool grows = extents[1] == 1;
        extents[1] = std::ssize(factors);
        Tensor result(DType::Float32, Shape(extents));
        const auto in = constant.as<float>();
        const auto out = result.as<float>();
        const auto inner = static_cast<std::size_t>(result.shape().strides()[1]);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::size_t image = i / inner / factors.size();
            const std::size_t from = grows ? image * inner + i % inner : i;
            out[i] = static_cast<float>(static_cast<double>(in[from]) * factors[i / inner % factors.size()]);
        }
        return result;
    }

    void scaleCap(NodeId clip)
    {
        const auto factors = factorsOf(m_graph.node(clip).outputs[0]);
        if (factors.empty())
            return;
        std::vector<float> caps;
        for (const double factor : factors)
            caps.push_back(static_cast<float>(upperBound(m_graph, clip) * factor));
        capChannels(m_graph, clip, caps);
    }

    Graph m_graph;
    const ChannelClasses& m_classes;
    const std::vector<double>& m_factors;
};

} // namespace

WeightIndex::WeightIndex(const graph::Graph& graph, const ScalableLayer& layer)
    : m_groups(layer.layer.groups)
    , m_inputsFirst(layer.layer.weightChannelAxis == 1)
{
    const auto& shape = graph.value(layer.layer.weight).constant->shape();
    m_outer = shape[0];
    m_middle = shape[1];
    m_inner = shape.strides()[1];
}

std::int64_t WeightIndex::output(std::size_t element) const
{
    const auto i = static_cast<std::int64_t>(element);
    const std::int64_t first = i / m_inner / m_middle;
    const std::int64_t second = i / m_inner % m_middle;
    return m_inputsFirst ? first / (m_outer / m_groups) * m_middle + second : first;
}

std::int64_t WeightIndex::input(std::size_t element) const
{
    const auto i = static_cast<std::int64_t>(element);
    const std::int64_t first = i / m_inner / m_middle;
    const std::int64_t second = i / m_inner % m_middle;
    return m_inputsFirst ? first : first / (m_outer / m_groups) * m_middle + second;
}

graph::Graph scaleChannels(const graph::Graph& graph, const ChannelClasses& classes, const std::vector<double>& factors)
{
    return Scaler(graph, classes, factors).run();
}

std::map<std::string, std::vector<double>, std::less<>> factorsByValue(
    const graph::Graph& graph, const ChannelClasses& classes, const std::vector<double>& factors)
{
    const Scaler scaler(graph, classes, factors);
    std::map<std::string, std::vector<double>, std::less<>> byValue;
    for (const auto id : graph.values())
        if (auto found = scaler.factorsOf(id); !found.empty())
            byValue.emplace(graph.value(id).name, std::move(found));
    return byValue;
}

} // namespace quantoscope::planning
