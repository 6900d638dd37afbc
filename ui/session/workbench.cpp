// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/workbench.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QCoreApplication>

#include "core/evaluation/accumulators.h"
#include "ui/charts/number_format.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

namespace {

constexpr int quietMilliseconds = 150;
constexpr std::int64_t comparedImages = 64;
const std::filesystem::path fashionFolder = "/usr/share/datasets/fashion-mnist";

const QString modelChannel = QStringLiteral("model");
const QString dataChannel = QStringLiteral("data");
const QString statsChannel = QStringLiteral("stats");
const QString planChannel = QStringLiteral("plan");
const QString floatChannel = QStringLiteral("float");
const QString evaluationChannel = QStringLiteral("evaluation");
const QString confidenceChannel = QStringLiteral("confidence");
const QString errorsChannel = QStringLiteral("errors");

} // namespace

Workbench::Workbench(Session& session, JobRunner& jobs, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_jobs(jobs)
{
    calibration::StatsCache::Options cache;
    cache.folder = calibration::StatsCache::defaultFolder();
    m_statsCache = std::make_shared<calibration::StatsCache>(std::move(cache));
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(quietMilliseconds);
    connect(&m_quiet, &QTimer::timeout, this, &Workbench::evaluate);
    connect(&session, &Session::requestChanged, this, &Workbench::onRequestChanged);
    connect(&session, &Session::analysisChanged, this, &Workbench::askConfidence);
    connect(&session, &Session::selectionChanged, this, &Workbench::askConfidence);
}

bool Workbench::report(const base::Error& error, const QString& context)
{
    if (error.code != ErrorCode::Cancelled)
        emit problem(error, context);
    return error.code != ErrorCode::Cancelled;
}

void Workbench::dropResults()
{
    for (const QString& channel : { statsChannel, floatChannel, evaluationChannel, errorsChannel, confidenceChannel })
        m_jobs.drop(channel);
    for (const Study study : studies) {
        m_jobs.drop(channelOf(study));
        m_running.erase(study);
    }
    m_quantizer.reset();
    emit studiesChanged();
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
            m_jobs.drop(planChannel);
            dropResults();
            m_session.setModel(*result);
            emit modelOpened(path);
            replan();
            calibrate();
        });
}

void Workbench::setFoldBatchNorm(bool on)
{
    const LoadedModelPtr model = m_session.model();
    if (!model || model->foldBatchNorm == on)
        return;
    m_jobs.start<LoadedModelPtr>(
        { tr("Preparing %1").arg(model->name), Lane::Quick, modelChannel },
        [model, on](const base::Job& job) { return prepareModel(model->source, model->name, on, job); },
        [this](Result<LoadedModelPtr> result) {
            if (!result) {
                report(result.error(), tr("The model could not be prepared"));
                return;
            }
            m_jobs.drop(planChannel);
            dropResults();
            m_session.setModel(*result);
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
            dropResults();
            m_session.setData(*result);
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
        [graph, samples, cache = m_statsCache](const base::Job& job) -> Result<calibration::CalibrationStatsPtr> {
            QS_TRY(auto answer, cache->statsFor(*graph, *samples, {}, job));
            return answer.stats;
        },
        [this](Result<calibration::CalibrationStatsPtr> result) {
            if (!result) {
                report(result.error(), tr("The images do not run through the model"));
                return;
            }
            m_quantizer.reset();
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
    m_jobs.drop(errorsChannel);
    ++m_evaluation;
    // What it would choose began from other options.
    cancel(Study::BestFlow);
    m_session.setAccuracy(
        freshAccuracy(m_automatic && m_session.stats() ? Accuracy::State::Waiting : Accuracy::State::None));
    replan();
    if (m_automatic)
        m_quiet.start();
}

void Workbench::askConfidence()
{
    m_jobs.drop(confidenceChannel);
    const int layer = m_session.selectedLayer();
    const AnalysisPtr& analysis = m_session.analysis();
    if (layer < 0 || !analysis || analysis->weightsOnly || m_session.currentConfidence())
        return;
    const auto& quantizer = analysis->layers[static_cast<std::size_t>(layer)].activation;
    // A range by hand was not found on images, and channels have one range each.
    if (!quantizer || quantizer->encoding.perChannel() || quantizer->range.method == quant::RangeSpec::Method::Manual)
        return;
    const auto stats = m_session.stats();
    const calibration::TensorStats* seen = stats ? stats->find(m_session.selectedLayerInfo()->inputTensor) : nullptr;
    if (!seen)
        return;
    m_jobs.start<ActivationConfidencePtr>(
        { tr("Asking how sure the range is"), Lane::Detail, confidenceChannel },
        [layer, stats, seen, quantizer = *quantizer](const base::Job&) -> Result<ActivationConfidencePtr> {
            QS_TRY(const auto confidence, calibration::rangeConfidence(*seen, quantizer.config, quantizer.range));
            return std::make_shared<const ActivationConfidence>(ActivationConfidence { layer, quantizer, confidence });
        },
        [this](Result<ActivationConfidencePtr> result) {
            // Where it cannot be told there is no band; the figures stand without it.
            if (result)
                m_session.setConfidence(*result);
        });
}

void Workbench::setAutomatic(bool on)
{
    m_automatic = on;
    if (!on)
        m_quiet.stop();
}

bool Workbench::canEvaluate() const { return m_session.model() && m_session.data(); }

bool Workbench::canStart(Study study) const { return canEvaluate() && m_session.stats() && !running(study); }

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
    run.samples = m_session.data()->evaluation;
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
    if (!analysis->request.corrections.any())
        return evaluateNetwork(analysis, plainNetwork(analysis));
    if (const auto corrected = m_session.currentCorrected())
        return evaluateNetwork(analysis, corrected->network);
    correct(analysis->request);
}

flow::QuantizedNetwork Workbench::plainNetwork(const AnalysisPtr& analysis) const
{
    flow::QuantizedNetwork network;
    network.graph = m_session.model()->graph;
    network.plan = analysis->plan;
    return network;
}

std::shared_ptr<const flow::Quantizer> Workbench::quantizer()
{
    if (!m_quantizer) {
        flow::QuantizerOptions options;
        options.cache = m_statsCache;
        m_quantizer
            = std::make_shared<flow::Quantizer>(m_session.model()->graph, m_session.data()->calibration, options);
        m_quantizer->setStats(m_session.stats());
    }
    return m_quantizer;
}

void Workbench::correct(const planning::PlanRequest& request)
{
    ++m_evaluation;
    m_session.setAccuracy(freshAccuracy(Accuracy::State::Running));
    m_jobs.start<flow::QuantizedNetwork>(
        { tr("Correcting %1").arg(m_session.accuracy().plan), Lane::Evaluation, evaluationChannel },
        [request, quantizer = quantizer()](const base::Job& job) { return quantizer->quantize(request, job); },
        [this, request](Result<flow::QuantizedNetwork> result) {
            if (!result) {
                const bool failed = report(result.error(), tr("The corrections could not be made"));
                m_session.setAccuracy(freshAccuracy(failed ? Accuracy::State::Failed : Accuracy::State::None));
                return;
            }
            m_session.setCorrected(
                std::make_shared<const CorrectedNetwork>(CorrectedNetwork { request, std::move(*result) }));
            evaluate();
        });
}

void Workbench::evaluateNetwork(const AnalysisPtr& analysis, const flow::QuantizedNetwork& network)
{
    const quint64 generation = ++m_evaluation;
    Accuracy accuracy = freshAccuracy(Accuracy::State::Running);
    accuracy.corrections = network.corrections;
    m_session.setAccuracy(accuracy);
    const auto samples = m_session.data()->evaluation;
    const QString plan = accuracy.plan;
    m_jobs.start<evaluation::EvaluationResultPtr>(
        { tr("Evaluating %1").arg(plan), Lane::Evaluation, evaluationChannel },
        [this, network, samples, plan, generation](const base::Job& job) {
            evaluation::EvaluationOptions options;
            options.onPartial = [this, plan, generation](std::int64_t images, std::int64_t correct) {
                QMetaObject::invokeMethod(
                    this, [=, this] { onPartial(plan, images, correct, generation); }, Qt::QueuedConnection);
            };
            return evaluation::evaluate(*network.graph, *network.plan, *samples, options, job);
        },
        [this, analysis, network](
            const Result<evaluation::EvaluationResultPtr>& result) { onEvaluated(analysis, network, result); });
}

void Workbench::onPartial(const QString& plan, std::int64_t images, std::int64_t correct, quint64 generation)
{
    if (generation != m_evaluation || images == 0 || m_session.accuracy().state != Accuracy::State::Running)
        return;
    Accuracy accuracy = m_session.accuracy();
    accuracy.plan = plan;
    accuracy.images = images;
    accuracy.top1 = 100.0 * static_cast<double>(correct) / static_cast<double>(images);
    const evaluation::Interval interval = evaluation::wilson(correct, images);
    accuracy.interval = { 100 * interval.low, 100 * interval.high };
    m_session.setAccuracy(accuracy);
}

void Workbench::onEvaluated(const AnalysisPtr& analysis, const flow::QuantizedNetwork& network,
    const Result<evaluation::EvaluationResultPtr>& result)
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
    accuracy.corrections = network.corrections;
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
    run.samples = m_session.data()->evaluation;
    run.graph = network.graph;
    run.plan = network.plan;
    run.result = *result;
    run.floatResult = m_session.floatResult();
    if (run.floatResult)
        run.againstFloat = evaluation::compare(run.floatResult->outcomes, run.result->outcomes);
    run.corrections = network.corrections;
    run.cost = analysis->cost;
    run.request = analysis->request;
    m_session.addRun(std::move(run));
    compareLayers(analysis->request, network);
}

void Workbench::compareLayers(const planning::PlanRequest& request, const flow::QuantizedNetwork& network)
{
    if (m_session.currentErrors() || network.plan->empty())
        return;
    const auto samples = m_session.data()->evaluation;
    m_jobs.start<LayerErrorsPtr>(
        { tr("Comparing layers"), Lane::Evaluation, errorsChannel },
        [request, network, samples](const base::Job& job) -> Result<LayerErrorsPtr> {
            std::vector<std::int64_t> first(static_cast<std::size_t>(std::min(comparedImages, samples->size())));
            std::iota(first.begin(), first.end(), 0);
            const auto few = samples->subset(first);
            QS_TRY(auto found, evaluation::compareLayers(*network.graph, *network.plan, *few, {}, job));
            QS_TRY(auto sums, evaluation::observeAccumulators(*network.graph, *network.plan, *few, 0, {}, job));
            auto errors = std::make_shared<LayerErrors>();
            errors->request = request;
            for (cost::Accumulator& accumulator : sums) {
                std::string layer = accumulator.layer;
                errors->accumulators.insert_or_assign(std::move(layer), std::move(accumulator));
            }
            errors->images = few->size();
            for (evaluation::TensorError& error : found) {
                std::string name = error.name;
                errors->tensors.insert_or_assign(std::move(name), std::move(error));
            }
            return LayerErrorsPtr(std::move(errors));
        },
        [this](Result<LayerErrorsPtr> result) {
            if (result)
                m_session.setErrors(*result);
            else
                report(result.error(), tr("The layers could not be compared"));
        });
}

} // namespace quantoscope::ui
