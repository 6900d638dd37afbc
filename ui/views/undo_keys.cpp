// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/undo_keys.h"

#include <QAbstractSpinBox>
#include <QApplication>
#include <QKeyEvent>
#include <QLineEdit>

namespace quantoscope::ui {

namespace {

bool undoes(const QKeyEvent& event)
{
    const bool again = event.key() == Qt::Key_Y && event.modifiers() == Qt::ControlModifier;
    return again || event.matches(QKeySequence::Undo) || event.matches(QKeySequence::Redo);
}

bool isBeingTyped(const QAbstractSpinBox& field)
{
    const auto* letters = field.findChild<QLineEdit*>();
    return letters && letters->isModified() && (!field.keyboardTracking() || !field.hasAcceptableInput());
}

} // namespace

UndoKeys::UndoKeys(QWidget* window)
    : QObject(window)
{
    qApp->installEventFilter(this);
}

bool UndoKeys::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() != QEvent::ShortcutOverride)
        return false;
    const auto* field = qobject_cast<const QAbstractSpinBox*>(watched);
    if (!field || field->window() != parent() || !undoes(*static_cast<QKeyEvent*>(event)) || isBeingTyped(*field))
        return false;
    // Nobody overrides it: the shortcut of the window is next.
    event->ignore();
    return true;
}

} // namespace quantoscope::ui
