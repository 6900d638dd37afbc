// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QWidget>

#include "ui/session/session.h"

class QCheckBox;
class QFormLayout;
class QLabel;
class QPushButton;

namespace quantoscope::ui {

class BitsSpinBox;
class ChoiceBox;

/// What holds for the whole network: the hardware it is for, which tensors are quantized, first and last layer, biases.
class GeneralOptions : public QWidget {
    Q_OBJECT

public:
    explicit GeneralOptions(Session& session, QWidget* parent = nullptr);

    ChoiceBox* profile() const { return m_profile; }
    ChoiceBox* scope() const { return m_scope; }
    QCheckBox* firstLast() const { return m_firstLast; }
    ChoiceBox* biasBits() const { return m_biasBits; }
    ChoiceBox* biasRoom() const { return m_biasRoom; }
    QLabel* profileNote() const { return m_profileNote; } ///< what the profile changed, or does not allow
    QPushButton* fit() const { return m_fit; }
    QString summary() const;

private:
    void buildProfile(QFormLayout* form);
    void buildFirstLast(QFormLayout* form);
    void buildBiases(QFormLayout* form);
    void change(const QString& text, const QString& key, const std::function<void(planning::PlanRequest&)>& mutate);
    void refresh();
    void refreshLimits();
    void refreshProfile();

    Session& m_session;
    bool m_updating = false;
    ChoiceBox* m_profile = nullptr;
    QLabel* m_profileNote = nullptr;
    QPushButton* m_fit = nullptr;
    ChoiceBox* m_scope = nullptr;
    QCheckBox* m_firstLast = nullptr;
    BitsSpinBox* m_firstLastBits = nullptr;
    ChoiceBox* m_biasBits = nullptr;
    ChoiceBox* m_biasRoom = nullptr;
};

} // namespace quantoscope::ui
