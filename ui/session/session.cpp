// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/session.h"

#include <algorithm>

#include "core/planning/plan_changes.h"
#include "core/planning/profile_rules.h"
#include "ui/charts/number_format.h"
#include "ui/session/request_command.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

namespace {

const quant::HardwareProfile& unrestrictedProfile()
{
    const auto& all = quant::builtInProfiles();
    const auto found = std::ranges::find(all, "unrestricted", &quant::HardwareProfile::name);
    return found == all.end() ? all.front() : *found;
}

} // namespace

Session::Session(QObject* parent)
    : QObject(parent)
{
    m_wish.profile = &unrestrictedProfile();
    m_undoStack.setUndoLimit(500);
}

AnalysisPtr Session::currentAnalysis() const
{
    return m_analysis && m_analysis->request == request() && m_analysis->base == m_wish.base ? m_analysis : nullptr;
}

CorrectedNetworkPtr Session::currentCorrected() const
{
    return m_corrected && m_corrected->request == request() ? m_corrected : nullptr;
}

LayerErrorsPtr Session::currentErrors() const
{
    return m_errors && m_errors->request == request() ? m_errors : nullptr;
}

ActivationConfidencePtr Session::currentConfidence() const
{
    if (!m_confidence || !m_analysis || m_confidence->layer != m_selectedLayer)
        return nullptr;
    const auto& quantizer = m_analysis->layers[static_cast<std::size_t>(m_selectedLayer)].activation;
    return quantizer == m_confidence->quantizer ? m_confidence : nullptr;
}

const LayerInfo* Session::selectedLayerInfo() const
{
    return m_model && m_selectedLayer >= 0 ? &m_model->layers[static_cast<std::size_t>(m_selectedLayer)] : nullptr;
}

void Session::forgetResults()
{
    m_floatResult.reset();
    m_corrected.reset();
    m_errors.reset();
    m_confidence.reset();
    m_bestFlow.reset();
    m_sweep.reset();
    m_optionsStudy.reset();
    m_sensitivity.reset();
    m_search.reset();
    m_flipTrace.reset();
    m_runComparison.reset();
    m_dataVariant.reset();
    m_accuracy = {};
    emit floatResultChanged();
    emit correctedChanged();
    emit errorsChanged();
    emit bestFlowChanged();
    emit sweepChanged();
    emit optionsStudyChanged();
    emit sensitivityChanged();
    emit searchChanged();
    emit flipTraceChanged();
    emit runComparisonChanged();
    emit dataVariantChanged();
    emit accuracyChanged();
}

void Session::setModel(LoadedModelPtr model)
{
    m_model = std::move(model);
    m_stats.reset();
    m_analysis.reset();
    m_runs.clear();
    m_undoStack.clear();
    // Ranges and word-lengths of single layers belong to the old model; the general options are a habit and stay.
    m_wish.request.overrides.clear();
    m_wish.base = m_model ? m_model->plan : nullptr;
    if (m_wish.base)
        m_wish.request = planning::requestLike(*m_wish.base);
    m_selectedLayer = m_model && !m_model->layers.empty() ? 0 : -1;
    tellOfModel();
}

void Session::tellOfModel()
{
    emit modelChanged();
    emit statsChanged();
    emit requestChanged();
    emit analysisChanged();
    emit runsChanged();
    emit selectionChanged();
    forgetResults();
}

void Session::replaceModel(LoadedModelPtr model, const QString& text)
{
    Wish wish = m_wish;
    wish.request.overrides.clear();
    m_undoStack.push(new ModelCommand(*this, std::move(model), std::move(wish), text));
}

void Session::applyModel(const LoadedModelPtr& model, const Wish& wish, const std::vector<Run>& runs)
{
    const QString selected = selectedLayerInfo() ? selectedLayerInfo()->name : QString();
    m_model = model;
    m_wish = wish;
    m_runs = runs;
    m_stats.reset();
    m_analysis.reset();
    const auto found = std::ranges::find(m_model->layers, selected, &LayerInfo::name);
    m_selectedLayer = found != m_model->layers.end() ? static_cast<int>(found - m_model->layers.begin())
        : m_model->layers.empty()                    ? -1
                                                     : 0;
    tellOfModel();
    emit modelReplaced();
}

void Session::setData(LoadedDataPtr data)
{
    m_data = std::move(data);
    m_stats.reset();
    emit dataChanged();
    emit statsChanged();
    forgetResults();
}

void Session::setStats(calibration::CalibrationStatsPtr stats)
{
    m_stats = std::move(stats);
    emit statsChanged();
}

void Session::setAnalysis(AnalysisPtr analysis)
{
    m_analysis = std::move(analysis);
    emit analysisChanged();
}

void Session::setCorrected(CorrectedNetworkPtr corrected)
{
    m_corrected = std::move(corrected);
    emit correctedChanged();
}

void Session::setConfidence(ActivationConfidencePtr confidence)
{
    m_confidence = std::move(confidence);
    emit confidenceChanged();
}

void Session::setErrors(LayerErrorsPtr errors)
{
    m_errors = std::move(errors);
    emit errorsChanged();
}

void Session::adoptFlow(BestFlowPtr found)
{
    m_bestFlow = std::move(found);
    // Its network is made already; the edit finds it there.
    setCorrected(
        std::make_shared<const CorrectedNetwork>(CorrectedNetwork { m_bestFlow->request, m_bestFlow->network }));
    edit(m_bestFlow->request, tr("best flow"));
    emit bestFlowChanged();
}

void Session::setFloatResult(evaluation::EvaluationResultPtr result)
{
    m_floatResult = std::move(result);
    emit floatResultChanged();
}

void Session::setAccuracy(Accuracy accuracy)
{
    m_accuracy = std::move(accuracy);
    emit accuracyChanged();
}

void Session::addRun(Run run)
{
    shareSamples(run);
    // Options that make the same plan are runs of their own: corrections that were dropped are worth a line.
    const auto same = std::ranges::find_if(m_runs,
        [&run](const Run& r) { return !r.key.empty() && r.key == run.key && (r.isFloat || r.request == run.request); });
    if (same == m_runs.end()) {
        m_runs.push_back(std::move(run));
    } else {
        run.name = same->name;
        *same = std::move(run);
    }
    emit runsChanged();
}

void Session::setRuns(std::vector<Run> runs)
{
    m_runs = std::move(runs);
    emit runsChanged();
}

void Session::shareSamples(const Run& with)
{
    if (!with.samples || with.key.empty())
        return;
    // Also in place of what they have: images that were opened again may have got other class names.
    for (Run& run : m_runs)
        if (run.key.samples == with.key.samples)
            run.samples = with.samples;
}

void Session::renameRun(int index, const QString& name)
{
    const Run& run = m_runs[static_cast<std::size_t>(index)];
    if (run.name != name)
        m_undoStack.push(new RenameRunCommand(*this, index, name));
}

void Session::applyRunName(const RunKey& key, int index, const QString& name)
{
    const auto at = static_cast<std::size_t>(index);
    if (at >= m_runs.size() || m_runs[at].key != key) // the list is another one by now
        return;
    m_runs[at].name = name;
    emit runsChanged();
}

void Session::restoreWish(Wish wish, const QString& layer)
{
    if (!wish.profile)
        wish.profile = m_wish.profile;
    m_undoStack.clear();
    m_wish = std::move(wish);
    const auto found = std::ranges::find(m_model->layers, layer, &LayerInfo::name);
    if (found != m_model->layers.end())
        selectLayer(static_cast<int>(found - m_model->layers.begin()));
    emit requestChanged();
}

void Session::setSweep(std::shared_ptr<const sweep::SweepResult> sweep, planning::PlanRequest request)
{
    m_sweep = std::move(sweep);
    m_sweepRequest = std::move(request);
    emit sweepChanged();
}

void Session::setOptionsStudy(sweep::OptionsStudyPtr study)
{
    m_optionsStudy = std::move(study);
    emit optionsStudyChanged();
}

void Session::setSensitivity(sweep::SensitivityResultPtr result, planning::PlanRequest request)
{
    m_sensitivity = std::move(result);
    m_sensitivityRequest = std::move(request);
    emit sensitivityChanged();
}

void Session::setSearch(sweep::SearchResultPtr result, planning::PlanRequest request)
{
    m_search = std::move(result);
    m_searchRequest = std::move(request);
    emit searchChanged();
}

void Session::setMeasure(Measure measure)
{
    if (measure == m_measure)
        return;
    m_measure = measure;
    emit measureChanged();
}

void Session::restoreEnergyModel(const cost::EnergyModel& model)
{
    if (model == m_energyModel)
        return;
    m_energyModel = model;
    emit energyModelChanged();
}

void Session::editEnergyModel(const cost::EnergyModel& model)
{
    if (model != m_energyModel)
        m_undoStack.push(new EnergyCommand(*this, model));
}

void Session::setRunCosts(const std::vector<RunKey>& runs, const std::vector<cost::Cost>& costs)
{
    for (std::size_t i = 0; i < std::min({ runs.size(), costs.size(), m_runs.size() }); ++i)
        if (m_runs[i].key == runs[i])
            m_runs[i].cost = costs[i];
    emit runsChanged();
}

void Session::setFlipTrace(FlipTracePtr trace)
{
    m_flipTrace = std::move(trace);
    emit flipTraceChanged();
}

void Session::setRunComparison(RunComparisonPtr comparison)
{
    m_runComparison = std::move(comparison);
    emit runComparisonChanged();
}

void Session::setDataPreview(DataPreviewPtr preview)
{
    m_dataPreview = std::move(preview);
    emit dataPreviewChanged();
}

void Session::setModelCheck(ModelCheckPtr check)
{
    m_modelCheck = std::move(check);
    emit modelCheckChanged();
}

void Session::setDataVariant(DataVariantPtr variant)
{
    m_dataVariant = std::move(variant);
    emit dataVariantChanged();
}

void Session::selectLayer(int index)
{
    const int count = m_model ? static_cast<int>(m_model->layers.size()) : 0;
    if (index == m_selectedLayer || index < -1 || index >= count)
        return;
    m_selectedLayer = index;
    emit selectionChanged();
}

void Session::edit(const planning::PlanRequest& request, const QString& text, const QString& key)
{
    if (request != m_wish.request)
        m_undoStack.push(new RequestCommand(*this, { request, m_wish.profile, {}, m_wish.base }, text, key));
}

void Session::editBits(const std::vector<int>& layers, Operand operand, std::optional<int> bits)
{
    if (!m_model || layers.empty())
        return;
    const bool weight = operand == Operand::Weight;
    if (const auto violation
        = planning::checkBits(profile(), weight ? quant::Role::Weight : quant::Role::Activation, bits)) {
        emit refused(QString::fromStdString(violation->reason));
        return;
    }
    planning::PlanRequest request = m_wish.request;
    for (const int layer : layers)
        request = withBits(std::move(request), m_model->layers[static_cast<std::size_t>(layer)].name, operand, bits);
    const QString what = weight ? tr("weights") : tr("activations");
    edit(request,
        layers.size() == 1
            ? tr("%1 of %2 to %3 bits")
                  .arg(what, m_model->layers[static_cast<std::size_t>(layers.front())].name, formatBits(bits))
            : tr("%1 of %2 layers to %3 bits").arg(what).arg(layers.size()).arg(formatBits(bits)));
}

void Session::clearOwnSettings(const std::vector<int>& layers)
{
    if (!m_model || layers.empty())
        return;
    planning::PlanRequest request = m_wish.request;
    for (const int layer : layers)
        request = withoutOwn(std::move(request), m_model->layers[static_cast<std::size_t>(layer)].name);
    edit(request,
        layers.size() == 1 ? tr("%1 as in Options").arg(m_model->layers[static_cast<std::size_t>(layers.front())].name)
                           : tr("%1 layers as in Options").arg(layers.size()));
}

void Session::editRange(int layer, Operand operand, std::optional<quant::RangeSpec> range)
{
    if (!m_model)
        return;
    const QString& name = m_model->layers[static_cast<std::size_t>(layer)].name;
    edit(withRange(m_wish.request, name, operand, range),
        operand == Operand::Weight ? tr("weight range of %1").arg(name) : tr("activation range of %1").arg(name));
}

void Session::adoptPlan(quant::PlanPtr plan, const QString& text)
{
    auto request = planning::requestLike(*plan);
    m_undoStack.push(new RequestCommand(*this, { std::move(request), m_wish.profile, {}, std::move(plan) }, text, {}));
}

void Session::chooseProfile(const quant::HardwareProfile& profile)
{
    if (&profile == m_wish.profile)
        return;
    planning::Constrained fitting = planning::constrain(profile, m_wish.request);
    Wish wish { std::move(fitting.request), &profile, {}, m_wish.base };
    for (const std::string& note : fitting.notes)
        wish.notes << QString::fromStdString(note);
    const QString text = tr("hardware profile %1").arg(QString::fromStdString(profile.name));
    m_undoStack.push(new RequestCommand(*this, std::move(wish), text, {}));
}

void Session::fitProfile()
{
    edit(planning::constrain(profile(), m_wish.request).request,
        tr("options that %1 allows").arg(QString::fromStdString(profile().name)));
}

void Session::applyWish(const Wish& wish)
{
    const bool samePlan = wish.base == m_wish.base;
    m_wish = wish;
    if (!samePlan) { // equal requests may mean other networks then
        m_corrected.reset();
        m_errors.reset();
        emit correctedChanged();
        emit errorsChanged();
    }
    emit requestChanged();
}

} // namespace quantoscope::ui
