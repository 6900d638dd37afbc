// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/distributions_page.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QSplitter>
#include <QVBoxLayout>

#include "ui/views/distribution_panel.h"

namespace quantoscope::ui {

DistributionsPage::DistributionsPage(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_weights(new DistributionPanel(session, Operand::Weight))
    , m_activations(new DistributionPanel(session, Operand::Activation))
{
    auto* logarithmic = new QCheckBox(tr("&Log scale"));
    logarithmic->setToolTip(tr("Logarithmic share axis, so that rare large values can be seen"));
    auto* overlay = new QCheckBox(tr("&Quantized values"));
    overlay->setToolTip(tr("What the quantizer makes of the values, x̂ = (q − z) s, as an outline of the same area"));
    overlay->setChecked(true);
    auto* grid = new QCheckBox(tr("Representable &grid"));
    grid->setToolTip(tr("The values a quantized number can have, as ticks on the axis; they are (q − z) s"));
    grid->setChecked(true);

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 4, 8, 0);
    bar->setSpacing(16);
    bar->addWidget(logarithmic);
    bar->addWidget(overlay);
    bar->addWidget(grid);
    bar->addStretch(1);

    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(8);
    splitter->addWidget(m_weights);
    splitter->addWidget(m_activations);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 4);
    layout->setSpacing(4);
    layout->addLayout(bar);
    layout->addWidget(splitter, 1);

    for (DistributionPanel* panel : { m_weights, m_activations }) {
        connect(logarithmic, &QCheckBox::toggled, panel->chart(), &DistributionChart::setLogarithmic);
        connect(overlay, &QCheckBox::toggled, panel->chart(), &DistributionChart::setOverlayVisible);
        connect(grid, &QCheckBox::toggled, panel->chart(), &DistributionChart::setGridVisible);
        connect(panel, &DistributionPanel::openDataWanted, this, &DistributionsPage::openDataWanted);
    }
}

} // namespace quantoscope::ui
