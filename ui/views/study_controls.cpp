// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/study_controls.h"

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

namespace quantoscope::ui {

QLineEdit* StudyControls::bitsEdit(const QString& bits, const QString& name, const QString& tip)
{
    auto* edit = new QLineEdit(bits);
    edit->setAccessibleName(name);
    edit->setToolTip(tip);
    edit->setMinimumWidth(56);
    return edit;
}

void StudyControls::refreshStart(
    QPushButton* button, const Workbench& workbench, Study study, bool ready, const QString& text, const QString& tip)
{
    const bool running = workbench.running(study);
    button->setText(running ? tr("Cancel") : text);
    button->setEnabled(running || (ready && workbench.canStart(study)));
    button->setToolTip(running        ? tr("Stop; what is finished stays")
            : workbench.canEvaluate() ? tip
                                      : tr("Open a model and labelled images first"));
}

QString StudyControls::waiting(const Workbench& workbench, Study study)
{
    const QString job = workbench.waitsFor(study);
    return job.isEmpty() ? QString() : tr("Waiting for “%1” to finish…").arg(job);
}

void StudyControls::showProblem(QLabel* label, const base::Error& error)
{
    label->setText(tr("⚠ %1").arg(QString::fromStdString(error.what)));
    label->setToolTip(QString::fromStdString(error.hint));
}

} // namespace quantoscope::ui
