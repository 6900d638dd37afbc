// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/session.h"

class QLabel;

namespace quantoscope::ui {

class ChannelChart;

/// The range of every channel of a tensor of the selected layer, with what can be represented of it.
class ChannelsPanel : public QWidget {
    Q_OBJECT

public:
    explicit ChannelsPanel(Session& session, QWidget* parent = nullptr);

    ChannelChart* chart() const { return m_chart; }
    QString note() const;
    void setOperand(Operand operand);
    void setCurrent(int channel); ///< -1: none
    void setHeat(bool on); ///< a heat map rather than bars

signals:
    void channelChosen(int channel);

private:
    void refresh(bool keepView);
    void refreshHeat();
    void showEvent(QShowEvent* event) override;

    Session& m_session;
    Operand m_operand = Operand::Weight;
    bool m_heat = false;
    ChannelChart* m_chart = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_note = nullptr;
};

} // namespace quantoscope::ui
