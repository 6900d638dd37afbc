// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/session.h"

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace quantoscope::ui {

class BitsSpinBox;

/// How to quantize: everything in PlanRequest that is not about a single layer. Every change is an edit of the session.
class OptionsPanel : public QWidget {
    Q_OBJECT

public:
    explicit OptionsPanel(Session& session, QWidget* parent = nullptr);

    BitsSpinBox* weightBits() const { return m_weights.bits; }
    BitsSpinBox* activationBits() const { return m_activations.bits; }

private:
    /// The controls of one operand.
    struct Group {
        BitsSpinBox* bits = nullptr;
        QComboBox* scheme = nullptr;
        QComboBox* range = nullptr;
        QComboBox* granularity = nullptr;
    };
    Group buildGroup(const QString& title, Operand operand, QVBoxLayout* layout);
    void buildGeneral(QVBoxLayout* layout);
    void buildFooter(QVBoxLayout* layout);
    void wire(const Group& group, Operand operand);
    void change(const QString& text, const QString& key, const std::function<void(planning::PlanRequest&)>& mutate);
    void show(const Group& group, const planning::TensorWish& wish);
    void refresh();
    void refreshNotes();

    Session& m_session;
    bool m_updating = false;
    QComboBox* m_scope = nullptr;
    Group m_weights;
    Group m_activations;
    QComboBox* m_rounding = nullptr;
    QCheckBox* m_firstLast = nullptr;
    BitsSpinBox* m_firstLastBits = nullptr;
    QPushButton* m_clearOverrides = nullptr;
    QLabel* m_cost = nullptr;
    QLabel* m_notes = nullptr;
};

} // namespace quantoscope::ui
