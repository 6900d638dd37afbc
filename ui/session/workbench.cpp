// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/workbench.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/evaluation/accumulators.h"
#include "core/evaluation/preprocessing_variants.h"
#include "ui/charts/number_format.h"
#include "ui/session/window_words.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

namespace {

constexpr int quietMilliseconds = 60;
constexpr std::int64_t comparedImages = 64;
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
    , m_project(session, jobs)
{
    calibration::StatsCache::Options cache;
    cache.store = m_project.store();
    cache.folder = calibration::StatsCache::defaultFolder();
    m_statsCache = std::make_shared<calibration::StatsCache>(std::move(cache));
    m_reuse = std::make_shared<evaluation::Reuse>(evaluation::Reuse::usualBudget, evaluation::Reuse::Between::Edits);
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(quietMilliseconds);
    connect(&m_quiet, &QTimer::timeout, this, &Workbench::evaluate);
    connect(&session, &Session::requestChanged, this, &Workbench::onRequestChanged);
    connect(&session, &Session::analysisChanged, this, &Workbench::askConfidence);
    connect(&session, &Session::selectionChanged, this, &Workbench::askConfidence);
    connect(&session, &Session::modelReplaced, this, &Workbench::onModelReplaced);
    connect(&session, &Session::energyModelChanged, this, &Workbench::reprice);
    connect(&m_jobs, &JobRunner::changed, this, &Workbench::repriceLatecomers);
    connect(&m_jobs, &JobRunner::changed, this, &Workbench::tellOfQueue);
    connect(&m_project, &ProjectFile::opened, this, &Workbench::onProjectOpened);
    connect(&m_project, &ProjectFile::problem, this, &Workbench::problem);
}

bool Workbench::report(const base::Error& error, const QString& context, Mend mend)
{
    if (error.code != ErrorCode::Cancelled)
        emit problem(error, context, mend);
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
    m_ended.clear();
    m_quantizer.reset();
    emit studiesChanged();
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
                if (report(result.error(), tr("The images do not run through the model"), Mend::Images))
                    emit dataRefused(
                        tr("The images do not run through the model: %1").arg(errorSentences(result.error())));
                return;
            }
            m_quantizer.reset();
            m_session.setStats(*result);
            m_evaluateWhenPlanned = true;
            replan();
            evaluateFloat();
            checkBiases();
        });
}

void Workbench::replan()
{
    if (!m_session.model())
        return;
    const auto model = m_session.model();
    const auto stats = m_session.stats();
    const auto request = m_session.request();
    const auto base = m_session.wish().base;
    const auto previous = m_session.analysis();
    m_jobs.start<AnalysisPtr>(
        { tr("Building the plan"), Lane::Quick, planChannel },
        [=, energy = m_session.energyModel()](
            const base::Job& job) { return analyse(*model, stats.get(), request, base, previous.get(), energy, job); },
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
    const auto model = m_session.model();
    const auto samples = m_session.data()->evaluation;
    m_jobs.start<Evaluated>(
        { tr("Evaluating the float network"), Lane::Evaluation, floatChannel },
        [model, samples, options = keepingResults()](const base::Job& job) {
            return ui::evaluate(*model->graph, model->graphFingerprint, {}, *samples, options, job);
        },
        [this](const Result<Evaluated>& result) { onFloatEvaluated(result); });
}

evaluation::EvaluationOptions Workbench::keepingResults() const
{
    evaluation::EvaluationOptions options;
    options.store = m_project.store();
    options.reuse = m_reuse;
    return options;
}

void Workbench::setMemory(int mebibytes)
{
    m_reuse = std::make_shared<evaluation::Reuse>(
        static_cast<std::size_t>(mebibytes) << 20U, evaluation::Reuse::Between::Edits);
}

int Workbench::memory() const { return static_cast<int>(m_reuse->budget() >> 20U); }

void Workbench::onFloatEvaluated(const Result<Evaluated>& result)
{
    if (!result) {
        report(result.error(), tr("The float network could not be evaluated"), Mend::Images);
        return;
    }
    m_session.setFloatResult(result->result);
    Run run;
    run.key = result->key;
    run.isFloat = true;
    run.scope = tr("float network");
    run.samples = m_session.data()->evaluation;
    run.data = m_session.data()->title;
    run.result = result->result;
    run.cost = cost::computeCost(*m_session.model()->graph, {}, m_session.energyModel());
    run.request = m_session.request();
    m_session.addRun(std::move(run));
    warnNearChance(*result->result);
    restoreStudies();
}

void Workbench::warnNearChance(const evaluation::EvaluationResult& result)
{
    if (!evaluation::isNearChance(result))
        return;
    emit problem({ ErrorCode::InvalidInput,
                     tr("the float network is right on %1 of the images, guessing would be right on %2")
                         .arg(formatPercent(result.top1()), formatPercent(evaluation::chance(result.classes)))
                         .toStdString(),
                     m_session.data()->title.toStdString(),
                     tr("check channels, mean, standard deviation, size and labels in Open data").toStdString() },
        tr("Images and model may not fit"), Mend::Images);
    lookForVariant();
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
        options.store = m_project.store();
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
    const auto model = m_session.model();
    m_jobs.start<Evaluated>(
        { tr("Evaluating %1").arg(plan), Lane::Evaluation, evaluationChannel },
        [this, &jobs = m_jobs, network, model, samples, plan, generation, options = keepingResults()](
            const base::Job& job) mutable {
            options.onPartial = [this, &jobs, plan, generation](std::int64_t images, std::int64_t correct) {
                jobs.post([=, this] { onPartial(plan, images, correct, generation); });
            };
            const bool plain = network.graph == model->graph;
            return ui::evaluate(
                *network.graph, plain ? model->graphFingerprint : std::string(), *network.plan, *samples, options, job);
        },
        [this, analysis, network](const Result<Evaluated>& result) { onEvaluated(analysis, network, result); });
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

void Workbench::onEvaluated(
    const AnalysisPtr& analysis, const flow::QuantizedNetwork& network, const Result<Evaluated>& result)
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
    accuracy.images = result->result->images();
    accuracy.top1 = result->result->top1();
    accuracy.interval = result->result->top1Interval();
    m_session.setAccuracy(accuracy);

    Run run;
    run.key = result->key;
    run.scope = QString::fromStdString(analysis->request.describe());
    run.data = m_session.data()->title;
    run.samples = m_session.data()->evaluation;
    run.graph = network.graph;
    run.plan = network.plan;
    run.result = result->result;
    run.floatResult = m_session.floatResult();
    if (run.floatResult)
        run.againstFloat = evaluation::compare(run.floatResult->outcomes, run.result->outcomes);
    run.corrections = network.corrections;
    run.cost = analysis->cost;
    run.request = analysis->request;
    describeBits(run);
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
