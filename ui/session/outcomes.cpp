// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/outcomes.h"

#include <algorithm>
#include <array>

#include <QCoreApplication>

#include "core/quant/option_texts.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

using planning::Corrections;

constexpr qsizetype mostNames = 3; // of layers in a sentence

constexpr std::array switches {
    CorrectionSwitch { "equalize", &Corrections::equalize },
    CorrectionSwitch { "balance", &Corrections::balance },
    CorrectionSwitch { "absorb-high-bias", &Corrections::absorbHighBias },
    CorrectionSwitch { "compensate", &Corrections::compensate },
    CorrectionSwitch { "adaptive-rounding", &Corrections::adaptiveRounding },
    CorrectionSwitch { "reconstruct", &Corrections::reconstruct },
    CorrectionSwitch { "gain-correction", &Corrections::gain },
    CorrectionSwitch { "bias-correction", &Corrections::bias },
};

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::Outcomes", text); }

QString namesOf(std::span<const flow::CorrectionOutcome> outcomes, bool kept)
{
    QStringList names;
    for (const flow::CorrectionOutcome& outcome : outcomes)
        if (outcome.kept == kept)
            names << correctionName(outcome.correction);
    return names.join(QStringLiteral(", "));
}

} // namespace

std::span<const CorrectionSwitch> correctionSwitches() { return switches; }

QString correctionName(std::string_view word)
{
    const quant::OptionText* text = quant::findText(quant::correctionTexts(), word);
    return text ? QCoreApplication::translate("quantoscope::quant::OptionText", std::string(text->name).c_str())
                : QString::fromUtf8(word.data(), static_cast<qsizetype>(word.size()));
}

const flow::CorrectionOutcome* findOutcome(std::span<const flow::CorrectionOutcome> outcomes, std::string_view word)
{
    const auto found = std::ranges::find(outcomes, word, &flow::CorrectionOutcome::correction);
    return found == outcomes.end() ? nullptr : &*found;
}

QString fidelityChange(const flow::CorrectionOutcome& outcome)
{
    const auto change = [](double before, double after) {
        return formatSignificant(before) + QStringLiteral(" → ") + formatSignificant(after);
    };
    return outcome.before.classifies
        ? tr("agreement %1 %").arg(change(outcome.before.agreement(), outcome.after.agreement()))
        : tr("divergence %1").arg(change(outcome.before.divergence, outcome.after.divergence));
}

QString outcomeText(const flow::CorrectionOutcome& outcome)
{
    if (outcome.before.images == 0)
        return outcome.kept ? tr("kept, not judged: too few calibration images") : tr("dropped");
    if (!outcome.kept)
        return tr("dropped: %1").arg(fidelityChange(outcome));
    if (outcome.droppedLayers.empty())
        return tr("kept, %1").arg(fidelityChange(outcome));
    QStringList layers;
    for (const std::string& layer : outcome.droppedLayers)
        layers << QString::fromStdString(layer);
    // Of a deep network that would be a page of names.
    const QString where = layers.size() > mostNames ? tr("%1 and %2 more layers")
                                                          .arg(layers.first(mostNames - 1).join(QStringLiteral(", ")))
                                                          .arg(layers.size() - mostNames + 1)
                                                    : layers.join(QStringLiteral(", "));
    return tr("kept, %1; undone in %2").arg(fidelityChange(outcome), where);
}

QString keptCorrections(std::span<const flow::CorrectionOutcome> outcomes) { return namesOf(outcomes, true); }

QString droppedCorrections(std::span<const flow::CorrectionOutcome> outcomes) { return namesOf(outcomes, false); }

} // namespace quantoscope::ui
