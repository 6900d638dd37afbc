// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/interrupted_study.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "ui/charts/number_format.h"
#include "ui/views/elided_label.h"

namespace quantoscope::ui {

InterruptedStudy::InterruptedStudy(Workbench& workbench, Study study, QWidget* next, QWidget* parent)
    : QWidget(parent)
    , m_workbench(workbench)
    , m_study(study)
    , m_text(new ElidedLabel)
    , m_goOn(new QPushButton(tr("Go on")))
{
    m_text->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_goOn->setToolTip(tr("Evaluate what is missing; what is finished is kept"));
    connect(m_goOn, &QPushButton::clicked, this, [this, next] {
        const bool focused = m_goOn->hasFocus();
        m_workbench.resume(m_study);
        if (focused && !isVisible())
            next->setFocus();
    });
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_goOn);
    connect(&workbench, &Workbench::studiesChanged, this, &InterruptedStudy::refresh);
    refresh();
}

void InterruptedStudy::refresh()
{
    const auto how = m_workbench.interruption(m_study);
    setVisible(how.has_value());
    if (!how)
        return;
    const QString cause = how->cause == Interruption::Cause::Cancelled ? tr("Cancelled")
        : how->cause == Interruption::Cause::Failed                    ? tr("Stopped by an error")
                                                                       : tr("Interrupted");
    m_text->setText(how->done == 0 ? tr("%1 before the first point").arg(cause)
            : how->asked == 0
            ? tr("%1 after %2 points").arg(cause, formatCount(how->done))
            : tr("%1 after %2 of %3 points").arg(cause, formatCount(how->done), formatCount(how->asked)));
    m_goOn->setEnabled(m_workbench.canStart(m_study));
}

} // namespace quantoscope::ui
