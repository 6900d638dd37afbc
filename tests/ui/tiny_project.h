// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/tiny_files.h"
#include "ui/session/state.h"

namespace quantoscope::test {

/// TinyFiles for the window.
class TinyProject : public TinyFiles {
public:
    using TinyFiles::TinyFiles;

    ui::DataRequest dataRequest() const
    {
        ui::DataRequest request;
        request.path = images();
        request.calibrationPath = calibration();
        request.calibrationCount = 32;
        return request;
    }
};

} // namespace quantoscope::test
