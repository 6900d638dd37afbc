// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantoscope::evaluation {

namespace {

constexpr int imagenetWithBackground = 1001;

/// Extents [N, C] with any number of ones behind; the number of classes, or empty.
std::optional<std::int64_t> classesOf(const engine::PortInfo& port)
{
    const Shape& shape = port.shape;
    if (port.dtype != DType::Float32 || shape.rank() < 2 || shape[1] < 2)
        return std::nullopt;
    for (int axis = 2; axis < shape.rank(); ++axis)
        if (shape[axis] != 1)
            return std::nullopt;
    return shape[1];
}

bool movesDataOnly(const graph::Node& node)
{
    return node.opType == "Reshape" || node.opType == "Flatten" || node.opType == "Squeeze"
        || node.opType == "Unsqueeze" || node.opType == "Identity";
}

/// Whether `output` is the result of a Softmax, looking through nodes that only change its shape.
bool comesFromSoftmax(const graph::Graph& graph, const std::string& output)
{
    auto value = graph.find(output);
    while (value && graph.value(*value).producer.valid()) {
        const graph::Node& node = graph.node(graph.value(*value).producer);
        if (node.opType == "Softmax")
            return true;
        if (!movesDataOnly(node))
            return false;
        value = node.inputs.front();
    }
    return false;
}

void takeLogits(std::span<const float> scores, bool probabilities, std::vector<double>& logits)
{
    logits.assign(scores.begin(), scores.end());
    if (probabilities) {
        for (auto& v : logits)
            v = std::log(std::max<double>(v, std::numeric_limits<float>::min()));
    }
}

std::string listOutputs(const engine::CompiledGraph& compiled)
{
    std::string text;
    for (const auto& port : compiled.outputs())
        text += (text.empty() ? "'" : ", '") + port.name + "' " + std::string(tensor::name(port.dtype))
            + port.shape.toString();
    return text;
}

} // namespace

std::optional<ScoreOutput> findScores(const graph::Graph& graph, const engine::CompiledGraph& compiled)
{
    ScoreOutput found;
    const auto& ports = compiled.outputs();
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const auto classes = classesOf(ports[i]);
        if (classes && *classes > found.classes)
            found = { i, ports[i].name, static_cast<int>(*classes), false };
    }
    if (found.classes == 0)
        return std::nullopt;
    found.probabilities = comesFromSoftmax(graph, found.name);
    return found;
}

std::vector<double> logitsOf(std::span<const float> scores, bool probabilities)
{
    std::vector<double> logits;
    takeLogits(scores, probabilities, logits);
    return logits;
}

Result<Classifier> Classifier::create(
    const graph::Graph& graph, const engine::CompiledGraph& compiled, const dataset::SampleSet& samples)
{
    auto scores = findScores(graph, compiled);
    if (!scores)
        return fail(ErrorCode::InvalidInput,
            "the network is not a classifier: expected an output [N, classes], got " + listOutputs(compiled),
            graph.name, "accuracy needs a classifier; inspect, layers and export work on any network");
    Classifier result;
    result.m_scores = *std::move(scores);
    result.m_samples = &samples;
    if (result.classes() == imagenetWithBackground && samples.maxLabel() < imagenetWithBackground - 1)
        result.m_labelShift = 1;
    QS_CHECK(result.checkLabels());
    return result;
}

Result<void> Classifier::checkLabels() const
{
    const auto& labels = m_samples->labels();
    const auto wrong = std::find_if(labels.begin(), labels.end(), [&](int l) { return l + m_labelShift >= classes(); });
    if (wrong == labels.end())
        return {};
    const std::int64_t index = m_samples->originalIndex(wrong - labels.begin());
    return fail(ErrorCode::InvalidInput,
        "label " + std::to_string(*wrong) + " of image '" + m_samples->dataset()->name(index)
            + "' is outside the network's classes 0.." + std::to_string(classes() - 1),
        m_samples->dataset()->path().string(), "check that data and model belong together");
}

EvaluationResult Classifier::emptyResult(
    const engine::CompiledGraph& compiled, const quant::QuantizationPlan& plan) const
{
    EvaluationResult result;
    result.scope = plan.empty() ? "float" : plan.title;
    result.arithmetic = compiled.arithmeticUse();
    result.classes = classes();
    result.output = outputName();
    return result;
}

Result<ImageOutcome> Classifier::judge(std::span<const float> scores, std::int64_t position) const
{
    if (!std::ranges::all_of(scores, [](float v) { return std::isfinite(v); })) {
        const std::int64_t index = m_samples->originalIndex(position);
        return fail(ErrorCode::InvalidInput,
            "output '" + outputName() + "' is not finite for image '" + m_samples->dataset()->name(index) + "'",
            m_samples->dataset()->path().string(), "check the pre-processing and the model's weights");
    }
    thread_local std::vector<double> logits; // once a thread, not once an image
    takeLogits(scores, m_scores.probabilities, logits);
    const int label = m_samples->labels()[static_cast<std::size_t>(position)];
    return judgeLogits(logits, label < 0 ? -1 : label + m_labelShift);
}

Result<std::int64_t> Classifier::judgeBatch(
    const TensorView& scores, const calibration::Feed& feed, std::int64_t item, std::span<ImageOutcome> outcomes) const
{
    const auto values = scores.as<float>();
    const auto row = static_cast<std::size_t>(classes());
    std::int64_t correct = 0;
    for (std::int64_t i = 0; i < feed.count(item); ++i) {
        const std::int64_t position = feed.position(item, i);
        auto& outcome = outcomes[static_cast<std::size_t>(position)];
        QS_TRY(outcome, judge(values.subspan(static_cast<std::size_t>(i) * row, row), position));
        correct += outcome.correct();
    }
    return correct;
}

ImageOutcome judgeLogits(std::span<const double> logits, std::int32_t label)
{
    ImageOutcome outcome;
    const auto best = std::max_element(logits.begin(), logits.end()); // the first of equals
    outcome.prediction = static_cast<std::int32_t>(best - logits.begin());
    outcome.label = label;
    const auto reference = static_cast<std::size_t>(label < 0 ? outcome.prediction : label);
    double largestOther = -std::numeric_limits<double>::infinity();
    double sum = 0;
    int ahead = 0;
    for (std::size_t c = 0; c < logits.size(); ++c) {
        sum += std::exp(logits[c] - *best);
        if (c == reference)
            continue;
        largestOther = std::max(largestOther, logits[c]);
        ahead += logits[c] > logits[reference] || (logits[c] == logits[reference] && c < reference);
    }
    outcome.margin = static_cast<float>(logits[reference] - largestOther);
    if (label >= 0) {
        outcome.top5 = ahead < 5;
        outcome.loss = static_cast<float>(*best + std::log(sum) - logits[reference]);
    }
    return outcome;
}

} // namespace quantoscope::evaluation
