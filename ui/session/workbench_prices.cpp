// SPDX-License-Identifier: GPL-3.0-or-later
// Costs under another energy model: nothing is run again for them.
#include "core/sweep/repricing.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

namespace {

const QString pricesChannel = QStringLiteral("prices");

/// Everything of a session that has a price; null or empty what there is not.
struct Priced {
    AnalysisPtr analysis;
    std::shared_ptr<const sweep::SweepResult> sweep;
    sweep::OptionsStudyPtr options;
    sweep::SensitivityResultPtr sensitivity;
    sweep::SearchResultPtr search;
    std::vector<RunKey> runs;
    std::vector<quant::PlanPtr> plans; ///< of the runs; null: float
    std::vector<cost::Cost> costs; ///< likewise
};

Priced pricesOf(const Session& session)
{
    Priced all { session.analysis(), session.sweep(), session.optionsStudy(), session.sensitivity(), session.search(),
        {}, {}, {} };
    for (const Run& run : session.runs()) {
        all.runs.push_back(run.key);
        all.plans.push_back(run.plan);
    }
    return all;
}

template <typename T>
std::shared_ptr<const T> repriced(
    const std::shared_ptr<const T>& result, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    return result ? std::make_shared<const T>(sweep::repriced(*result, graph, energy)) : nullptr;
}

Priced repriced(const Priced& before, const graph::Graph& graph, const cost::EnergyModel& energy)
{
    Priced after = before;
    if (before.analysis) {
        auto analysis = std::make_shared<Analysis>(*before.analysis);
        analysis->cost = cost::computeCost(graph, *analysis->plan, energy);
        after.analysis = std::move(analysis);
    }
    after.sweep = repriced(before.sweep, graph, energy);
    after.options = repriced(before.options, graph, energy);
    after.sensitivity = repriced(before.sensitivity, graph, energy);
    after.search = repriced(before.search, graph, energy);
    for (const quant::PlanPtr& plan : before.plans)
        after.costs.push_back(cost::computeCost(graph, plan ? *plan : quant::QuantizationPlan {}, energy));
    return after;
}

/// What changed since `before` was taken is left alone.
void adopt(Session& session, const Priced& before, const Priced& after)
{
    if (after.analysis && session.analysis() == before.analysis)
        session.setAnalysis(after.analysis);
    if (after.sweep && session.sweep() == before.sweep)
        session.setSweep(after.sweep, session.sweepRequest());
    if (after.options && session.optionsStudy() == before.options)
        session.setOptionsStudy(after.options);
    if (after.sensitivity && session.sensitivity() == before.sensitivity)
        session.setSensitivity(after.sensitivity, session.sensitivityRequest());
    if (after.search && session.search() == before.search)
        session.setSearch(after.search, session.searchRequest());
    session.setRunCosts(after.runs, after.costs);
}

} // namespace

void Workbench::reprice()
{
    m_jobs.drop(pricesChannel);
    m_mixedPrices = !m_jobs.idle();
    const LoadedModelPtr model = m_session.model();
    if (!model)
        return;
    const auto before = std::make_shared<const Priced>(pricesOf(m_session));
    m_jobs.start<Priced>(
        { tr("Costs under %1").arg(QString::fromStdString(m_session.energyModel().name)), Lane::Quick, pricesChannel },
        [before, model, energy = m_session.energyModel()](
            const base::Job&) -> Result<Priced> { return repriced(*before, *model->graph, energy); },
        [this, before, model](const Result<Priced>& result) {
            if (result && m_session.model() == model)
                adopt(m_session, *before, *result);
        });
}

void Workbench::repriceLatecomers()
{
    if (m_mixedPrices && m_jobs.idle())
        reprice();
}

} // namespace quantoscope::ui
