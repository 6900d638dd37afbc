// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <QString>
#include <QStringList>

#include "core/calibration/range_confidence.h"
#include "core/calibration/stats.h"
#include "core/cost/accumulator.h"
#include "core/cost/cost.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/flips.h"
#include "core/flow/best_flow.h"
#include "core/flow/quantizer.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/planning/plan_builder.h"
#include "core/quant/encoding.h"
#include "core/quant/hardware_profile.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/sweep.h"
#include "ui/session/network_map.h"

/// The values a session holds. All are immutable once made and shared as shared_ptr<const>.
namespace quantoscope::ui {

/// The two things a compute layer multiplies.
enum class Operand { Weight, Activation };

/// What layers can be coloured by.
enum class Measure { None, WeightSqnr, ActivationSqnr, Sensitivity, Macs, Bops, Size };

/// A compute layer and what can be known of it without data.
struct LayerInfo {
    graph::Layer layer;
    QString name;
    QString inputShape;
    QString outputShape;
    QString weightShape; ///< empty: no constant weight
    std::string weightTensor; ///< names of the prepared graph; empty: none
    std::string inputTensor;
    graph::TensorPtr weight; ///< float32; null: none
    calibration::Histogram weightHistogram;
    std::int64_t channels = 0; ///< extent of the weight's output-channel axis
    std::vector<float> channelLow; ///< smallest and largest weight of each output channel
    std::vector<float> channelHigh;
};

struct LoadedModel {
    QString name; ///< file name
    std::filesystem::path path;
    std::string fingerprint; ///< project::fileFingerprint(); empty for a model that is in no file
    std::shared_ptr<const graph::Model> source; ///< as read; of a quantized file the float network in it
    std::shared_ptr<const graph::Graph> graph; ///< prepared
    std::string graphFingerprint; ///< of that
    std::vector<LayerInfo> layers;
    NetworkMapPtr map; ///< where everything is drawn; null for models made in memory
    bool foldBatchNorm = true; ///< batch normalisation became part of the weights
    quant::PlanPtr plan; ///< what the quantizers of the file do; null: it has none
};
using LoadedModelPtr = std::shared_ptr<const LoadedModel>;

/// What the data panel asks for.
struct DataRequest {
    std::filesystem::path path;
    dataset::Kind kind = dataset::Kind::Auto;
    std::filesystem::path labels; ///< empty: found beside the images
    std::filesystem::path classes; ///< class names; empty: found beside the images
    std::filesystem::path calibrationPath; ///< empty: the first images of `path`
    std::int64_t calibrationCount = 256;
    std::int64_t limit = 0; ///< evaluation images; 0: all
    dataset::Preprocessing preprocessing;
    std::optional<dataset::Resize> calibrationResize; ///< where calibration images come in another size
    std::optional<dataset::Extent> calibrationCrop; ///< where they are cut otherwise
    dataset::Preprocessing forCalibration() const; ///< how calibration images are prepared
    dataset::OpenOptions openOptions() const { return { kind, labels, classes }; } ///< for `path`
    friend bool operator==(const DataRequest&, const DataRequest&) = default;
};

struct LoadedData {
    DataRequest request;
    QString title; ///< "CIFAR-10 test_1000.bin, 1,000 images"
    dataset::SampleSetPtr evaluation;
    dataset::SampleSetPtr calibration;
};
using LoadedDataPtr = std::shared_ptr<const LoadedData>;

/// How sure the range of the activations that enter a layer is.
struct ActivationConfidence {
    int layer = -1;
    quant::TensorQuantizer quantizer; ///< whose range that is
    calibration::RangeConfidence confidence;
};
using ActivationConfidencePtr = std::shared_ptr<const ActivationConfidence>;

/// What a person asks for: how to quantize, and the hardware it is for.
struct Wish {
    planning::PlanRequest request;
    const quant::HardwareProfile* profile = nullptr; ///< one of quant::builtInProfiles()
    QStringList notes; ///< what the profile changed of the request when it was chosen
    /// A finished plan, of a quantized file or with encodings from one, that the request is a change of; null: none.
    quant::PlanPtr base = {};
    friend bool operator==(const Wish&, const Wish&) = default;
};

/// What a plan does to one layer.
struct LayerAnalysis {
    std::optional<quant::TensorQuantizer> weight; ///< empty: float
    std::optional<quant::TensorQuantizer> activation; ///< empty: float, or not known without data
    quant::QuantizationError weightError;
    quant::QuantizationError activationError; ///< from the bins of the histogram
    std::shared_ptr<const calibration::Histogram> quantizedWeights;
};

/// A plan, and what can be said of it without running the network.
struct Analysis {
    planning::PlanRequest request;
    quant::PlanPtr base; ///< Wish::base
    bool weightsOnly = false; ///< no statistics yet: activations were left out
    quant::PlanPtr plan;
    std::vector<std::string> notes;
    std::vector<LayerAnalysis> layers; ///< as LoadedModel::layers
    cost::Cost cost;
};
using AnalysisPtr = std::shared_ptr<const Analysis>;

/// The network that a request with corrections makes, and what became of each of them.
struct CorrectedNetwork {
    planning::PlanRequest request;
    flow::QuantizedNetwork network;
};
using CorrectedNetworkPtr = std::shared_ptr<const CorrectedNetwork>;

/// How every tensor fares in the running network, float and quantized side by side over some images.
struct LayerErrors {
    planning::PlanRequest request;
    std::int64_t images = 0;
    std::map<std::string, evaluation::TensorError, std::less<>> tensors;
    std::map<std::string, cost::Accumulator, std::less<>> accumulators; ///< of layers, by name
};
using LayerErrorsPtr = std::shared_ptr<const LayerErrors>;

/// What the search for the best flow chose, and why.
using BestFlowPtr = std::shared_ptr<const flow::BestFlow>;

/// What a result was made from, as a project names it: fingerprints of graph, plan and samples.
struct RunKey {
    std::string graph;
    std::string plan;
    std::string samples;
    bool empty() const { return graph.empty(); }
    friend bool operator==(const RunKey&, const RunKey&) = default;
};

/// An evaluated configuration.
struct Run {
    RunKey key;
    QString name; ///< given by a person; empty: none
    QString scope; ///< what was quantized, in words
    std::optional<int> weightBits; ///< the defaults; single layers may differ
    std::optional<int> activationBits;
    bool isFloat = false;
    bool mixed = false; ///< some layer has word-lengths of its own
    QString data;
    dataset::SampleSetPtr samples; ///< the images of the result; null while they are not open
    std::shared_ptr<const graph::Graph> graph; ///< what the plan is for; null with `plan`: the float network
    quant::PlanPtr plan;
    evaluation::EvaluationResultPtr result;
    evaluation::EvaluationResultPtr floatResult; ///< may be null
    std::optional<evaluation::PairedComparison> againstFloat;
    std::vector<flow::CorrectionOutcome> corrections;
    cost::Cost cost;
    planning::PlanRequest request;
};

/// Why one image is seen as another class: how its tensors fare, beside how they usually do.
struct FlipTrace {
    quant::PlanPtr plan;
    std::int64_t image = 0; ///< position in the run's samples
    std::vector<evaluation::TensorError> own;
    std::shared_ptr<const std::vector<evaluation::TensorError>> usual;
    std::int64_t usualImages = 0;
    std::optional<evaluation::Divergence> divergence;
};
using FlipTracePtr = std::shared_ptr<const FlipTrace>;

/// How a layer fares in two runs.
struct ComparedLayer {
    struct Side {
        std::optional<int> weightBits; ///< empty: float
        std::optional<int> activationBits;
        std::optional<evaluation::TensorError> weight;
        std::optional<evaluation::TensorError> activation;
    };
    QString name;
    Side first;
    Side second;
};

/// Two runs beside each other.
struct RunComparison {
    int first = 0; ///< positions in Session::runs()
    int second = 0;
    std::int64_t images = 0; ///< that the errors of the tensors were measured on
    std::vector<ComparedLayer> layers; ///< as LoadedModel::layers
    std::optional<evaluation::PairedComparison> outcomes; ///< second less first; empty: on other images
};
using RunComparisonPtr = std::shared_ptr<const RunComparison>;

/// Something to know of a model before work begins.
struct ModelFinding {
    enum class Kind { Good, Note, Warning, Blocker };
    Kind kind = Kind::Note;
    QString title;
    QString detail;
};
struct ModelCheck {
    QString name;
    bool usable = false; ///< it was opened
    std::vector<ModelFinding> findings;
    std::vector<ModelFinding> biases; ///< forecast for the options at the time; empty: no statistics yet

    /// How many things a person should look at.
    int warnings() const
    {
        int count = 0;
        for (const auto* list : { &findings, &biases })
            for (const ModelFinding& finding : *list)
                count += finding.kind >= ModelFinding::Kind::Warning ? 1 : 0;
        return count;
    }
};
using ModelCheckPtr = std::shared_ptr<const ModelCheck>;

/// Some images as the network would get them.
struct DataPreview {
    DataRequest request; ///< with what was guessed
    QString description; ///< the data set in words
    dataset::SampleSetPtr samples; ///< some, spread over the data set
    std::vector<std::int64_t> shape; ///< of one sample
    double low = 0; ///< of the values the network sees
    double high = 0;
    double mean = 0;
    QString misfit; ///< why they do not fit the model's input, or cannot be read, and what would help; empty: they do
    bool failed = false; ///< they cannot be read
    QString warning; ///< what to know before they are used with these calibration images; empty: nothing
};
using DataPreviewPtr = std::shared_ptr<const DataPreview>;

/// A preparation of the images that suits the model better than the one asked for.
struct DataVariant {
    DataRequest request;
    QString difference; ///< "BGR instead of RGB, values 0 to 255"
    std::int64_t images = 0; ///< both were tried on
    double before = 0; ///< top-1 in percent
    double after = 0;
};
using DataVariantPtr = std::shared_ptr<const DataVariant>;

/// What the badge shows.
struct Accuracy {
    enum class State { None, Waiting, Running, Done, Failed };
    State state = State::None;
    QString plan; ///< "W6 A6"
    std::vector<flow::CorrectionOutcome> corrections; ///< what was tried in this plan
    std::int64_t images = 0;
    std::int64_t total = 0;
    double top1 = 0; ///< percent
    evaluation::Interval interval; ///< percent
};

} // namespace quantoscope::ui
