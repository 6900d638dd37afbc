// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/session.h"

#include "ui/charts/number_format.h"
#include "ui/session/request_command.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

Session::Session(QObject* parent)
    : QObject(parent)
{
    m_undoStack.setUndoLimit(500);
}

AnalysisPtr Session::currentAnalysis() const
{
    return m_analysis && m_analysis->request == m_request ? m_analysis : nullptr;
}

const LayerInfo* Session::selectedLayerInfo() const
{
    return m_model && m_selectedLayer >= 0 ? &m_model->layers[static_cast<std::size_t>(m_selectedLayer)] : nullptr;
}

void Session::forgetResults()
{
    m_floatResult.reset();
    m_sweep.reset();
    m_accuracy = {};
    emit floatResultChanged();
    emit sweepChanged();
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
    m_request.overrides.clear();
    m_selectedLayer = m_model && !m_model->layers.empty() ? 0 : -1;
    emit modelChanged();
    emit statsChanged();
    emit requestChanged();
    emit analysisChanged();
    emit runsChanged();
    emit selectionChanged();
    forgetResults();
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
    m_runs.push_back(std::move(run));
    emit runsChanged();
}

void Session::setSweep(std::shared_ptr<const sweep::SweepResult> sweep, planning::PlanRequest request)
{
    m_sweep = std::move(sweep);
    m_sweepRequest = std::move(request);
    emit sweepChanged();
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
    if (request != m_request)
        m_undoStack.push(new RequestCommand(*this, request, text, key));
}

void Session::editBits(const std::vector<int>& layers, Operand operand, std::optional<int> bits)
{
    if (!m_model || layers.empty())
        return;
    planning::PlanRequest request = m_request;
    for (const int layer : layers)
        request = withBits(std::move(request), m_model->layers[static_cast<std::size_t>(layer)].name, operand, bits);
    const QString what = operand == Operand::Weight ? tr("weights") : tr("activations");
    edit(request,
        layers.size() == 1
            ? tr("%1 of %2 to %3 bits")
                  .arg(what, m_model->layers[static_cast<std::size_t>(layers.front())].name, formatBits(bits))
            : tr("%1 of %2 layers to %3 bits").arg(what).arg(layers.size()).arg(formatBits(bits)));
}

void Session::editRange(int layer, Operand operand, std::optional<quant::RangeSpec> range)
{
    if (!m_model)
        return;
    const QString& name = m_model->layers[static_cast<std::size_t>(layer)].name;
    edit(withRange(m_request, name, operand, range),
        operand == Operand::Weight ? tr("weight range of %1").arg(name) : tr("activation range of %1").arg(name));
}

void Session::applyRequest(const planning::PlanRequest& request)
{
    m_request = request;
    emit requestChanged();
}

} // namespace quantoscope::ui
