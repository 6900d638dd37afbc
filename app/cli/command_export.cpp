// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/exporting/exporter.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::cli {

namespace {

/// The quantized model as a file, read back and compared with the simulation where images are given.
class Export : public Command {
public:
    explicit Export(CLI::App& command)
    {
        m_common.addTo(command);
        command.add_option("--out", m_out, "File to write")->required();
        command
            .add_option("--format", m_format,
                "qdq: ONNX with QuantizeLinear and DequantizeLinear; qonnx: ONNX with Quant nodes; float: ONNX whose "
                "constants have their quantized values; encodings: AIMET's JSON; csv: the encodings as a table; "
                "default qdq")
            ->check(CLI::IsMember({ "qdq", "qonnx", "float", "encodings", "csv" }));
        command
            .add_option("--containers", m_containers,
                "portable: 8-bit integers below 8 bits too, which every runtime has; native: int4 and uint4 where they "
                "do, at opset 21; default portable")
            ->check(CLI::IsMember({ "portable", "native" }));
        command.add_option("--encodings-version", m_encodings, "Layout of --format encodings; default 1.0.0")
            ->check(CLI::IsMember({ "1.0.0", "0.6.1" }));
        command.add_flag("--tensors", m_tensors, "List every tensor: word-length, container, bytes, what is computed");
        m_data.addTo(command, false);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
        QS_TRY(m_options.format, exporting::parseFormat(m_format));
        QS_TRY(m_options.containers, exporting::parseContainers(m_containers));
        QS_TRY(m_options.encodings, exporting::parseEncodingsVersion(m_encodings));
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        QS_CHECK(checkOutput(m_files.save, m_common, m_data));
        QS_CHECK(checkOutput(m_out, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openData(m_data));
        QS_TRY(const auto plan, pipeline.makePlan(m_quantization, m_data, m_files));
        QS_TRY(const auto exported,
            exporting::exportPlan(
                pipeline.model(), pipeline.graph(), *plan, m_options, m_out, pipeline.samples().get(), job));
        describe(report, exported);
        describeContainers(report, exported.containers);
        return pipeline.keepStudy("export",
            { { "plan", quant::fingerprint(*plan) }, { "format", m_format }, { "containers", m_containers },
                { "encodings", m_encodings } });
    }

private:
    void describe(Report& report, const exporting::ExportReport& exported) const
    {
        const bool isModel = exporting::isModel(m_options.format);
        Json& json = report.json();
        json["file"] = exported.file.string();
        json["format"] = m_format;
        json["bytes"] = exported.bytes;
        json["opset"] = isModel ? Json(exported.opset) : Json();
        json["checks"] = nullptr;
        report.text("file         " + exported.file.string() + "\n" + "size         "
            + count(static_cast<std::int64_t>(exported.bytes)) + " bytes"
            + (isModel ? ", opset " + std::to_string(exported.opset) : "") + "\n");
        if (!isModel)
            return;
        if (exported.images == 0) {
            report.note("no --data given: the file was read back, but its predictions were not compared");
            return;
        }
        const bool classifies = !std::isnan(exported.agreement);
        json["checks"] = { { "images", exported.images },
            { "reload_top1", classifies ? Json(exported.reloadTop1) : Json() },
            { "agreement", classifies ? Json(exported.agreement) : Json() }, { "max_abs_diff", exported.maxAbsDiff },
            { "first_difference", exported.firstDifference.empty() ? Json() : Json(exported.firstDifference) } };
        for (const auto& output : exported.outputs)
            json["checks"]["outputs"][output.output] = output.maxAbsDiff;
        const std::string accuracy = classifies ? "top-1 " + fixed(exported.reloadTop1)
                + " %, the same prediction as the simulation for " + fixed(exported.agreement) + " %, "
                                                : "";
        report.text("The file, read back and run on " + count(exported.images) + " images: " + accuracy
            + "largest difference of an output " + significant(exported.maxAbsDiff) + "\n");
        if (!exported.firstDifference.empty())
            report.note("'" + exported.firstDifference
                + "' is the first tensor of the file that differs from the simulation by more than one of its steps");
    }

    void describeContainers(Report& report, const exporting::ContainerReport& containers) const
    {
        Json rows = Json::array();
        using enum Table::Align;
        Table table({ { "tensor", Left }, { "kind", Left }, { "bits" }, { "container", Left }, { "elements" },
            { "bytes" }, { "values in the file", Left }, { "layer computes in", Left } });
        for (const auto& tensor : containers.tensors) {
            rows.push_back({ { "name", tensor.tensor }, { "kind", quant::toString(tensor.role) },
                { "bits", tensor.logicalBits }, { "container", tensor.container }, { "elements", tensor.elements },
                { "logical_bytes", tensor.logicalBytes }, { "bytes_on_disk", tensor.bytesOnDisk },
                { "executes", tensor.executes },
                { "computed_in", tensor.computedIn.empty() ? Json() : Json(tensor.computedIn) } });
            table.add({ tensor.tensor, quant::toString(tensor.role), std::to_string(tensor.logicalBits),
                tensor.container, count(tensor.elements), count(static_cast<std::int64_t>(tensor.bytesOnDisk)),
                tensor.executes, tensor.computedIn });
        }
        report.json()["containers"]
            = { { "logical_bytes", containers.logicalBytes }, { "bytes_on_disk", containers.bytesOnDisk },
                  { "float_bytes", containers.floatBytes }, { "layers", containers.layers },
                  { "integer_layers", containers.integerLayers }, { "tensors", std::move(rows) } };
        report.text(containers.describe() + "\n");
        if (m_tensors && !table.empty())
            report.text(table.toString());
    }

    std::string m_out;
    std::string m_format = "qdq";
    std::string m_containers = "portable";
    std::string m_encodings = "1.0.0";
    bool m_tensors = false;
    exporting::ExportOptions m_options;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeExport(CLI::App& command) { return std::make_unique<Export>(command); }

} // namespace quantoscope::cli
