// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/ranges_panel.h"

#include <QLabel>
#include <QVBoxLayout>

#include "ui/charts/range_chart.h"
#include "ui/views/chart_menu.h"

namespace quantoscope::ui {

RangesPanel::RangesPanel(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_ranges(session)
    , m_chart(new RangeChart)
{
    m_key = new QLabel;
    m_key->setWordWrap(true);
    m_key->setEnabled(false);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 0);
    layout->setSpacing(4);
    layout->addWidget(m_key);
    layout->addWidget(m_chart, 1);
    attachChartMenu(m_chart);
    connect(m_chart, &RangeChart::keyChanged, this, &RangesPanel::showKey);
    showKey();
    connect(m_chart, &RangeChart::layerClicked, &session, &Session::selectLayer);
    connect(&session, &Session::selectionChanged, this, [this] { m_chart->setCurrent(m_session.selectedLayer()); });
    for (const auto signal : { &Session::modelChanged, &Session::statsChanged, &Session::analysisChanged })
        connect(&session, signal, this, &RangesPanel::refresh);
}

void RangesPanel::setOperand(Operand operand)
{
    if (operand == m_operand)
        return;
    m_operand = operand;
    refresh();
}

void RangesPanel::showKey() { m_key->setText((m_chart->key() << tr("The wheel zooms.")).join(QLatin1Char(' '))); }

void RangesPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

void RangesPanel::refresh()
{
    // A pass over every histogram is for those who look.
    if (!isVisible())
        return;
    RangeSeries series = m_ranges.series(m_operand);
    const bool weights = m_operand == Operand::Weight;
    m_chart->setMessage(!series.empty() ? QString()
            : weights                   ? tr("No layer has weights")
            : m_session.data() ? tr("Activations appear once the calibration images have run through the model")
                               : tr("Open labelled images to see activations"));
    m_chart->setSeries(std::move(series),
        weights ? tr("Weights of all layers and what can be represented")
                : tr("Activations entering all layers and what can be represented"),
        weights);
    m_chart->setCurrent(m_session.selectedLayer());
}

} // namespace quantoscope::ui
