// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QLabel;
class QToolButton;

namespace quantoscope::ui {

/// A titled part of a panel that folds up. Folded, it says in a line what is inside; whether it is folded is remembered
/// under its name.
class Section : public QWidget {
    Q_OBJECT

public:
    Section(const QString& title, const QString& name, QWidget* content, QWidget* parent = nullptr);

    /// What the section is set to, in a few words.
    void setSummary(const QString& text);
    bool isOpen() const;
    void setOpen(bool open);

private:
    void refresh();

    QString m_key;
    QString m_summaryText;
    QToolButton* m_header = nullptr;
    QLabel* m_summary = nullptr;
    QWidget* m_content = nullptr;
};

} // namespace quantoscope::ui
