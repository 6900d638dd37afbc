// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QComboBox>
#include <QWidget>

#include "ui/models/layer_measure.h"

namespace quantoscope::ui {

/// Chooses what layers are coloured by, in the table and in the graph alike: the session's measure.
class MeasureBox : public QComboBox {
    Q_OBJECT

public:
    explicit MeasureBox(Session& session, QWidget* parent = nullptr);

private:
    void showMeasure();

    Session& m_session;
};

/// The colours of the session's measure with the figures at their ends; what to do where there are none.
class MeasureLegend : public QWidget {
    Q_OBJECT

public:
    explicit MeasureLegend(Session& session, QWidget* parent = nullptr);

    QString text() const; ///< what is written: "18.2 dB to 43.0 dB"
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return { 0, sizeHint().height() }; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();

    Session& m_session;
    LayerMeasure m_shown;
};

} // namespace quantoscope::ui
