// SPDX-License-Identifier: GPL-3.0-or-later
// What a project says to a window that opens it; also one that only the command line wrote.
#include <algorithm>
#include <ranges>

#include <QRegularExpression>

#include <nlohmann/json.hpp>

#include "core/planning/plan_changes.h"
#include "ui/session/project_file.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

namespace fs = std::filesystem;
using project::Project;
using project::ResultRecord;
using project::Source;

namespace {

const Source* latest(const std::vector<Source>& sources, std::string_view role)
{
    const auto found = std::ranges::find(std::views::reverse(sources), role, &Source::role);
    return found == std::views::reverse(sources).end() ? nullptr : &*found;
}

std::string detail(const Source& source, const char* key)
{
    const auto found = source.details.is_object() ? source.details.find(key) : source.details.end();
    return found != source.details.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "500 of CIFAR-10 binary, ..." -> 500; 0 where it says all.
std::int64_t imagesOf(const Source& source)
{
    static const QRegularExpression some(QStringLiteral("^([0-9,]+) of "));
    const auto match = some.match(QString::fromStdString(detail(source, "description")));
    return match.hasMatch() ? match.captured(1).remove(QLatin1Char(',')).toLongLong() : 0;
}

dataset::Preprocessing preprocessingOf(const Source& source)
{
    if (!source.details.is_object() || !source.details.contains("preprocessing"))
        return {};
    return dataset::Preprocessing::fromJson(source.details.at("preprocessing")).value_or(dataset::Preprocessing {});
}

std::optional<DataRequest> dataOf(const std::vector<Source>& sources)
{
    const Source* images = latest(sources, "data");
    if (!images)
        return std::nullopt;
    DataRequest data;
    data.path = images->path;
    data.limit = imagesOf(*images);
    data.preprocessing = preprocessingOf(*images);
    data.labels = detail(*images, "labels");
    data.classes = detail(*images, "classes");
    const Source* calibration = latest(sources, "calibration");
    if (!calibration)
        return data;
    if (calibration->path != images->path)
        data.calibrationPath = calibration->path;
    if (const std::int64_t count = imagesOf(*calibration); count > 0)
        data.calibrationCount = count;
    const dataset::Preprocessing own = preprocessingOf(*calibration);
    if (own.resize != data.preprocessing.resize)
        data.calibrationResize = own.resize;
    if (own.crop != data.preprocessing.crop)
        data.calibrationCrop = own.crop;
    return data;
}

/// A result that no window has listed: what was asked for is known as far as its plan says it.
Result<RunState> runOf(const Project& project, const ResultRecord& record)
{
    RunState run;
    run.key = { record.graph, record.plan, record.samples };
    run.scope = QString::fromStdString(record.scope);
    run.data = QString::fromStdString(record.data);
    QS_TRY(const auto plan, project.plan(record.plan));
    run.isFloat = !plan || plan->tensors().empty();
    if (!run.isFloat)
        run.request = planning::requestLike(*plan);
    return run;
}

/// What a project without a window's state says of its latest model.
Result<ProjectState> stateFromResults(const Project& project, const std::vector<Source>& sources)
{
    ProjectState state;
    const Source* model = latest(sources, "model");
    if (!model)
        return state;
    state.model = model->fingerprint;
    ModelState& entry = state.models[model->fingerprint];
    entry.path = model->path;
    entry.data = dataOf(sources);
    const bool alone = std::ranges::count(sources, "model", &Source::role) == 1;
    QS_TRY(const auto records, project.results());
    for (const ResultRecord& record : records) {
        // An equalized network is another graph; with one model it can only be that one's.
        if (!alone && record.graph != detail(*model, "graph"))
            continue;
        QS_TRY(auto run, runOf(project, record));
        entry.runs.push_back(std::move(run));
    }
    const auto quantized = std::ranges::find(std::views::reverse(entry.runs), false, &RunState::isFloat);
    if (quantized != std::views::reverse(entry.runs).end())
        entry.wish.request = quantized->request;
    return state;
}

/// Where the model is that the window had open.
void findModel(OpenedProject& opened, const std::vector<Source>& sources)
{
    const auto entry = opened.state.models.find(opened.state.model);
    if (entry == opened.state.models.end())
        return;
    for (const Source& source : std::views::reverse(sources)) {
        if (source.role != "model" || source.fingerprint != entry->first)
            continue;
        if (auto found = opened.project->locate(source))
            opened.model = *std::move(found);
        else
            opened.missing = found.error();
        return;
    }
    opened.model = entry->second.path;
}

const ResultRecord* find(const std::vector<ResultRecord>& records, const RunKey& key)
{
    const auto found = std::ranges::find_if(std::views::reverse(records), [&key](const ResultRecord& record) {
        return record.graph == key.graph && record.plan == key.plan && record.samples == key.samples;
    });
    return found == std::views::reverse(records).end() ? nullptr : &*found;
}

} // namespace

Result<OpenedProject> readProject(const fs::path& path)
{
    OpenedProject opened;
    QS_TRY(opened.project, Project::open(path, project::Mode::Existing));
    opened.path = opened.project->path();
    opened.readOnlyReason = QString::fromStdString(opened.project->readOnlyReason());
    QS_TRY(const auto sources, opened.project->sources());
    QS_TRY(const auto view, opened.project->view("window"));
    Result<ProjectState> state = ProjectState {};
    if (view)
        state = ProjectState::fromText(*view, opened.path.parent_path());
    if (!state)
        opened.unreadable = state.error();
    if (!state || state->models.empty()) {
        QS_TRY(opened.state, stateFromResults(*opened.project, sources));
    } else {
        opened.state = *std::move(state);
    }
    QS_TRY(auto energy, opened.project->energyModel());
    opened.state.energy = std::move(energy).value_or(cost::defaultEnergyModel());
    findModel(opened, sources);
    return opened;
}

Result<std::vector<Run>> readRuns(ProjectStore& store, const LoadedModel& model, const std::vector<RunState>& wanted,
    const cost::EnergyModel& energy, const base::Job& job)
{
    std::vector<Run> runs;
    const auto project = store.current();
    if (!project)
        return runs;
    QS_TRY(const auto records, project->results());
    const flow::Quantizer graphs(model.graph, nullptr);
    job.begin("Reading runs", static_cast<std::int64_t>(wanted.size()), "runs");
    for (const RunState& state : wanted) {
        if (job.stopRequested())
            return base::cancelled();
        job.advance();
        const ResultRecord* record = find(records, state.key);
        if (!record)
            continue;
        QS_TRY(const auto result, project->findResult(record->key));
        QS_TRY(const auto plan, project->plan(record->plan));
        if (!result || (!plan && !state.isFloat)) // damaged
            continue;
        Run run;
        run.key = state.key;
        run.name = state.name;
        run.scope = state.scope;
        run.isFloat = state.isFloat;
        run.data = state.data;
        run.request = state.request;
        run.corrections = state.corrections;
        run.result = result;
        if (!run.isFloat) {
            describeBits(run);
            run.plan = plan;
            QS_TRY(run.graph, graphs.graphFor(*plan));
        }
        run.cost = cost::computeCost(*model.graph, run.isFloat ? quant::QuantizationPlan {} : *plan, energy);
        runs.push_back(std::move(run));
    }
    compareWithFloat(runs);
    job.finish();
    return runs;
}

} // namespace quantoscope::ui
