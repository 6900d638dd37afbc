// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/report/report.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "core/exporting/report/markup.h"
#include "core/exporting/report/sections.h"

namespace quantoscope::exporting {

namespace {

using namespace report;

constexpr const char* style = R"(
:root { color-scheme: light dark; --text: #1d2329; --quiet: #5c6670; --line: #d7dce1; --page: #fff; --mark: #eef4fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e8ec; --quiet: #9aa5b1; --line: #3a424b; --page: #16191d; --mark: #1f2a35; }
}
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.3rem; margin-top: 2.4rem; border-top: 1px solid var(--line);
  padding-top: 1.2rem; } h3 { font-size: 1.05rem; margin-bottom: .3rem; }
.quiet, .facts { color: var(--quiet); } .facts { font-size: .86rem; margin: .2rem 0; overflow-wrap: anywhere; }
.warning { border-left: 4px solid #d55e00; padding-left: .7rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .86rem; margin: .6rem 0; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; } tr.chosen { background: var(--mark); font-weight: 600; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--quiet); }
pre { font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
svg.chart { width: 100%; max-width: 50rem; height: auto; display: block; margin: .8rem 0; }
svg text { fill: var(--text); font: 13px system-ui, sans-serif; } svg text.small { font-size: 11.5px; }
svg text.quiet { pointer-events: none; } svg text.halo { paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
svg .axis { stroke: var(--quiet); } svg .grid { stroke: var(--line); } svg .mark { stroke: var(--quiet); stroke-dasharray: 5 4; }
@media print { details > * { display: revert; } h2 { break-after: avoid; } svg, tr { break-inside: avoid; } }
)";

struct Kind {
    const char* command;
    const char* title;
    std::string (*section)(const Json&);
};
constexpr Kind kinds[] {
    { "sweep", "Word-lengths", sweepSection },
    { "models", "Models compared", modelsSection },
    { "sensitivity", "Sensitivity of each layer", sensitivitySection },
    { "search", "Mixed word-lengths", searchSection },
    { "options", "Quantization options", optionsSection },
    { "evaluate", "Accuracy", evaluateSection },
    { "layers", "Errors of each tensor", layersSection },
    { "flips", "Images whose prediction changed", flipsSection },
};

const Kind* kindOf(const std::string& command)
{
    const auto found = std::ranges::find(kinds, command, &Kind::command);
    return found == std::end(kinds) ? nullptr : &*found;
}

/// Whatever a text of it holds.
std::string written(const Json& json, int indent = -1)
{
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

/// "Word-lengths: resnet20"
std::string titleOf(const ReportStudy& study)
{
    const auto* kind = kindOf(study.command);
    const std::string model = std::filesystem::path(text(study.document, "model")).stem().string();
    return (kind ? kind->title : study.command) + (model.empty() ? std::string() : ": " + model);
}

std::string listed(const std::vector<ReportSource>& sources)
{
    if (sources.empty())
        return {};
    HtmlTable table({ "", "file", "content", "SHA-256" });
    for (const auto& source : sources)
        table.add({ source.role, source.file, source.description, source.fingerprint });
    return heading(2, "Where it comes from", "sources") + table.toString();
}

std::string facts(const ReportStudy& study)
{
    std::string lines;
    for (const auto* key : { "scope", "data", "preprocess", "calibration", "profile", "plan" })
        if (const auto value = text(study.document, key); !value.empty())
            lines += "<p class=\"facts\"><b>" + std::string(key) + "</b> " + escaped(value) + "</p>\n";
    return lines;
}

std::string provenance(const ReportStudy& study, const std::map<std::string, int>& energies)
{
    std::string lines = "<p class=\"facts\"><b>made</b> " + escaped(study.created) + " by Quantoscope "
        + escaped(study.version) + " on " + escaped(study.machine);
    if (const auto seed = text(study.settings, "seed"); !seed.empty())
        lines += ", seed " + escaped(seed);
    lines += "</p>\n";
    if (const auto& energy = part(study.document, "energy_model"); energy.is_object()) {
        const std::string number = std::to_string(energies.at(written(energy)));
        lines += "<p class=\"facts\"><b>energy</b> after <a href=\"#energy" + number + "\">"
            + escaped(text(energy, "name")) + "</a></p>\n";
    }
    if (study.settings.is_object())
        lines += folded("All settings", "<pre>" + escaped(written(study.settings, 2)) + "</pre>\n");
    return lines;
}

std::string section(const ReportStudy& study, int number, const std::map<std::string, int>& energies)
{
    std::string page = heading(2, titleOf(study), "study" + std::to_string(number));
    if (!study.complete)
        page += "<p class=\"warning\">Not finished: this is a part of the whole.</p>\n";
    page += facts(study);
    for (const auto& note : part(study.document, "notes"))
        if (note.is_string())
            page += "<p class=\"warning\">" + escaped(note.get<std::string>()) + "</p>\n";
    const auto* kind = kindOf(study.command);
    page += kind ? kind->section(study.document) : otherSection(study.document);
    return page + provenance(study, energies);
}

std::string energySection(const Json& energy, int number)
{
    std::string page = heading(3, text(energy, "name"), "energy" + std::to_string(number));
    page += paragraph(text(energy, "description")) + paragraph(text(energy, "source"));
    HtmlTable table({ "", "value" });
    const auto polynomial = [](const Json& operation) {
        return text(operation, "quadratic") + " b² + " + text(operation, "linear") + " b pJ";
    };
    for (const auto& [key, value] : energy.items())
        if (value.is_object())
            table.add({ key, polynomial(value) });
        else if (key != "name" && key != "description" && key != "source")
            table.add({ key, text(energy, key) });
    return page + table.toString();
}

/// Every energy table once, in the order of the studies.
std::vector<Json> energiesOf(const std::vector<ReportStudy>& studies)
{
    std::vector<Json> energies;
    for (const auto& study : studies)
        if (const auto& energy = part(study.document, "energy_model");
            energy.is_object() && std::ranges::find(energies, energy) == energies.end())
            energies.push_back(energy);
    return energies;
}

std::string listResults(const std::vector<ReportResult>& results)
{
    if (results.empty())
        return {};
    HtmlTable table({ "scope", "data", "images", "top-1 [%]", "plan", "seed", "version", "machine", "made" });
    for (const auto& result : results)
        table.add({ result.scope, result.data, grouped(static_cast<double>(result.images)), fixed(result.top1),
            result.plan.substr(0, 12), result.seed, result.version, result.machine, result.created });
    return heading(2, "Everything that was evaluated", "results")
        + folded(std::to_string(results.size()) + " evaluations with their provenance", table.toString());
}

} // namespace

std::string toHtml(const ReportContent& content)
{
    const auto energies = energiesOf(content.studies);
    std::map<std::string, int> numbers;
    for (std::size_t i = 0; i < energies.size(); ++i)
        numbers[written(energies[i])] = static_cast<int>(i) + 1;

    std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>"
        + escaped(content.title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n";
    page += heading(1, content.title);
    page += "<p class=\"quiet\">Written " + escaped(content.created) + " by Quantoscope " + escaped(content.version)
        + ". Accuracies are measured; brackets are 95 % intervals.</p>\n";
    if (content.studies.size() > 1) {
        page += "<ul>\n";
        for (std::size_t i = 0; i < content.studies.size(); ++i)
            page += "<li><a href=\"#study" + std::to_string(i + 1) + "\">" + escaped(titleOf(content.studies[i]))
                + "</a></li>\n";
        page += "</ul>\n";
    }
    if (content.studies.empty())
        page += paragraph("Nothing was studied yet.");
    for (std::size_t i = 0; i < content.studies.size(); ++i)
        page += section(content.studies[i], static_cast<int>(i) + 1, numbers);
    if (!energies.empty())
        page += heading(2, "Energy", "energy");
    for (std::size_t i = 0; i < energies.size(); ++i)
        page += energySection(energies[i], static_cast<int>(i) + 1);
    page += listed(content.sources) + listResults(content.results);
    return page + "</body>\n</html>\n";
}

} // namespace quantoscope::exporting
