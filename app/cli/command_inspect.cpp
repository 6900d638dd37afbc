// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/findings.h"
#include "app/cli/text.h"
#include "core/engine/engine.h"
#include "core/graph/layers.h"
#include "core/graph/shape_inference.h"
#include "core/importing/open_model.h"
#include "core/importing/quantized_model.h"
#include "core/onnx_io/reader.h"
#include "core/project/project.h"

namespace quantoscope::cli {

namespace {

using graph::Graph;
using graph::ValueId;

/// The model as the rest of the program would see it; where it holds operators that cannot be computed, as far as it is
/// understood.
class Inspect : public Command {
public:
    explicit Inspect(CLI::App& command)
    {
        m_common.addTo(command);
        m_options.addTo(command);
    }

    Result<void> run(const base::Job&, Report& report) override
    {
        std::filesystem::path file = m_common.model;
        project::ProjectPtr project;
        if (!m_common.project.file.empty()) {
            QS_TRY(project, openProject(m_common.project.file));
            QS_TRY(file, findModel(m_common.model, *project, m_common.project));
        }
        QS_TRY(const auto model, onnx_io::readModel(file));
        auto network = model;
        if (importing::isQuantized(model.graph)) {
            QS_TRY(auto imported, importing::readQuantizedModel(model));
            network = std::move(imported.model);
        }
        const auto unsupported = engine::findUnsupported(network.graph);
        QS_TRY(const auto opened, understood(model, unsupported.empty()));
        describeModel(report, model, *opened.graph);
        describeQuantization(report, opened);
        describeLayers(report, *opened.graph, opened.plan);
        describeUnsupported(report, unsupported);
        if (!project)
            return {};
        QS_TRY(const auto content, project::fileFingerprint(file));
        QS_CHECK(project->addSource({ "model", content, file, {}, Json::object() }));
        return project->keepStudy(
            { "inspect", { { "model", content }, { "fold_batch_norm", m_options.foldBatchNorm } }, report.json() });
    }

private:
    Result<importing::OpenedModel> understood(const graph::Model& model, bool supported) const
    {
        if (supported) {
            graph::PassOptions passes;
            passes.foldBatchNorm = m_options.foldBatchNorm == "on";
            return importing::openModel(model, passes);
        }
        auto graph = std::make_shared<Graph>(model.graph);
        graph::InferenceOptions inference;
        inference.evaluator = engine::constantEvaluator();
        QS_CHECK(graph::inferShapes(*graph, inference));
        importing::OpenedModel opened;
        opened.graph = std::move(graph);
        return opened;
    }

    static Json shapeOf(const Graph& graph, ValueId value)
    {
        if (!value.valid() || !graph.value(value).type.dims)
            return nullptr;
        return toJson(*graph.value(value).type.dims);
    }

    static std::string shapeText(const Graph& graph, ValueId value)
    {
        if (!value.valid())
            return "-";
        const auto& dims = graph.value(value).type.dims;
        return dims ? graph::toString(*dims) : "?";
    }

    static Json describePorts(const Graph& graph, const std::vector<ValueId>& ports)
    {
        Json json = Json::array();
        for (const auto port : ports) {
            const auto& type = graph.value(port).type;
            json.push_back({ { "name", graph.value(port).name },
                { "type", type.dtype ? Json(tensor::name(*type.dtype)) : Json() }, { "shape", shapeOf(graph, port) } });
        }
        return json;
    }

    static std::string listPorts(const Graph& graph, const std::vector<ValueId>& ports)
    {
        std::string text;
        for (const auto port : ports)
            text += (text.empty() ? "" : ", ") + graph.value(port).name + " " + graph.value(port).type.toString();
        return text;
    }

    static std::int64_t constantElements(const Graph& graph)
    {
        std::int64_t total = 0;
        for (const auto id : graph.values())
            if (const auto& constant = graph.value(id).constant; constant && tensor::isFloating(constant->dtype()))
                total += constant->size();
        return total;
    }

    static void describeModel(Report& report, const graph::Model& model, const Graph& graph)
    {
        std::int64_t macs = 0;
        for (const auto& layer : graph::computeLayers(graph))
            macs += layer.macs;
        const std::int64_t parameters = constantElements(graph);
        report.fact("model", model.path.string());
        report.json()["model"] = { { "file", model.path.string() }, { "name", model.graph.name },
            { "opset", model.graph.opset() }, { "ir", model.irVersion }, { "producer", model.producerName },
            { "parameters", parameters }, { "macs", macs }, { "inputs", describePorts(graph, graph.inputs()) },
            { "outputs", describePorts(graph, graph.outputs()) }, { "metadata", model.metadata } };
        report.text("opset        " + std::to_string(model.graph.opset()) + ", IR version "
            + std::to_string(model.irVersion) + (model.producerName.empty() ? "" : ", from " + model.producerName)
            + "\n" + "parameters   " + count(parameters) + "\n" + "MAC          " + metric(static_cast<double>(macs))
            + " an image\n" + "inputs       " + listPorts(graph, graph.inputs()) + "\n" + "outputs      "
            + listPorts(graph, graph.outputs()) + "\n");
    }

    /// What the file's own quantizers do.
    static void describeQuantization(Report& report, const importing::OpenedModel& opened)
    {
        Json& json = report.json()["quantization"];
        for (const auto& note : opened.notes)
            report.note(note);
        if (!opened.plan)
            return;
        Json tensors = Json::array();
        for (const auto& [name, quantizer] : opened.plan->tensors())
            tensors.push_back({ { "name", name }, { "kind", quant::toString(quantizer.role) },
                { "bits", quantizer.encoding.bits() }, { "encoding", quantizer.encoding.toJson() } });
        json = { { "title", opened.plan->title }, { "scope", quant::toString(opened.plan->scope) },
            { "tensors", std::move(tensors) } };
        report.text("quantized    " + opened.plan->title + ", "
            + count(static_cast<std::int64_t>(opened.plan->tensors().size())) + " tensors\n");
    }

    /// "4", or empty for what is float.
    static std::string bitsText(const Graph& graph, ValueId value, const quant::QuantizationPlan& plan)
    {
        const auto* quantizer = value.valid() ? plan.find(graph.value(value).name) : nullptr;
        return quantizer ? std::to_string(quantizer->encoding.bits()) : "";
    }

    static void describeLayers(Report& report, const Graph& graph, const quant::PlanPtr& plan)
    {
        using enum Table::Align;
        std::vector<Table::Column> columns { { "#" }, { "layer", Left }, { "operator", Left }, { "input", Left },
            { "output", Left }, { "weight", Left }, { "parameters" }, { "MAC" } };
        if (plan)
            columns.insert(columns.end(), { { "W bits" }, { "A bits" } });
        Table table(columns);
        Json rows = Json::array();
        for (const auto& layer : graph::computeLayers(graph)) {
            rows.push_back({ { "name", layer.name }, { "op", layer.op }, { "input_shape", shapeOf(graph, layer.input) },
                { "output_shape", shapeOf(graph, layer.output) }, { "weight_shape", shapeOf(graph, layer.weight) },
                { "parameters", layer.parameters }, { "macs", layer.macs } });
            std::vector<std::string> cells { std::to_string(rows.size()), layer.name, layer.op,
                shapeText(graph, layer.input), shapeText(graph, layer.output), shapeText(graph, layer.weight),
                count(layer.parameters), count(layer.macs) };
            if (plan)
                cells.insert(
                    cells.end(), { bitsText(graph, layer.weight, *plan), bitsText(graph, layer.input, *plan) });
            table.add(std::move(cells));
        }
        report.json()["layers"] = std::move(rows);
        report.text(table.empty() ? "The model has no compute layers.\n" : table.toString());
    }

    static void describeUnsupported(Report& report, const std::vector<graph::Unsupported>& unsupported)
    {
        using enum Table::Align;
        Table table({ { "not supported", Left }, { "operator", Left }, { "opset" }, { "why", Left } });
        Json rows = Json::array();
        for (const auto& node : unsupported) {
            rows.push_back({ { "name", node.name }, { "op", node.op }, { "opset", node.opset }, { "why", node.why } });
            table.add({ node.name, node.op, std::to_string(node.opset), node.why });
        }
        report.json()["unsupported"] = std::move(rows);
        report.text(table.empty() ? "Every operator is supported.\n" : table.toString());
    }

    GraphOptions m_options;
};

} // namespace

CommandPtr makeInspect(CLI::App& command) { return std::make_unique<Inspect>(command); }

} // namespace quantoscope::cli
