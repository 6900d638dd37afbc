// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPushButton>

#include "ui/session/workbench.h"

namespace quantoscope::ui {

/// Starts the study of a page and, while it runs or waits, cancels it. A double-click is one click: the second would
/// undo what the first did.
class StudyButton : public QPushButton {
    Q_OBJECT

public:
    /// `text` and `tip`: while there is something to start.
    StudyButton(Workbench& workbench, Study study, const QString& text, const QString& tip, QWidget* parent = nullptr);

    void setReady(bool ready); ///< whether the settings make sense

signals:
    void startWanted();

protected:
    void mouseDoubleClickEvent(QMouseEvent* event) override;

private:
    void refresh();

    Workbench& m_workbench;
    const Study m_study;
    const QString m_text;
    const QString m_tip;
    bool m_ready = true;
};

} // namespace quantoscope::ui
