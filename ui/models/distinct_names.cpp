// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/distinct_names.h"

#include <algorithm>
#include <limits>

#include <QSet>

namespace quantoscope::ui {

namespace {

const QChar leftOut(0x2026);

constexpr qsizetype mostTrimmed = 2; // letters of a word that is cut

bool startsWord(const QString& name, qsizetype at)
{
    if (!name[at].isLetterOrNumber())
        return false;
    return at == 0 || !name[at - 1].isLetterOrNumber() || (name[at].isDigit() && name[at - 1].isLetter());
}

bool endsWord(const QString& name, qsizetype end)
{
    return name[end - 1].isLetterOrNumber() && (end == name.size() || !name[end].isLetterOrNumber());
}

} // namespace

DistinctNames::DistinctNames(QStringList names)
    : m_names(std::move(names))
{
}

const QHash<QString, int>& DistinctNames::parts(int length) const
{
    if (length == m_length)
        return m_parts;
    m_length = length;
    m_parts.clear();
    for (const QString& name : m_names) {
        QSet<QString> own;
        for (qsizetype at = 0; at + length <= name.size(); ++at)
            own.insert(name.mid(at, length));
        for (const QString& part : own)
            ++m_parts[part];
    }
    return m_parts;
}

int DistinctNames::count(const QString& part) const
{
    return static_cast<int>(std::ranges::count_if(m_names, [&](const QString& name) { return name.contains(part); }));
}

QString DistinctNames::shortened(const QString& name, int letters) const
{
    if (name.size() <= letters)
        return name;
    const int length = letters - 2; // one is left out at each side
    if (length < 1)
        return leftOut;
    if (length != m_length)
        m_shown.clear();
    const auto known = m_shown.constFind(name);
    return known != m_shown.cend() ? *known : m_shown.insert(name, partOf(name, length)).value();
}

QString DistinctNames::partOf(const QString& name, int length) const
{
    const auto& counts = parts(length);
    qsizetype begin = 0;
    int fewest = std::numeric_limits<int>::max();
    int wholeEnds = 0;
    for (qsizetype at = name.size() - length; at >= 0; --at) {
        const int own = counts.value(name.mid(at, length), 1);
        const int whole = startsWord(name, at) + endsWord(name, at + length);
        if (own < fewest || (own == fewest && whole > wholeEnds)) {
            begin = at;
            fewest = own;
            wholeEnds = whole;
        }
    }
    qsizetype end = begin + length;
    // Where nothing is left out, nothing stands for it.
    if (end == name.size())
        begin -= begin > 0;
    else if (begin == 0)
        ++end;
    // A letter or two of a word tell nobody anything.
    const qsizetype most = std::min(mostTrimmed, length - 1LL);
    qsizetype from = begin;
    qsizetype to = end;
    for (qsizetype off = most; off >= 0; --off) {
        if (begin > 0 && startsWord(name, begin + off))
            from = begin + off;
        if (end < name.size() && endsWord(name, end - off))
            to = end - off;
    }
    if (from < to && count(name.mid(from, to - from)) == fewest) {
        begin = from;
        end = to;
    }
    return (begin > 0 ? QString(leftOut) : QString()) + name.mid(begin, end - begin)
        + (end < name.size() ? QString(leftOut) : QString());
}

} // namespace quantoscope::ui
