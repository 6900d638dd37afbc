// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/workbench.h"

class QLabel;
class QPushButton;
class QScrollArea;
class QVBoxLayout;

namespace quantoscope::ui {

class BitsSpinBox;
class CorrectionsPanel;
class GeneralOptions;
class Section;
class TensorOptions;

/// How to quantize: everything in PlanRequest that is not about a single layer, in parts that fold up. Every change is
/// an edit of the session.
class OptionsPanel : public QWidget {
    Q_OBJECT

public:
    OptionsPanel(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    GeneralOptions* general() const { return m_general; }
    TensorOptions* weights() const { return m_weights; }
    TensorOptions* activations() const { return m_activations; }
    CorrectionsPanel* corrections() const { return m_corrections; }
    void ensureCorrectionsVisible(); ///< scrolls to them
    BitsSpinBox* weightBits() const;
    BitsSpinBox* activationBits() const;

private:
    Section* addSection(const QString& title, const QString& name, QWidget* content, QVBoxLayout* layout);
    void buildFooter(QVBoxLayout* layout);
    void refresh();
    void refreshNotes();

    Session& m_session;
    GeneralOptions* m_general = nullptr;
    TensorOptions* m_weights = nullptr;
    TensorOptions* m_activations = nullptr;
    CorrectionsPanel* m_corrections = nullptr;
    Section* m_generalSection = nullptr;
    Section* m_weightsSection = nullptr;
    Section* m_activationsSection = nullptr;
    Section* m_correctionsSection = nullptr;
    QScrollArea* m_scroll = nullptr;
    QPushButton* m_clearOverrides = nullptr;
    QLabel* m_cost = nullptr;
    QLabel* m_notes = nullptr;
};

} // namespace quantoscope::ui
