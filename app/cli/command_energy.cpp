// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/project_file.h"
#include "app/cli/text.h"
#include "core/base/file.h"
#include "core/cost/energy.h"
#include "core/project/project.h"

namespace quantoscope::cli {

namespace {

using cost::EnergyModel;

/// Tables that energy figures are made of: lists those built in, shows one, changes its numbers, and keeps it in a file
/// or in a project, whose commands then use it.
class Energy : public Command {
public:
    explicit Energy(CLI::App& command)
    {
        command.add_option("NAME", m_name, "A model that is built in, or FILE.json; default: the project's");
        command.add_flag("--json", m_common.json, "One JSON document on standard output, nothing else");
        auto* set = command.add_option("--set", m_changes,
            "Change a field: off_chip_bit=10, multiply.quadratic=0.003, weights_in=on-chip; repeatable");
        set->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        command.add_option("--save", m_save, "Write it, for --energy FILE.json");
        command.add_option("--project", m_common.project.file,
            "Keep it in this project (.qscope), made if absent: what its commands count with unless --energy says "
            "otherwise");
    }

    Result<void> readOptions() override
    {
        for (const auto& change : m_changes)
            if (const auto equals = change.find('='); equals == 0 || equals == std::string::npos)
                return fail(ErrorCode::InvalidInput, "'" + change + "' changes nothing", "--set",
                    "write FIELD=VALUE: off_chip_bit=10");
        return {};
    }

    Result<void> run(const base::Job&, Report& report) override
    {
        project::ProjectPtr project;
        const bool keeps = !m_name.empty() || !m_changes.empty();
        if (!m_common.project.file.empty()) {
            QS_TRY(project, openProject(m_common.project.file));
        }
        if (!project && !keeps && m_save.empty()) {
            list(report);
            return {};
        }
        QS_TRY(const auto start, startingPoint(project.get()));
        QS_TRY(const auto model, changed(start));
        if (!m_save.empty())
            QS_CHECK(base::writeFileAtomically(m_save, model.toJson().dump(4) + "\n"));
        if (project && keeps)
            QS_CHECK(project->setEnergyModel(model));
        report.json()["energy_model"] = model.toJson();
        report.text(describe(model));
        if (project)
            report.text(m_common.project.file + (keeps ? " keeps it.\n" : " uses it.\n"));
        return {};
    }

private:
    Result<EnergyModel> startingPoint(const project::Project* project) const
    {
        if (!m_name.empty())
            return cost::findEnergyModel(m_name);
        if (project) {
            QS_TRY(auto kept, project->energyModel());
            if (kept)
                return *std::move(kept);
        }
        return cost::defaultEnergyModel();
    }

    /// With what --set says; a model that is no longer the built-in one does not keep its name.
    Result<EnergyModel> changed(const EnergyModel& start) const
    {
        Json json = start.toJson();
        for (const auto& change : m_changes) {
            const auto equals = change.find('=');
            const std::string field = change.substr(0, equals);
            const auto dot = field.find('.');
            Json* place = &json[field.substr(0, dot)];
            if (dot != std::string::npos && (place->is_object() || place->is_null()))
                place = &(*place)[field.substr(dot + 1)];
            *place = valueOf(change.substr(equals + 1));
        }
        QS_TRY(auto model, EnergyModel::fromJson(json));
        return cost::withOwnName(std::move(model));
    }

    static Json valueOf(const std::string& text)
    {
        double number = 0;
        const auto* end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        if (read.ec != std::errc {} || read.ptr != end)
            return text;
        if (text.find_first_not_of("0123456789") == std::string::npos && text.size() < 10)
            return std::stol(text);
        return number;
    }

    static void list(Report& report)
    {
        Json rows = Json::array();
        using enum Table::Align;
        Table table({ { "energy model", Left }, { "what it counts", Left } });
        for (const auto& model : cost::builtInEnergyModels()) {
            rows.push_back(model.toJson());
            table.add({ model.name, model.description });
        }
        report.json()["energy_models"] = std::move(rows);
        report.text(table.toString());
    }

    static std::string describe(const EnergyModel& model)
    {
        using enum Table::Align;
        Table table({ { "field", Left }, { "value", Left } });
        const Json json = model.toJson();
        for (const auto& [key, value] : json.items()) {
            if (!value.is_object())
                table.add({ key, value.is_string() ? value.get<std::string>() : value.dump() });
            else
                for (const auto& [inner, number] : value.items())
                    table.add({ key + "." + inner, number.dump() });
        }
        return table.toString();
    }

    std::string m_name;
    std::vector<std::string> m_changes;
    std::string m_save;
};

} // namespace

CommandPtr makeEnergy(CLI::App& command) { return std::make_unique<Energy>(command); }

} // namespace quantoscope::cli
