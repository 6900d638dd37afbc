// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/flow/correction.h"

#include <cstdio>

#include "core/planning/transforms/adaptive_rounding.h"
#include "core/planning/transforms/bias_correction.h"
#include "core/planning/transforms/compensation.h"
#include "core/planning/transforms/gain_correction.h"
#include "core/planning/transforms/reconstruction.h"
#include "core/quant/option_texts.h"

namespace quantoscope::flow {

std::vector<Correction> correctionsFor(const planning::Corrections& wanted)
{
    std::vector<Correction> list;
    const auto add = [&list](bool applied, const char* word, auto function) {
        if (applied)
            list.push_back({ word, function });
    };
    add(wanted.compensate, "compensate", [](const auto& data, const auto& plan, const auto& job) {
        return planning::compensateWeights(data, plan, {}, job);
    });
    add(wanted.adaptiveRounding, "adaptive-rounding", [](const auto& data, const auto& plan, const auto& job) {
        return planning::roundAdaptively(data, plan, {}, job);
    });
    add(wanted.gain, "gain-correction", &planning::correctGain);
    add(wanted.bias, "bias-correction", &planning::correctBias);
    add(wanted.reconstruct, "reconstruct", [](const auto& data, const auto& plan, const auto& job) {
        return planning::reconstructWeights(data, plan, {}, job);
    });
    return list;
}

std::string CorrectionOutcome::describe() const
{
    const auto* text = quant::findText(quant::correctionTexts(), correction);
    std::string words(text ? text->name : std::string_view(correction));
    if (!kept)
        words += ": dropped";
    else if (droppedLayers.empty())
        words += ": kept";
    else if (keptLayers == 0)
        words += ": kept in some layers";
    else
        words += ": kept in " + std::to_string(keptLayers) + " of "
            + std::to_string(static_cast<std::size_t>(keptLayers) + droppedLayers.size()) + " layers";
    char figures[96];
    if (before.classifies)
        std::snprintf(figures, sizeof figures, ", agreement %.1f -> %.1f %%, divergence %.3g -> %.3g",
            before.agreement(), after.agreement(), before.divergence, after.divergence);
    else
        std::snprintf(
            figures, sizeof figures, ", relative output error %.3g -> %.3g", before.divergence, after.divergence);
    words += figures;
    if (!kept)
        words += " with it";
    if (!droppedLayers.empty()) {
        words += "; undone in ";
        for (std::size_t i = 0; i < droppedLayers.size(); ++i)
            (words += i == 0 ? "" : ", ") += droppedLayers[i];
    }
    return words;
}

} // namespace quantoscope::flow
