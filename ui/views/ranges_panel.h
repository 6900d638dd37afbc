// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/models/layer_ranges.h"

class QLabel;

namespace quantoscope::ui {

class RangeChart;

/// Range against what can be represented, of all layers at once. The selected layer is marked; a click selects one.
class RangesPanel : public QWidget {
    Q_OBJECT

public:
    explicit RangesPanel(Session& session, QWidget* parent = nullptr);

    RangeChart* chart() const { return m_chart; }
    QLabel* key() const { return m_key; }
    void setOperand(Operand operand);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();
    void showKey(); ///< for what the chart draws now

    Session& m_session;
    LayerRanges m_ranges;
    Operand m_operand = Operand::Weight;
    RangeChart* m_chart = nullptr;
    QLabel* m_key = nullptr;
};

} // namespace quantoscope::ui
