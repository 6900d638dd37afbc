// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QByteArray>
#include <QProcess>
#include <QString>
#include <QStringList>

#include "tests/support/sanitized.h"

namespace quantoscope::test {

/// The program under test: the environment variable QUANTOSCOPE_CLI, or the one that was built.
inline QString commandLineProgram()
{
    const QString named = qEnvironmentVariable("QUANTOSCOPE_CLI");
    return named.isEmpty() ? QString(QS_BINARY_DIR "/app/quantoscope-cli") : named;
}

struct Outcome {
    int status = -1; ///< exit status; -1: did not start or end, -2: crashed
    QByteArray out;
    QByteArray err;

    /// "error: WHAT: WHERE: WHAT TO DO", and nothing else.
    bool saysOneError() const { return err.startsWith("error: ") && err.count('\n') == 1 && err.endsWith('\n'); }
};

struct RunOptions {
    std::function<void()> inChild = {}; ///< called between fork and exec
    QString standardOutput = {}; ///< file that gets it instead of Outcome::out
    QString cacheHome = {}; ///< folder for what outlives a run (XDG_CACHE_HOME); without one nothing does
};

/// What the program is to see of the environment, so that no run depends on an earlier one.
inline QProcessEnvironment environmentFor(const QString& cacheHome)
{
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.remove("QUANTOSCOPE_NO_CACHE");
    if (cacheHome.isEmpty())
        environment.insert("QUANTOSCOPE_NO_CACHE", "1");
    else
        environment.insert("XDG_CACHE_HOME", cacheHome);
    return environment;
}

/// Runs the program as a person or a script would.
inline Outcome runCommandLine(const QStringList& arguments, const RunOptions& options = {})
{
    QProcess process;
    if (options.inChild)
        process.setChildProcessModifier(options.inChild);
    if (!options.standardOutput.isEmpty())
        process.setStandardOutputFile(options.standardOutput);
    process.setProcessEnvironment(environmentFor(options.cacheHome));
    process.start(commandLineProgram(), arguments);
    if (!process.waitForFinished(300'000 * slowness)) {
        process.kill();
        process.waitForFinished();
        return {};
    }
    return { process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2, process.readAllStandardOutput(),
        process.readAllStandardError() };
}

} // namespace quantoscope::test
