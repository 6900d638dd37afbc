// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <QString>

#include "core/calibration/stats.h"
#include "core/cost/cost.h"
#include "core/dataset/preprocessing.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"
#include "core/graph/layers.h"
#include "core/planning/plan_builder.h"
#include "core/quant/encoding.h"
#include "core/sweep/sweep.h"

/// The values a session holds. All are immutable once made and shared as shared_ptr<const>.
namespace quantoscope::ui {

/// The two things a compute layer multiplies.
enum class Operand { Weight, Activation };

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
};

struct LoadedModel {
    QString name; ///< file name
    std::shared_ptr<const graph::Model> source; ///< as read
    std::shared_ptr<const graph::Graph> graph; ///< prepared
    std::vector<LayerInfo> layers;
};
using LoadedModelPtr = std::shared_ptr<const LoadedModel>;

/// What the data panel asks for.
struct DataRequest {
    std::filesystem::path path;
    dataset::Kind kind = dataset::Kind::Auto;
    std::filesystem::path labels; ///< empty: found beside the images
    std::filesystem::path calibrationPath; ///< empty: the first images of `path`
    std::int64_t calibrationCount = 256;
    std::int64_t limit = 0; ///< evaluation images; 0: all
    dataset::Preprocessing preprocessing;
    std::optional<int> calibrationResize; ///< where calibration images come in another size
    friend bool operator==(const DataRequest&, const DataRequest&) = default;
};

struct LoadedData {
    DataRequest request;
    QString title; ///< "CIFAR-10 test_1000.bin, 1,000 images"
    dataset::SampleSetPtr evaluation;
    dataset::SampleSetPtr calibration;
};
using LoadedDataPtr = std::shared_ptr<const LoadedData>;

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
    bool weightsOnly = false; ///< no statistics yet: activations were left out
    quant::PlanPtr plan;
    std::vector<std::string> notes;
    std::vector<LayerAnalysis> layers; ///< as LoadedModel::layers
    cost::Cost cost;
};
using AnalysisPtr = std::shared_ptr<const Analysis>;

/// An evaluated configuration.
struct Run {
    QString scope; ///< what was quantized, in words
    std::optional<int> weightBits; ///< the defaults; single layers may differ
    std::optional<int> activationBits;
    bool isFloat = false;
    bool mixed = false; ///< some layer has word-lengths of its own
    QString data;
    evaluation::EvaluationResultPtr result;
    evaluation::EvaluationResultPtr floatResult; ///< may be null
    std::optional<evaluation::PairedComparison> againstFloat;
    cost::Cost cost;
    planning::PlanRequest request;
};

/// What the badge shows.
struct Accuracy {
    enum class State { None, Waiting, Running, Done, Failed };
    State state = State::None;
    QString plan; ///< "W6 A6"
    std::int64_t images = 0;
    std::int64_t total = 0;
    double top1 = 0; ///< percent
    evaluation::Interval interval; ///< percent
};

} // namespace quantoscope::ui
