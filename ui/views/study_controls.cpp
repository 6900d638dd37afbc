// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/study_controls.h"

#include <QLabel>
#include <QLineEdit>

namespace quantoscope::ui {

QLineEdit* StudyControls::bitsEdit(const QString& bits, const QString& name, const QString& tip)
{
    auto* edit = new QLineEdit(bits);
    edit->setAccessibleName(name);
    edit->setToolTip(tip);
    edit->setMinimumWidth(56);
    return edit;
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
