// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QWidget>

#include "ui/session/session.h"

class QCheckBox;
class QFormLayout;

namespace quantoscope::ui {

class BitsSpinBox;
class ChoiceBox;
class RangeEditor;

/// How weights, or activations, are quantized where a layer has no settings of its own. Every change is an edit of the
/// session; what the hardware profile does not allow stays greyed and says why.
class TensorOptions : public QWidget {
    Q_OBJECT

public:
    TensorOptions(Session& session, Operand operand, QWidget* parent = nullptr);

    BitsSpinBox* bits() const { return m_bits; }
    ChoiceBox* scheme() const { return m_scheme; }
    ChoiceBox* sign() const { return m_sign; }
    QCheckBox* narrow() const { return m_narrow; }
    RangeEditor* range() const { return m_range; }
    ChoiceBox* granularity() const { return m_granularity; }
    ChoiceBox* rounding() const { return m_rounding; }

    QString summary() const; ///< "4 bits, symmetric, per channel, MSE"

private:
    void build(const QString& title, QFormLayout* form);
    void buildGrid(const QString& title, QFormLayout* form);
    void wire();
    void change(const QString& what, bool merge, const std::function<void(planning::TensorWish&)>& mutate);
    const planning::TensorWish& wish() const;
    void refresh();
    void refreshLimits();

    Session& m_session;
    Operand m_operand;
    bool m_updating = false;
    BitsSpinBox* m_bits = nullptr;
    ChoiceBox* m_scheme = nullptr;
    ChoiceBox* m_sign = nullptr;
    QCheckBox* m_narrow = nullptr;
    RangeEditor* m_range = nullptr;
    ChoiceBox* m_granularity = nullptr;
    ChoiceBox* m_rounding = nullptr;
};

} // namespace quantoscope::ui
