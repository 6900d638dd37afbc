// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/exporter.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/exporting/opset_conversion.h"
#include "core/exporting/parity.h"
#include "core/exporting/qdq_builder.h"
#include "core/exporting/qonnx_builder.h"
#include "core/importing/quantized_model.h"
#include "core/onnx_io/reader.h"

namespace quantoscope::exporting {

namespace {

/// The plan without the values of corrected constants, which the file holds as integers and biases anyway.
Json describePlan(const quant::QuantizationPlan& plan)
{
    Json json = plan.toJson();
    json.erase("constants");
    json.erase("added_biases");
    return json;
}

quant::QuantizationPlan withoutActivations(const quant::QuantizationPlan& plan)
{
    auto constants = plan;
    for (const auto& [name, quantizer] : plan.tensors())
        if (quantizer.role == quant::Role::Activation)
            constants.erase(name);
    return constants;
}

std::unique_ptr<PlanWriter> writerFor(
    graph::Graph& graph, const quant::QuantizationPlan& plan, const ExportOptions& options)
{
    if (options.format == Format::Qonnx)
        return std::make_unique<QonnxBuilder>(graph, plan);
    if (options.format == Format::Float)
        return std::make_unique<FloatBuilder>(graph, plan);
    return std::make_unique<QdqBuilder>(graph, plan, options.containers);
}

/// Reads a written model back and compares it with the simulation.
Result<void> checkModel(const graph::Graph& prepared, const quant::QuantizationPlan& plan, Format format,
    const dataset::SampleSet* samples, bool classifies, const base::Job& job, ExportReport& report)
{
    QS_TRY(auto reread, onnx_io::readModel(report.file));
    if (job.stopRequested())
        return base::cancelled();
    quant::QuantizationPlan found;
    // As written: a batch norm that was kept must not be folded into weights that are quantized by now.
    graph::PassOptions passes { .foldBatchNorm = false };
    if (format == Format::Qonnx) { // for QDQ there are kernels, which compute what the file says
        QS_TRY(auto imported, importing::readQuantizedModel(std::move(reread)));
        reread = std::move(imported.model);
        found = std::move(imported.plan);
        passes = importing::preparation();
    }
    QS_TRY(const auto graph, engine::prepareGraph(reread, passes));
    if (!samples)
        return {};
    if (job.stopRequested())
        return base::cancelled();
    const auto simulated = format == Format::Float ? withoutActivations(plan) : plan;
    return compareNetworks({ prepared, simulated }, { *graph, found }, *samples, classifies, job, report);
}

/// The source's doc strings of values, those of constants on the integers that stand for them.
std::map<std::string, std::string> docsFor(
    const graph::Graph& written, const std::map<std::string, std::string>& source)
{
    std::map<std::string, std::string> docs;
    for (const auto& [name, text] : source)
        docs.emplace(written.find(name) ? name : name + "_quantized", text);
    return docs;
}

Result<std::uint64_t> writeText(const std::filesystem::path& path, const std::string& text)
{
    QS_CHECK(base::writeFileAtomically(path, text));
    return text.size();
}

} // namespace

Result<graph::Model> buildModel(const graph::Model& source, const graph::Graph& prepared,
    const quant::QuantizationPlan& plan, const ExportOptions& options)
{
    assert(isModel(options.format));
    graph::Model model = source;
    model.path.clear();
    QS_TRY(model.graph, quant::correctedGraph(prepared, plan));
    model.producerName = "quantoscope";
    model.producerVersion = QUANTOSCOPE_VERSION;
    model.metadata["quantoscope.plan"] = describePlan(plan).dump();
    QS_CHECK(raiseOpset(model.graph, requiredOpset(plan, model.graph, options.format, options.containers)));
    QS_CHECK(writerFor(model.graph, plan, options)->run());
    if (options.format == Format::Qonnx)
        model.graph.opsets[qonnxDomain] = 1;
    model.irVersion = std::max(model.irVersion, onnx_io::minimumIrVersion(model.graph.opset()));
    return model;
}

Result<ExportReport> exportPlan(const graph::Model& source, const graph::Graph& prepared,
    const quant::QuantizationPlan& plan, const ExportOptions& options, const std::filesystem::path& path,
    const dataset::SampleSet* samples, const base::Job& job)
{
    ExportReport report;
    report.file = path;
    report.reloadTop1 = report.agreement = report.maxAbsDiff = std::numeric_limits<double>::quiet_NaN();
    QS_TRY(const auto corrected, quant::correctedGraph(prepared, plan));
    report.containers = describeContainers(corrected, plan, options.format, options.containers);
    if (!isModel(options.format)) {
        QS_TRY(report.bytes,
            writeText(path,
                options.format == Format::Csv ? encodingsCsv(plan)
                                              : aimetEncodings(plan, options.encodings).dump(2) + "\n"));
        return report;
    }
    QS_TRY(const auto model, buildModel(source, prepared, plan, options));
    if (job.stopRequested())
        return base::cancelled();
    bool classifies = false;
    if (samples) { // before anything is written: the images may not fit the network
        QS_TRY(classifies, evaluation::isClassifier(prepared, *samples));
    }
    report.opset = model.graph.opset();
    const auto notes = source.path.empty() ? onnx_io::FileNotes {} : onnx_io::readNotes(source.path);
    QS_TRY(report.bytes,
        onnx_io::writeModel(model, path,
            { notes.hasExternalData ? 0 : options.externalThreshold, docsFor(model.graph, notes.valueDocs),
                job.stop }));
    QS_CHECK(checkModel(prepared, plan, options.format, samples, classifies, job, report));
    return report;
}

} // namespace quantoscope::exporting
