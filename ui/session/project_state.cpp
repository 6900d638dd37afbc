// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/project_state.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/planning/request_json.h"
#include "core/project/codec.h"

namespace quantoscope::ui {

namespace fs = std::filesystem;

namespace {

constexpr int stateVersion = 1;

std::string text(const QString& string) { return string.toStdString(); }
QString string(const Json& json) { return QString::fromStdString(json.get<std::string>()); }

/// A path as it is, and as it is from the project's folder: projects and their data move together.
Json pathJson(const fs::path& path, const fs::path& home)
{
    return { { "path", path.string() }, { "relative", path.empty() ? "" : path.lexically_relative(home).string() } };
}

fs::path pathFrom(const Json& json, const fs::path& home)
{
    const fs::path path = json.at("path").get<std::string>();
    const fs::path relative = json.at("relative").get<std::string>();
    std::error_code error;
    if (path.empty() || relative.empty() || fs::exists(path, error))
        return path;
    const fs::path moved = (home / relative).lexically_normal();
    return fs::exists(moved, error) ? moved : path;
}

Json dataJson(const DataRequest& data, const fs::path& home)
{
    return { { "images", pathJson(data.path, home) }, { "kind", static_cast<int>(data.kind) },
        { "labels", pathJson(data.labels, home) }, { "classes", pathJson(data.classes, home) },
        { "calibration", pathJson(data.calibrationPath, home) }, { "calibration_count", data.calibrationCount },
        { "limit", data.limit }, { "preprocessing", data.preprocessing.toJson() },
        { "calibration_resize", data.calibrationResize ? dataset::toJson(*data.calibrationResize) : Json() },
        { "calibration_crop", data.calibrationCrop ? dataset::toJson(*data.calibrationCrop) : Json() } };
}

Result<DataRequest> dataFrom(const Json& json, const fs::path& home)
{
    DataRequest data;
    data.path = pathFrom(json.at("images"), home);
    data.kind = static_cast<dataset::Kind>(json.at("kind").get<int>());
    data.labels = pathFrom(json.at("labels"), home);
    if (json.contains("classes")) // older projects know of none
        data.classes = pathFrom(json.at("classes"), home);
    data.calibrationPath = pathFrom(json.at("calibration"), home);
    json.at("calibration_count").get_to(data.calibrationCount);
    json.at("limit").get_to(data.limit);
    QS_TRY(data.preprocessing, dataset::Preprocessing::fromJson(json.at("preprocessing")));
    if (!json.at("calibration_resize").is_null()) {
        QS_TRY(data.calibrationResize, dataset::resizeFrom(json.at("calibration_resize")));
    }
    if (json.contains("calibration_crop") && !json.at("calibration_crop").is_null()) { // older projects have none
        QS_TRY(data.calibrationCrop, dataset::extentFrom(json.at("calibration_crop")));
    }
    return data;
}

Json bitsJson(const std::vector<sweep::Bits>& bits)
{
    Json list = Json::array();
    for (const auto& b : bits)
        list.push_back(b ? Json(*b) : Json());
    return list;
}

std::vector<sweep::Bits> bitsFrom(const Json& json)
{
    std::vector<sweep::Bits> bits;
    for (const Json& entry : json)
        bits.push_back(entry.is_null() ? sweep::Bits() : sweep::Bits(entry.get<int>()));
    return bits;
}

Json wishJson(const Wish& wish)
{
    Json notes = Json::array();
    for (const QString& note : wish.notes)
        notes.push_back(text(note));
    return { { "request", planning::toJson(wish.request) }, { "profile", wish.profile ? wish.profile->name : "" },
        { "notes", std::move(notes) } };
}

/// The profile stays null where this version knows none of that name.
Result<Wish> wishFrom(const Json& json)
{
    Wish wish;
    QS_TRY(wish.request, planning::requestFromJson(json.at("request")));
    const auto& profiles = quant::builtInProfiles();
    const auto found
        = std::ranges::find(profiles, json.at("profile").get<std::string>(), &quant::HardwareProfile::name);
    wish.profile = found == profiles.end() ? nullptr : &*found;
    for (const Json& note : json.at("notes"))
        wish.notes << string(note);
    return wish;
}

Json runJson(const RunState& run)
{
    flow::QuantizedNetwork network;
    network.corrections = run.corrections;
    return { { "graph", run.key.graph }, { "plan", run.key.plan }, { "samples", run.key.samples },
        { "name", text(run.name) }, { "scope", text(run.scope) }, { "float", run.isFloat }, { "data", text(run.data) },
        { "request", planning::toJson(run.request) }, { "network", project::detail::toJson(network) } };
}

Result<RunState> runFrom(const Json& json)
{
    RunState run;
    run.key = { json.at("graph"), json.at("plan"), json.at("samples") };
    run.name = string(json.at("name"));
    run.scope = string(json.at("scope"));
    run.isFloat = json.at("float").get<bool>();
    run.data = string(json.at("data"));
    QS_TRY(run.request, planning::requestFromJson(json.at("request")));
    QS_TRY(auto network, project::detail::networkFromJson(json.at("network")));
    run.corrections = std::move(network.corrections);
    return run;
}

Json sweepJson(const SweepState& sweep)
{
    return { { "weight_bits", bitsJson(sweep.weightBits) }, { "activation_bits", bitsJson(sweep.activationBits) },
        { "request", planning::toJson(sweep.request) }, { "complete", sweep.complete } };
}

Result<SweepState> sweepFrom(const Json& json)
{
    SweepState sweep;
    sweep.weightBits = bitsFrom(json.at("weight_bits"));
    sweep.activationBits = bitsFrom(json.at("activation_bits"));
    QS_TRY(sweep.request, planning::requestFromJson(json.at("request")));
    json.at("complete").get_to(sweep.complete);
    return sweep;
}

Json rangesJson(const std::vector<quant::RangeSpec>& ranges)
{
    Json list = Json::array();
    for (const auto& range : ranges)
        list.push_back(range.toString());
    return list;
}

Result<std::vector<quant::RangeSpec>> rangesFrom(const Json& json)
{
    std::vector<quant::RangeSpec> ranges;
    for (const Json& entry : json) {
        QS_TRY(const auto range, quant::RangeSpec::parse(entry.get<std::string>()));
        ranges.push_back(range);
    }
    return ranges;
}

Json optionsJson(const OptionsState& options)
{
    const auto& settings = options.settings;
    Json corrections = Json::array();
    for (const auto& set : settings.corrections)
        corrections.push_back(planning::toJson(set));
    return { { "weight_bits", bitsJson(settings.weightBits) }, { "activation_bits", bitsJson(settings.activationBits) },
        { "weight_ranges", rangesJson(settings.weightRanges) },
        { "activation_ranges", rangesJson(settings.activationRanges) }, { "weight_schemes", settings.weightSchemes },
        { "activation_schemes", settings.activationSchemes }, { "weight_per_channel", settings.weightPerChannel },
        { "activation_per_channel", settings.activationPerChannel }, { "corrections", std::move(corrections) },
        { "request", planning::toJson(settings.request) }, { "complete", options.complete } };
}

Result<OptionsState> optionsFrom(const Json& json)
{
    OptionsState options;
    auto& settings = options.settings;
    settings.weightBits = bitsFrom(json.at("weight_bits"));
    settings.activationBits = bitsFrom(json.at("activation_bits"));
    QS_TRY(settings.weightRanges, rangesFrom(json.at("weight_ranges")));
    QS_TRY(settings.activationRanges, rangesFrom(json.at("activation_ranges")));
    json.at("weight_schemes").get_to(settings.weightSchemes);
    json.at("activation_schemes").get_to(settings.activationSchemes);
    settings.weightPerChannel = json.at("weight_per_channel").get<std::vector<bool>>();
    settings.activationPerChannel = json.at("activation_per_channel").get<std::vector<bool>>();
    for (const Json& set : json.at("corrections")) {
        QS_TRY(const auto corrections, planning::correctionsFromJson(set));
        settings.corrections.push_back(corrections);
    }
    QS_TRY(settings.request, planning::requestFromJson(json.at("request")));
    json.at("complete").get_to(options.complete);
    return options;
}

Json sensitivityJson(const SensitivityState& study)
{
    return { { "weight_bits", study.weightBits }, { "activation_bits", study.activationBits },
        { "measure", study.measure }, { "request", planning::toJson(study.request) }, { "complete", study.complete } };
}

Result<SensitivityState> sensitivityFrom(const Json& json)
{
    SensitivityState study;
    json.at("weight_bits").get_to(study.weightBits);
    json.at("activation_bits").get_to(study.activationBits);
    json.at("measure").get_to(study.measure);
    QS_TRY(study.request, planning::requestFromJson(json.at("request")));
    json.at("complete").get_to(study.complete);
    return study;
}

Json searchJson(const SearchState& search)
{
    return { { "weight_bits", search.weightBits }, { "activation_bits", search.activationBits },
        { "budget", search.budget.toString() }, { "uniform", search.uniform },
        { "request", planning::toJson(search.request) }, { "complete", search.complete } };
}

Result<SearchState> searchFrom(const Json& json)
{
    SearchState search;
    json.at("weight_bits").get_to(search.weightBits);
    json.at("activation_bits").get_to(search.activationBits);
    QS_TRY(search.budget, sweep::Budget::parse(json.at("budget").get<std::string>()));
    json.at("uniform").get_to(search.uniform);
    QS_TRY(search.request, planning::requestFromJson(json.at("request")));
    json.at("complete").get_to(search.complete);
    return search;
}

/// Null also in projects of versions that kept none.
const Json& optional(const Json& json, const char* key)
{
    static const Json none;
    const auto found = json.find(key);
    return found == json.end() ? none : *found;
}

Json modelJson(const ModelState& model, const fs::path& home)
{
    Json runs = Json::array();
    for (const RunState& run : model.runs)
        runs.push_back(runJson(run));
    return { { "file", pathJson(model.path, home) }, { "fold_batch_norm", model.foldBatchNorm },
        { "data", model.data ? dataJson(*model.data, home) : Json() }, { "wish", wishJson(model.wish) },
        { "layer", text(model.layer) }, { "runs", std::move(runs) },
        { "sweep", model.sweep ? sweepJson(*model.sweep) : Json() },
        { "options", model.options ? optionsJson(*model.options) : Json() },
        { "sensitivity", model.sensitivity ? sensitivityJson(*model.sensitivity) : Json() },
        { "search", model.search ? searchJson(*model.search) : Json() } };
}

Result<ModelState> modelFrom(const Json& json, const fs::path& home)
{
    ModelState model;
    model.path = pathFrom(json.at("file"), home);
    json.at("fold_batch_norm").get_to(model.foldBatchNorm);
    if (const Json& data = json.at("data"); !data.is_null()) {
        QS_TRY(model.data, dataFrom(data, home));
    }
    QS_TRY(model.wish, wishFrom(json.at("wish")));
    model.layer = string(json.at("layer"));
    for (const Json& entry : json.at("runs")) {
        QS_TRY(auto run, runFrom(entry));
        model.runs.push_back(std::move(run));
    }
    if (const Json& sweep = json.at("sweep"); !sweep.is_null()) {
        QS_TRY(model.sweep, sweepFrom(sweep));
    }
    if (const Json& options = json.at("options"); !options.is_null()) {
        QS_TRY(model.options, optionsFrom(options));
    }
    if (const Json& sensitivity = optional(json, "sensitivity"); !sensitivity.is_null()) {
        QS_TRY(model.sensitivity, sensitivityFrom(sensitivity));
    }
    if (const Json& search = optional(json, "search"); !search.is_null()) {
        QS_TRY(model.search, searchFrom(search));
    }
    return model;
}

} // namespace

std::string ProjectState::toText(const fs::path& home) const
{
    Json all = Json::object();
    for (const auto& [fingerprint, state] : models)
        all[fingerprint] = modelJson(state, home);
    const Json json { { "version", stateVersion }, { "model", model }, { "models", std::move(all) },
        { "page", text(page) }, { "worth_keeping", worthKeeping } };
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ProjectState> ProjectState::fromText(const std::string& content, const fs::path& home)
{
    const auto broken = [](const std::string& what) {
        return fail(ErrorCode::InvalidInput, "what the window had open could not be read: " + what);
    };
    const Json json = Json::parse(content, nullptr, false);
    if (json.is_discarded())
        return broken("it is no JSON");
    try {
        if (json.at("version") != stateVersion)
            return broken("version " + json.at("version").dump());
        ProjectState state;
        json.at("model").get_to(state.model);
        for (const auto& [fingerprint, entry] : json.at("models").items()) {
            QS_TRY(auto model, modelFrom(entry, home));
            state.models.emplace(fingerprint, std::move(model));
        }
        state.page = string(json.at("page"));
        json.at("worth_keeping").get_to(state.worthKeeping);
        return state;
    } catch (const nlohmann::json::exception& e) {
        return broken(e.what());
    }
}

} // namespace quantoscope::ui
