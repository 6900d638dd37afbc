// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/check_list_button.h"

#include <QAction>
#include <QMenu>
#include <QMouseEvent>

#include "ui/views/option_words.h"

namespace quantoscope::ui {

namespace {

constexpr int arrowRoom = 28; // pixels beside the text

/// A menu that stays open while its boxes are checked.
class CheckMenu : public QMenu {
public:
    using QMenu::QMenu;

protected:
    void mouseReleaseEvent(QMouseEvent* event) override
    {
        QAction* action = activeAction();
        if (action && action->isCheckable() && action->isEnabled())
            action->trigger();
        else
            QMenu::mouseReleaseEvent(event);
    }
};

} // namespace

CheckListButton::CheckListButton(const QString& accessibleName, QWidget* parent)
    : QToolButton(parent)
{
    setAccessibleName(accessibleName);
    setToolButtonStyle(Qt::ToolButtonTextOnly);
    setPopupMode(QToolButton::InstantPopup);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    auto* menu = new CheckMenu(this);
    menu->setToolTipsVisible(true);
    setMenu(menu);
    refresh();
}

void CheckListButton::add(const QString& text, const QString& key, const QString& tip)
{
    QAction* action = menu()->addAction(text);
    action->setCheckable(true);
    action->setData(key);
    action->setToolTip(tip);
    connect(action, &QAction::toggled, this, [this] {
        refresh();
        emit changed();
    });
}

QStringList CheckListButton::checked() const
{
    QStringList keys;
    for (const QAction* action : menu()->actions())
        if (action->isChecked())
            keys << action->data().toString();
    return keys;
}

void CheckListButton::setChecked(const QStringList& keys)
{
    for (QAction* action : menu()->actions())
        action->setChecked(keys.contains(action->data().toString()));
}

QSize CheckListButton::sizeHint() const { return { 160, QToolButton::sizeHint().height() }; }

QSize CheckListButton::minimumSizeHint() const { return { 80, QToolButton::minimumSizeHint().height() }; }

void CheckListButton::resizeEvent(QResizeEvent* event)
{
    QToolButton::resizeEvent(event);
    refresh();
}

QString CheckListButton::summary() const
{
    QStringList names;
    for (const QAction* action : menu()->actions())
        if (action->isChecked())
            names << action->text();
    return names.isEmpty() ? tr("as in Options") : names.join(QStringLiteral(", "));
}

void CheckListButton::refresh()
{
    const QString all = summary();
    setText(fontMetrics().elidedText(all, Qt::ElideRight, std::max(0, width() - arrowRoom)));
    setToolTip(wrapped(all));
}

} // namespace quantoscope::ui
