// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QFormLayout;
class QWidget;

namespace quantoscope::ui {

/// A form as the panels of the window have it.
QFormLayout* makePanelForm();

/// Turns the wheel over what is inside `panel` into scrolling: a control takes it only once it has the focus, so that
/// nobody changes a plan by passing over it.
void keepWheelForScrolling(QWidget* panel);

} // namespace quantoscope::ui
