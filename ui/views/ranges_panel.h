// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/models/layer_ranges.h"

namespace quantoscope::ui {

class RangeChart;

/// Range against what can be represented, of all layers at once. The selected layer is marked; a click selects one.
class RangesPanel : public QWidget {
    Q_OBJECT

public:
    explicit RangesPanel(Session& session, QWidget* parent = nullptr);

    RangeChart* chart() const { return m_chart; }
    void setOperand(Operand operand);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();

    Session& m_session;
    LayerRanges m_ranges;
    Operand m_operand = Operand::Weight;
    RangeChart* m_chart = nullptr;
};

} // namespace quantoscope::ui
