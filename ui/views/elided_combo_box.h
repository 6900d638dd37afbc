// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QComboBox>

namespace quantoscope::ui {

/// A box whose current text ends in dots where it has no room, not in half a letter.
class ElidedComboBox : public QComboBox {
    Q_OBJECT

public:
    using QComboBox::QComboBox;

    QString shownText() const; ///< the current text as far as there is room

protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace quantoscope::ui
