// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/exporting/qdq_exporter.h"

namespace quantoscope::cli {

namespace {

/// The quantized model as a file, read back and compared with the simulation where images are given.
class Export : public Command {
public:
    explicit Export(CLI::App& command)
    {
        m_common.addTo(command);
        command.add_option("--out", m_out, "File to write")->required();
        command.add_option("--format", m_format, "File format; default qdq")->check(CLI::IsMember({ "qdq" }));
        m_data.addTo(command, false);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
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
            exporting::exportQdq(pipeline.model(), pipeline.graph(), *plan, m_out, pipeline.samples().get(), job));
        describe(report, exported);
        return {};
    }

private:
    static void describe(Report& report, const exporting::ExportReport& exported)
    {
        Json& json = report.json();
        json["file"] = exported.file.string();
        json["bytes"] = exported.bytes;
        json["opset"] = exported.opset;
        json["checks"] = nullptr;
        report.text("file         " + exported.file.string() + "\n" + "size         "
            + count(static_cast<std::int64_t>(exported.bytes)) + " bytes, opset " + std::to_string(exported.opset)
            + "\n");
        if (exported.images == 0) {
            report.note("no --data given: the file was read back, but its predictions were not compared");
            return;
        }
        const bool classifies = !std::isnan(exported.agreement);
        json["checks"] = { { "images", exported.images },
            { "reload_top1", classifies ? Json(exported.reloadTop1) : Json() },
            { "agreement", classifies ? Json(exported.agreement) : Json() }, { "max_abs_diff", exported.maxAbsDiff } };
        const std::string accuracy = classifies ? "top-1 " + fixed(exported.reloadTop1)
                + " %, the same prediction as the simulation for " + fixed(exported.agreement) + " %, "
                                                : "";
        report.text("The file, read back and run on " + count(exported.images) + " images: " + accuracy
            + "largest difference of an output " + significant(exported.maxAbsDiff) + "\n");
    }

    std::string m_out;
    std::string m_format = "qdq";
    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeExport(CLI::App& command) { return std::make_unique<Export>(command); }

} // namespace quantoscope::cli
