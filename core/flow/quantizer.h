// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/planning/plan_builder.h"
#include "core/quant/plan.h"

namespace quantoscope::flow {

/// One correction that was tried, and what became of it.
struct CorrectionOutcome {
    std::string correction; ///< "compensation", "bias correction"
    bool kept = false;
    double agreementBefore = 0; ///< percent of held-back calibration images that get float's prediction
    double agreementAfter = 0;
    std::vector<std::string> droppedLayers; ///< layers it was undone in while kept in the others
    std::string reason; ///< one sentence
};

/// Everything needed to run, compare or export a quantized network.
struct QuantizedNetwork {
    std::shared_ptr<const graph::Graph> graph; ///< the prepared graph; equalized where the plan says so
    quant::PlanPtr plan; ///< encodings and corrected constants
    std::vector<std::string> notes; ///< what a person should know
    std::vector<CorrectionOutcome> corrections; ///< in the order they were tried
};

/// Turns requests into quantized networks: equalizes, calibrates, plans, corrects. Keeps what requests have in common
/// (the equalized graph, statistics) so that the next one starts from there. Thread safe.
class Quantizer {
public:
    /// `graph` is prepared. `calibration` may be null while neither activations are quantized nor anything is
    /// corrected. `threads` as base::parallelFor() takes it.
    Quantizer(std::shared_ptr<const graph::Graph> graph, dataset::SampleSetPtr calibration, int threads = 0);
    ~Quantizer();

    /// Statistics that are at hand already, of the graph as given, so that they need not be collected again.
    void setStats(calibration::CalibrationStatsPtr stats);

    /// The network a request makes. Each correction is kept only if agreement with float on the held-back part of the
    /// calibration images (every fifth) does not fall. Errors: as planning::buildPlan() and calibration::calibrate();
    /// InvalidInput if calibration images are needed and there are none.
    Result<QuantizedNetwork> quantize(const planning::PlanRequest& request, const base::Job& job = {}) const;

    /// The graph a saved plan is for: as given, or equalized.
    Result<std::shared_ptr<const graph::Graph>> graphFor(const quant::QuantizationPlan& plan) const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace quantoscope::flow
