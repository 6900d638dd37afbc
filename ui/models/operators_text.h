// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace quantoscope::ui {

/// The operators that are computed, straight from the registries, as a page of Markdown.
QString operatorsPage();

} // namespace quantoscope::ui
