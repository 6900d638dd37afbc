// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/planning/plan_builder.h"
#include "core/planning/plan_changes.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// What every command takes.
struct CommonOptions {
    std::string model;
    bool json = false;
    int threads = 0;
    std::uint64_t seed = 0;

    void addTo(CLI::App& command);
};

/// Data and pre-processing.
struct DataOptions {
    std::string data;
    std::string kind = "auto";
    std::string labels;
    std::string calibration;
    std::int64_t calibrationCount = 256;
    std::int64_t limit = 0; ///< 0: all
    std::optional<std::string> preprocess;
    std::vector<float> mean;
    std::vector<float> std;
    std::optional<float> scale;
    int resize = 0;
    int crop = 0;
    std::optional<int> calibrationResize;
    std::optional<int> calibrationCrop;
    std::optional<std::string> channels;
    std::optional<std::string> layout;

    void addTo(CLI::App& command, bool dataRequired);
    bool describesScaling() const { return preprocess || scale || !mean.empty() || !std.empty(); }
    /// `defaults` with everything that was said put in its place.
    Result<dataset::Preprocessing> preprocessing(const dataset::Preprocessing& defaults) const;
    dataset::Preprocessing forCalibration(dataset::Preprocessing evaluation) const;
};

/// Word-lengths as a command takes them: one of each, or a grid.
enum class WordLengths { Single, Grid };

/// What to quantize and how.
struct QuantizationOptions {
    std::string weightBits;
    std::string activationBits;
    std::string scope; ///< as all the others: empty if not given
    std::string weightGranularity;
    std::string activationGranularity;
    std::string weightScheme;
    std::string activationScheme;
    std::string weightRange;
    std::string activationRange;
    std::string rounding;
    std::optional<int> firstLastBits;
    std::vector<std::string> layers;
    std::string engine = "auto";

    void addTo(CLI::App& command, WordLengths wordLengths);
    /// What these options make of `base`; of the word-lengths only a single pair. InvalidInput for wrong usage.
    Result<planning::PlanRequest> request(planning::PlanRequest base, WordLengths wordLengths) const;
    /// Which tensors of a saved plan the options are about, besides those of --layer.
    planning::ChangedTensors changedTensors() const;
    bool changeAnything() const;

private:
    Result<void> applyTo(planning::TensorWish& wish, const std::string& bits, const std::string& scheme,
        const std::string& range, const std::string& granularity) const;
};

/// A plan from a file, and a file for the plan.
struct PlanFileOptions {
    std::string load;
    std::string save;

    void addTo(CLI::App& command);
};

/// How a model becomes a graph.
struct GraphOptions {
    std::string foldBatchNorm = "on";

    void addTo(CLI::App& command);
};

} // namespace quantoscope::cli
