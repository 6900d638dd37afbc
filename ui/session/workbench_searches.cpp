// SPDX-License-Identifier: GPL-3.0-or-later
// Studies of single layers: what each alone costs, and which mix of word-lengths is best within a budget.
#include <limits>

#include "ui/charts/number_format.h"
#include "ui/session/limits.h"
#include "ui/session/study_keeper.h"
#include "ui/session/work.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

template <typename Settings> bool Workbench::fitToProfile(Settings& settings)
{
    QStringList reasons;
    bool emptied = false;
    for (const auto& [role, bits] : { std::pair(quant::Role::Weight, &settings.weightBits),
             std::pair(quant::Role::Activation, &settings.activationBits) })
        if (const QString why = keepAllowed(m_session.profile(), role, *bits); !why.isEmpty()) {
            reasons << why;
            emptied = emptied || bits->empty();
        }
    if (emptied)
        report({ ErrorCode::InvalidInput, reasons.join(QStringLiteral("; ")).toStdString(), {},
                   tr("choose word-lengths that the profile takes, or another profile").toStdString() },
            tr("Nothing was started"));
    else if (!reasons.isEmpty())
        emit notice(tr("Word-lengths left out: %1").arg(reasons.join(QStringLiteral("; "))));
    return !emptied;
}
template bool Workbench::fitToProfile(SweepSettings&);
template bool Workbench::fitToProfile(SensitivitySettings&);
template bool Workbench::fitToProfile(SearchSettings&);

sweep::SensitivityOptions sensitivityOptions(const SensitivitySettings& settings, const planning::PlanRequest& request)
{
    sweep::SensitivityOptions options;
    options.weightBits = settings.weightBits;
    options.activationBits = settings.activationBits;
    options.request = request;
    options.measure = settings.measure;
    return options;
}

sweep::SearchOptions searchOptions(const SearchSettings& settings, const planning::PlanRequest& request)
{
    sweep::SearchOptions options;
    options.weightBits = settings.weightBits;
    options.activationBits = settings.activationBits;
    options.request = request;
    options.budget = settings.budget;
    options.uniform = settings.uniform;
    return options;
}

void Workbench::startSensitivity(SensitivitySettings settings)
{
    startSensitivity(std::move(settings), m_session.request());
}

void Workbench::startSensitivity(SensitivitySettings settings, const planning::PlanRequest& request)
{
    if (!canStart(Study::Sensitivity) || !fitToProfile(settings))
        return;
    SensitivityState state { settings.weightBits, settings.activationBits, settings.measure, request, false };
    m_project.setSensitivity(state);
    auto growing = std::make_shared<sweep::SensitivityResult>();
    growing->scope = sweep::withoutOwnBits(request).describeOptions();
    growing->data = settings.measure ? m_session.data()->title.toStdString() : std::string();
    growing->floatResult = settings.measure ? m_session.floatResult() : nullptr;
    growing->complete = false;
    m_session.setSensitivity(growing, request);
    const quint64 generation = begin(Study::Sensitivity);
    m_running[Study::Sensitivity].job = m_jobs.start<sweep::SensitivityResultPtr>(
        { tr("Sensitivity of layers"), Lane::Study, channelOf(Study::Sensitivity) },
        [this, &jobs = m_jobs, settings, request, generation, quantizer = quantizer(),
            samples = m_session.data()->evaluation, floatResult = m_session.floatResult(),
            evaluation = keepingResults(), keeper = studyKeeper(), energy = m_session.energyModel(),
            sofar = sweep::SensitivityResultPtr(growing)](
            const base::Job& job) mutable -> Result<sweep::SensitivityResultPtr> {
            auto options = sensitivityOptions(settings, request);
            options.evaluation = evaluation;
            options.energy = energy;
            // As with the sweep: every point makes a new, larger result.
            options.onPoint = [&](const sweep::SensitivityPoint& point, const sweep::QuantizedUnit& unit) {
                auto next = std::make_shared<sweep::SensitivityResult>(*sofar);
                if (next->units.size() <= point.unit)
                    next->units.resize(point.unit + 1);
                next->units[point.unit] = unit;
                next->points.push_back(point);
                sofar = next;
                jobs.post([this, generation, request, next = sofar] {
                    if (current(Study::Sensitivity, generation))
                        m_session.setSensitivity(next, request);
                });
            };
            QS_TRY(auto result,
                sweep::runSensitivity(
                    *quantizer, samples.get(), options, job, settings.measure ? floatResult : nullptr));
            QS_CHECK(keeper.keep(options, result));
            return std::make_shared<const sweep::SensitivityResult>(std::move(result));
        },
        [this, request, state](Result<sweep::SensitivityResultPtr> result) mutable {
            state.complete = result && (*result)->complete;
            m_project.setSensitivity(state);
            if (result)
                m_session.setSensitivity(*result, request);
            end(Study::Sensitivity, !result && report(result.error(), tr("The sensitivity study stopped")));
        });
}

void Workbench::makeSensitivityCurrent(std::size_t point)
{
    const auto& study = m_session.sensitivity();
    if (!study || point >= study->points.size())
        return;
    const sweep::SensitivityPoint& chosen = study->points[point];
    const sweep::QuantizedUnit& unit = study->units[chosen.unit];
    planning::PlanRequest request = sweep::withoutOwnBits(m_session.sensitivityRequest());
    request.weights.bits.reset();
    request.activations.bits.reset();
    m_session.edit(withUnitBits(std::move(request), unit, chosen.bits),
        tr("%1 alone at %2 bits").arg(QString::fromStdString(unit.name)).arg(chosen.bits));
}

void Workbench::applySensitivity(std::size_t point)
{
    const auto& study = m_session.sensitivity();
    if (!study || point >= study->points.size())
        return;
    const sweep::SensitivityPoint& chosen = study->points[point];
    const sweep::QuantizedUnit& unit = study->units[chosen.unit];
    m_session.edit(withUnitBits(m_session.request(), unit, chosen.bits),
        tr("%1 of %2 to %3 bits")
            .arg(
                unit.role == quant::Role::Weight ? tr("weights") : tr("activations"), QString::fromStdString(unit.name))
            .arg(chosen.bits));
}

void Workbench::startSearch(SearchSettings settings) { startSearch(std::move(settings), m_session.request()); }

void Workbench::startSearch(SearchSettings settings, const planning::PlanRequest& request)
{
    if (!canStart(Study::Search) || !fitToProfile(settings))
        return;
    SearchState state { settings.weightBits, settings.activationBits, settings.budget, settings.uniform, request,
        false };
    m_project.setSearch(state);
    auto options = searchOptions(settings, request);
    options.evaluation = keepingResults();
    options.energy = m_session.energyModel();
    auto growing = std::make_shared<sweep::SearchResult>();
    growing->scope = request.describeOptions();
    growing->data = m_session.data()->title.toStdString();
    growing->budget = settings.budget;
    growing->price = settings.budget.price.value_or(options.minimize);
    growing->allowed = std::numeric_limits<double>::infinity();
    growing->floatResult = m_session.floatResult();
    growing->complete = false;
    m_session.setSearch(growing, request);
    const quint64 generation = begin(Study::Search);
    m_running[Study::Search].job = m_jobs.start<sweep::SearchResultPtr>(
        { tr("Searching word-lengths"), Lane::Study, channelOf(Study::Search) },
        [this, &jobs = m_jobs, options, request, generation, quantizer = quantizer(),
            samples = m_session.data()->evaluation, graph = m_session.model()->graph, keeper = studyKeeper(),
            sofar = sweep::SearchResultPtr(growing)](const base::Job& job) mutable -> Result<sweep::SearchResultPtr> {
            {
                auto next = std::make_shared<sweep::SearchResult>(*sofar);
                next->floatCost = cost::computeCost(*graph, {}, options.energy);
                next->units = sweep::findUnits(*graph, request.scope, request.floatOperators);
                if (options.budget.price && !options.budget.uniform)
                    next->allowed = priceOf(next->floatCost, next->price) * options.budget.limit / 100;
                sofar = next;
            }
            options.onPoint = [&](const sweep::SearchPoint& point) {
                auto next = std::make_shared<sweep::SearchResult>(*sofar);
                next->points.push_back(point);
                sweep::compareSearchPoints(*next);
                sofar = next;
                jobs.post([this, generation, request, next = sofar] {
                    if (current(Study::Search, generation))
                        m_session.setSearch(next, request);
                });
            };
            QS_TRY(auto result, sweep::runSearch(*quantizer, *samples, options, job));
            QS_CHECK(keeper.keep(options, result));
            return std::make_shared<const sweep::SearchResult>(std::move(result));
        },
        [this, request, state](Result<sweep::SearchResultPtr> result) mutable {
            state.complete = result && (*result)->complete;
            m_project.setSearch(state);
            if (result)
                m_session.setSearch(*result, request);
            end(Study::Search, !result && report(result.error(), tr("The search for word-lengths stopped")));
        });
}

void Workbench::makeSearchPointCurrent(std::size_t point)
{
    const auto& search = m_session.search();
    if (!search || point >= search->points.size())
        return;
    const sweep::SearchPoint& chosen = search->points[point];
    planning::PlanRequest request = m_session.searchRequest();
    if (chosen.uniform) {
        request.weights.bits = chosen.uniform->first;
        request.activations.bits = chosen.uniform->second;
    } else {
        for (std::size_t i = 0; i < std::min(search->units.size(), chosen.bits.size()); ++i)
            request = withUnitBits(std::move(request), search->units[i], chosen.bits[i]);
    }
    m_session.edit(request, tr("plan of the search, %1").arg(QString::fromStdString(chosen.label())));
}

} // namespace quantoscope::ui
