// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/size_field.h"

namespace quantoscope::ui {

SizeField::SizeField(const QString& name, const QString& none, const QString& tip, QWidget* parent)
    : QLineEdit(parent)
{
    setAccessibleName(name);
    setPlaceholderText(none);
    setToolTip(tip);
}

} // namespace quantoscope::ui
