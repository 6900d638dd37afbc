// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"

namespace quantoscope::parity {

/// Where in its outputs a network decides: the largest of `count` values from `first` on along `axis` of output
/// `output`, at every place of the other axes (a class for an image, or one for a box).
struct Decision {
    std::size_t output = 0;
    int axis = 1; ///< counted with the batch extent
    std::int64_t first = 0;
    std::int64_t count = -1; ///< -1: all
};

/// A network with the images it is tried on.
struct SubjectSpec {
    std::string name;
    std::filesystem::path model;
    std::filesystem::path images;
    std::string preprocessing;
    dataset::Channels channels = dataset::Channels::Rgb;
    int crop = 0;
    std::int64_t count = 0; ///< images to compare on
    std::int64_t calibrationCount = 0;
    int height = 0; ///< > 0: pictures are sampled to this size
    int width = 0;
    bool labelled = true; ///< otherwise the float network's decisions stand for labels
    Decision decision = {};
    bool corrected = false; ///< tried with corrections too
};

/// The bundled sample, and every model of the shared folder where that is there. `scale` divides how many images are
/// taken.
std::vector<SubjectSpec> subjects(std::int64_t scale);

/// One output for all images, row-major; `dims` with the number of images first.
struct Output {
    std::vector<std::int64_t> dims;
    std::vector<float> values;
};
using Outputs = std::vector<Output>;

struct Subject {
    SubjectSpec spec;
    graph::Model model;
    std::shared_ptr<const graph::Graph> prepared;
    dataset::SampleSetPtr samples;
    dataset::SampleSetPtr calibration;
    calibration::CalibrationStatsPtr stats;
    std::int64_t batch = 1;
    std::vector<std::int32_t> truth; ///< a label a decision
};
Result<Subject> loadSubject(const SubjectSpec& spec);

/// The network under a plan in this engine, in float arithmetic.
Result<Outputs> runHere(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::int64_t first, std::int64_t count);
std::vector<std::int32_t> decisions(const Decision& decision, const Outputs& outputs);

} // namespace quantoscope::parity
