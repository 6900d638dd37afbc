// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/study_charts.h"

#include <algorithm>

#include <QAbstractItemView>
#include <QCheckBox>
#include <QComboBox>
#include <QMenu>
#include <QToolButton>

#include "ui/charts/cost_chart.h"
#include "ui/charts/cost_words.h"
#include "ui/views/chart_menu.h"

namespace quantoscope::ui {

namespace {

constexpr int letters = 15; // of the kind of chart

} // namespace

void keepNarrow(QComboBox* box, int letters)
{
    constexpr int besideText = 40; // pixels: margins and a scroll bar
    int widest = 0;
    for (int i = 0; i < box->count(); ++i)
        widest = std::max(widest, box->fontMetrics().horizontalAdvance(box->itemText(i)));
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(letters);
    box->view()->setMinimumWidth(widest + besideText);
}

StudyCharts::StudyCharts(Costs costs, QWidget* parent)
    : QStackedWidget(parent)
    , m_costs(std::move(costs))
    , m_box(new QComboBox)
    , m_save(new QToolButton)
    , m_nearFloat(new QCheckBox(tr("Near float")))
    , m_costChart(new CostChart)
{
    m_box->setAccessibleName(tr("Kind of chart"));
    m_box->setToolTip(tr("What the accuracy is drawn over"));
    for (const auto metric : variedCosts)
        m_box->addItem(tr("Over %1").arg(costName(metric)), static_cast<int>(metric));
    keepNarrow(m_box, letters);
    m_nearFloat->setChecked(true);
    m_nearFloat->setToolTip(
        tr("Only the last points below the float network, where the choice is; arrows count the rest"));
    m_nearFloat->hide();
    addWidget(m_costChart);
    followNearFloat(m_costChart);
    attachChartMenu(m_costChart);
    m_save->setText(tr("Save"));
    m_save->setToolTip(tr("The chart as PNG, SVG or PDF, or what is drawn as CSV"));
    m_save->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(m_save);
    connect(menu, &QMenu::aboutToShow, this, [this, menu] {
        menu->clear();
        fillChartMenu(menu, currentChart());
    });
    m_save->setMenu(menu);
    connect(m_box, &QComboBox::currentIndexChanged, this, &StudyCharts::show);
    connect(m_costChart, &CostChart::pointClicked, this, &StudyCharts::pointClicked);
}

void StudyCharts::add(BaseChart* chart, const QString& name, QWidget* shown)
{
    const int place = static_cast<int>(m_own.size());
    insertWidget(place, shown ? shown : chart);
    attachChartMenu(chart);
    if (auto* costs = qobject_cast<CostChart*>(chart))
        followNearFloat(costs);
    m_own.push_back(chart);
    m_box->insertItem(place, name, -1);
    m_box->setCurrentIndex(0);
    show(0);
}

BaseChart* StudyCharts::currentChart() const
{
    return showsCosts() ? m_costChart : m_own[static_cast<std::size_t>(currentIndex())];
}

void StudyCharts::showOwn(const BaseChart* chart)
{
    m_box->setCurrentIndex(static_cast<int>(std::ranges::find(m_own, chart) - m_own.begin()));
}

bool StudyCharts::showsCosts() const { return currentWidget() == m_costChart; }

void StudyCharts::showCost(cost::Metric metric) { m_box->setCurrentIndex(m_box->findData(static_cast<int>(metric))); }

void StudyCharts::show(int entry)
{
    setCurrentIndex(std::min(entry, static_cast<int>(m_own.size())));
    drawCosts();
}

void StudyCharts::followNearFloat(CostChart* chart)
{
    chart->setNearFloat(m_nearFloat->isChecked());
    connect(m_nearFloat, &QCheckBox::toggled, chart, &CostChart::setNearFloat);
}

void StudyCharts::refreshNearFloat()
{
    const auto* chart = qobject_cast<const CostChart*>(currentChart());
    // Until a page has given it a place it would be a window.
    m_nearFloat->setVisible(chart && m_nearFloat->parentWidget());
    m_nearFloat->setEnabled(chart && nearFloat(chart->series()));
}

void StudyCharts::drawCosts()
{
    if (!showsCosts())
        return refreshNearFloat();
    const auto metric = static_cast<cost::Metric>(m_box->currentData().toInt());
    auto series = m_costs(metric);
    // A study may have nothing measured, or nothing that has this cost.
    if (m_costChart->message().isEmpty() || !series.empty())
        m_costChart->setMessage(series.empty() ? tr("Nothing that was measured has this cost") : QString());
    m_costChart->setSeries(std::move(series));
    refreshNearFloat();
}

void StudyCharts::refresh(const QString& message)
{
    for (BaseChart* chart : m_own)
        chart->setMessage(message);
    m_costChart->setMessage(message);
    m_save->setEnabled(message.isEmpty());
    drawCosts();
}

void StudyCharts::setCurrentPoint(std::optional<std::size_t> point) { m_costChart->setCurrent(point); }

} // namespace quantoscope::ui
