// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/evaluation/metrics.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::evaluation {

/// What the network said of one image.
struct ImageOutcome {
    std::int32_t prediction = -1; ///< class of the largest logit, ties to the lower class
    std::int32_t label = -1; ///< after label offset
    bool top5 = false; ///< label among the five largest, ties to the lower class
    float loss = 0; ///< cross entropy of the softmax of the logits, natural log; 0 without label
    float margin = 0; ///< logit of the label minus the largest other; largest minus second without label

    bool correct() const { return prediction == label; }
};

struct EvaluationResult {
    std::string scope; ///< what was quantized, in words; "float"
    std::vector<ImageOutcome>
        outcomes; ///< in the order of the sample set (progressive: those done so far, in that order)
    int classes = 0;
    std::string output; ///< the graph output that was read as logits (or, behind a Softmax, as probabilities)
    double seconds = 0; ///< running the images, without compiling
    engine::ArithmeticUse arithmetic; ///< what the compute layers calculated with

    std::int64_t images() const { return static_cast<std::int64_t>(outcomes.size()); }
    double top1() const; ///< percent of all images; one without label counts as wrong
    double top5() const; ///< percent
    double loss() const; ///< mean
    Interval top1Interval() const; ///< Wilson 95 %, percent
    double imagesPerSecond() const;
};
using EvaluationResultPtr = std::shared_ptr<const EvaluationResult>;

class ResultStore;
class Reuse;

struct EvaluationOptions {
    std::int64_t batch = 0; ///< 0: as calibration::chooseBatch() says
    int threads = 0;
    bool partOfStage = false; ///< the caller has begun a progress stage that counts images: only advance it
    /// Told now and then, on a worker thread, how things stand over a growing part of the images, which is a random
    /// sample of all: wilson() of it is an interval for the whole.
    std::function<void(std::int64_t images, std::int64_t correct)> onPartial;
    /// Where evaluate() looks before it computes, and keeps what it computed before it returns; null: nowhere.
    std::shared_ptr<ResultStore> store {};
    /// What earlier evaluations left for later ones; null: nothing is reused.
    std::shared_ptr<Reuse> reuse {};
    engine::Arithmetic arithmetic = engine::Arithmetic::Auto; ///< what to calculate with under a plan
};

/// The order in which images are run: random, the same for the same number of images, so that the first of them stand
/// for all. Outcomes are in the order of the samples all the same.
std::shared_ptr<const std::vector<std::int64_t>> imageOrder(std::int64_t images);

/// Runs the graph under the plan over all samples: batches in fixed order from a shared counter, one executor a worker.
/// The same outcomes for any number of threads. Of several outputs the first [N, classes] (trailing extents of 1
/// allowed) with the most classes counts. Where it comes from a Softmax its logarithm stands for the logits. Errors: as
/// compile() and bindInput(); InvalidInput if no output is [N, classes], if it is not finite, or if a label is outside
/// the classes (says which image, and that data and model may not belong together). Labels are classes as they are,
/// except that 1001-class outputs (class 0: background) shift 0..999 by one. Progress in images. A result that could
/// not be kept in options.store is an Io error.
Result<EvaluationResultPtr> evaluate(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationOptions& options = {}, const base::Job& job = {});

/// Whether evaluate() could judge the graph's outputs on these samples: false for detectors and the like. Errors: as
/// bindInput(); InvalidInput for a label outside the classes.
Result<bool> isClassifier(const graph::Graph& graph, const dataset::SampleSet& samples);

/// Raw outputs of the network for samples [first, first+count): [count, ...] row-major. For parity checks and tests.
Result<std::vector<Tensor>> runSamples(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::int64_t first, std::int64_t count);

/// How one tensor fares under a plan.
struct TensorError {
    std::string name;
    quant::Role role = quant::Role::Activation;
    int bits = 0;
    double sqnrDb = 0; ///< total: float value against the value in the quantized network
    double cosine = 0;
    double mse = 0;
    double clippedPercent = 0; ///< values in the quantized network outside the representable range
    double ownError = 0; ///< mean squared error of quantizing the float value of this tensor alone
    double roundingError = 0; ///< the part of ownError from values inside the representable range
    double clippingError = 0; ///< and the part from those more than half a step outside
    double inheritedError = 0; ///< mean squared error that arrives at it from upstream
    quant::Encoding encoding;
};

/// Runs float and quantized network side by side over the samples and compares every quantized tensor. One pass; memory
/// does not depend on the number of samples. The same numbers for any number of threads. In the order in which the
/// network computes, a layer's weight beside its input.
Result<std::vector<TensorError>> compareLayers(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, const EvaluationOptions& options = {}, const base::Job& job = {});

} // namespace quantoscope::evaluation
