// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/fidelity.h"
#include "core/flow/quantizer.h"

namespace quantoscope::sweep {

/// What a quantized network is asked for.
struct TrialWish {
    bool measure = true; ///< on the labelled images
    bool estimate = true; ///< on the calibration images, without labels
};

/// What came of running one quantized network.
struct Trial {
    evaluation::EvaluationResultPtr measured; ///< null where it was not wished for
    evaluation::Fidelity fidelity; ///< to float, on all calibration images; empty where it was not wished for
};

/// Runs the many networks of sensitivity and search, which differ from one another in little: the one place where those
/// studies run anything. References must outlive it.
class TrialRunner {
public:
    /// `samples` are the labelled images; null if nothing is to be measured.
    TrialRunner(const flow::Quantizer& quantizer, const dataset::SampleSet* samples,
        evaluation::EvaluationOptions options, TrialWish wish);

    /// Chooses the one batch for all networks, and measures the float one unless it is given (or nothing is measured).
    Result<void> begin(evaluation::EvaluationResultPtr floatResult, const base::Job& job);
    /// Trials of several networks, in their order: together where that is less work, with the same results bit for
    /// bit. What is measured is in the store before the call returns. Progress in images, imagesPerTrial() for each.
    Result<std::vector<Trial>> runAll(std::span<const flow::QuantizedNetwork> networks, const base::Job& job) const;
    /// Progress in images, of imagesPerTrial().
    Result<Trial> run(const flow::QuantizedNetwork& network, const base::Job& job) const;

    const evaluation::EvaluationResultPtr& floatResult() const { return m_float; } ///< null if nothing is measured
    std::int64_t imagesPerTrial() const;
    bool measures() const { return m_wish.measure; }
    const evaluation::Reuse& reuse() const { return *m_options.reuse; }

private:
    const flow::Quantizer& m_quantizer;
    const dataset::SampleSet* m_samples;
    evaluation::EvaluationOptions m_options;
    TrialWish m_wish;
    evaluation::EvaluationResultPtr m_float;
};

} // namespace quantoscope::sweep
