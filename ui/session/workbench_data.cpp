// SPDX-License-Identifier: GPL-3.0-or-later
// Whether images suit the model: a look at some of them, and the search for a preparation that does.
#include "ui/session/data_checks.h"
#include "ui/session/model_check.h"
#include "ui/session/window_words.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

namespace {

const QString previewChannel = QStringLiteral("preview");
const QString variantChannel = QStringLiteral("variant");
const QString biasesChannel = QStringLiteral("biases");

} // namespace

void Workbench::previewData(const DataRequest& request, bool guess)
{
    m_jobs.start<DataPreviewPtr>(
        { tr("Preparing some images"), Lane::Quick, previewChannel },
        [request, guess, model = m_session.model()](
            const base::Job& job) { return ui::previewData(request, model.get(), guess, job); },
        [this, request](Result<DataPreviewPtr> result) {
            if (result) {
                m_session.setDataPreview(*result);
                return;
            }
            if (result.error().code == ErrorCode::Cancelled) {
                emit dataRefused(tr("The images were not read: cancelled."));
                return;
            }
            // The dialog shows it where the pictures would be; nothing was asked for yet.
            auto failed = std::make_shared<DataPreview>();
            failed->request = request;
            failed->misfit = errorSentences(result.error());
            failed->failed = true;
            m_session.setDataPreview(std::move(failed));
        });
}

void Workbench::lookForVariant()
{
    const auto data = m_session.data();
    m_jobs.start<DataVariantPtr>(
        { tr("Trying other preparations"), Lane::Detail, variantChannel },
        [request = data->request, model = m_session.model()](
            const base::Job& job) { return findVariant(request, *model, job); },
        [this, data](Result<DataVariantPtr> result) {
            if (result && *result && m_session.data() == data)
                m_session.setDataVariant(*result);
        });
}

void Workbench::checkBiases()
{
    const auto check = m_session.modelCheck();
    if (!check || !check->usable)
        return;
    m_jobs.start<std::vector<ModelFinding>>(
        { tr("Forecasting biases"), Lane::Detail, biasesChannel },
        [graph = m_session.model()->graph, stats = m_session.stats(), request = m_session.request()](
            const base::Job&) { return forecastBiases(*graph, *stats, request); },
        [this, check](Result<std::vector<ModelFinding>> result) {
            if (!result || m_session.modelCheck() != check) // options that give no plan say so elsewhere
                return;
            auto complete = std::make_shared<ModelCheck>(*check);
            complete->biases = std::move(*result);
            m_session.setModelCheck(std::move(complete));
        });
}

} // namespace quantoscope::ui
