// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QApplication>
#include <QFileDialog>
#include <QLineEdit>
#include <QTimer>

namespace quantoscope::test {

/// Answers the dialog that asks for a file with path, once it is there; gives up when none comes (after 5 s or more).
/// The path goes into the field of the name, as by hand: QFileDialog::selectFile leaves the name that is suggested
/// when that field has the focus already.
inline void answerWithFile(const QString& path, int looks = 500)
{
    QTimer::singleShot(10, qApp, [path, looks] {
        for (QWidget* widget : QApplication::topLevelWidgets()) {
            auto* dialog = qobject_cast<QFileDialog*>(widget);
            auto* name = dialog ? dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit")) : nullptr;
            if (!name || !dialog->isVisible())
                continue;
            name->setText(path);
            static_cast<QDialog*>(dialog)->accept(); // as its button does
            return;
        }
        if (looks > 0)
            answerWithFile(path, looks - 1);
    });
}

} // namespace quantoscope::test
