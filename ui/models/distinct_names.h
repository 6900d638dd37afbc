// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QHash>
#include <QString>
#include <QStringList>

namespace quantoscope::ui {

/// Names of one list shortened so that they can still be told apart: of each, the part that fewest of the others have.
/// "layer1.0.conv1_node" and "layer1.1.conv1_node" share begin and end: "…1.0.conv1…" is what is left of the first.
class DistinctNames {
public:
    explicit DistinctNames(QStringList names = {});

    /// `name`, one of the list, in at most `letters` of them, those that stand for what is left out included. Of parts
    /// that tell as much, one that begins or ends with a word of the name, then the last one.
    QString shortened(const QString& name, int letters) const;

private:
    QString partOf(const QString& name, int length) const;
    int count(const QString& part) const; ///< how many of the names have it
    /// The same of each part of `length` letters.
    const QHash<QString, int>& parts(int length) const;

    QStringList m_names;
    mutable int m_length = 0; ///< of what m_parts is for
    mutable QHash<QString, int> m_parts;
    mutable QHash<QString, QString> m_shown; ///< the names as they were shortened to that
};

} // namespace quantoscope::ui
