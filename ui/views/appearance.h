// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <QIcon>
#include <QPalette>

namespace quantoscope::ui {

/// The colours of the whole window: those of the desktop, or light or dark whatever the desktop has.
enum class Appearance { System, Light, Dark };

void applyAppearance(Appearance appearance);
/// What the desktop asks for, where it says so; Appearance::System follows it from then on.
void setDesktopPrefersDark(std::optional<bool> dark);
Appearance savedAppearance();
void saveAppearance(Appearance appearance);

/// The icon `name` of our resources, drawn in the colours of text in `palette`.
QIcon tintedIcon(const QString& name, const QPalette& palette);

} // namespace quantoscope::ui
