// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/parity/subject.h"

class QProcess;
class QTemporaryDir;

namespace quantoscope::parity {

/// ONNX Runtime with one set of images, in a process of its own.
class Peer {
public:
    /// Where it was installed (packaging/install-onnxruntime.sh): QUANTOSCOPE_ONNXRUNTIME, or in the build folder.
    static std::filesystem::path folder();
    static bool isInstalled(); ///< and node with it

    Peer();
    ~Peer();
    Result<void> start(const dataset::SampleSet& samples, int threads);

    struct Job {
        std::filesystem::path model;
        std::string level; ///< "disabled", "all"
        std::int64_t batch = 1;
        std::int64_t first = 0;
        std::int64_t count = 0;
        std::vector<std::string> outputs = {}; ///< empty: all of the model
        std::filesystem::path optimized = {}; ///< where the optimised model is to be written; empty: nowhere
    };
    Result<Outputs> run(const Job& job);

private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<QProcess> m_process;
};

} // namespace quantoscope::parity
