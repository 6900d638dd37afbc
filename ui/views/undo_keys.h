// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

namespace quantoscope::ui {

/// Makes Ctrl+Z and the like undo edits of the plan also while a field with a number has the focus: Qt takes them for
/// the letters of the field, where every step is an edit already. Letters that are no number yet stay the field's.
class UndoKeys : public QObject {
    Q_OBJECT

public:
    /// Watches the fields within `window`, which owns it.
    explicit UndoKeys(QWidget* window);

    bool eventFilter(QObject* watched, QEvent* event) override;
};

} // namespace quantoscope::ui
