// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/balancing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <utility>

#include "core/planning/transforms/channel_classes.h"
#include "core/planning/transforms/channel_scaling.h"
#include "core/planning/transforms/noise_model.h"

namespace quantoscope::planning {

namespace {

constexpr int steps = 250;
constexpr double firstStep = 0.15; ///< of a factor's logarithm
constexpr double largestFactor = 1e4; ///< beyond that a channel is as good as dead

/// Descent with steps of the gradient's sign and steadiness (Adam: Kingma and Ba 2015), shrinking to nothing.
class Descent {
public:
    explicit Descent(const NoiseModel& model)
        : m_model(model)
        , m_at(model.movable().size())
        , m_mean(m_at.size())
        , m_square(m_at.size())
    {
    }

    void run()
    {
        std::vector<double> gradient;
        m_before = m_least = m_model.evaluate(m_at, gradient);
        m_best = m_at;
        for (int step = 1; step <= steps; ++step) {
            move(gradient, step);
            const double noise = m_model.evaluate(m_at, gradient);
            if (noise < m_least) {
                m_least = noise;
                m_best = m_at;
            }
        }
    }

    std::vector<double> factors() const
    {
        std::vector<double> result;
        for (const double f : m_best)
            result.push_back(std::exp(f));
        return result;
    }
    double noiseBefore() const { return m_before; }
    double noiseAfter() const { return m_least; }

private:
    void move(const std::vector<double>& gradient, int step)
    {
        constexpr double keepMean = 0.9;
        constexpr double keepSquare = 0.99;
        const double length = firstStep * (1 + std::cos(std::numbers::pi * step / steps)) / 2;
        for (std::size_t c = 0; c < m_at.size(); ++c) {
            m_mean[c] = keepMean * m_mean[c] + (1 - keepMean) * gradient[c];
            m_square[c] = keepSquare * m_square[c] + (1 - keepSquare) * gradient[c] * gradient[c];
            const double mean = m_mean[c] / (1 - std::pow(keepMean, step));
            const double square = m_square[c] / (1 - std::pow(keepSquare, step));
            if (square > 0)
                m_at[c] = std::clamp(
                    m_at[c] - length * mean / std::sqrt(square), -std::log(largestFactor), std::log(largestFactor));
        }
    }

    const NoiseModel& m_model;
    std::vector<double> m_at; ///< logarithms
    std::vector<double> m_mean;
    std::vector<double> m_square;
    std::vector<double> m_best;
    double m_before = 0;
    double m_least = 0;
};

/// Factors of what layers put out: every class that is not fixed begins there.
quant::ChannelFactors ofLayers(
    const graph::Graph& graph, const ChannelClasses& classes, const std::vector<double>& factors)
{
    auto all = factorsByValue(graph, classes, factors);
    quant::ChannelFactors result;
    for (const auto& layer : classes.layers()) {
        const auto found = all.find(graph.value(layer.layer.output).name);
        if (found != all.end())
            result.insert(*found);
    }
    return result;
}

} // namespace

Result<EqualizedGraph> balance(
    const graph::Graph& graph, const calibration::CalibrationStats& stats, const quant::QuantizationPlan& plan)
{
    QS_TRY([[maybe_unused]] const auto order, graph.topologicalOrder());
    const ChannelClasses classes(graph);
    const NoiseModel model(graph, classes, stats, plan);
    Descent descent(model);
    descent.run();
    EqualizedGraph balanced;
    balanced.factors = ofLayers(graph, classes, descent.factors());
    QS_TRY(auto scaled, scaledGraph(graph, balanced.factors));
    balanced.graph = std::make_shared<const graph::Graph>(std::move(scaled));
    char text[160];
    if (balanced.factors.empty())
        std::snprintf(text, sizeof text, "nothing to balance: no channels between two layers can be scaled");
    else
        std::snprintf(text, sizeof text, "channels of %zu layers balanced: expected noise %.1f dB lower",
            balanced.factors.size(), 10 * std::log10(descent.noiseBefore() / descent.noiseAfter()));
    balanced.notes.emplace_back(text);
    return balanced;
}

Result<graph::Graph> scaledGraph(const graph::Graph& graph, const quant::ChannelFactors& factors)
{
    const ChannelClasses classes(graph);
    std::vector<double> byClass(classes.size(), 1.0);
    std::vector<bool> known(classes.size());
    const auto refuse = [](const std::string& name, const std::string& what) {
        return fail(ErrorCode::InvalidInput, what, "tensor '" + name + "'",
            "make the plan for this model, prepared the same way");
    };
    for (const auto& [name, values] : factors) {
        const auto id = graph.find(name);
        if (!id)
            return fail(ErrorCode::NotFound, "the plan scales a tensor that the model does not have",
                "tensor '" + name + "'", "make the plan for this model, prepared the same way");
        const auto& dims = graph.value(*id).type.dims;
        if (!dims || dims->size() < 2 || (*dims)[1].value != std::ssize(values))
            return refuse(name, "the plan scales " + std::to_string(values.size()) + " channels, it has others");
        for (std::size_t c = 0; c < values.size(); ++c) {
            const int number = classes.classOf(*id, static_cast<std::int64_t>(c));
            if (!(values[c] > 0) || !std::isfinite(values[c]))
                return refuse(name, "the plan scales a channel by a factor that is not positive");
            const auto at = static_cast<std::size_t>(std::max(number, 0));
            if (number == ChannelClasses::fixed ? values[c] != 1 : known[at] && byClass[at] != values[c])
                return refuse(name, "the plan scales channels that must stay as they are");
            if (number == ChannelClasses::fixed)
                continue;
            byClass[at] = values[c];
            known[at] = true;
        }
    }
    return scaleChannels(graph, classes, byClass);
}

} // namespace quantoscope::planning
