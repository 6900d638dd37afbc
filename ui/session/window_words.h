// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include <QString>

#include "core/base/error.h"
#include "ui/session/state.h"

/// What core says, in the words of the window.
namespace quantoscope::ui {

/// Options of the command line, "--crop 224", become fields of the window, "Crop 224".
QString inWindow(const std::string& text);

/// An error as sentences that begin with its subject, of a file the name without folders: "calib.bin is no kind of data
/// that is known. Choose ..."
QString errorSentences(const base::Error& error);

/// With a full stop, unless it ends in a sign of its own.
QString sentence(const QString& text);

/// "calibrated on 512 of calib_2000.bin"
QString calibrationText(const LoadedData& data);

} // namespace quantoscope::ui
