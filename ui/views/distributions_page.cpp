// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/distributions_page.h"

#include <utility>

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/theme.h"
#include "ui/views/channels_panel.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/key_icons.h"
#include "ui/views/option_words.h"
#include "ui/views/ranges_panel.h"

namespace quantoscope::ui {

namespace {

constexpr int roomyWidth = 540; // pixels: the bar holds everything

} // namespace

DistributionsPage::DistributionsPage(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_weights(new DistributionPanel(session, Operand::Weight))
    , m_activations(new DistributionPanel(session, Operand::Activation))
    , m_channels(new ChannelsPanel(session))
    , m_ranges(new RangesPanel(session))
{
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->setObjectName(QStringLiteral("DistributionsSplitter"));
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
        connect(m_logarithmicShares, &QAction::toggled, panel->chart(), &DistributionChart::setLogarithmic);
        connect(m_logarithmicValues, &QAction::toggled, panel, &DistributionPanel::setLogarithmicValues);
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
    bar->setSpacing(4);
    auto* views = new QHBoxLayout;
    views->setSpacing(0);
    bar->addLayout(views);
    auto* group = new QButtonGroup(this);
    for (int i = 0; i < 3; ++i) {
        m_views[i] = new QToolButton;
        m_views[i]->setText(names[i]);
        m_views[i]->setToolTip(tips[i]);
        m_views[i]->setCheckable(true);
        group->addButton(m_views[i], i);
        views->addWidget(m_views[i]);
    }
    connect(group, &QButtonGroup::idToggled, this, &DistributionsPage::refreshView);
    m_operand = new QComboBox;
    m_operand->addItems({ tr("Weights"), tr("Activations") });
    m_operand->setAccessibleName(tr("Which tensor"));
    connect(m_operand, &QComboBox::currentIndexChanged, this, &DistributionsPage::refreshView);
    m_channelChart = new QComboBox;
    m_channelChart->addItems({ tr("Bars"), tr("Heat map") });
    m_channelChart->setAccessibleName(tr("How channels are drawn"));
    m_channelChart->setToolTip(tr("Bars: the range of every channel; heat map: how its values spread over it"));
    connect(
        m_channelChart, &QComboBox::currentIndexChanged, this, [this](int index) { m_channels->setHeat(index == 1); });
    buildAxes();
    m_overlay = new QCheckBox(tr("&Quantized"));
    m_overlay->setToolTip(tr("What the quantizer makes of the values, x̂ = (q − z) s, as an outline of the same area"));
    m_overlay->setChecked(true);
    m_grid = new QCheckBox(tr("&Levels"));
    m_grid->setToolTip(tr("The values a quantized number can have, as ticks on the axis; they are (q − z) s. Weights "
                          "per channel have others in each channel: choose one under Channel"));
    m_grid->setChecked(true);
    showKeys();
    for (QWidget* widget : std::initializer_list<QWidget*> { m_operand, m_channelChart, m_axes, m_overlay, m_grid })
        bar->addWidget(widget);
    bar->addStretch(1);
    return bar;
}

void DistributionsPage::showKeys()
{
    const Theme theme = Theme::forPalette(palette());
    for (const auto& [box, key] :
        { std::pair { m_overlay, outlineKey(theme.quantized) }, std::pair { m_grid, levelsKey(theme.quantized) } }) {
        // The window can become as narrow as it is without the pictures, and then goes without.
        box->setIcon({});
        box->setMinimumWidth(box->sizeHint().width());
        if (m_roomy)
            box->setIcon(key);
    }
}

void DistributionsPage::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_grid)
        showKeys();
}

void DistributionsPage::buildAxes()
{
    m_axes = new QToolButton;
    m_axes->setText(tr("A&xes"));
    m_axes->setToolTip(tr("Logarithmic axes of the histograms"));
    m_axes->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(m_axes);
    menu->setToolTipsVisible(true);
    m_logarithmicShares = menu->addAction(tr("Logarithmic &shares"));
    m_logarithmicShares->setToolTip(tr("So that rare large values can be seen"));
    m_logarithmicValues = menu->addAction(tr("Logarithmic &values"));
    m_logarithmicValues->setToolTip(
        wrapped(tr("Octaves of equal width to both sides of zero, at sign(v) log2(1 + |v| / "
                   "v0), so that small values can be seen beside large ones")));
    for (QAction* action : { m_logarithmicShares, m_logarithmicValues })
        action->setCheckable(true);
    m_axes->setMenu(menu);
}

void DistributionsPage::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    if (const bool roomy = width() >= roomyWidth; roomy != m_roomy) {
        m_roomy = roomy;
        showKeys();
        refreshView();
    }
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
    // A small window has no room for all of them beside the choice of the tensor.
    const std::pair<QWidget*, bool> wanted[] = { { m_operand, layers || channels }, { m_channelChart, channels },
        { m_axes, !layers && (!channels || m_roomy) }, { m_overlay, !layers && !channels },
        { m_grid, !layers && !channels }, { m_channels, channels }, { m_weights, !channels || weights },
        { m_activations, !channels || !weights } };
    // First what goes: whatever is shown is given room at once, and a small window would grow.
    for (const bool on : { false, true })
        for (const auto& [widget, visible] : wanted)
            if (visible == on)
                widget->setVisible(on);
    m_channels->setOperand(operand);
    m_channels->setCurrent((weights ? m_weights : m_activations)->channel());
    m_ranges->setOperand(operand);
}

} // namespace quantoscope::ui
