// SPDX-License-Identifier: GPL-3.0-or-later
// What the workbench exchanges with other tools by way of files.
#include "core/base/file.h"
#include "core/reporting/project_report.h"
#include "ui/session/work.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

void Workbench::exportPlan(const std::filesystem::path& path, const exporting::ExportOptions& options)
{
    const AnalysisPtr analysis = m_session.currentAnalysis();
    const auto model = m_session.model();
    if (!analysis || !model)
        return;
    const auto samples = m_session.data() ? m_session.data()->evaluation : nullptr;
    flow::QuantizedNetwork network = plainNetwork(analysis);
    std::shared_ptr<const flow::Quantizer> missing;
    if (const auto corrected = m_session.currentCorrected())
        network = corrected->network;
    else if (analysis->request.corrections.any() && m_session.data())
        missing = quantizer();
    m_jobs.start<exporting::ExportReport>(
        { tr("Exporting %1").arg(QString::fromStdString(path.filename().string())), Lane::Study, {} },
        [model, network, missing, request = analysis->request, path, options, samples](
            const base::Job& job) mutable -> Result<exporting::ExportReport> {
            if (missing) {
                QS_TRY(network, missing->quantize(request, job));
            }
            return exporting::exportPlan(
                *model->source, *network.graph, *network.plan, options, path, samples.get(), job);
        },
        [this](Result<exporting::ExportReport> result) {
            if (result)
                emit exported(*result);
            else
                report(result.error(), tr("The model was not exported"), Mend::Export);
        });
}

void Workbench::applyEncodings(const std::filesystem::path& path)
{
    const AnalysisPtr analysis = m_session.currentAnalysis();
    const LoadedModelPtr model = m_session.model();
    if (!analysis || !model)
        return;
    const QString name = QString::fromStdString(path.filename().string());
    using Applied = std::shared_ptr<const importing::AppliedEncodings>;
    m_jobs.start<Applied>(
        { tr("Reading %1").arg(name), Lane::Quick, QStringLiteral("encodings") },
        [analysis, model, path](const base::Job&) -> Result<Applied> {
            QS_TRY(const auto file, importing::readEncodings(path));
            auto applied = importing::applyEncodings(*model->graph, *analysis->plan, analysis->request, file);
            if (applied.applied.empty())
                return fail(ErrorCode::InvalidInput, "none of its entries fits the model", path.string(),
                    "use encodings that were made for this model");
            return std::make_shared<const importing::AppliedEncodings>(std::move(applied));
        },
        [this, analysis, path, name](Result<Applied> result) {
            if (!result) {
                report(result.error(), tr("%1 was not applied").arg(name), Mend::Encodings);
                return;
            }
            if (m_session.currentAnalysis() != analysis)
                return; // something else has been asked for since
            m_session.adoptPlan(
                std::make_shared<const quant::QuantizationPlan>((*result)->plan), tr("encodings of %1").arg(name));
            emit encodingsApplied(path, **result);
        });
}

void Workbench::writeReport(const std::filesystem::path& path)
{
    struct Written {
        qsizetype studies = 0;
        qsizetype results = 0;
    };
    const LoadedModelPtr model = m_session.model();
    const std::string title
        = model && m_project.path().empty() ? std::filesystem::path(model->name.toStdString()).stem().string() : "";
    m_jobs.start<Written>(
        { tr("Writing %1").arg(QString::fromStdString(path.filename().string())), Lane::Study, {} },
        [store = m_project.store(), path, title](const base::Job&) -> Result<Written> {
            QS_TRY(const auto project, store->project());
            QS_TRY(auto content, reporting::contentOf(*project));
            if (!title.empty())
                content.title = title;
            QS_CHECK(base::writeFileAtomically(path, exporting::toHtml(content)));
            return Written { std::ssize(content.studies), std::ssize(content.results) };
        },
        [this, path](const Result<Written>& result) {
            if (result)
                emit reported(path, result->studies, result->results);
            else
                report(result.error(), tr("The report was not written"), Mend::Report);
        });
}

} // namespace quantoscope::ui
