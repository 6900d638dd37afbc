// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/workbench.h"

class QLabel;
class QPushButton;

namespace quantoscope::ui {

/// Says how far a study came that was cancelled, or closed with its project, and goes on with what is missing. Hidden
/// while there is none.
class InterruptedStudy : public QWidget {
    Q_OBJECT

public:
    /// `next` gets the keyboard once it goes on, when the button that was pressed is hidden.
    InterruptedStudy(Workbench& workbench, Study study, QWidget* next, QWidget* parent = nullptr);

    void refresh();
    QLabel* text() const { return m_text; }
    QPushButton* button() const { return m_goOn; }

private:
    Workbench& m_workbench;
    const Study m_study;
    QLabel* m_text = nullptr;
    QPushButton* m_goOn = nullptr;
};

} // namespace quantoscope::ui
