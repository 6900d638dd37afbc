// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFile>
#include <QFileInfo>
#include <QStringList>
#include <QTemporaryDir>

#include "tests/support/command_line.h"
#include "tests/support/onnx_bytes.h"

namespace quantoscope::test {

/// Arguments that run the bundled sample quickly, and files for them in a folder that goes with it.
class SampleCommands {
public:
    const QString sample = QStringLiteral(QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx");
    const QString testImages = QStringLiteral("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz");
    const QString trainImages = QStringLiteral("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz");

    /// Why nothing can be run here; empty where it can.
    QString obstacle() const
    {
        for (const QString& needed : { sample, testImages, trainImages })
            if (!QFileInfo::exists(needed))
                return QStringLiteral("SKIPPED EVERYTHING: %1 is absent").arg(needed);
        return {};
    }

    QString folder() const { return m_folder.path(); }
    QString path(const QString& name) const { return m_folder.filePath(name); }

    /// Writes a file and says where; empty: it could not be written.
    QString file(const QString& name, const QByteArray& content) const
    {
        QFile file(path(name));
        return file.open(QIODevice::WriteOnly) && file.write(content) == content.size() ? file.fileName() : QString();
    }
    QString file(const QString& name, const Wire& content) const
    {
        return file(name, QByteArray::fromStdString(content.string()));
    }

    /// Arguments that evaluate the sample quickly.
    QStringList quick(const QString& command, const QStringList& more = {}) const
    {
        return QStringList { command, sample, "--data", testImages, "--calib", trainImages, "--calib-count", "32",
            "--limit", "200" }
        + more;
    }

private:
    QTemporaryDir m_folder;
};

} // namespace quantoscope::test
