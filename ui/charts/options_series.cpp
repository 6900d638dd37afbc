// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/options_series.h"

#include <algorithm>

#include <QCoreApplication>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::OptionsSeries", text); }

bool varies(const std::vector<sweep::StudyRow>& rows, std::string sweep::StudyRow::*part)
{
    return std::ranges::any_of(rows, [&](const auto& row) { return row.*part != rows.front().*part; });
}

/// How many letters all rows begin alike with, up to the end of a word.
std::size_t commonWords(const std::vector<sweep::StudyRow>& rows, std::string sweep::StudyRow::*part)
{
    const std::string& first = rows.front().*part;
    std::size_t length = first.size();
    for (const sweep::StudyRow& row : rows) {
        const std::string& text = row.*part;
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
    for (const auto& text : { study.scope, study.data })
        if (!text.empty())
            series.captions << QString::fromStdString(text);
    if (study.floatResult)
        series.floatTop1 = study.floatResult->top1();
    const auto& rows = study.rows;
    if (rows.empty())
        return series;
    series.captions << tr("Top-1 with 95 % intervals; filled: cannot be told from the best of its word-lengths (exact "
                          "McNemar test after Holm, 5 %)");

    std::vector<std::string sweep::StudyRow::*> parts;
    for (const auto part : { &sweep::StudyRow::weights, &sweep::StudyRow::activations, &sweep::StudyRow::corrections })
        if (varies(rows, part))
            parts.push_back(part);
    const bool grouped = std::ranges::any_of(rows, [&](const auto& row) { return !sameBits(row, rows.front()); });
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const sweep::StudyRow& row = rows[i];
        if (grouped && (i == 0 || !sameBits(row, rows[i - 1])))
            series.headings.push_back({ series.lines++, formatWordLengths(row.weightBits(), row.activationBits()) });
        QStringList label;
        for (const auto part : parts)
            label << QString::fromStdString((row.*part).substr(commonWords(rows, part)))
                         .replace(QStringLiteral("-corrected"), QString());
        if (label.isEmpty())
            label << QString::fromStdString(row.label());
        series.rows.push_back({ i, series.lines++, label.join(QStringLiteral(" | ")), row.top1, row.top1Interval.low,
            row.top1Interval.high, row.tier <= 1 });
    }
    return series;
}

} // namespace quantoscope::ui
