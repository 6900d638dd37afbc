// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/layer_measure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <QCoreApplication>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::LayerMeasure", text); }

bool moreIsBetter(Measure measure) { return measure == Measure::WeightSqnr || measure == Measure::ActivationSqnr; }

double sqnr(const LayerAnalysis& layer, Measure measure)
{
    const bool weight = measure == Measure::WeightSqnr;
    const auto& error = weight ? layer.weightError : layer.activationError;
    const bool quantized = weight ? layer.weight.has_value() : layer.activation.has_value();
    return quantized && error.count > 0 ? error.sqnrDb() : unknown;
}

double costOf(const cost::LayerCost& cost, Measure measure)
{
    switch (measure) {
    case Measure::Macs:
        return static_cast<double>(cost.macs);
    case Measure::Bops:
        return cost.bops;
    default:
        return cost.weightBytes;
    }
}

/// What a sensitivity study found of each layer at one word-length.
struct Harms {
    std::vector<double> values; ///< of its worse operand
    QString unit;
    QString at;
};

/// The fewest bits that were tried for weights, or for activations: there layers differ the most, and it is the longest
/// bar of the chart. 0: none.
int fewestBits(const sweep::SensitivityResult& result, quant::Role role)
{
    int fewest = 0;
    for (const sweep::SensitivityPoint& point : result.points)
        if (result.units[point.unit].role == role && (fewest == 0 || point.bits < fewest))
            fewest = point.bits;
    return fewest;
}

Harms sensitivities(const sweep::SensitivityResult& result, const LoadedModel& model)
{
    const bool measured
        = std::ranges::any_of(result.points, [](const sweep::SensitivityPoint& p) { return p.measured.has_value(); });
    const int weights = fewestBits(result, quant::Role::Weight);
    const int activations = fewestBits(result, quant::Role::Activation);
    std::map<std::string, double, std::less<>> worst;
    for (const sweep::SensitivityPoint& point : result.points) {
        const sweep::QuantizedUnit& unit = result.units[point.unit];
        const double harm = !measured ? point.estimate(sweep::Estimate::Divergence)
            : point.measured          ? -point.measured->againstFloat.delta
                                      : unknown;
        if (std::isnan(harm) || point.bits != (unit.role == quant::Role::Weight ? weights : activations))
            continue;
        for (const std::string& layer : unit.layers) {
            const auto [found, added] = worst.emplace(layer, harm);
            if (!added)
                found->second = std::max(found->second, harm);
        }
    }
    Harms harms;
    harms.unit = measured ? tr("points") : tr("nat");
    harms.at = weights == 0 || activations == 0 || weights == activations
        ? tr("%1 bits").arg(std::max(weights, activations))
        : formatWordLengths(weights, activations);
    for (const LayerInfo& layer : model.layers) {
        const auto found = worst.find(layer.layer.name);
        harms.values.push_back(found == worst.end() ? unknown : found->second);
    }
    return harms;
}

std::vector<double> valuesOf(const Session& session, Measure measure)
{
    const LoadedModelPtr& model = session.model();
    std::vector<double> values;
    if (!model || measure == Measure::None)
        return values;
    const AnalysisPtr& analysis = session.analysis();
    if (!analysis || analysis->layers.size() != model->layers.size())
        return values;
    if (moreIsBetter(measure)) {
        for (const LayerAnalysis& layer : analysis->layers)
            values.push_back(sqnr(layer, measure));
        return values;
    }
    std::map<std::string, const cost::LayerCost*, std::less<>> byName;
    for (const cost::LayerCost& cost : analysis->cost.layers)
        byName.emplace(cost.layer, &cost);
    for (const LayerInfo& layer : model->layers) {
        const auto found = byName.find(layer.layer.name);
        values.push_back(found == byName.end() ? unknown : costOf(*found->second, measure));
    }
    return values;
}

} // namespace

std::optional<double> LayerMeasure::position(std::size_t layer) const
{
    if (layer >= values.size() || std::isnan(values[layer]))
        return std::nullopt;
    if (std::isinf(values[layer]))
        return (values[layer] > 0) == moreIsBetter(measure) ? 1.0 : 0.0;
    return best == worst ? 1.0 : std::clamp((values[layer] - worst) / (best - worst), 0.0, 1.0);
}

LayerMeasure measureLayers(const Session& session) { return measureLayers(session, session.measure()); }

LayerMeasure measureLayers(const Session& session, Measure measure)
{
    LayerMeasure result;
    result.measure = measure;
    std::vector<double> values;
    if (moreIsBetter(measure))
        result.unit = tr("dB");
    if (measure == Measure::Sensitivity && session.model() && session.sensitivity()) {
        Harms harms = sensitivities(*session.sensitivity(), *session.model());
        values = std::move(harms.values);
        result.unit = harms.unit;
        result.at = harms.at;
    } else if (measure != Measure::Sensitivity) {
        values = valuesOf(session, measure);
    }
    double low = std::numeric_limits<double>::max();
    double high = std::numeric_limits<double>::lowest();
    for (const double value : values)
        if (std::isfinite(value)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    if (low > high)
        return result;
    // Costs and harms begin at nothing, so that layers that are much alike look alike.
    if (!moreIsBetter(measure))
        low = std::min(low, 0.0);
    result.values = std::move(values);
    result.worst = moreIsBetter(measure) ? low : high;
    result.best = moreIsBetter(measure) ? high : low;
    return result;
}

QString measureName(Measure measure)
{
    switch (measure) {
    case Measure::None:
        return tr("Nothing");
    case Measure::WeightSqnr:
        return tr("SQNR of weights");
    case Measure::ActivationSqnr:
        return tr("SQNR of activations");
    case Measure::Sensitivity:
        return tr("Sensitivity");
    case Measure::Macs:
        return tr("MACs");
    case Measure::Bops:
        return tr("Bit operations");
    case Measure::Size:
        break;
    }
    return tr("Size");
}

QString measureTip(Measure measure)
{
    switch (measure) {
    case Measure::None:
        return tr("All layers look alike");
    case Measure::WeightSqnr:
        return tr("Signal-to-quantization-noise ratio of the weights, 10 log10(Σx² / Σ(x − x̂)²) dB");
    case Measure::ActivationSqnr:
        return tr("Signal-to-quantization-noise ratio of the activations that enter the layer, in dB");
    case Measure::Sensitivity:
        return tr("What is lost if the layer alone is quantized, weights or activations, whichever lose more, at the "
                  "fewest bits of the sensitivity study: points of top-1, or nats of divergence where no accuracy was "
                  "measured");
    case Measure::Macs:
        return tr("Multiply-accumulate operations for one image");
    case Measure::Bops:
        return tr("Bit operations for one image: MACs times weight bits times activation bits");
    case Measure::Size:
        break;
    }
    return tr("Bytes of weights and bias at their word-length");
}

QString formatMeasure(Measure measure, double value)
{
    switch (measure) {
    case Measure::None:
        return {};
    case Measure::WeightSqnr:
    case Measure::ActivationSqnr:
        return std::isnan(value) ? formatDecibel(value) : formatDecibel(value) + QChar(0x00a0) + tr("dB");
    case Measure::Sensitivity:
        return formatSignificant(value, 2);
    case Measure::Size:
        return formatBytes(value);
    default:
        return formatMetric(value);
    }
}

QString LayerMeasure::number(double value) const { return formatMeasure(measure, value); }

QString LayerMeasure::text(double value) const
{
    const QString figure = number(value);
    return measure != Measure::Sensitivity || std::isnan(value) || at.isEmpty()
        ? figure
        : tr("%1 %2 lost at %3").arg(figure, unit, at);
}

QString measureMissing(Measure measure)
{
    switch (measure) {
    case Measure::None:
        return {};
    case Measure::Sensitivity:
        return tr("Run Studies, Sensitivity to see this");
    case Measure::ActivationSqnr:
        return tr("Open labelled images to see this");
    default:
        return tr("Nothing is quantized");
    }
}

} // namespace quantoscope::ui
