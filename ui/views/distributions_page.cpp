// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/distributions_page.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/views/channels_panel.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/ranges_panel.h"

namespace quantoscope::ui {

DistributionsPage::DistributionsPage(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_weights(new DistributionPanel(session, Operand::Weight))
    , m_activations(new DistributionPanel(session, Operand::Activation))
    , m_channels(new ChannelsPanel(session))
    , m_ranges(new RangesPanel(session))
{
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(8);
    splitter->addWidget(m_channels);
    splitter->addWidget(m_weights);
    splitter->addWidget(m_activations);
    m_stack = new QStackedWidget;
    m_stack->addWidget(splitter);
    m_stack->addWidget(m_ranges);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 4);
    layout->setSpacing(4);
    layout->addLayout(buildBar());
    layout->addWidget(m_stack, 1);

    connect(m_channels, &ChannelsPanel::channelChosen, this, [this](int channel) {
        const bool weights = m_operand->currentIndex() == 0;
        (weights ? m_weights : m_activations)->setChannel(channel);
    });
    for (DistributionPanel* panel : { m_weights, m_activations }) {
        connect(m_logarithmic, &QCheckBox::toggled, panel->chart(), &DistributionChart::setLogarithmic);
        connect(m_overlay, &QCheckBox::toggled, panel->chart(), &DistributionChart::setOverlayVisible);
        connect(m_grid, &QCheckBox::toggled, panel->chart(), &DistributionChart::setGridVisible);
        connect(panel, &DistributionPanel::openDataWanted, this, &DistributionsPage::openDataWanted);
        connect(panel, &DistributionPanel::channelChanged, this, &DistributionsPage::refreshView);
    }
    setView(View::Histograms);
}

QHBoxLayout* DistributionsPage::buildBar()
{
    const QString names[] = { tr("Histograms"), tr("Channels"), tr("All layers") };
    const QString tips[] = { tr("Weights and activations of the selected layer, with the clipping range to drag"),
        tr("The range of every channel of the selected layer; a click shows one channel's histogram"),
        tr("The ranges of all layers and what can be represented of them, on one logarithmic axis") };
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 4, 8, 0);
    bar->setSpacing(0);
    auto* group = new QButtonGroup(this);
    for (int i = 0; i < 3; ++i) {
        m_views[i] = new QToolButton;
        m_views[i]->setText(names[i]);
        m_views[i]->setToolTip(tips[i]);
        m_views[i]->setCheckable(true);
        group->addButton(m_views[i], i);
        bar->addWidget(m_views[i]);
    }
    connect(group, &QButtonGroup::idToggled, this, &DistributionsPage::refreshView);
    m_operand = new QComboBox;
    m_operand->addItems({ tr("Weights"), tr("Activations") });
    m_operand->setAccessibleName(tr("Which tensor"));
    connect(m_operand, &QComboBox::currentIndexChanged, this, &DistributionsPage::refreshView);
    m_logarithmic = new QCheckBox(tr("&Log scale"));
    m_logarithmic->setToolTip(tr("Logarithmic share axis, so that rare large values can be seen"));
    m_overlay = new QCheckBox(tr("&Quantized"));
    m_overlay->setToolTip(tr("What the quantizer makes of the values, x̂ = (q − z) s, as an outline of the same area"));
    m_overlay->setChecked(true);
    m_grid = new QCheckBox(tr("&Grid"));
    m_grid->setToolTip(tr("The values a quantized number can have, as ticks on the axis; they are (q − z) s"));
    m_grid->setChecked(true);
    for (QWidget* widget : std::initializer_list<QWidget*> { m_operand, m_logarithmic, m_overlay, m_grid }) {
        bar->addSpacing(8);
        bar->addWidget(widget);
    }
    bar->addStretch(1);
    return bar;
}

void DistributionsPage::setView(View view)
{
    viewButton(view)->setChecked(true);
    refreshView();
}

void DistributionsPage::refreshView()
{
    const bool layers = viewButton(View::Layers)->isChecked();
    const bool channels = viewButton(View::Channels)->isChecked();
    const Operand operand = m_operand->currentIndex() == 0 ? Operand::Weight : Operand::Activation;
    const bool weights = operand == Operand::Weight;
    m_stack->setCurrentIndex(layers ? 1 : 0);
    m_operand->setVisible(layers || channels);
    m_logarithmic->setVisible(!layers);
    // A small window has no room for all of them beside the choice of the tensor.
    m_overlay->setVisible(!layers && !channels);
    m_grid->setVisible(!layers && !channels);
    m_channels->setVisible(channels);
    m_weights->setVisible(!channels || weights);
    m_activations->setVisible(!channels || !weights);
    m_channels->setOperand(operand);
    m_channels->setCurrent((weights ? m_weights : m_activations)->channel());
    m_ranges->setOperand(operand);
}

} // namespace quantoscope::ui
