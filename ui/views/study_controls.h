// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCoreApplication>

#include "ui/session/workbench.h"

class QLabel;
class QLineEdit;

/// What the pages of studies have in common above their charts.
namespace quantoscope::ui {

class StudyControls {
    Q_DECLARE_TR_FUNCTIONS(quantoscope::ui::StudyControls)

public:
    /// A field for word-lengths as 2,4 or 2..8.
    static QLineEdit* bitsEdit(const QString& bits, const QString& name, const QString& tip);
    /// In place of a chart while a study has not begun because another job runs; empty: it does not wait.
    static QString waiting(const Workbench& workbench, Study study);
    /// Says what is wrong with settings, and in the tip what to do about it.
    static void showProblem(QLabel* label, const base::Error& error);
};

} // namespace quantoscope::ui
