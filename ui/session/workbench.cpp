// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/workbench.h"

#include <algorithm>
#include <cmath>

#include <QCoreApplication>

#include "ui/charts/number_format.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

namespace {

constexpr int quietMilliseconds = 150;
const std::filesystem::path fashionFolder = "/usr/share/datasets/fashion-mnist";

const QString modelChannel = QStringLiteral("model");
const QString dataChannel = QStringLiteral("data");
const QString statsChannel = QStringLiteral("stats");
const QString planChannel = QStringLiteral("plan");
const QString floatChannel = QStringLiteral("float");
const QString evaluationChannel = QStringLiteral("evaluation");
const QString sweepChannel = QStringLiteral("sweep");

} // namespace

Workbench::Workbench(Session& session, JobRunner& jobs, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_jobs(jobs)
{
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(quietMilliseconds);
    connect(&m_quiet, &QTimer::timeout, this, &Workbench::evaluate);
    connect(&session, &Session::requestChanged, this, &Workbench::onRequestChanged);
}

bool Workbench::report(const base::Error& error, const QString& context)
{
    if (error.code != ErrorCode::Cancelled)
        emit problem(error, context);
    return error.code != ErrorCode::Cancelled;
}

void Workbench::openModel(const std::filesystem::path& path)
{
    const QString name = QString::fromStdString(path.filename().string());
    m_jobs.start<LoadedModelPtr>(
        { tr("Opening %1").arg(name), Lane::Quick, modelChannel },
        [path](const base::Job& job) { return loadModel(path, job); },
        [this, path, name](Result<LoadedModelPtr> result) {
            if (!result) {
                report(result.error(), tr("%1 was not opened").arg(name));
                return;
            }
            for (const QString& channel : { statsChannel, planChannel, floatChannel, evaluationChannel, sweepChannel })
                m_jobs.drop(channel);
            m_sweepRunning = false;
            m_session.setModel(*result);
            emit sweepStateChanged();
            emit modelOpened(path);
            replan();
            calibrate();
        });
}

void Workbench::openData(const DataRequest& request)
{
    const QString name = QString::fromStdString(request.path.filename().string());
    m_jobs.start<LoadedDataPtr>(
        { tr("Opening %1").arg(name), Lane::Evaluation, dataChannel },
        [request](const base::Job& job) { return loadData(request, job); },
        [this, request, name](Result<LoadedDataPtr> result) {
            if (!result) {
                report(result.error(), tr("%1 was not opened").arg(name));
                return;
            }
            for (const QString& channel : { statsChannel, floatChannel, evaluationChannel, sweepChannel })
                m_jobs.drop(channel);
            m_sweepRunning = false;
            m_session.setData(*result);
            emit sweepStateChanged();
            emit dataOpened(request);
            calibrate();
        });
}

std::filesystem::path Workbench::sampleModel()
{
    const std::filesystem::path file = "fashion_resnet20.onnx";
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
            tr("The sample's images were not opened"));
    }
}

void Workbench::calibrate()
{
    if (!m_session.model() || !m_session.data())
        return;
    const auto graph = m_session.model()->graph;
    const auto samples = m_session.data()->calibration;
    m_jobs.start<calibration::CalibrationStatsPtr>(
        { tr("Calibrating"), Lane::Evaluation, statsChannel },
        [graph, samples](const base::Job& job) { return calibration::calibrate(*graph, *samples, {}, job); },
        [this](Result<calibration::CalibrationStatsPtr> result) {
            if (!result) {
                report(result.error(), tr("The images do not run through the model"));
                return;
            }
            m_session.setStats(*result);
            m_evaluateWhenPlanned = true;
            replan();
            evaluateFloat();
        });
}

void Workbench::replan()
{
    if (!m_session.model())
        return;
    const auto model = m_session.model();
    const auto stats = m_session.stats();
    const auto request = m_session.request();
    const auto previous = m_session.analysis();
    m_jobs.start<AnalysisPtr>(
        { tr("Building the plan"), Lane::Quick, planChannel },
        [=](const base::Job& job) { return analyse(*model, stats.get(), request, previous.get(), job); },
        [this](Result<AnalysisPtr> result) { onAnalysis(std::move(result)); });
}

void Workbench::onAnalysis(Result<AnalysisPtr> result)
{
    if (!result) {
        const bool failed = report(result.error(), tr("These options give no plan"));
        m_session.setAccuracy(freshAccuracy(failed ? Accuracy::State::Failed : Accuracy::State::None));
        return;
    }
    m_session.setAnalysis(*result);
    if (m_evaluateWhenPlanned && canEvaluate()) {
        m_evaluateWhenPlanned = false;
        if (!m_quiet.isActive())
            evaluate();
    }
}

void Workbench::onRequestChanged()
{
    if (!m_session.model())
        return;
    // The figure on the badge belongs to the old plan from here on.
    m_jobs.drop(evaluationChannel);
    ++m_evaluation;
    m_session.setAccuracy(
        freshAccuracy(m_automatic && m_session.stats() ? Accuracy::State::Waiting : Accuracy::State::None));
    replan();
    if (m_automatic)
        m_quiet.start();
}

void Workbench::setAutomatic(bool on)
{
    m_automatic = on;
    if (!on)
        m_quiet.stop();
}

bool Workbench::canEvaluate() const { return m_session.model() && m_session.data(); }

bool Workbench::canSweep() const { return canEvaluate() && m_session.stats() && !m_sweepRunning; }

Accuracy Workbench::freshAccuracy(Accuracy::State state) const
{
    Accuracy accuracy;
    accuracy.state = state;
    accuracy.plan = shortScope(m_session.request());
    accuracy.total = m_session.data() ? m_session.data()->evaluation->size() : 0;
    return accuracy;
}

void Workbench::evaluateFloat()
{
    const auto graph = m_session.model()->graph;
    const auto samples = m_session.data()->evaluation;
    m_jobs.start<evaluation::EvaluationResultPtr>(
        { tr("Evaluating the float network"), Lane::Evaluation, floatChannel },
        [graph, samples](const base::Job& job) { return evaluation::evaluate(*graph, {}, *samples, {}, job); },
        [this](const Result<evaluation::EvaluationResultPtr>& result) { onFloatEvaluated(result); });
}

void Workbench::onFloatEvaluated(const Result<evaluation::EvaluationResultPtr>& result)
{
    if (!result) {
        report(result.error(), tr("The float network could not be evaluated"));
        return;
    }
    m_session.setFloatResult(*result);
    Run run;
    run.isFloat = true;
    run.scope = tr("float network");
    run.data = m_session.data()->title;
    run.result = *result;
    run.cost = cost::computeCost(*m_session.model()->graph, {});
    run.request = m_session.request();
    m_session.addRun(std::move(run));
    warnNearChance(**result);
}

void Workbench::warnNearChance(const evaluation::EvaluationResult& result)
{
    const double chance = 100.0 / std::max(1, result.classes);
    if (result.images() < 20 || result.top1Interval().low > 2 * chance)
        return;
    emit problem({ ErrorCode::InvalidInput,
                     tr("the float network is right on %1 of the images, guessing would be right on %2")
                         .arg(formatPercent(result.top1()), formatPercent(chance))
                         .toStdString(),
                     m_session.data()->title.toStdString(),
                     tr("check channels, mean, standard deviation, size and labels in Open data").toStdString() },
        tr("Images and model may not fit"));
}

void Workbench::evaluate()
{
    if (!canEvaluate())
        return;
    if (!m_session.stats()) {
        // Calibration was cancelled; whoever asks for the accuracy wants it after all. It evaluates when it is done.
        calibrate();
        return;
    }
    const AnalysisPtr analysis = m_session.currentAnalysis();
    if (!analysis || analysis->weightsOnly) {
        m_evaluateWhenPlanned = true;
        replan();
        return;
    }
    const quint64 generation = ++m_evaluation;
    m_session.setAccuracy(freshAccuracy(Accuracy::State::Running));
    const auto graph = m_session.model()->graph;
    const auto samples = m_session.data()->evaluation;
    const QString plan = m_session.accuracy().plan;
    m_jobs.start<evaluation::EvaluationResultPtr>(
        { tr("Evaluating %1").arg(plan), Lane::Evaluation, evaluationChannel },
        [this, graph, samples, analysis, plan, generation](const base::Job& job) {
            evaluation::EvaluationOptions options;
            options.onPartial = [this, plan, generation](std::int64_t images, std::int64_t correct) {
                QMetaObject::invokeMethod(
                    this, [=, this] { onPartial(plan, images, correct, generation); }, Qt::QueuedConnection);
            };
            return evaluation::evaluate(*graph, *analysis->plan, *samples, options, job);
        },
        [this, analysis](const Result<evaluation::EvaluationResultPtr>& result) { onEvaluated(analysis, result); });
}

void Workbench::onPartial(const QString& plan, std::int64_t images, std::int64_t correct, quint64 generation)
{
    if (generation != m_evaluation || images == 0 || m_session.accuracy().state != Accuracy::State::Running)
        return;
    Accuracy accuracy = freshAccuracy(Accuracy::State::Running);
    accuracy.plan = plan;
    accuracy.images = images;
    accuracy.top1 = 100.0 * static_cast<double>(correct) / static_cast<double>(images);
    const evaluation::Interval interval = evaluation::wilson(correct, images);
    accuracy.interval = { 100 * interval.low, 100 * interval.high };
    m_session.setAccuracy(accuracy);
}

void Workbench::onEvaluated(const AnalysisPtr& analysis, const Result<evaluation::EvaluationResultPtr>& result)
{
    if (!result) {
        const bool failed = report(result.error(), tr("The plan could not be evaluated"));
        Accuracy accuracy = m_session.accuracy();
        accuracy.state = failed   ? Accuracy::State::Failed
            : accuracy.images > 0 ? Accuracy::State::Done
                                  : Accuracy::State::None;
        m_session.setAccuracy(accuracy);
        return;
    }
    Accuracy accuracy = freshAccuracy(Accuracy::State::Done);
    accuracy.images = (*result)->images();
    accuracy.top1 = (*result)->top1();
    accuracy.interval = (*result)->top1Interval();
    m_session.setAccuracy(accuracy);

    Run run;
    run.scope = QString::fromStdString(analysis->request.describe());
    run.weightBits = analysis->request.weights.bits;
    run.activationBits = analysis->request.activations.bits;
    run.mixed = !analysis->request.overrides.empty() || analysis->request.firstLastBits.has_value();
    run.data = m_session.data()->title;
    run.result = *result;
    run.floatResult = m_session.floatResult();
    if (run.floatResult)
        run.againstFloat = evaluation::compare(run.floatResult->outcomes, run.result->outcomes);
    run.cost = analysis->cost;
    run.request = analysis->request;
    m_session.addRun(std::move(run));
}

void Workbench::startSweep(const SweepSettings& settings)
{
    if (!canSweep())
        return;
    const auto graph = m_session.model()->graph;
    const auto samples = m_session.data()->evaluation;
    const auto stats = m_session.stats();
    const auto floatResult = m_session.floatResult();
    const auto request = m_session.request();
    auto growing = std::make_shared<sweep::SweepResult>();
    growing->scope = request.describe();
    growing->data = m_session.data()->title.toStdString();
    growing->floatResult = floatResult;
    growing->complete = false;
    m_session.setSweep(growing, request);
    m_sweepRunning = true;
    const quint64 generation = ++m_sweep;
    emit sweepStateChanged();

    m_jobs.start<std::shared_ptr<const sweep::SweepResult>>(
        { tr("Sweep"), Lane::Study, sweepChannel },
        [this, graph, samples, stats, floatResult, request, settings, growing, generation](
            const base::Job& job) -> Result<std::shared_ptr<const sweep::SweepResult>> {
            sweep::GridOptions options;
            options.weightBits = settings.weightBits;
            options.activationBits = settings.activationBits;
            options.request = request;
            // Each finished point goes to the window as a new, larger result; nobody changes one that is being drawn.
            auto sofar = std::make_shared<const sweep::SweepResult>(*growing);
            options.onPoint = [this, request, sofar, generation](const sweep::SweepPoint& point) mutable {
                auto next = std::make_shared<sweep::SweepResult>(*sofar);
                next->points.push_back(point);
                sofar = next;
                QMetaObject::invokeMethod(
                    this,
                    [this, request, generation, next = std::shared_ptr<const sweep::SweepResult>(next)] {
                        if (m_sweepRunning && generation == m_sweep)
                            m_session.setSweep(next, request);
                    },
                    Qt::QueuedConnection);
            };
            QS_TRY(auto result, sweep::runGrid(*graph, stats.get(), *samples, options, job, floatResult));
            return std::make_shared<const sweep::SweepResult>(std::move(result));
        },
        [this, request](Result<std::shared_ptr<const sweep::SweepResult>> result) {
            m_sweepRunning = false;
            if (result)
                m_session.setSweep(*result, request);
            else
                report(result.error(), tr("The sweep stopped"));
            emit sweepStateChanged();
        });
}

void Workbench::makePointCurrent(std::size_t point)
{
    const auto& sweep = m_session.sweep();
    if (!sweep || point >= sweep->points.size())
        return;
    planning::PlanRequest request = m_session.sweepRequest();
    request.weights.bits = sweep->points[point].weightBits;
    request.activations.bits = sweep->points[point].activationBits;
    m_session.edit(request, tr("plan of sweep point %1").arg(shortScope(request)));
}

void Workbench::exportQdq(const std::filesystem::path& path)
{
    const AnalysisPtr analysis = m_session.currentAnalysis();
    const auto model = m_session.model();
    if (!analysis || !model)
        return;
    const auto samples = m_session.data() ? m_session.data()->evaluation : nullptr;
    m_jobs.start<exporting::ExportReport>(
        { tr("Exporting %1").arg(QString::fromStdString(path.filename().string())), Lane::Study, {} },
        [model, analysis, path, samples](const base::Job& job) {
            return exporting::exportQdq(*model->source, *model->graph, *analysis->plan, path, samples.get(), job);
        },
        [this](Result<exporting::ExportReport> result) {
            if (result)
                emit exported(*result);
            else
                report(result.error(), tr("The model was not exported"));
        });
}

} // namespace quantoscope::ui
