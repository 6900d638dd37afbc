// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/options_series.h"

#include <algorithm>

#include <QCoreApplication>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::OptionsSeries", text); }

/// A part of all rows as it is called in the window.
std::vector<std::string> wordsOf(const std::vector<sweep::StudyRow>& rows, std::string sweep::StudyRow::*part)
{
    std::vector<std::string> words;
    for (const auto& row : rows)
        words.push_back(inWords(row.*part).toStdString());
    return words;
}

/// How many letters all rows begin alike with, up to the end of a word.
std::size_t commonWords(const std::vector<std::string>& rows)
{
    const std::string& first = rows.front();
    std::size_t length = first.size();
    for (const std::string& text : rows) {
        const auto end = std::ranges::mismatch(first, text).in1;
        length = std::min(length, static_cast<std::size_t>(end - first.begin()));
    }
    const auto space = length > 0 ? first.rfind(' ', length - 1) : std::string::npos;
    if (space == std::string::npos)
        return 0;
    // "per channel" stays together.
    constexpr std::string_view per = "per ";
    return first.substr(0, space + 1).ends_with(per) ? space + 1 - per.size() : space + 1;
}

bool sameBits(const sweep::StudyRow& a, const sweep::StudyRow& b)
{
    return a.weightBits() == b.weightBits() && a.activationBits() == b.activationBits();
}

} // namespace

OptionsSeries optionsSeries(const sweep::OptionsStudy& study)
{
    OptionsSeries series;
    series.title = tr("Options compared");
    for (const QString& text : { inWords(study.scope), QString::fromStdString(study.data) })
        if (!text.isEmpty())
            series.captions << text;
    if (study.floatResult)
        series.floatTop1 = study.floatResult->top1();
    const auto& rows = study.rows;
    if (rows.empty())
        return series;
    series.captions << tr("Top-1 with 95 % intervals; filled: cannot be told from the best of its word-lengths (exact "
                          "McNemar test after Holm, 5 %)");

    std::vector<std::vector<std::string>> parts; // that rows differ in
    for (const auto part : { &sweep::StudyRow::weights, &sweep::StudyRow::activations, &sweep::StudyRow::corrections })
        if (auto words = wordsOf(rows, part); std::ranges::any_of(words, [&](auto& w) { return w != words.front(); }))
            parts.push_back(std::move(words));
    const bool grouped = std::ranges::any_of(rows, [&](const auto& row) { return !sameBits(row, rows.front()); });
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const sweep::StudyRow& row = rows[i];
        if (grouped && (i == 0 || !sameBits(row, rows[i - 1])))
            series.headings.push_back({ series.lines++, formatWordLengths(row.weightBits(), row.activationBits()) });
        QStringList label;
        for (const auto& words : parts)
            label << QString::fromStdString(words[i].substr(commonWords(words)))
                         .replace(QStringLiteral("-corrected"), QString());
        if (label.isEmpty())
            label << inWords(row.label());
        series.rows.push_back({ i, series.lines++, label.join(QStringLiteral(" | ")), row.top1, row.top1Interval.low,
            row.top1Interval.high, row.tier <= 1 });
    }
    return series;
}

} // namespace quantoscope::ui
