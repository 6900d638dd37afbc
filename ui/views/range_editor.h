// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

#include "core/quant/config.h"

class QDoubleSpinBox;
class QFormLayout;

namespace quantoscope::ui {

class ChoiceBox;

/// Rows of a form that choose a range estimator: its name, and below it the parameter it has, if it has one.
class RangeEditor : public QObject {
    Q_OBJECT

public:
    /// Adds its rows to `form`. `title`: whose range, for screen readers.
    RangeEditor(QFormLayout* form, const QString& title, QObject* parent);

    void show(const quant::RangeSpec& range); ///< without chosen()
    void setEnabled(bool on);

    ChoiceBox* method() const { return m_method; }
    QDoubleSpinBox* low() const { return m_low; } ///< percentiles
    QDoubleSpinBox* high() const { return m_high; }
    QDoubleSpinBox* sigmas() const { return m_sigmas; }
    ChoiceBox* density() const { return m_density; }

signals:
    void chosen(const quantoscope::quant::RangeSpec& range); ///< by a person

private:
    void buildMethods(const QString& title);
    void chooseMethod();
    void choosePercentiles();

    QFormLayout* m_form = nullptr;
    bool m_updating = false;
    ChoiceBox* m_method = nullptr;
    QWidget* m_percentiles = nullptr;
    QDoubleSpinBox* m_low = nullptr;
    QDoubleSpinBox* m_high = nullptr;
    QDoubleSpinBox* m_sigmas = nullptr;
    ChoiceBox* m_density = nullptr;
};

} // namespace quantoscope::ui
