// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::evaluation {

/// What an evaluation is made from. The parts outlive the call they are passed to.
struct ResultOrigin {
    const graph::Graph& graph;
    const quant::QuantizationPlan& plan;
    const dataset::SampleSet& samples;
    std::int64_t batch = 1; ///< as run, never 0
    engine::Arithmetic arithmetic = engine::Arithmetic::Auto;

    /// SHA-256, as 64 digits, of all that decides the result's bits: the graph's, the plan's and the samples'
    /// fingerprints, the batch, the arithmetic with what the processor's own decides of it, and the version of
    /// Quantoscope. Not of the number of threads or file names.
    std::string key() const;
};

/// Keeps results by what they were made from, so that work that was interrupted goes on where it stopped. Thread safe.
class ResultStore {
public:
    virtual ~ResultStore() = default;
    /// The result kept under origin.key(), null if there is none or it is damaged.
    virtual Result<EvaluationResultPtr> findResult(const std::string& key) = 0;
    /// Returns once the result would survive the end of the process, however it ends. Errors: Io.
    virtual Result<void> keepResult(const std::string& key, const ResultOrigin& origin, const EvaluationResult& result)
        = 0;
};

} // namespace quantoscope::evaluation
