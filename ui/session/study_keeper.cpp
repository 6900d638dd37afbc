// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/study_keeper.h"

#include <nlohmann/json.hpp>

#include "core/reporting/study_record.h"

namespace quantoscope::ui {

namespace {

constexpr double usualDrop = 1; ///< points of top-1 that the trend in words may lose, as with the command line

} // namespace

StudyKeeper::StudyKeeper(std::shared_ptr<ProjectStore> store, LoadedModelPtr model, LoadedDataPtr data)
    : m_store(std::move(store))
    , m_model(std::move(model))
    , m_data(std::move(data))
{
}

template <typename Options>
Result<void> StudyKeeper::keep(const std::string& command, const std::string& scope, const Options& options,
    const Json& found, const std::vector<std::string>& notes, bool complete) const
{
    const auto settings = reporting::settingsWith(
        { m_model->graphFingerprint, m_data->evaluation, m_data->calibration, options.request.seed },
        sweep::settingsOf(options));
    Json document = found;
    document["command"] = command;
    document["notes"] = notes;
    document["scope"] = scope;
    document["model"] = m_model->path.string();
    document["data"] = m_data->evaluation->description();
    document["preprocess"] = m_data->evaluation->preprocessing().describe();
    if (m_data->calibration)
        document["calibration"] = m_data->calibration->description();
    document["energy_model"] = options.energy.toJson();
    return m_store->keepStudy({ command, settings, std::move(document), complete });
}

Result<void> StudyKeeper::keep(const sweep::GridOptions& options, const sweep::SweepResult& result) const
{
    return keep("sweep", result.scope, options, sweep::toJson(result, usualDrop), {}, result.complete);
}

Result<void> StudyKeeper::keep(const sweep::SensitivityOptions& options, const sweep::SensitivityResult& result) const
{
    return keep("sensitivity", "each tensor alone, everything else float: " + result.scope, options,
        sweep::toJson(result), result.notes, result.complete);
}

Result<void> StudyKeeper::keep(const sweep::SearchOptions& options, const sweep::SearchResult& result) const
{
    return keep("search", result.scope, options, sweep::toJson(result), result.notes, result.complete);
}

Result<void> StudyKeeper::keep(const sweep::OptionsStudySettings& settings, const sweep::OptionsStudy& study) const
{
    return keep("options", study.scope, settings, sweep::toJson(study), study.notes, study.complete);
}

} // namespace quantoscope::ui
