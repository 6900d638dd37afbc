// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/equalization.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/planning/transforms/channel_classes.h"
#include "core/planning/transforms/channel_scaling.h"

namespace quantoscope::planning {

namespace {

constexpr int mostSweeps = 200;
constexpr double converged = 1e-3; ///< largest change of a factor's logarithm
constexpr double largestFactor = 1e4; ///< beyond that a channel is as good as dead
constexpr double dead = 1e-9; ///< share of a weight's range below which a channel is not looked at

/// |w| of a layer by output and input channel, the largest over the kernel's places, under factors of both.
class LayerRanges {
public:
    LayerRanges(const graph::Graph& graph, const ChannelClasses& classes, const ScalableLayer& layer)
        : m_rows(layer.outputs)
        , m_columns(layer.inputs / layer.layer.groups)
        , m_rowsOfGroup(layer.outputs / layer.layer.groups)
        , m_largest(static_cast<std::size_t>(m_rows * m_columns), 0.0)
    {
        const auto weights = graph.value(layer.layer.weight).constant->as<float>();
        const WeightIndex index(graph, layer);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            auto& largest
                = m_largest[static_cast<std::size_t>(index.output(i) * m_columns + index.input(i) % m_columns)];
            largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
        }
        for (std::int64_t o = 0; o < m_rows; ++o)
            m_outputs.push_back(classes.classOf(layer.layer.output, o));
        for (std::int64_t i = 0; i < layer.inputs; ++i)
            m_inputs.push_back(classes.classOf(layer.layer.input, i));
    }

    const std::vector<int>& outputs() const { return m_outputs; } ///< classes
    const std::vector<int>& inputs() const { return m_inputs; }

    /// Largest scaled |w| of an output channel, and of an input channel.
    double ofOutput(std::int64_t o, const std::vector<double>& factors) const
    {
        const std::int64_t first = o / m_rowsOfGroup * m_columns;
        double largest = 0;
        for (std::int64_t c = 0; c < m_columns; ++c)
            largest = std::max(largest, at(o, c) / factor(m_inputs, first + c, factors));
        return largest * factor(m_outputs, o, factors);
    }
    double ofInput(std::int64_t i, const std::vector<double>& factors) const
    {
        const std::int64_t first = i / m_columns * m_rowsOfGroup;
        double largest = 0;
        for (std::int64_t o = first; o < first + m_rowsOfGroup; ++o)
            largest = std::max(largest, at(o, i % m_columns) * factor(m_outputs, o, factors));
        return largest / factor(m_inputs, i, factors);
    }
    double ofAll(const std::vector<double>& factors) const
    {
        double largest = 0;
        for (std::int64_t o = 0; o < m_rows; ++o)
            largest = std::max(largest, ofOutput(o, factors));
        return largest;
    }

private:
    double at(std::int64_t o, std::int64_t column) const
    {
        return m_largest[static_cast<std::size_t>(o * m_columns + column)];
    }
    static double factor(const std::vector<int>& classes, std::int64_t channel, const std::vector<double>& factors)
    {
        const int c = classes[static_cast<std::size_t>(channel)];
        return c == ChannelClasses::fixed ? 1 : factors[static_cast<std::size_t>(c)];
    }

    std::int64_t m_rows;
    std::int64_t m_columns; ///< input channels of one group
    std::int64_t m_rowsOfGroup;
    std::vector<double> m_largest;
    std::vector<int> m_outputs;
    std::vector<int> m_inputs;
};

class Equalizer {
public:
    Equalizer(const graph::Graph& graph, const ChannelClasses& classes, const EqualizationOptions& options)
        : m_producers(classes.size())
        , m_consumers(classes.size())
        , m_factors(classes.size(), 1.0)
    {
        for (const auto& layer : classes.layers()) {
            const auto& ranges = m_layers.emplace_back(graph, classes, layer);
            const std::size_t index = m_layers.size() - 1;
            enter(m_producers, ranges.outputs(), index);
            enter(m_consumers, ranges.inputs(), index);
        }
        for (auto& producers : m_producers)
            if (producers.size() > 1 && !options.residualChains)
                producers.clear();
    }

    int run()
    {
        int sweeps = 0;
        while (sweeps < mostSweeps && sweep() > converged)
            ++sweeps;
        return sweeps;
    }

    const std::vector<double>& factors() const { return m_factors; }

private:
    /// A channel of a layer.
    struct Slice {
        std::size_t layer;
        std::int64_t channel;
    };
    using Slices = std::vector<std::vector<Slice>>; ///< by class

    static void enter(Slices& slices, const std::vector<int>& classes, std::size_t layer)
    {
        for (std::size_t c = 0; c < classes.size(); ++c)
            if (classes[c] != ChannelClasses::fixed)
                slices[static_cast<std::size_t>(classes[c])].push_back({ layer, static_cast<std::int64_t>(c) });
    }

    /// Balances every class once, each one seeing those before it; the largest change of a logarithm.
    double sweep()
    {
        m_whole.clear();
        for (const auto& layer : m_layers)
            m_whole.push_back(layer.ofAll(m_factors));
        double change = 0;
        for (std::size_t c = 0; c < m_factors.size(); ++c) {
            const double made = share(m_producers[c], &LayerRanges::ofOutput);
            const double read = share(m_consumers[c], &LayerRanges::ofInput);
            if (made <= dead || read <= dead)
                continue;
            const double before = m_factors[c];
            m_factors[c] = std::clamp(before * std::sqrt(read / made), 1 / largestFactor, largestFactor);
            change = std::max(change, std::abs(std::log(m_factors[c] / before)));
        }
        return change;
    }

    /// Which part of their weights' ranges the slices use.
    double share(const std::vector<Slice>& slices,
        double (LayerRanges::*range)(std::int64_t, const std::vector<double>&) const) const
    {
        double largest = 0;
        for (const auto& slice : slices)
            if (const double whole = m_whole[slice.layer]; whole > 0)
                largest = std::max(largest, (m_layers[slice.layer].*range)(slice.channel, m_factors) / whole);
        return largest;
    }

    std::vector<LayerRanges> m_layers;
    Slices m_producers;
    Slices m_consumers;
    std::vector<double> m_factors; ///< by class
    std::vector<double> m_whole; ///< by layer: largest |w|
};

} // namespace

Result<EqualizedGraph> equalize(const graph::Graph& graph, const EqualizationOptions& options)
{
    QS_TRY([[maybe_unused]] const auto order, graph.topologicalOrder());
    const ChannelClasses classes(graph);
    Equalizer equalizer(graph, classes, options);
    const int sweeps = equalizer.run();
    EqualizedGraph equalized;
    equalized.factors = factorsByValue(graph, classes, equalizer.factors());
    equalized.graph = std::make_shared<const graph::Graph>(scaleChannels(graph, classes, equalizer.factors()));
    const auto [least, most] = std::ranges::minmax_element(equalizer.factors());
    char text[160];
    if (equalized.factors.empty())
        std::snprintf(text, sizeof text, "nothing to equalize: no channels between two layers can be scaled");
    else
        std::snprintf(text, sizeof text, "channels of %zu tensors equalized in %d %s, factors from %.3g to %.3g",
            equalized.factors.size(), sweeps, sweeps == 1 ? "sweep" : "sweeps", *least, *most);
    equalized.notes.emplace_back(text);
    return equalized;
}

} // namespace quantoscope::planning
