// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/evaluation_report.h"
#include "app/cli/layer_report.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/base/file.h"
#include "core/exporting/report/report.h"
#include "core/graph/fingerprint.h"
#include "core/project/project.h"
#include "core/quant/plan_fingerprint.h"
#include "core/reporting/project_report.h"

namespace quantoscope::cli {

namespace {

namespace fs = std::filesystem;
using exporting::ReportContent;
using project::Project;

/// A page of everything that a project holds, or of one plan that is measured for it.
class ReportPage : public Command {
public:
    explicit ReportPage(CLI::App& command)
    {
        m_common.addTo(command);
        command.get_option("MODEL")->required(false)->description(
            "ONNX model whose plan is reported; without one the report is of --project");
        command.add_option("--out", m_out, "The file to write: F.html")->required();
        command.add_option("--title", m_title, "Headline; default: the project's or the model's name");
        m_data.addTo(command, false);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_energy.addTo(command);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        if (m_common.model.empty() && m_common.project.file.empty())
            return fail(ErrorCode::InvalidInput, "there is nothing to report", {},
                "give --project FILE, or a model with --data and --plan");
        if (!m_common.model.empty() && m_data.data.empty())
            return fail(ErrorCode::InvalidInput, "a plan is measured on images", {}, "give --data PATH");
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
        return m_energy.check();
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        QS_CHECK(checkOutput(m_out, m_common, m_data));
        std::error_code error;
        if (fs::equivalent(m_out, m_common.project.file, error))
            return fail(ErrorCode::InvalidInput, "would overwrite the project", m_out, "name another file");
        ReportContent content = reporting::newReport(m_title);
        QS_CHECK(m_common.model.empty() ? ofProject(content) : ofPlan(content, job));
        const auto page = exporting::toHtml(content);
        QS_CHECK(base::writeFileAtomically(m_out, page));
        report.json()["file"] = m_out;
        report.json()["bytes"] = page.size();
        report.json()["studies"] = content.studies.size();
        report.json()["results"] = content.results.size();
        report.text("wrote        " + m_out + ": " + count(std::ssize(content.studies)) + " studies, "
            + count(std::ssize(content.results)) + " evaluations, " + metric(static_cast<double>(page.size())) + "B\n");
        return {};
    }

private:
    /// Opened for reading: a report may be written while others work on the project.
    Result<void> ofProject(ReportContent& content) const
    {
        QS_TRY(const auto project, Project::open(m_common.project.file, project::Mode::ReadOnly));
        QS_TRY(content, reporting::contentOf(*project));
        if (!m_title.empty())
            content.title = m_title;
        return {};
    }

    Result<void> ofPlan(ReportContent& content, const base::Job& job) const
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(checkOutput(m_files.save, m_common, m_data));
        Report evaluated("evaluate");
        Pipeline pipeline(m_common, job, evaluated);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(const auto plan, pipeline.makePlan(m_quantization, m_data, m_files));
        QS_TRY(const auto energy, pipeline.energyModel(m_energy));
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        QS_CHECK(reportEvaluation(pipeline, *plan, m_quantization, m_common, energy, job, evaluated, elapsed.count()));
        QS_CHECK(pipeline.keepStudy(
            "evaluate", { { "plan", quant::fingerprint(*plan) }, { "engine", m_quantization.engine } }));
        Report layers("layers");
        layers.json()["model"] = evaluated.json()["model"];
        layers.json()["scope"] = evaluated.json()["scope"];
        const auto some = dataset::sampleIndices(pipeline.samples()->size(), imagesForLayers, m_common.seed);
        QS_CHECK(
            reportLayers(pipeline, *plan, *pipeline.samples()->subset(some), m_quantization, m_common, job, layers));
        if (content.title.empty())
            content.title = fs::path(m_common.model).stem().string() + ": "
                + (plan->empty() ? std::string("float") : plan->title);
        QS_TRY(const auto fingerprint, project::fileFingerprint(pipeline.model().path));
        content.sources.push_back({ "model", pipeline.model().path.string(), fingerprint, {} });
        addSamples(content, "data", pipeline.samples());
        addSamples(content, "calibration", pipeline.calibrationSamples());
        const Json settings { { "model", graph::fingerprint(*pipeline.floatGraph()) },
            { "plan", quant::fingerprint(*plan) }, { "seed", m_common.seed }, { "engine", m_quantization.engine } };
        for (auto* part : { &evaluated, &layers })
            content.studies.push_back({ part->json()["command"], settings, part->json(), true, QUANTOSCOPE_VERSION,
                project::machineDescription(), content.created });
        return {};
    }

    static void addSamples(ReportContent& content, const std::string& role, const dataset::SampleSetPtr& samples)
    {
        if (samples)
            content.sources.push_back({ role, samples->dataset()->path().string(), samples->fingerprint(),
                samples->description() + "; " + samples->preprocessing().describe() });
    }

    static constexpr std::int64_t imagesForLayers = 256;

    std::string m_out;
    std::string m_title;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    EnergyOption m_energy;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeReport(CLI::App& command) { return std::make_unique<ReportPage>(command); }

} // namespace quantoscope::cli
