// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QWidget;

/// The dialogs that ask for a file or folder. None reads the files it lists; a folder is where the last thing went
/// well.
namespace quantoscope::ui {

/// Empty if none was chosen, as everywhere here. `from`: a folder, or a file in it that is proposed.
QString chooseFile(QWidget* parent, const QString& title, const QString& from, const QString& filter = {});
QString chooseFolder(QWidget* parent, const QString& title, const QString& from);
/// Asks before another file is replaced.
QString chooseNewFile(QWidget* parent, const QString& title, const QString& from, const QString& filter);

/// The folder that was remembered under "folders/`key`"; empty if there is none, it is gone, or is one of the system's
/// own where nothing is kept (/proc, /sys, /dev).
QString rememberedFolder(const QString& key);
/// Where `name` would be in that folder.
QString inRememberedFolder(const QString& key, const QString& name);
/// For when something was read from `file` or written to it.
void rememberFolderOf(const QString& key, const QString& file);

} // namespace quantoscope::ui
