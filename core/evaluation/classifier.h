// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"

namespace quantoscope::evaluation {

/// How a network's output is read as scores of classes.
class Classifier {
public:
    /// Finds the output to read and checks the samples' labels against its classes; see evaluate() for the rules.
    static Result<Classifier> create(
        const graph::Graph& graph, const engine::CompiledGraph& compiled, const dataset::SampleSet& samples);

    /// Whether there is an output that create() could read.
    static bool recognises(const engine::CompiledGraph& compiled);

    std::size_t output() const { return m_output; } ///< index into CompiledGraph::outputs()
    const std::string& outputName() const { return m_outputName; }
    int classes() const { return m_classes; }

    /// What one row of scores ([classes]) says of the sample at `position`. An error if a score is not finite.
    Result<ImageOutcome> judge(std::span<const float> scores, std::int64_t position) const;

private:
    Classifier() = default;
    Result<void> checkLabels() const;

    const dataset::SampleSet* m_samples = nullptr;
    std::size_t m_output = 0;
    std::string m_outputName;
    int m_classes = 0;
    int m_labelShift = 0;
    bool m_probabilities = false; ///< scores went through a Softmax in the network
};

/// The outcome for one row of logits; `label` < 0: not known.
ImageOutcome judgeLogits(std::span<const double> logits, std::int32_t label);

} // namespace quantoscope::evaluation
