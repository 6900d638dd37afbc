// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/work.h"

#include <algorithm>
#include <limits>

#include <QStringList>

#include "core/calibration/range_estimator.h"
#include "core/engine/engine.h"
#include "core/graph/fingerprint.h"
#include "core/importing/open_model.h"
#include "core/planning/plan_changes.h"
#include "core/project/project.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::ui {

namespace {

/// In one pass over the weight, whatever its layout.
void findChannelRanges(LayerInfo& info, int axis)
{
    if (info.channels == 0)
        return;
    const auto values = info.weight->as<float>();
    std::int64_t inner = 1;
    for (int i = axis + 1; i < info.weight->shape().rank(); ++i)
        inner *= info.weight->shape()[i];
    info.channelLow.assign(static_cast<std::size_t>(info.channels), std::numeric_limits<float>::max());
    info.channelHigh.assign(static_cast<std::size_t>(info.channels), std::numeric_limits<float>::lowest());
    std::int64_t channel = 0;
    for (auto run = values.begin(); run != values.end(); run += inner) {
        const auto [low, high] = std::minmax_element(run, run + inner);
        auto& lowest = info.channelLow[static_cast<std::size_t>(channel)];
        auto& highest = info.channelHigh[static_cast<std::size_t>(channel)];
        lowest = std::min(lowest, *low);
        highest = std::max(highest, *high);
        channel = (channel + 1) % info.channels;
    }
}

LayerInfo describeLayer(const graph::Graph& graph, graph::Layer layer)
{
    LayerInfo info;
    info.name = QString::fromStdString(layer.name);
    info.inputShape = shapeText(graph.value(layer.input).type.dims);
    info.outputShape = shapeText(graph.value(layer.output).type.dims);
    info.inputTensor = graph.value(layer.input).name;
    if (layer.weight.valid() && graph.value(layer.weight).constant) {
        const graph::Value& value = graph.value(layer.weight);
        info.weightTensor = value.name;
        info.weightShape = shapeText(graph::toDims(value.constant->shape()));
        info.weight = value.constant->dtype() == DType::Float32
            ? value.constant
            : std::make_shared<const Tensor>(tensor::convert(value.constant->view(), DType::Float32));
        info.weightHistogram.add(info.weight->as<float>());
        info.channels
            = info.weight->shape().rank() > layer.weightChannelAxis ? info.weight->shape()[layer.weightChannelAxis] : 0;
        findChannelRanges(info, layer.weightChannelAxis);
    }
    info.layer = std::move(layer);
    return info;
}

/// The activations are left out where there is nothing yet to find their ranges from.
planning::PlanRequest weightsOnly(planning::PlanRequest request)
{
    request.activations.bits.reset();
    for (planning::LayerOverride& item : request.overrides) {
        item.activations = {};
    }
    return request;
}

/// The plan that a request makes of another. `exact`: it is that other one.
struct PlanOutcome {
    planning::BuiltPlan built;
    bool exact = false;
};

Result<PlanOutcome> planFor(const LoadedModel& model, const calibration::CalibrationStats* stats,
    const planning::PlanRequest& request, const quant::PlanPtr& base)
{
    PlanOutcome outcome;
    if (!base || request.scope != base->scope) {
        QS_TRY(outcome.built, planning::buildPlan(*model.graph, stats, stats ? request : weightsOnly(request)));
        return outcome;
    }
    const auto like = planning::requestLike(*base);
    outcome.exact = request == like;
    if (outcome.exact) {
        outcome.built.plan = *base;
        return outcome;
    }
    const bool both = request.rounding != like.rounding || request.firstLastBits != like.firstLastBits;
    planning::ChangedTensors changed { both || request.weights != like.weights,
        stats && (both || request.activations != like.activations) };
    auto wanted = stats ? request : weightsOnly(request);
    // What stays as it is needs no word-length, and so no statistics.
    if (!changed.weights)
        wanted.weights.bits.reset();
    if (!changed.activations)
        wanted.activations.bits.reset();
    QS_TRY(outcome.built, planning::changePlan(*model.graph, stats, *base, wanted, changed));
    return outcome;
}

std::shared_ptr<const calibration::Histogram> quantizedHistogram(const quant::Encoding& encoding, const Tensor& weight)
{
    const Tensor quantized = quant::fakeQuantize(encoding, weight.view());
    auto histogram = std::make_shared<calibration::Histogram>();
    histogram->add(quantized.as<float>());
    return histogram;
}

std::optional<quant::TensorQuantizer> quantizerOf(const quant::QuantizationPlan& plan, const std::string& tensor)
{
    const quant::TensorQuantizer* found = tensor.empty() ? nullptr : plan.find(tensor);
    return found ? std::optional(*found) : std::nullopt;
}

LayerAnalysis analyseLayer(const LayerInfo& info, const quant::QuantizationPlan& plan,
    const calibration::CalibrationStats* stats, const LayerAnalysis* previous)
{
    LayerAnalysis layer;
    layer.weight = quantizerOf(plan, info.weightTensor);
    layer.activation = quantizerOf(plan, info.inputTensor);
    if (layer.weight && info.weight) {
        if (previous && previous->weight == layer.weight) {
            layer.weightError = previous->weightError;
            layer.quantizedWeights = previous->quantizedWeights;
        } else {
            layer.weightError = quant::measureError(layer.weight->encoding, info.weight->view());
            layer.quantizedWeights = quantizedHistogram(layer.weight->encoding, *info.weight);
        }
    }
    const calibration::TensorStats* seen = stats ? stats->find(info.inputTensor) : nullptr;
    if (layer.activation && seen)
        layer.activationError = calibration::expectedError(seen->histogram(), layer.activation->encoding);
    return layer;
}

Result<dataset::SampleSetPtr> loadSamples(const dataset::DatasetPtr& data, const dataset::Preprocessing& preprocessing,
    std::vector<std::int64_t> indices, const base::Job& job)
{
    dataset::SampleSet::Options options;
    options.preprocessing = preprocessing;
    options.indices = std::move(indices);
    return dataset::SampleSet::load(data, options, job);
}

/// A layer's name as a glob pattern that matches nothing else.
std::string exactPattern(const QString& layer)
{
    std::string pattern;
    for (const char c : layer.toStdString()) {
        if (c == '*' || c == '?' || c == '[' || c == '\\')
            pattern += '\\';
        pattern += c;
    }
    return pattern;
}

planning::LayerOverride& overrideFor(planning::PlanRequest& request, const QString& layer)
{
    const std::string pattern = exactPattern(layer);
    const auto found = std::find_if(request.overrides.begin(), request.overrides.end(),
        [&](const planning::LayerOverride& item) { return item.pattern == pattern; });
    if (found != request.overrides.end())
        return *found;
    planning::LayerOverride item;
    item.pattern = pattern;
    return request.overrides.emplace_back(std::move(item));
}

planning::WishChange& changeOf(planning::LayerOverride& item, Operand operand)
{
    return operand == Operand::Weight ? item.weights : item.activations;
}

void removeEmptyOverrides(planning::PlanRequest& request)
{
    std::erase_if(request.overrides,
        [](const planning::LayerOverride& item) { return item.weights.empty() && item.activations.empty(); });
}

/// What layer `index` gets where nothing is said of it alone.
std::optional<int> defaultBits(const planning::PlanRequest& request, Operand operand, bool firstOrLast)
{
    const auto& bits = operand == Operand::Weight ? request.weights.bits : request.activations.bits;
    return bits && firstOrLast && request.firstLastBits ? request.firstLastBits : bits;
}

/// `model` with its layers.
Result<LoadedModelPtr> describe(LoadedModel model, const base::Job& job)
{
    auto layers = graph::computeLayers(*model.graph);
    job.begin("Looking at weights", static_cast<std::int64_t>(layers.size()), "layers");
    for (graph::Layer& layer : layers) {
        if (job.stopRequested())
            return base::cancelled();
        model.layers.push_back(describeLayer(*model.graph, std::move(layer)));
        job.advance();
    }
    model.graphFingerprint = graph::fingerprint(*model.graph);
    model.map = std::make_shared<const NetworkMap>(mapNetwork(*model.graph, model.layers));
    job.finish();
    return std::make_shared<const LoadedModel>(std::move(model));
}

} // namespace

Result<LoadedModelPtr> loadModel(const std::filesystem::path& path, const base::Job& job)
{
    job.begin("Reading " + path.filename().string(), 0, "layers");
    LoadedModel loaded;
    loaded.name = QString::fromStdString(path.filename().string());
    loaded.path = std::filesystem::absolute(path);
    QS_TRY(loaded.fingerprint, project::fileFingerprint(path));
    QS_TRY(auto opened, importing::openModel(path));
    loaded.source = std::move(opened.model);
    loaded.graph = std::move(opened.graph);
    loaded.plan = std::move(opened.plan);
    return describe(std::move(loaded), job);
}

Result<LoadedModelPtr> prepareModel(const LoadedModel& read, bool foldBatchNorm, const base::Job& job)
{
    LoadedModel loaded;
    loaded.name = read.name;
    loaded.path = read.path;
    loaded.fingerprint = read.fingerprint;
    loaded.source = read.source;
    loaded.foldBatchNorm = foldBatchNorm;
    graph::PassOptions passes;
    passes.foldBatchNorm = foldBatchNorm;
    QS_TRY(loaded.graph, engine::prepareGraph(*read.source, passes));
    return describe(std::move(loaded), job);
}

dataset::Preprocessing DataRequest::forCalibration() const
{
    dataset::Preprocessing own = preprocessing;
    own.resize = calibrationResize.value_or(own.resize);
    own.crop = calibrationCrop.value_or(own.crop);
    return own;
}

Result<LoadedDataPtr> loadData(const DataRequest& request, const base::Job& job)
{
    auto loaded = std::make_shared<LoadedData>();
    loaded->request = request;
    QS_TRY(const auto evaluation, dataset::openDataset(request.path, request.openOptions()));
    auto calibration = evaluation;
    if (!request.calibrationPath.empty()) {
        QS_TRY(calibration, dataset::openDataset(request.calibrationPath, { dataset::Kind::Auto, {} }));
    }
    // The same seeded sample as on the command line, so that both give the same figures.
    QS_TRY(loaded->evaluation,
        loadSamples(
            evaluation, request.preprocessing, dataset::sampleIndices(evaluation->size(), request.limit, 0), job));
    QS_TRY(loaded->calibration,
        loadSamples(calibration, request.forCalibration(),
            dataset::firstIndices(calibration->size(), request.calibrationCount), job));
    loaded->title = QString::fromStdString(loaded->evaluation->description());
    return LoadedDataPtr(std::move(loaded));
}

Result<AnalysisPtr> analyse(const LoadedModel& model, const calibration::CalibrationStats* stats,
    const planning::PlanRequest& request, const quant::PlanPtr& base, const Analysis* previous,
    const cost::EnergyModel& energy, const base::Job& job)
{
    auto analysis = std::make_shared<Analysis>();
    analysis->request = request;
    analysis->base = base;
    job.begin("Building the plan", static_cast<std::int64_t>(model.layers.size()), "layers");
    QS_TRY(auto outcome, planFor(model, stats, request, base));
    auto& built = outcome.built;
    analysis->weightsOnly = !stats && !outcome.exact;
    analysis->plan = std::make_shared<const quant::QuantizationPlan>(std::move(built.plan));
    analysis->notes = std::move(built.notes);
    const bool comparable = previous && previous->layers.size() == model.layers.size();
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        if (job.stopRequested())
            return base::cancelled();
        analysis->layers.push_back(
            analyseLayer(model.layers[i], *analysis->plan, stats, comparable ? &previous->layers[i] : nullptr));
        job.advance();
    }
    analysis->cost = cost::computeCost(*model.graph, *analysis->plan, energy);
    job.finish();
    return AnalysisPtr(std::move(analysis));
}

std::vector<float> channelValues(const LayerInfo& layer, std::int64_t channel)
{
    const Shape& shape = layer.weight->shape();
    const int axis = layer.layer.weightChannelAxis;
    std::int64_t inner = 1;
    for (int i = axis + 1; i < shape.rank(); ++i)
        inner *= shape[i];
    const std::int64_t stride = inner * shape[axis];
    const auto values = layer.weight->as<float>();
    std::vector<float> result;
    for (std::int64_t at = channel * inner; at < shape.size(); at += stride)
        result.insert(result.end(), values.begin() + at, values.begin() + at + inner);
    return result;
}

calibration::Histogram channelHistogram(const LayerInfo& layer, std::int64_t channel)
{
    calibration::Histogram histogram;
    histogram.add(channelValues(layer, channel));
    return histogram;
}

WishedBits wishedBits(const planning::PlanRequest& request, std::span<const LayerInfo> layers, std::size_t index)
{
    const bool edge = index == 0 || index + 1 == layers.size();
    WishedBits wished { defaultBits(request, Operand::Weight, edge), defaultBits(request, Operand::Activation, edge) };
    const std::string pattern = exactPattern(layers[index].name);
    for (const planning::LayerOverride& item : request.overrides) {
        if (item.pattern != pattern)
            continue;
        wished.weight = item.weights.bits.value_or(wished.weight);
        wished.activation = item.activations.bits.value_or(wished.activation);
        wished.weightOverridden = wished.weightOverridden || !item.weights.empty();
        wished.activationOverridden = wished.activationOverridden || !item.activations.empty();
    }
    return wished;
}

planning::PlanRequest withBits(
    planning::PlanRequest request, const QString& layer, Operand operand, std::optional<int> bits)
{
    planning::LayerOverride& item = overrideFor(request, layer);
    auto& wish = changeOf(item, operand).bits;
    const auto& usual = operand == Operand::Weight ? request.weights.bits : request.activations.bits;
    if (bits == usual && !request.firstLastBits)
        wish.reset();
    else
        wish = bits;
    removeEmptyOverrides(request);
    return request;
}

planning::PlanRequest withRange(
    planning::PlanRequest request, const QString& layer, Operand operand, std::optional<quant::RangeSpec> range)
{
    planning::LayerOverride& item = overrideFor(request, layer);
    changeOf(item, operand).range = range;
    removeEmptyOverrides(request);
    return request;
}

planning::PlanRequest withoutOwn(planning::PlanRequest request, const QString& layer)
{
    std::erase_if(
        request.overrides, [pattern = exactPattern(layer)](const auto& own) { return own.pattern == pattern; });
    return request;
}

std::optional<quant::RangeSpec> manualRange(const planning::PlanRequest& request, const QString& layer, Operand operand)
{
    const std::string pattern = exactPattern(layer);
    for (const planning::LayerOverride& item : request.overrides)
        if (item.pattern == pattern)
            return (operand == Operand::Weight ? item.weights : item.activations).range;
    return std::nullopt;
}

planning::PlanRequest withUnitBits(
    planning::PlanRequest request, const sweep::QuantizedUnit& unit, std::optional<int> bits)
{
    const Operand operand = unit.role == quant::Role::Weight ? Operand::Weight : Operand::Activation;
    for (const std::string& layer : unit.layers)
        changeOf(overrideFor(request, QString::fromStdString(layer)), operand).bits = bits;
    return request;
}

Result<Evaluated> evaluate(const graph::Graph& graph, std::string graphFingerprint, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const evaluation::EvaluationOptions& options, const base::Job& job)
{
    Evaluated evaluated;
    QS_TRY(evaluated.result, evaluation::evaluate(graph, plan, samples, options, job));
    if (graphFingerprint.empty())
        graphFingerprint = graph::fingerprint(graph);
    evaluated.key = { std::move(graphFingerprint), quant::fingerprint(plan), samples.fingerprint() };
    return evaluated;
}

Result<std::shared_ptr<Run>> StudyRuns::make(const planning::PlanRequest& request, const quant::PlanPtr& plan,
    const std::vector<flow::CorrectionOutcome>& corrections) const
{
    if (!plan || plan->empty())
        return std::shared_ptr<Run>();
    auto run = std::make_shared<Run>();
    QS_TRY(run->graph, quantizer->graphFor(*plan));
    const bool plain = run->graph == model->graph;
    QS_TRY(auto evaluated,
        evaluate(*run->graph, plain ? model->graphFingerprint : std::string(), *plan, *data->evaluation, options, {}));
    run->key = std::move(evaluated.key);
    run->result = std::move(evaluated.result);
    run->scope = QString::fromStdString(request.describe());
    run->request = request;
    describeBits(*run);
    run->data = data->title;
    run->samples = data->evaluation;
    run->plan = plan;
    run->corrections = corrections;
    run->cost = cost::computeCost(*model->graph, *plan, energy);
    run->floatResult = floatResult;
    if (floatResult)
        run->againstFloat = evaluation::compare(floatResult->outcomes, run->result->outcomes);
    return run;
}

void describeBits(Run& run)
{
    run.weightBits = run.request.weights.bits;
    run.activationBits = run.request.activations.bits;
    run.mixed = !run.request.overrides.empty() || run.request.firstLastBits.has_value();
}

void compareWithFloat(std::vector<Run>& runs)
{
    for (Run& run : runs) {
        const auto reference = std::ranges::find_if(
            runs, [&run](const Run& r) { return r.isFloat && r.key.samples == run.key.samples; });
        if (run.isFloat || reference == runs.end())
            continue;
        run.floatResult = reference->result;
        run.againstFloat = evaluation::compare(run.floatResult->outcomes, run.result->outcomes);
    }
}

QString shortScope(const planning::PlanRequest& request)
{
    const auto part = [](char letter, std::optional<int> bits) {
        return QLatin1Char(letter) + (bits ? QString::number(*bits) : QStringLiteral(" float"));
    };
    QString text = part('W', request.weights.bits) + QLatin1Char(' ') + part('A', request.activations.bits);
    if (!request.overrides.empty() || request.firstLastBits)
        text += QStringLiteral(" mixed");
    return text;
}

} // namespace quantoscope::ui
