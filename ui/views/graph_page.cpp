// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/graph_page.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QShortcut>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/theme.h"
#include "ui/views/graph_view.h"
#include "ui/views/measure_box.h"

namespace quantoscope::ui {

GraphPage::GraphPage(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_view(new GraphView(session))
    , m_legend(new MeasureLegend(session))
{
    m_search = new QLineEdit;
    m_search->setPlaceholderText(tr("Find a node"));
    m_search->setClearButtonEnabled(true);
    m_search->setAccessibleName(tr("Find a node by name or operator"));
    m_search->setToolTip(tr("Part of a name or an operator; Enter goes to the next one (Ctrl+F)"));
    m_search->setMinimumWidth(120);
    m_search->setMaximumWidth(200);
    m_found = new QLabel;
    m_found->setEnabled(false);
    m_found->hide();
    auto* colour = new QLabel(tr("Colour"));
    auto* measure = new MeasureBox(session);
    colour->setBuddy(measure);

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 4, 8, 0);
    bar->setSpacing(8);
    bar->addWidget(m_search, 1);
    bar->addWidget(m_found);
    bar->addWidget(colour);
    bar->addWidget(measure);
    bar->addStretch(1);
    const auto button = [&](const QString& text, const QString& name, const QString& tip, void (GraphView::*act)()) {
        auto* tool = new QToolButton;
        tool->setText(text);
        tool->setAccessibleName(name);
        tool->setToolTip(tip);
        connect(tool, &QToolButton::clicked, m_view, act);
        bar->addWidget(tool);
    };
    button(QStringLiteral("−"), tr("Smaller"), tr("Smaller (−)"), &GraphView::zoomOut);
    button(QStringLiteral("+"), tr("Larger"), tr("Larger (+)"), &GraphView::zoomIn);
    button(tr("Fit"), tr("Show everything"), tr("Show everything (F, or a double-click beside the nodes)"),
        &GraphView::fit);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(bar);
    layout->addWidget(m_view, 1);
    layout->addLayout(buildKey());

    connect(m_search, &QLineEdit::textEdited, this, [this] { find(false); });
    connect(m_search, &QLineEdit::textChanged, this, &GraphPage::showFound);
    connect(m_search, &QLineEdit::returnPressed, this, [this] { find(true); });
    const auto search = [this] {
        m_search->setFocus();
        m_search->selectAll();
    };
    connect(m_view, &GraphView::searchWanted, this, search);
    connect(&session, &Session::modelChanged, m_search, &QLineEdit::clear);
    auto* shortcut = new QShortcut(QKeySequence::Find, this);
    shortcut->setContext(Qt::WidgetWithChildrenShortcut);
    connect(shortcut, &QShortcut::activated, this, search);
}

QHBoxLayout* GraphPage::buildKey()
{
    // Beside the drawing, where it covers no node.
    m_key = new QLabel;
    m_key->setTextFormat(Qt::RichText);
    m_key->setWordWrap(true);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 0, 8, 4);
    row->setSpacing(16);
    row->addWidget(m_key, 1);
    row->addWidget(m_legend);
    connect(m_view, &GraphView::marksChanged, this, &GraphPage::refreshKey);
    refreshKey();
    return row;
}

void GraphPage::refreshKey()
{
    const Theme theme = Theme::forPalette(palette());
    QStringList entries;
    const auto entry = [&](const QColor& color, const QString& text) {
        entries << QStringLiteral("<span style='color:%1'>■</span>&nbsp;%2")
                       .arg(color.name(), text.toHtmlEscaped().replace(QLatin1Char(' '), QStringLiteral("&nbsp;")));
    };
    if (m_view->showsWeightBits())
        entry(theme.weights, tr("bits of weights, * of the layer's own"));
    if (m_view->showsActivationBits())
        entry(theme.activations, tr("bits of activations"));
    if (!entries.isEmpty())
        entry(theme.floating, tr("float"));
    m_key->setText(entries.join(QStringLiteral(" &nbsp; ")));
}

void GraphPage::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        refreshKey();
}

void GraphPage::find(bool further)
{
    const LoadedModelPtr& model = m_session.model();
    if (!model || !model->map)
        return;
    const std::size_t from = m_view->currentNode().value_or(0) + (further ? 1 : 0);
    if (const auto node = findNode(*model->map, m_search->text(), from))
        m_view->chooseNode(*node);
}

QString GraphPage::found() const { return m_found->text(); }

void GraphPage::showFound()
{
    const LoadedModelPtr& model = m_session.model();
    const bool none
        = model && model->map && !m_search->text().trimmed().isEmpty() && !findNode(*model->map, m_search->text(), 0);
    m_found->setVisible(none);
    m_found->setText(none ? tr("not found") : QString());
}

} // namespace quantoscope::ui
