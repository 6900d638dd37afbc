// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/feed.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"

namespace quantoscope::evaluation {

/// The output that says which class an image belongs to.
struct ScoreOutput {
    std::size_t index = 0; ///< into CompiledGraph::outputs()
    std::string name;
    int classes = 0;
    bool probabilities = false; ///< went through a Softmax in the network
};

/// The first output [N, classes] (trailing extents of 1 allowed) with the most classes; empty if there is none.
std::optional<ScoreOutput> findScores(const graph::Graph& graph, const engine::CompiledGraph& compiled);

/// Logits of one row of scores: the scores, or the logarithms of probabilities, where the smallest float stands for one
/// that was rounded or quantized to zero.
std::vector<double> logitsOf(std::span<const float> scores, bool probabilities);

/// How a network's output is read as scores of classes.
class Classifier {
public:
    /// Finds the output to read and checks the samples' labels against its classes; see evaluate() for the rules.
    static Result<Classifier> create(
        const graph::Graph& graph, const engine::CompiledGraph& compiled, const dataset::SampleSet& samples);

    std::size_t output() const { return m_scores.index; } ///< index into CompiledGraph::outputs()
    const std::string& outputName() const { return m_scores.name; }
    int classes() const { return m_scores.classes; }

    /// The result of a network under a plan, before anything was run: no outcomes and no time yet.
    EvaluationResult emptyResult(const engine::CompiledGraph& compiled, const quant::QuantizationPlan& plan) const;

    /// What one row of scores ([classes]) says of the sample at `position`. An error if a score is not finite.
    Result<ImageOutcome> judge(std::span<const float> scores, std::int64_t position) const;
    /// The same for a batch of scores, into `outcomes`, which has one an image of the whole sample set. Returns how
    /// many are right.
    Result<std::int64_t> judgeBatch(const TensorView& scores, const calibration::Feed& feed, std::int64_t item,
        std::span<ImageOutcome> outcomes) const;

private:
    Classifier() = default;
    Result<void> checkLabels() const;

    const dataset::SampleSet* m_samples = nullptr;
    ScoreOutput m_scores;
    int m_labelShift = 0;
};

/// The outcome for one row of logits; `label` < 0: not known.
ImageOutcome judgeLogits(std::span<const double> logits, std::int32_t label);

} // namespace quantoscope::evaluation
