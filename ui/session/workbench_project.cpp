// SPDX-License-Identifier: GPL-3.0-or-later
// Opening: models, images, the sample and projects, and taking up what a project remembers of them.
#include <QCoreApplication>

#include <nlohmann/json.hpp>

#include "core/onnx_io/reader.h"
#include "ui/session/model_check.h"
#include "ui/session/window_words.h"
#include "ui/session/work.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

namespace fs = std::filesystem;

namespace {

const fs::path fashionFolder = "/usr/share/datasets/fashion-mnist";
const fs::path sampleClasses = "fashion_mnist_classes.txt";
const QString modelChannel = QStringLiteral("model");
const QString dataChannel = QStringLiteral("data");
const QString planChannel = QStringLiteral("plan");
const QString runsChannel = QStringLiteral("runs");

/// Notes where a project finds its files again. Nobody waits for that; results do not depend on it, and will say if
/// nothing can be kept.
void keepSource(JobRunner& jobs, const std::shared_ptr<ProjectStore>& store, std::function<project::Source()> source)
{
    struct Nothing { };
    jobs.start<Nothing>(
        { Workbench::tr("Keeping where files are"), Lane::Keep, {} },
        [store, source = std::move(source)](const base::Job&) -> Result<Nothing> {
            QS_TRY(const auto project, store->project());
            QS_CHECK(project->addSource(source()));
            return Nothing {};
        },
        [](const Result<Nothing>&) {});
}

void keepSource(JobRunner& jobs, const std::shared_ptr<ProjectStore>& store, const std::string& role,
    const dataset::SampleSetPtr& samples)
{
    keepSource(jobs, store, [role, samples] {
        return project::Source { role, samples->fingerprint(), samples->dataset()->path(), {},
            { { "description", samples->description() }, { "preprocessing", samples->preprocessing().toJson() } } };
    });
}

/// A project that was made with the sample may have been made where the program is installed elsewhere.
DataRequest withSampleClasses(DataRequest request)
{
    std::error_code ignored;
    if (request.classes.filename() == sampleClasses && !fs::exists(request.classes, ignored))
        request.classes = Workbench::sampleFile(sampleClasses);
    return request;
}

} // namespace

void Workbench::openModel(const fs::path& path)
{
    const QString name = QString::fromStdString(path.filename().string());
    struct Opened {
        Result<LoadedModelPtr> model;
        ModelCheckPtr check; ///< null where it is no model at all
    };
    m_jobs.start<Opened>(
        { tr("Opening %1").arg(name), Lane::Quick, modelChannel },
        [path, name](const base::Job& job) -> Result<Opened> {
            Opened opened { loadModel(path, job), nullptr };
            if (opened.model) {
                const LoadedModel& model = **opened.model;
                opened.check = checkModel(*model.source, name, &model);
            } else if (opened.model.error().code == ErrorCode::Unsupported) {
                if (const auto read = onnx_io::readModel(path))
                    opened.check = checkModel(*read, name, nullptr);
            }
            return opened;
        },
        [this, path, name](const Result<Opened>& result) {
            if (!result) {
                report(result.error(), tr("%1 was not opened").arg(name), Mend::Model);
                return;
            }
            if (result->check)
                m_session.setModelCheck(result->check);
            if (!result->model) {
                report(result->model.error(), tr("%1 was not opened").arg(name), Mend::Model);
                return;
            }
            const LoadedModelPtr& model = *result->model;
            keepSource(m_jobs, m_project.store(), [model] {
                return project::Source { "model", model->fingerprint, model->path, {},
                    { { "graph", model->graphFingerprint } } };
            });
            const auto kept = m_project.remembered(model->fingerprint);
            if (kept && !kept->foldBatchNorm)
                prepareAnew(model, false, kept);
            else
                adoptModel(model, kept);
            emit modelOpened(path);
            if (model->plan)
                emit notice(tr("%1 is quantized already: %2. Every encoding can be changed.")
                                .arg(name, QString::fromStdString(model->plan->title)));
        });
}

void Workbench::setFoldBatchNorm(bool on)
{
    const LoadedModelPtr model = m_session.model();
    if (model && model->foldBatchNorm != on && !model->plan)
        prepareAnew(model, on, std::nullopt);
}

void Workbench::prepareAnew(const LoadedModelPtr& model, bool foldBatchNorm, const std::optional<ModelState>& kept)
{
    m_jobs.start<LoadedModelPtr>(
        { tr("Preparing %1").arg(model->name), Lane::Quick, modelChannel },
        [model, foldBatchNorm](const base::Job& job) { return prepareModel(*model, foldBatchNorm, job); },
        [this, kept, foldBatchNorm](Result<LoadedModelPtr> result) {
            if (result && kept)
                adoptModel(*result, kept);
            else if (result)
                m_session.replaceModel(*result, foldBatchNorm ? tr("batch norm folded") : tr("batch norm on its own"));
            else
                report(result.error(), tr("The model could not be prepared"));
        });
}

void Workbench::adoptModel(const LoadedModelPtr& model, const std::optional<ModelState>& kept)
{
    m_jobs.drop(planChannel);
    m_jobs.drop(runsChannel);
    dropResults();
    m_keptSweep = kept ? kept->sweep : std::nullopt;
    m_keptOptions = kept ? kept->options : std::nullopt;
    m_keptSensitivity = kept ? kept->sensitivity : std::nullopt;
    m_keptSearch = kept ? kept->search : std::nullopt;
    m_session.setModel(model);
    if (!kept) {
        replan();
        calibrate();
        return;
    }
    m_session.restoreWish(kept->wish, kept->layer);
    restoreRuns(*kept);
    const bool otherData = kept->data && (!m_session.data() || m_session.data()->request != *kept->data);
    if (otherData)
        openData(withSampleClasses(*kept->data));
    else
        calibrate();
}

void Workbench::onModelReplaced()
{
    m_jobs.drop(planChannel);
    m_jobs.drop(runsChannel);
    dropResults();
    m_keptSweep.reset();
    m_keptOptions.reset();
    m_keptSensitivity.reset();
    m_keptSearch.reset();
    m_mixedPrices = true; // its runs may come from before another energy model
    replan();
    calibrate();
}

void Workbench::restoreRuns(const ModelState& kept)
{
    m_jobs.start<std::vector<Run>>(
        { tr("Reading runs"), Lane::Detail, runsChannel },
        [store = m_project.store(), model = m_session.model(), runs = kept.runs, energy = m_session.energyModel()](
            const base::Job& job) { return readRuns(*store, *model, runs, energy, job); },
        [this](Result<std::vector<Run>> result) {
            if (!result) {
                report(result.error(), tr("The runs of the project could not be read"));
                return;
            }
            // Some may have been evaluated since.
            std::vector<Run> later = m_session.runs();
            m_session.setRuns(std::move(*result));
            for (Run& run : later)
                m_session.addRun(std::move(run));
        });
}

void Workbench::onProjectOpened(const OpenedProject& opened)
{
    m_jobs.drop(planChannel);
    m_jobs.drop(runsChannel);
    m_jobs.drop(dataChannel);
    m_jobs.drop(modelChannel);
    dropResults();
    m_session.setModel(nullptr);
    m_session.setData(nullptr);
    m_session.restoreEnergyModel(opened.state.energy);
    if (!opened.model.empty())
        openModel(opened.model);
    if (opened.unreadable)
        report(*opened.unreadable, tr("Only the results of the project are known"));
}

void Workbench::close()
{
    for (const QString& channel : { planChannel, runsChannel, dataChannel, modelChannel })
        m_jobs.drop(channel);
    dropResults();
    m_project.startNew();
    m_session.setModel(nullptr);
    m_session.setData(nullptr);
    m_session.restoreEnergyModel(cost::defaultEnergyModel());
}

void Workbench::openData(const DataRequest& request)
{
    const QString name = QString::fromStdString(request.path.filename().string());
    m_jobs.start<LoadedDataPtr>(
        { tr("Opening %1").arg(name), Lane::Evaluation, dataChannel },
        [request](const base::Job& job) { return loadData(request, job); },
        [this, request, name](Result<LoadedDataPtr> result) {
            if (!result) {
                const bool failed = report(result.error(), tr("%1 was not opened").arg(name), Mend::Images);
                emit dataRefused(failed ? errorSentences(result.error()) : tr("The images were not read: cancelled."));
                return;
            }
            dropResults();
            keepSource(m_jobs, m_project.store(), "data", (*result)->evaluation);
            keepSource(m_jobs, m_project.store(), "calibration", (*result)->calibration);
            m_session.setData(*result);
            emit dataOpened(request);
            calibrate();
        });
}

fs::path Workbench::sampleModel() { return sampleFile("fashion_resnet20.onnx"); }

fs::path Workbench::sampleFile(const fs::path& file)
{
    const std::filesystem::path program = QCoreApplication::applicationDirPath().toStdString();
    const std::filesystem::path installed = program.parent_path() / "share" / "quantoscope" / "samples" / file;
    std::error_code ignored;
    return std::filesystem::exists(installed, ignored) ? installed
                                                       : std::filesystem::path(QUANTOSCOPE_SAMPLES_FOLDER) / file;
}

std::optional<DataRequest> Workbench::sampleData()
{
    DataRequest request;
    request.path = fashionFolder / "t10k-images-idx3-ubyte.gz";
    request.kind = dataset::Kind::Idx;
    request.calibrationPath = fashionFolder / "train-images-idx3-ubyte.gz";
    std::error_code ignored;
    if (!std::filesystem::exists(request.path, ignored) || !std::filesystem::exists(request.calibrationPath, ignored))
        return std::nullopt;
    request.preprocessing.channels = dataset::Channels::Gray;
    if (const auto classes = sampleFile(sampleClasses); std::filesystem::exists(classes, ignored))
        request.classes = classes;
    return request;
}

void Workbench::openSample()
{
    openModel(sampleModel());
    if (const auto request = sampleData()) {
        openData(*request);
    } else {
        emit problem({ ErrorCode::NotFound, "Fashion-MNIST is not installed", fashionFolder.string(),
                         "install it with: sudo apt install dataset-fashion-mnist" },
            tr("The sample's images were not opened"), Mend::Nothing);
    }
}

} // namespace quantoscope::ui
