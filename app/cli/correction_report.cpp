// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/correction_report.h"

#include <nlohmann/json.hpp>

#include "app/cli/text.h"
#include "core/quant/option_texts.h"
#include "core/sweep/study_document.h"

namespace quantoscope::cli {

namespace {

using evaluation::Fidelity;

Json agreement(const Fidelity& fidelity) { return fidelity.classifies ? Json(fidelity.agreement()) : Json(); }
Json divergence(const Fidelity& fidelity) { return fidelity.images > 0 ? Json(fidelity.divergence) : Json(); }

std::string agreementText(const Fidelity& fidelity)
{
    return fidelity.classifies ? fixed(fidelity.agreement(), 1) : "-";
}
std::string divergenceText(const Fidelity& fidelity)
{
    return fidelity.images > 0 ? significant(fidelity.divergence) : "-";
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const auto& word : words)
        (text += text.empty() ? "" : ", ") += word;
    return text;
}

std::string nameOf(const std::string& word)
{
    const auto* text = quant::findText(quant::correctionTexts(), word);
    return std::string(text ? text->name : std::string_view(word));
}

constexpr std::size_t fewEnoughToName = 3; ///< layers, in a cell of the table

std::string verdict(const flow::CorrectionOutcome& outcome)
{
    if (!outcome.kept)
        return "dropped";
    const auto dropped = outcome.droppedLayers.size();
    if (dropped == 0)
        return "kept";
    if (dropped <= fewEnoughToName)
        return "kept but for " + joined(outcome.droppedLayers);
    const auto kept = static_cast<std::size_t>(outcome.keptLayers);
    return kept == 0 ? "kept but for " + std::to_string(dropped) + " layers"
                     : "kept in " + std::to_string(kept) + " of " + std::to_string(kept + dropped) + " layers";
}

} // namespace

Json toJson(const std::vector<flow::CorrectionOutcome>& outcomes) { return sweep::toJson(outcomes); }

std::string describe(const std::vector<flow::CorrectionOutcome>& outcomes)
{
    using enum Table::Align;
    Table table(
        { { "correction", Left }, { "agreement [%]" }, { "with it" }, { "divergence" }, { "with it" }, { "", Left } });
    for (const auto& outcome : outcomes)
        table.add({ nameOf(outcome.correction), agreementText(outcome.before), agreementText(outcome.after),
            divergenceText(outcome.before), divergenceText(outcome.after), verdict(outcome) });
    std::string text
        = table.toString() + "Agreement with float and divergence from it on the calibration images held back.\n";
    for (const auto& outcome : outcomes)
        if (outcome.droppedLayers.size() > fewEnoughToName)
            text += nameOf(outcome.correction) + " undone in " + joined(outcome.droppedLayers) + ".\n";
    return text;
}

Json toJson(const flow::BestFlow& best)
{
    Json steps = Json::array();
    for (const auto& step : best.steps)
        steps.push_back({ { "stage", step.stage }, { "choice", step.choice }, { "agreement", agreement(step.fidelity) },
            { "divergence", divergence(step.fidelity) }, { "chosen", step.chosen } });
    return { { "steps", std::move(steps) }, { "agreement_plain", agreement(best.plain) },
        { "agreement_best", agreement(best.best) } };
}

std::string describe(const flow::BestFlow& best)
{
    using enum Table::Align;
    Table table({ { "best flow", Left }, { "choice", Left }, { "agreement [%]" }, { "divergence" }, { "", Left } });
    for (const auto& step : best.steps)
        table.add({ step.stage, step.choice, agreementText(step.fidelity), divergenceText(step.fidelity),
            step.chosen ? "chosen" : "" });
    return table.toString();
}

} // namespace quantoscope::cli
