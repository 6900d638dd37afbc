// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace quantoscope::ui {

/// What a person could choose anew to mend a problem.
enum class Mend {
    Nothing, ///< no choice of a file would
    Model,
    Images,
    Project,
    ProjectName, ///< where the project is saved
    Encodings,
    Export,
    Report,
};

} // namespace quantoscope::ui
