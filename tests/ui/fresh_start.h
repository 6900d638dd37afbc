// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCoreApplication>
#include <QDir>
#include <QSettings>
#include <QStandardPaths>

#include "ui/session/project_file.h"

namespace quantoscope::test {

/// For initTestCase(): settings, caches and unsaved work as on a machine that never ran the program, and apart from
/// those of `program`s that run beside this one.
inline void freshStart(const char* program)
{
    QStandardPaths::setTestModeEnabled(true);
    qputenv("QUANTOSCOPE_NO_CACHE", "1");
    QCoreApplication::setOrganizationName(QStringLiteral("QuantoscopeTest"));
    QCoreApplication::setApplicationName(QString::fromLatin1(program));
    QSettings().clear();
    // What a run that was killed left would be offered in the place of messages.
    QDir(QString::fromStdString(ui::ProjectFile::unsavedFolder().string())).removeRecursively();
}

} // namespace quantoscope::test
