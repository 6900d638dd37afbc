// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/stats.h"
#include "core/calibration/stats_cache.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/fidelity.h"
#include "core/flow/correction.h"
#include "core/graph/graph.h"
#include "core/planning/plan_builder.h"
#include "core/planning/plan_changes.h"
#include "core/quant/plan.h"

namespace quantoscope::flow {

using GraphPtr = std::shared_ptr<const graph::Graph>;
class NetworkStore;

/// Everything needed to run, compare or export a quantized network.
struct QuantizedNetwork {
    GraphPtr graph; ///< the prepared graph; equalized where the plan says so
    quant::PlanPtr plan; ///< encodings and corrected constants
    std::vector<std::string> notes; ///< what a person should know
    std::vector<CorrectionOutcome> corrections; ///< in the order they were tried
    std::vector<planning::BiasRemedy> biasRemedies; ///< of the layers whose biases did not fit
};

struct QuantizerOptions {
    int threads = 0;
    bool guard = true; ///< false: every correction is kept, whatever it does
    std::shared_ptr<calibration::StatsCache> cache {}; ///< statistics collected before; null: every one is collected
    /// Where quantize() and findBestFlow() look before they work, and keep what they made before they return; null:
    /// nowhere.
    std::shared_ptr<NetworkStore> store {};
};

enum class Balancing;

/// Turns requests into quantized networks: equalizes, calibrates, plans, corrects. Keeps what requests have in common
/// (equalized graphs, statistics, the float network's answers) so that the next one starts from there. Thread safe.
///
/// The guard. Every fifth calibration image (positions 4, 9, 14, ...) is held back: corrections are fitted on the
/// others, ranges on all. A correction is kept if the corrected network is not worse than the one before on the images
/// held back, in the sense of evaluation::notWorse(): at least as many get float's prediction, and where the count is
/// the same, the mean Kullback-Leibler divergence from float's class probabilities does not grow; networks that do not
/// classify go by the relative squared error of their outputs. What makes it worse is tried in halves of the layers,
/// halves of those and so on, each kept under the same rule, and undone everywhere else; the number of trials is
/// bounded. Balanced channels that are worse alone get a second chance: with the corrections that follow they are kept
/// if the result is clearly closer to float than without them (evaluation::clearlyCloser()). With fewer than five
/// calibration images nothing is held back, everything is kept, and a note says so.
class Quantizer {
public:
    /// `graph` is prepared. `calibration` may be null while neither activations are quantized nor anything is
    /// corrected.
    Quantizer(GraphPtr graph, dataset::SampleSetPtr calibration, QuantizerOptions options = {});
    ~Quantizer();

    /// Statistics that are at hand already, of the graph as given, so that they need not be collected again.
    void setStats(calibration::CalibrationStatsPtr stats);

    /// The network a request makes. Errors: as planning::buildPlan() and calibration::calibrate(); InvalidInput if
    /// calibration images are needed and there are none; Io if it could not be kept in options().store.
    Result<QuantizedNetwork> quantize(const planning::PlanRequest& request, const base::Job& job = {}) const;
    /// The same without options().store: for what is only tried.
    Result<QuantizedNetwork> tryOut(const planning::PlanRequest& request, const base::Job& job = {}) const;

    /// `saved` with some of its tensors planned anew, see planning::changePlan(). Corrections that the request asks for
    /// are made on top; what was corrected before stays where the tensor keeps its encoding.
    Result<QuantizedNetwork> change(const quant::QuantizationPlan& saved, const planning::PlanRequest& request,
        planning::ChangedTensors changed, const base::Job& job = {}) const;

    /// The float network that a saved plan is for: as given, or equalized, with high biases absorbed.
    Result<GraphPtr> graphFor(const quant::QuantizationPlan& plan) const;
    /// What the calibration images showed in that network. Errors: InvalidInput if there are none.
    Result<calibration::CalibrationStatsPtr> statsFor(
        const quant::QuantizationPlan& plan, const base::Job& job = {}) const;

    /// How close a network comes to float on the images held back. InvalidInput if there are none.
    Result<evaluation::Fidelity> fidelity(const QuantizedNetwork& network, const base::Job& job = {}) const;
    /// The same on all calibration images: less noise, for what is not fitted to single images, such as ranges.
    Result<evaluation::Fidelity> fidelityOnAll(const QuantizedNetwork& network, const base::Job& job = {}) const;
    /// Of many networks at once, in their order: what they have in common is computed once. `reuse` may be null.
    /// Progress in images.
    Result<std::vector<evaluation::Fidelity>> fidelitiesOnAll(std::span<const calibration::Network> networks,
        const std::shared_ptr<evaluation::Reuse>& reuse, const base::Job& job = {}) const;

    /// Names what is made of `what`: SHA-256, as 64 digits, of that, the graph's and the calibration samples'
    /// fingerprints, whether the guard is on, and the version of Quantoscope.
    std::string keyFor(const std::string& what) const;

    const GraphPtr& graph() const;
    const dataset::SampleSetPtr& calibration() const; ///< may be null
    const QuantizerOptions& options() const;

private:
    struct State;
    Result<QuantizedNetwork> corrected(
        const planning::PlanRequest& request, Balancing balancing, const base::Job& job) const;
    std::unique_ptr<State> m_state;
};

/// Whether a request needs calibration images: it quantizes an activation or corrects something.
bool needsCalibration(const planning::PlanRequest& request);

} // namespace quantoscope::flow
