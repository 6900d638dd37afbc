// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/project_file.h"
#include "app/cli/quantization_options.h"
#include "core/base/error.h"
#include "core/dataset/preprocessing.h"

namespace CLI {
class App;
}

namespace quantoscope::cli {

/// What every command takes.
struct CommonOptions {
    std::string model;
    bool json = false;
    int threads = 0;
    std::uint64_t memory = 1024; ///< MiB, see evaluation::Reuse
    std::uint64_t seed = 0;
    bool noCache = false;
    ProjectOptions project;

    void addTo(CLI::App& command);
};

/// Data and pre-processing.
struct DataOptions {
    std::string data;
    std::string kind = "auto";
    std::string labels;
    std::string classes;
    std::string calibration;
    std::int64_t calibrationCount = 256;
    std::int64_t limit = 0; ///< 0: all
    std::optional<std::string> preprocess;
    std::vector<float> mean;
    std::vector<float> std;
    std::optional<float> scale;
    std::optional<std::string> resize; ///< dataset::Resize in text
    std::optional<std::string> crop; ///< dataset::Extent in text
    std::optional<std::string> calibrationResize;
    std::optional<std::string> calibrationCrop;
    std::optional<std::string> channels;
    std::optional<std::string> layout;

    void addTo(CLI::App& command, bool dataRequired);
    bool describesScaling() const { return preprocess || scale || !mean.empty() || !std.empty(); }
    /// `defaults` with everything that was said put in its place.
    Result<dataset::Preprocessing> preprocessing(const dataset::Preprocessing& defaults) const;
    Result<dataset::Preprocessing> forCalibration(dataset::Preprocessing evaluation) const;
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
