// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>

#include "ui/session/project_file.h"

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace quantoscope::ui {

/// What one sees before a model is open: what the program is for, and the three ways to begin.
class StartPage : public QWidget {
    Q_OBJECT

public:
    explicit StartPage(QWidget* parent = nullptr);

    void setRecent(const QStringList& paths);
    /// Work that an earlier session did not save; a button each.
    void setUnsaved(const std::vector<UnsavedWork>& work);

signals:
    void sampleWanted();
    void modelWanted();
    void projectWanted();
    void unsavedWanted(const quantoscope::ui::UnsavedWork& work);
    void unsavedRefused(const quantoscope::ui::UnsavedWork& work); ///< to be deleted
    void recentWanted(const QString& path);

protected:
    void changeEvent(QEvent* event) override;

private:
    QPushButton* addButton(
        const QString& text, const QString& detail, const QString& icon, void (StartPage::*signal)());

    QVBoxLayout* m_buttons = nullptr;
    QVBoxLayout* m_recent = nullptr;
    QLabel* m_recentTitle = nullptr;
    QVBoxLayout* m_unsaved = nullptr;
    QLabel* m_unsavedTitle = nullptr;
};

} // namespace quantoscope::ui
