// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/file_choice.h"

#include <algorithm>

#include <QApplication>
#include <QDir>
#include <QFileDialog>
#include <QFileIconProvider>
#include <QFileInfo>
#include <QSettings>
#include <QStyle>

namespace quantoscope::ui {

namespace {

/// Tells kinds by name alone: to look into files takes for ever where they are devices, or far away.
class PlainIcons : public QFileIconProvider {
public:
    QIcon icon(IconType type) const override { return type == Folder || type == Drive ? m_folder : m_file; }
    QIcon icon(const QFileInfo& info) const override { return info.isDir() ? m_folder : m_file; }
    QString type(const QFileInfo& info) const override
    {
        return info.isDir() ? QFileDialog::tr("Folder") : info.suffix().toUpper();
    }

private:
    // Asked for by a thread of Qt's.
    QIcon m_folder = QApplication::style()->standardIcon(QStyle::SP_DirIcon);
    QIcon m_file = QApplication::style()->standardIcon(QStyle::SP_FileIcon);
};

bool isOfTheSystem(const QString& path)
{
    return std::ranges::any_of(QStringList { QStringLiteral("/proc"), QStringLiteral("/sys"), QStringLiteral("/dev") },
        [&](const QString& root) { return path == root || path.startsWith(root + QLatin1Char('/')); });
}

QString keyOf(const QString& key) { return QStringLiteral("folders/") + key; }

QString ask(QFileDialog& dialog, PlainIcons& icons, const QString& from)
{
    dialog.setOption(QFileDialog::DontUseCustomDirectoryIcons);
    dialog.setIconProvider(&icons);
    const QFileInfo start(from);
    const QString folder = start.isDir() ? start.absoluteFilePath() : start.absolutePath();
    // Otherwise Qt takes the folder that was chosen last, wherever that was.
    dialog.setDirectory(
        from.isEmpty() || isOfTheSystem(folder) || !QFileInfo(folder).isDir() ? QDir::currentPath() : folder);
    if (!start.isDir() && !start.fileName().isEmpty())
        dialog.selectFile(start.fileName());
    const bool chosen = dialog.exec() == QDialog::Accepted && !dialog.selectedFiles().isEmpty();
    return chosen ? dialog.selectedFiles().constFirst() : QString();
}

} // namespace

QString chooseFile(QWidget* parent, const QString& title, const QString& from, const QString& filter)
{
    PlainIcons icons; // lives longer than the dialog
    QFileDialog dialog(parent, title, {}, filter);
    dialog.setFileMode(QFileDialog::ExistingFile);
    return ask(dialog, icons, from);
}

QString chooseFolder(QWidget* parent, const QString& title, const QString& from)
{
    PlainIcons icons; // lives longer than the dialog
    QFileDialog dialog(parent, title);
    dialog.setFileMode(QFileDialog::Directory);
    dialog.setOption(QFileDialog::ShowDirsOnly);
    return ask(dialog, icons, from);
}

QString chooseNewFile(QWidget* parent, const QString& title, const QString& from, const QString& filter)
{
    PlainIcons icons; // lives longer than the dialog
    QFileDialog dialog(parent, title, {}, filter);
    dialog.setFileMode(QFileDialog::AnyFile);
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    return ask(dialog, icons, from);
}

QString rememberedFolder(const QString& key)
{
    const QString folder = QSettings().value(keyOf(key)).toString();
    return folder.isEmpty() || isOfTheSystem(QFileInfo(folder).absoluteFilePath()) || !QFileInfo(folder).isDir()
        ? QString()
        : folder;
}

QString inRememberedFolder(const QString& key, const QString& name)
{
    const QString folder = rememberedFolder(key);
    return folder.isEmpty() ? name : folder + QLatin1Char('/') + name;
}

void rememberFolderOf(const QString& key, const QString& file)
{
    QSettings().setValue(keyOf(key), QFileInfo(file).absolutePath());
}

} // namespace quantoscope::ui
