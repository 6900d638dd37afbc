// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/noise_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "core/calibration/range_estimator.h"
#include "core/planning/placement.h"
#include "core/planning/transforms/channel_scaling.h"

namespace quantoscope::planning {

namespace {

using calibration::TensorStats;
using graph::Graph;

/// How much more an error of weights weighs than one of activations of the same power: it is the same at every place
/// and in every image, so that pooling does not average it out and layers behind pass it on whole. Found on MobileNetV2
/// at W4 A4 reconstructed, by divergence from float on images held back: 1.39 at 2, 1.22 at 12, 1.61 at 40.
constexpr double weightNoise = 12;
constexpr double narrowest = 1.0 / 64; ///< share of a tensor's range that every channel is taken to have at least

/// x^16, the norm that stands for a maximum.
double raised(double x)
{
    x *= x;
    x *= x;
    x *= x;
    return x * x;
}
double rooted(double x) { return std::pow(x, 1.0 / 16); }

double stepShare(const quant::TensorQuantizer& quantizer)
{
    const double levels = static_cast<double>(quantizer.encoding.qmax) - quantizer.encoding.qmin;
    return 1 / (12 * levels * levels);
}

std::vector<int> classesOf(const Graph& graph, const ChannelClasses& classes, graph::ValueId value)
{
    std::vector<int> result;
    const auto& dims = graph.value(value).type.dims;
    if (dims && dims->size() > 1 && (*dims)[1].known())
        for (std::int64_t c = 0; c < (*dims)[1].value; ++c)
            result.push_back(classes.classOf(value, c));
    return result;
}

double factorOf(int number, const std::vector<double>& factors)
{
    return number == ChannelClasses::fixed ? 1 : factors[static_cast<std::size_t>(number)];
}

void addTo(std::vector<double>& gradient, int number, double value)
{
    if (number != ChannelClasses::fixed)
        gradient[static_cast<std::size_t>(number)] += value;
}

/// The range of each channel of a tensor if it had one of its own; empty if that is not known.
std::optional<quant::Encoding> channelRanges(const TensorStats& stats, const quant::TensorQuantizer& quantizer)
{
    auto config = quantizer.config;
    config.granularity = quant::Granularity::perChannel(1);
    if (stats.channels().empty())
        return std::nullopt;
    auto encoding = calibration::estimateEncoding(stats, config, quantizer.range);
    if (!encoding)
        encoding = calibration::estimateEncoding(stats, config, {});
    return encoding ? std::optional(*std::move(encoding)) : std::nullopt;
}

/// |w|^2 of the columns of each input channel, all groups.
std::vector<double> columnPowers(const Graph& graph, const ScalableLayer& layer)
{
    std::vector<double> powers(static_cast<std::size_t>(layer.inputs));
    const auto weights = graph.value(layer.layer.weight).constant->as<float>();
    const WeightIndex index(graph, layer);
    for (std::size_t i = 0; i < weights.size(); ++i)
        powers[static_cast<std::size_t>(index.input(i))] += static_cast<double>(weights[i]) * weights[i];
    return powers;
}

} // namespace

NoiseModel::NoiseModel(const Graph& graph, const ChannelClasses& classes, const calibration::CalibrationStats& stats,
    const quant::QuantizationPlan& plan)
    : m_movable(classes.size(), true)
{
    std::map<graph::ValueId, std::vector<double>> gainsOfInput; // by channel
    std::vector<double> gainsOfClass(classes.size());
    std::map<graph::ValueId, double> signals; // variance of what layers put out, by weight
    for (const auto& layer : classes.layers()) {
        const auto inputs = classesOf(graph, classes, layer.layer.input);
        const auto* seen = stats.find(graph.value(layer.layer.input).name);
        if (!seen || std::ssize(seen->channels()) != layer.inputs) {
            freeze(inputs);
            freeze(classesOf(graph, classes, layer.layer.output));
            continue;
        }
        auto gains = columnPowers(graph, layer);
        double signal = 0;
        for (std::size_t c = 0; c < gains.size(); ++c)
            signal += gains[c] * seen->channels()[c].variance();
        if (!(signal > 0))
            continue;
        auto& ofInput = gainsOfInput[layer.layer.input];
        ofInput.resize(gains.size());
        for (std::size_t c = 0; c < gains.size(); ++c) {
            ofInput[c] += gains[c] / signal;
            addTo(gainsOfClass, inputs[c], gains[c] / signal);
        }
        signals.emplace(layer.layer.weight, signal);
    }
    for (const auto& layer : classes.layers()) {
        const auto* quantizer = plan.find(graph.value(layer.layer.weight).name);
        const auto signal = signals.find(layer.layer.weight);
        if (!quantizer || signal == signals.end())
            continue;
        addWeight(graph, classes, layer, stats.find(graph.value(layer.layer.input).name)->channels(), *quantizer,
            signal->second);
        if (!quantizer->encoding.perChannel())
            addOutputs(classesOf(graph, classes, layer.layer.output), signal->second, gainsOfClass);
    }
    addActivations(graph, classes, stats, plan, gainsOfInput, gainsOfClass);
}

void NoiseModel::addActivations(const Graph& graph, const ChannelClasses& classes,
    const calibration::CalibrationStats& stats, const quant::QuantizationPlan& plan,
    const std::map<graph::ValueId, std::vector<double>>& gainsOfInput, const std::vector<double>& gainsOfClass)
{
    std::map<std::string, std::string> roots; // of tensors that share an encoding
    std::map<std::string, ActivationTerm> terms;
    for (const auto& slot : placeQuantizers(graph, plan.scope, plan.floatOperators)) {
        const auto* quantizer = plan.find(slot.tensor);
        const auto value = graph.find(slot.tensor);
        if (slot.role != quant::Role::Activation || !quantizer || !value)
            continue;
        const auto& root = roots[slot.tensor] = slot.sharesWith.empty() ? slot.tensor : roots[slot.sharesWith];
        const auto channels = classesOf(graph, classes, *value);
        if (!slot.ownValues || quantizer->encoding.perChannel()
            || std::ranges::all_of(channels, [](int c) { return c == ChannelClasses::fixed; }))
            continue;
        const auto* seen = stats.find(slot.tensor);
        const auto ranges = seen ? channelRanges(*seen, *quantizer) : std::nullopt;
        if (!ranges || ranges->scale.size() != channels.size()) {
            freeze(channels);
            continue;
        }
        auto& term = terms[root];
        term.steps = stepShare(*quantizer);
        const auto own = gainsOfInput.find(*value);
        for (std::size_t c = 0; c < channels.size(); ++c) {
            const bool layersOnly = plan.scope == quant::Scope::Compute && own != gainsOfInput.end();
            term.classes.push_back(channels[c]);
            term.high.push_back(std::max(0.0F, ranges->high(c)));
            term.low.push_back(std::max(0.0F, -ranges->low(c)));
            term.gains.push_back(layersOnly                ? own->second[c]
                    : channels[c] == ChannelClasses::fixed ? 0
                                                           : gainsOfClass[static_cast<std::size_t>(channels[c])]);
        }
    }
    for (auto& [root, term] : terms) {
        const double widest = std::max(std::ranges::max(term.high), std::ranges::max(term.low));
        for (std::size_t c = 0; c < term.high.size(); ++c)
            term.high[c] = std::max(term.high[c], term.low[c] > 0 ? 0 : narrowest * widest);
        if (widest > 0)
            m_activations.push_back(std::move(term));
    }
}

void NoiseModel::addWeight(const Graph& graph, const ChannelClasses& classes, const ScalableLayer& layer,
    const std::vector<calibration::Moments>& input, const quant::TensorQuantizer& quantizer, double signal)
{
    WeightTerm term;
    term.inputs = classesOf(graph, classes, layer.layer.input);
    term.columns = layer.inputs / layer.layer.groups;
    term.rowsOfGroup = layer.outputs / layer.layer.groups;
    term.largest.resize(static_cast<std::size_t>(layer.outputs * term.columns));
    const auto weights = graph.value(layer.layer.weight).constant->as<float>();
    const WeightIndex index(graph, layer);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        auto& largest
            = term.largest[static_cast<std::size_t>(index.output(i) * term.columns + index.input(i) % term.columns)];
        largest = std::max(largest, std::abs(weights[i]));
    }
    const double places = static_cast<double>(weights.size()) / static_cast<double>(layer.outputs * term.columns);
    for (const auto& channel : input)
        term.power.push_back(places * (channel.variance() + channel.mean * channel.mean));
    term.steps = 4 * weightNoise * stepShare(quantizer) / signal; // from -R to R
    m_weights.push_back(std::move(term));
}

void NoiseModel::addOutputs(
    const std::vector<int>& channelClasses, double signal, const std::vector<double>& gainsOfClass)
{
    auto& term = m_weights.back();
    term.outputs = channelClasses;
    for (const int c : channelClasses)
        term.importance.push_back(c == ChannelClasses::fixed ? 1 : signal * gainsOfClass[static_cast<std::size_t>(c)]);
}

void NoiseModel::freeze(const std::vector<int>& channelClasses)
{
    for (const int c : channelClasses)
        if (c != ChannelClasses::fixed)
            m_movable[static_cast<std::size_t>(c)] = false;
}

double NoiseModel::evaluate(const std::vector<double>& logFactors, std::vector<double>& gradient) const
{
    std::vector<double> factors(logFactors.size());
    std::ranges::transform(logFactors, factors.begin(), [](double f) { return std::exp(f); });
    gradient.assign(factors.size(), 0);
    double noise = 0;
    for (const auto& term : m_activations)
        noise += add(term, factors, gradient);
    for (const auto& term : m_weights)
        noise += add(term, factors, gradient);
    for (std::size_t c = 0; c < gradient.size(); ++c)
        if (!m_movable[c])
            gradient[c] = 0;
    return noise;
}

double NoiseModel::add(const ActivationTerm& term, const std::vector<double>& factors, std::vector<double>& gradient)
{
    const std::size_t count = term.classes.size();
    std::vector<double> factor(count);
    double highest = 0;
    double lowest = 0;
    double gain = 0;
    for (std::size_t c = 0; c < count; ++c) {
        factor[c] = factorOf(term.classes[c], factors);
        highest = std::max(highest, term.high[c] * factor[c]);
        lowest = std::max(lowest, term.low[c] * factor[c]);
        gain += term.gains[c] / (factor[c] * factor[c]);
    }
    double highs = 0;
    double lows = 0;
    for (std::size_t c = 0; c < count; ++c) {
        highs += highest > 0 ? raised(term.high[c] * factor[c] / highest) : 0;
        lows += lowest > 0 ? raised(term.low[c] * factor[c] / lowest) : 0;
    }
    const double high = highest > 0 ? highest * rooted(highs) : 0;
    const double low = lowest > 0 ? lowest * rooted(lows) : 0;
    const double extent = high + low;
    const double noise = term.steps * extent * extent * gain;
    for (std::size_t c = 0; c < count; ++c) {
        const double ofHigh = highest > 0 ? high * raised(term.high[c] * factor[c] / highest) / highs : 0;
        const double ofLow = lowest > 0 ? low * raised(term.low[c] * factor[c] / lowest) / lows : 0;
        const double passedOn = term.steps * extent * extent * term.gains[c] / (factor[c] * factor[c]);
        addTo(gradient, term.classes[c], 2 * noise * (ofHigh + ofLow) / extent - 2 * passedOn);
    }
    return noise;
}

/// One weight's noise under factors of its channels. Rows of one scale make up a block: the row itself, or all.
class NoiseModel::WeightNoise {
public:
    WeightNoise(const WeightTerm& term, const std::vector<double>& factors)
        : m_term(term)
        , m_rows(std::ssize(term.largest) / term.columns)
        , m_input(term.inputs.size())
        , m_output(static_cast<std::size_t>(m_rows), 1.0)
        , m_extents(static_cast<std::size_t>(m_rows))
        , m_sums(m_extents.size())
        , m_powers(m_extents.size())
        , m_shares(term.largest.size())
    {
        for (std::size_t c = 0; c < m_input.size(); ++c)
            m_input[c] = factorOf(term.inputs[c], factors);
        for (std::size_t o = 0; o < term.outputs.size(); ++o)
            m_output[o] = factorOf(term.outputs[o], factors);
        for (std::int64_t o = 0; o < m_rows; ++o)
            for (std::int64_t c = 0; c < term.columns; ++c)
                m_extents[row(o)] = std::max(m_extents[row(o)], scaled(o, c));
        if (!term.outputs.empty())
            std::ranges::fill(m_extents, std::ranges::max(m_extents));
        for (std::int64_t o = 0; o < m_rows; ++o)
            sumRow(o);
        if (!term.outputs.empty())
            std::ranges::fill(m_sums, std::accumulate(m_sums.begin(), m_sums.end(), 0.0));
    }

    double addGradient(std::vector<double>& gradient) const
    {
        double total = 0;
        for (std::int64_t o = 0; o < m_rows; ++o)
            total += noiseOf(o);
        for (std::int64_t o = 0; o < m_rows; ++o) {
            const double block = m_term.outputs.empty() ? noiseOf(o) : total;
            if (!(m_extents[row(o)] > 0))
                continue;
            double ofRow = 0;
            for (std::int64_t c = 0; c < m_term.columns; ++c) {
                const double share = m_shares[at(o, c)] / m_sums[row(o)];
                const auto input = column(o, c);
                const double passed = m_term.power[input] * m_input[input] * m_input[input];
                ofRow += share;
                addTo(gradient, m_term.inputs[input], 2 * squareOf(o) * passed - 2 * block * share);
            }
            if (!m_term.outputs.empty())
                addTo(gradient, m_term.outputs[row(o)], 2 * block * ofRow - 2 * noiseOf(o));
        }
        return total;
    }

private:
    static std::size_t row(std::int64_t o) { return static_cast<std::size_t>(o); }
    std::size_t at(std::int64_t o, std::int64_t c) const { return static_cast<std::size_t>(o * m_term.columns + c); }
    std::size_t column(std::int64_t o, std::int64_t c) const
    {
        return static_cast<std::size_t>(o / m_term.rowsOfGroup * m_term.columns + c);
    }
    double scaled(std::int64_t o, std::int64_t c) const
    {
        return static_cast<double>(m_term.largest[at(o, c)]) / m_input[column(o, c)] * m_output[row(o)];
    }

    void sumRow(std::int64_t o)
    {
        for (std::int64_t c = 0; c < m_term.columns; ++c) {
            const auto input = column(o, c);
            m_powers[row(o)] += m_term.power[input] * m_input[input] * m_input[input];
            m_shares[at(o, c)] = m_extents[row(o)] > 0 ? raised(scaled(o, c) / m_extents[row(o)]) : 0;
            m_sums[row(o)] += m_shares[at(o, c)];
        }
    }

    /// What a unit of power on the row's inputs becomes, in units of its outputs before scaling.
    double squareOf(std::int64_t o) const
    {
        const double extent = m_extents[row(o)] * rooted(m_sums[row(o)]) / m_output[row(o)];
        const double importance = m_term.importance.empty() ? 1 : m_term.importance[row(o)];
        return m_term.steps * importance * extent * extent;
    }
    double noiseOf(std::int64_t o) const { return squareOf(o) * m_powers[row(o)]; }

    const WeightTerm& m_term;
    std::int64_t m_rows;
    std::vector<double> m_input; ///< factors
    std::vector<double> m_output;
    std::vector<double> m_extents; ///< largest scaled |w| of a row's block
    std::vector<double> m_sums; ///< of its shares
    std::vector<double> m_powers;
    std::vector<double> m_shares; ///< sixteenth powers of scaled |w| over the extent
};

double NoiseModel::add(const WeightTerm& term, const std::vector<double>& factors, std::vector<double>& gradient)
{
    return WeightNoise(term, factors).addGradient(gradient);
}

} // namespace quantoscope::planning
