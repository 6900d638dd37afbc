// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/exporting/containers.h"
#include "core/exporting/encodings_file.h"
#include "core/graph/graph.h"
#include "core/onnx_io/writer.h"
#include "core/quant/plan.h"

namespace quantoscope::exporting {

struct ExportOptions {
    Format format = Format::Qdq;
    Containers containers = Containers::Portable; ///< Format::Qdq
    EncodingsVersion encodings = EncodingsVersion::V100; ///< Format::Encodings
    /// Constants of more bytes go to a file beside the model; so do those of a source whose own lie there.
    std::uint64_t externalThreshold = onnx_io::WriteOptions {}.externalThreshold;
};

/// The source model with the plan written into it, ready for onnx_io::writeModel; for formats with isModel() (asserts).
/// `source` supplies names, metadata and opsets, `prepared` the graph the plan belongs to (batch norm folded). Opset 13
/// (the source's if higher), or requiredOpset().
/// Format::Qdq: below 8 bits activations get an integer Clip, at 9 to 15 bits Max and Min before the quantizer
/// (runtimes have no 16-bit Clip); weights are stored inside their bounds. Scope::Compute: quantizers on the edges into
/// compute layers only, bias float; Scope::Integer: at the producer, bias int32 named `<b>_quantized`. Word-lengths go
/// into metadata_props `quantoscope.plan` (JSON). Corrected weights and biases are what is written; `prepared` is
/// equalized where the plan says so. Errors: Unsupported for what the format cannot say (roundings, an operator whose
/// form at the source's opset has no equivalent), NotFound (the plan names a tensor that `prepared` does not have),
/// InvalidInput.
Result<graph::Model> buildModel(const graph::Model& source, const graph::Graph& prepared,
    const quant::QuantizationPlan& plan, const ExportOptions& options);

/// The largest difference between simulation and file of one output.
struct OutputDifference {
    std::string output;
    double maxAbsDiff = 0;
};

struct ExportReport {
    std::filesystem::path file;
    std::uint64_t bytes = 0; ///< of the model and of its external data
    int opset = 0; ///< 0 where the file is no model
    ContainerReport containers;
    double reloadTop1 = 0; ///< percent, the written file run by this engine; NaN without samples or a classifier
    double agreement = 0; ///< percent of images with the same prediction as the simulation; NaN likewise
    double maxAbsDiff = 0; ///< largest difference of any output element, over the first 256 images
    std::vector<OutputDifference> outputs; ///< the same for each output; empty without samples
    /// The first activation, in the order they are computed, that differs by more than one of its steps on the image
    /// whose output differs most; empty if none does.
    std::string firstDifference;
    std::int64_t images = 0; ///< compared; 0 without samples
};

/// Writes the plan in a format, atomically; a model is read back and, given samples, compared with the simulation on
/// all of them (raw outputs only, where the network is no classifier). What a Format::Float file is compared with is
/// the simulation of the constants' quantizers alone, since it holds no others. Samples that do not fit are found
/// before anything is written; cancelling the comparison leaves the finished file.
Result<ExportReport> exportPlan(const graph::Model& source, const graph::Graph& prepared,
    const quant::QuantizationPlan& plan, const ExportOptions& options, const std::filesystem::path& path,
    const dataset::SampleSet* samples, const base::Job& job = {});

} // namespace quantoscope::exporting
