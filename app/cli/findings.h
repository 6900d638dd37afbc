// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/cli/report.h"
#include "core/base/json.h"
#include "core/cost/metric.h"
#include "core/evaluation/evaluator.h"
#include "core/graph/graph.h"
#include "core/planning/bias.h"
#include "core/quant/plan.h"

/// Results of core as members of the JSON documents that the commands promise.
namespace quantoscope::cli {

using cost::toJson;
Json toJson(const evaluation::Interval& interval); ///< [low, high]
Json toJson(const evaluation::EvaluationResult& result); ///< top1, top5, top1_ci95, loss
Json toJson(const std::vector<planning::BiasRemedy>& remedies);
Json toJson(const graph::Dims& dims); ///< [1, 3, 224, 224]; symbolic extents by name, unknown ones null

/// The fixed-point formats of a plan with power-of-two steps, as a line of text and as "q_formats" of the document,
/// from tensor to format; nothing for other plans.
void describeFormats(Report& report, const quant::QuantizationPlan& plan);

/// What quantizing cost, in one line: "0.27 MB (25.2 % of float), 40.8 M MAC, ...".
std::string describeCost(const cost::Cost& cost);

/// "10,000 images at 2,480 images/s".
std::string describeSpeed(const evaluation::EvaluationResult& result);

} // namespace quantoscope::cli
