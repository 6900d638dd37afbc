// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/graph/passes/passes.h"
#include "core/quant/plan.h"

namespace quantoscope::importing {

/// A model file as everything else works on it.
struct OpenedModel {
    std::shared_ptr<const graph::Model> model; ///< float; of a quantized file what readQuantizedModel() makes of it
    std::shared_ptr<const graph::Graph> graph; ///< prepared
    quant::PlanPtr plan; ///< what the file's quantizers do; null: it has none
    std::vector<std::string> notes; ///< quantizers that stay nodes, and why
};

/// Reads and prepares a model. One without quantizers is prepared with `passes`; the networks of quantized ones stay as
/// they are, with preparation(). Errors: as onnx_io::readModel(), engine::prepareGraph() and readQuantizedModel().
Result<OpenedModel> openModel(const std::filesystem::path& path, const graph::PassOptions& passes = {});
/// The same for a model that was read before.
Result<OpenedModel> openModel(graph::Model model, const graph::PassOptions& passes = {});

} // namespace quantoscope::importing
