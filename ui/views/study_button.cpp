// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/study_button.h"

#include <algorithm>

#include <QMouseEvent>

#include "ui/views/option_words.h"

namespace quantoscope::ui {

namespace {

/// For those who hear the button without seeing what page it is on.
QString cancelName(Study study)
{
    switch (study) {
    case Study::Sweep:
        return StudyButton::tr("Cancel the sweep");
    case Study::Options:
        return StudyButton::tr("Cancel the comparison of options");
    case Study::Sensitivity:
        return StudyButton::tr("Cancel the study of single layers");
    case Study::Search:
    case Study::BestFlow:
        break;
    }
    return StudyButton::tr("Cancel the search");
}

} // namespace

StudyButton::StudyButton(Workbench& workbench, Study study, const QString& text, const QString& tip, QWidget* parent)
    : QPushButton(text, parent)
    , m_workbench(workbench)
    , m_study(study)
    , m_text(text)
    , m_tip(tip)
{
    connect(this, &QPushButton::clicked, this, [this] {
        if (m_workbench.running(m_study))
            m_workbench.cancel(m_study);
        else
            emit startWanted();
    });
    connect(&workbench, &Workbench::studiesChanged, this, &StudyButton::refresh);
    refresh();
}

void StudyButton::setReady(bool ready)
{
    m_ready = ready;
    refresh();
}

void StudyButton::refresh()
{
    const bool running = m_workbench.running(m_study);
    const bool stopping = m_workbench.stopping(m_study);
    setText(stopping ? tr("Stopping…") : running ? tr("Cancel") : m_text);
    setAccessibleName(running ? cancelName(m_study) : m_text);
    // Disabling it while it stops would take the keyboard somewhere else.
    setEnabled(running || (m_ready && m_workbench.canStart(m_study)));
    setToolTip(wrapped(stopping         ? tr("It ends once what is being computed is done; what is finished stays")
            : running                   ? tr("Stop; what is finished stays")
            : m_workbench.canEvaluate() ? m_tip
                                        : tr("Open a model and labelled images first")));
    // What stands beside it does not move when the word changes.
    setMinimumWidth(std::max(minimumWidth(), sizeHint().width()));
}

void StudyButton::mouseDoubleClickEvent(QMouseEvent* event) { event->accept(); }

} // namespace quantoscope::ui
