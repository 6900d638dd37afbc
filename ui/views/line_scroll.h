// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QWidget>

class QScrollBar;

namespace quantoscope::ui {

class BaseChart;

/// A chart of lines below each other, numbered from zero on its vertical axis, with a scroll bar where it has more of
/// them than room.
class LineScroll : public QWidget {
    Q_OBJECT

public:
    /// `lines`: how many there are now; `name` is for those who do not see the bar.
    LineScroll(BaseChart* chart, std::function<double()> lines, const QString& name, QWidget* parent = nullptr);

    QScrollBar* bar() const { return m_bar; }

private:
    void refresh();

    BaseChart* m_chart;
    std::function<double()> m_lines;
    QScrollBar* m_bar;
};

} // namespace quantoscope::ui
