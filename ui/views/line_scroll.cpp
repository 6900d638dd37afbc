// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/line_scroll.h"

#include <algorithm>
#include <cmath>

#include <QHBoxLayout>
#include <QScrollBar>

#include "ui/charts/base_chart.h"

namespace quantoscope::ui {

namespace {

constexpr double above = 0.6; // lines of room above the first

} // namespace

LineScroll::LineScroll(BaseChart* chart, std::function<double()> lines, const QString& name, QWidget* parent)
    : QWidget(parent)
    , m_chart(chart)
    , m_lines(std::move(lines))
    , m_bar(new QScrollBar(Qt::Vertical))
{
    m_bar->setAccessibleName(name);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(chart, 1);
    layout->addWidget(m_bar);
    m_bar->hide();
    connect(chart, &QCustomPlot::afterReplot, this, &LineScroll::refresh);
    connect(m_bar, &QScrollBar::valueChanged, this, [this](int value) {
        const double size = m_chart->yAxis->range().size();
        m_chart->yAxis->setRange(value - above, value - above + size);
        m_chart->replot(QCustomPlot::rpQueuedReplot);
    });
}

void LineScroll::refresh()
{
    const QCPRange shown = m_chart->yAxis->range();
    const QSignalBlocker quiet(m_bar);
    m_bar->setPageStep(static_cast<int>(shown.size()));
    m_bar->setRange(0, std::max(0, static_cast<int>(std::ceil(m_lines() - shown.size()))));
    m_bar->setValue(static_cast<int>(std::lround(shown.lower + above)));
    m_bar->setVisible(m_bar->maximum() > 0);
}

} // namespace quantoscope::ui
