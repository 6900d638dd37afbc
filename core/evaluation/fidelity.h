// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/calibration/shared_feed.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::evaluation {

/// How close a network's outputs come to the float network's on some images. No label is looked at.
struct Fidelity {
    bool classifies = false;
    std::int64_t images = 0;
    std::int64_t agreeing = 0; ///< images with the float network's prediction; classifiers only
    /// Classifiers: mean Kullback-Leibler divergence D(p || q) of the class probabilities, p float's, in nats. Other
    /// networks: squared error of all outputs over their power, mean over the outputs. 0: the same.
    double divergence = 0;
    std::vector<double> divergences = {}; ///< of each image; classifiers only
    double logitError = 0; ///< mean squared difference of the logits; classifiers only

    double agreement() const; ///< percent; 0 for what does not classify
    /// "agreement 88.2 %, divergence 0.31"
    std::string describe() const;
};

/// Whether `candidate` is at least as close to float as `current`, over the same images: more images agree, or as many
/// and the divergence is not larger. Networks that do not classify are judged by the divergence alone. An output
/// that is not finite makes the divergence infinite.
bool notWorse(const Fidelity& candidate, const Fidelity& current);

/// Whether `candidate` is closer to float by more than chance may do: no fewer images agree, and the divergence falls
/// by more than one standard error of the paired difference over the images. Networks that do not classify: by more
/// than a hundredth.
bool clearlyCloser(const Fidelity& candidate, const Fidelity& current);

class Reuse;

/// The float network's outputs on some images, for comparing any number of quantized networks with. Thread safe.
class FloatReference {
public:
    /// Runs `graph` over `samples`, which must outlive the reference. Errors: as calibration::Feed::create();
    /// Cancelled.
    static Result<FloatReference> create(
        const graph::Graph& graph, const dataset::SampleSet& samples, int threads = 0, const base::Job& job = {});

    /// Runs `graph` (the float graph itself, or an equivalent one) under `plan`. The job is only asked whether to stop.
    Result<Fidelity> compare(
        const graph::Graph& graph, const quant::QuantizationPlan& plan, const base::Job& job = {}) const;

    /// The same for many networks at once, in their order: what they have in common is computed once. `reuse` may be
    /// null. Progress in images of all networks together; Cancelled.
    Result<std::vector<Fidelity>> compareAll(std::span<const calibration::Network> networks,
        const std::shared_ptr<Reuse>& reuse, const base::Job& job = {}) const;

    bool classifies() const { return m_classes.has_value(); }
    std::int64_t images() const { return m_samples->size(); }

private:
    FloatReference() = default;

    struct Classes {
        std::size_t output = 0;
        bool probabilities = false; ///< read behind a Softmax
    };
    /// Outputs of every image in order: [output][image * row + i].
    using Rows = std::vector<std::vector<float>>;
    Result<std::vector<Rows>> run(std::span<const calibration::Network> networks, const std::shared_ptr<Reuse>& reuse,
        const base::Job& job) const;
    Fidelity judge(const Rows& rows) const;

    const dataset::SampleSet* m_samples = nullptr;
    int m_threads = 0;
    std::int64_t m_batch = 1;
    std::optional<Classes> m_classes;
    Rows m_rows;
};

} // namespace quantoscope::evaluation
