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

constexpr qsizetype mostNames = 2; // of layers in a sentence

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

QStringList undoneLayers(const flow::CorrectionOutcome& outcome)
{
    QStringList layers;
    for (const std::string& layer : outcome.droppedLayers)
        layers << QString::fromStdString(layer);
    return layers;
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
    const auto words = [](const QString& what, double before, double after, const QString& unit) {
        const QString was = formatSignificant(before) + unit;
        const QString is = formatSignificant(after) + unit;
        return was == is ? tr("%1 unchanged (%2)").arg(what, is)
                         : tr("%1 %2").arg(what, formatSignificant(before) + QStringLiteral(" → ") + is);
    };
    const evaluation::Fidelity& before = outcome.before;
    const evaluation::Fidelity& after = outcome.after;
    return before.classifies ? words(tr("agreement"), before.agreement(), after.agreement(), QStringLiteral(" %"))
                             : words(tr("divergence"), before.divergence, after.divergence, {});
}

QString outcomeMark(const flow::CorrectionOutcome& outcome)
{
    return !outcome.kept                ? QStringLiteral("⚠")
        : outcome.droppedLayers.empty() ? QStringLiteral("✓")
                                        : QStringLiteral("◐");
}

QString outcomeText(const flow::CorrectionOutcome& outcome)
{
    if (outcome.before.images == 0)
        return outcome.kept ? tr("kept, not judged: too few calibration images") : tr("dropped");
    if (!outcome.kept)
        return tr("dropped: %1").arg(fidelityChange(outcome));
    if (outcome.droppedLayers.empty())
        return tr("kept, %1").arg(fidelityChange(outcome));
    const QStringList undone = undoneLayers(outcome);
    // Of a deep network they would be a page of names.
    const QString without
        = undone.size() > mostNames ? QString() : tr(" (not %1)").arg(undone.join(QStringLiteral(", ")));
    const QString where = outcome.keptLayers == 0
        ? tr("in effect but for %1 layers").arg(undone.size())
        : tr("in effect in %1 of %2 layers").arg(outcome.keptLayers).arg(outcome.keptLayers + undone.size());
    return tr("%1%2, %3").arg(where, without, fidelityChange(outcome));
}

QString outcomeTip(const flow::CorrectionOutcome& outcome)
{
    QString text = QString::fromStdString(outcome.reason);
    const QStringList undone = undoneLayers(outcome);
    if (!undone.isEmpty())
        text += (text.isEmpty() ? QString() : QStringLiteral("; "))
            + tr("undone in %1").arg(undone.join(QStringLiteral(", ")));
    return text;
}

QString keptCorrections(std::span<const flow::CorrectionOutcome> outcomes) { return namesOf(outcomes, true); }

QString droppedCorrections(std::span<const flow::CorrectionOutcome> outcomes) { return namesOf(outcomes, false); }

} // namespace quantoscope::ui
