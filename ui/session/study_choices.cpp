// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/study_choices.h"

#include "ui/session/outcomes.h"

namespace quantoscope::ui {

namespace {

const QString noCorrections = QStringLiteral("none");
constexpr QLatin1Char joint('+');

Result<planning::Corrections> parseSet(const QString& set)
{
    planning::Corrections corrections;
    if (set == noCorrections)
        return corrections;
    for (const QString& word : set.split(joint)) {
        const auto known = correctionSwitches();
        const auto found = std::ranges::find_if(
            known, [&](const CorrectionSwitch& item) { return word == QString::fromUtf8(item.word.data()); });
        if (found == known.end())
            return fail(ErrorCode::InvalidInput, "there is no correction '" + word.toStdString() + "'");
        corrections.*found->member = true;
    }
    return corrections;
}

Result<std::vector<sweep::Bits>> parseBits(const QString& text)
{
    if (text.trimmed().isEmpty())
        return std::vector<sweep::Bits> {};
    return sweep::parseBits(text.trimmed().toStdString());
}

Result<std::vector<quant::RangeSpec>> parseRanges(const QStringList& words)
{
    std::vector<quant::RangeSpec> ranges;
    for (const QString& word : words) {
        QS_TRY(const auto range, quant::RangeSpec::parse(word.toStdString()));
        ranges.push_back(range);
    }
    return ranges;
}

std::vector<std::string> toStrings(const QStringList& words)
{
    std::vector<std::string> strings;
    for (const QString& word : words)
        strings.push_back(word.toStdString());
    return strings;
}

std::vector<bool> perChannel(const QStringList& words)
{
    std::vector<bool> flags;
    for (const QString& word : words)
        flags.push_back(word == QLatin1String("channel"));
    return flags;
}

} // namespace

QStringList usualCorrectionSets()
{
    return { noCorrections, QStringLiteral("bias-correction"), QStringLiteral("gain-correction+bias-correction"),
        QStringLiteral("compensate"), QStringLiteral("compensate+bias-correction"),
        QStringLiteral("compensate+gain-correction+bias-correction"),
        QStringLiteral("adaptive-rounding+bias-correction"), QStringLiteral("equalize"),
        QStringLiteral("equalize+compensate+gain-correction+bias-correction") };
}

QString correctionSetName(const QString& set)
{
    if (set == noCorrections)
        return Session::tr("none");
    QStringList names;
    for (const QString& word : set.split(joint))
        names << correctionName(word.toStdString());
    return names.join(QStringLiteral(" + "));
}

Result<sweep::OptionsStudySettings> studySettings(const StudyChoices& choices, const planning::PlanRequest& request)
{
    sweep::OptionsStudySettings settings;
    settings.request = request;
    QS_TRY(settings.weightBits, parseBits(choices.weightBits));
    QS_TRY(settings.activationBits, parseBits(choices.activationBits));
    QS_TRY(settings.weightRanges, parseRanges(choices.weightRanges));
    QS_TRY(settings.activationRanges, parseRanges(choices.activationRanges));
    settings.weightSchemes = toStrings(choices.weightSchemes);
    settings.activationSchemes = toStrings(choices.activationSchemes);
    settings.weightPerChannel = perChannel(choices.weightGranularities);
    settings.activationPerChannel = perChannel(choices.activationGranularities);
    for (const QString& set : choices.corrections) {
        QS_TRY(const auto corrections, parseSet(set));
        settings.corrections.push_back(corrections);
    }
    return settings;
}

std::optional<double> studySeconds(const Session& session, const sweep::OptionsStudySettings& settings)
{
    return secondsFor(session, settings.combinations());
}

std::optional<double> secondsFor(const Session& session, std::int64_t points)
{
    if (!session.data() || session.runs().empty())
        return std::nullopt;
    const double speed = session.runs().back().result->imagesPerSecond();
    if (speed <= 0)
        return std::nullopt;
    return static_cast<double>(points * session.data()->evaluation->size()) / speed;
}

Result<std::vector<int>> numbersOnly(const QString& text)
{
    std::vector<int> numbers;
    QS_TRY(const auto all, parseBits(text));
    for (const sweep::Bits bits : all) {
        if (!bits)
            return fail(ErrorCode::InvalidInput, Session::tr("float is not a word-length to try").toStdString(), {},
                Session::tr("give numbers: 2,4 or 2..8").toStdString());
        numbers.push_back(*bits);
    }
    std::ranges::sort(numbers);
    const auto doubles = std::ranges::unique(numbers);
    numbers.erase(doubles.begin(), doubles.end());
    return numbers;
}

} // namespace quantoscope::ui
