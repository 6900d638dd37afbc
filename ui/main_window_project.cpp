// SPDX-License-Identifier: GPL-3.0-or-later
// The project's file: opening, saving, and the question about work that is in none. The rest of MainWindow is in
// main_window.cpp.
#include <QDesktopServices>
#include <QDockWidget>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QTabWidget>
#include <QUrl>

#include "ui/charts/number_format.h"
#include "ui/main_window.h"
#include "ui/views/file_choice.h"
#include "ui/views/message_bar.h"
#include "ui/views/start_page.h"
#include "ui/views/studies_page.h"
#include "ui/views/visible_export.h"

namespace quantoscope::ui {

namespace {

const QString projectFolder = QStringLiteral("project");
const QString exportFolder = QStringLiteral("export");

/// What a page is called in a project: not its title, which is translated.
QString pageName(const QWidget* page)
{
    return page ? QString::fromLatin1(page->metaObject()->className()).section(QStringLiteral("::"), -1) : QString();
}

} // namespace

void MainWindow::connectProject()
{
    ProjectFile& project = m_workbench->project();
    connect(&project, &ProjectFile::changed, this, &MainWindow::refreshTitle);
    connect(&project, &ProjectFile::opened, this, &MainWindow::showOpened);
    connect(&project, &ProjectFile::unsavedFound, this, &MainWindow::showUnsaved);
    connect(m_start, &StartPage::unsavedRefused, &project, &ProjectFile::deleteUnsaved);
    connect(&project, &ProjectFile::saved, this, [this](const std::filesystem::path& path) {
        const QString file = QString::fromStdString(path.string());
        remember(file);
        rememberFolderOf(projectFolder, file);
        m_messages->showNotice(
            tr("%1 has everything; results that finish from now on are in it at once").arg(QFileInfo(file).fileName()));
        if (const auto then = std::exchange(m_afterSaving, {}))
            then();
    });
    connect(&project, &ProjectFile::problem, this, [this] { m_afterSaving = {}; });
    connect(m_workbench.get(), &Workbench::reported, this,
        [this](const std::filesystem::path& path, qsizetype studies, qsizetype results) {
            const QString file = QString::fromStdString(path.string());
            rememberFolderOf(exportFolder, file);
            m_messages->showOffer(tr("%1 has %2 studies and %3 results")
                                      .arg(QFileInfo(file).fileName(), formatCount(studies), formatCount(results)),
                { tr("Open"), [file] { QDesktopServices::openUrl(QUrl::fromLocalFile(file)); } });
        });
    connect(m_workbench.get(), &Workbench::interrupted, this, [this](Study study, const QString& what) {
        m_messages->showOffer(what, { tr("Go on"), [this, study] { m_workbench->resume(study); } });
    });
    connect(m_session.get(), &Session::modelCheckChanged, this, [this] {
        refreshActions();
        const ModelCheckPtr& check = m_session->modelCheck();
        if (check && check->usable && check->warnings() > 0 && check->biases.empty())
            m_messages->showOffer(
                tr("Model check of %1, things to know: %2").arg(check->name, formatCount(check->warnings())),
                { tr("Show"), [this] { showModelCheck(); } });
    });
    connect(m_session.get(), &Session::dataVariantChanged, this, [this] {
        if (const DataVariantPtr variant = m_session->dataVariant())
            m_messages->showOffer(tr("With %1 the float network is right on %2 of %3 images rather than %4")
                                      .arg(variant->difference, formatTop1(variant->after, variant->images),
                                          formatCount(variant->images), formatTop1(variant->before, variant->images)),
                { tr("Use it"), [this, variant] { openData(variant->request); } });
    });
    for (QTabWidget* tabs : { m_pages, m_studyTabs })
        connect(tabs, &QTabWidget::currentChanged, this, [this] {
            if (m_session->model())
                m_workbench->project().setPage(pageName(currentPage()));
        });
    project.findUnsaved();
}

void MainWindow::openProject(const QString& path)
{
    askUnsaved([this, path] {
        m_messages->clear();
        m_workbench->project().open(path.toStdString());
    });
}

void MainWindow::showOpened(const OpenedProject& opened)
{
    const QString file = QString::fromStdString(opened.path.string());
    if (!m_workbench->project().path().empty()) {
        remember(file);
        rememberFolderOf(projectFolder, file);
    }
    for (const QTabWidget* tabs : { m_pages, m_studyTabs })
        for (int i = 0; i < tabs->count(); ++i)
            if (tabs->widget(i) != m_studyTabs && pageName(tabs->widget(i)) == opened.state.page)
                showPage(tabs->widget(i));
    if (!opened.readOnlyReason.isEmpty())
        m_messages->showOffer(tr("%1 is read-only here: %2. You work with a copy; what you find out stays only if you "
                                 "save it under another name.")
                                  .arg(QFileInfo(file).fileName(), opened.readOnlyReason),
            { tr("Save project as…"), [this] { chooseSave(); } });
    if (opened.missing)
        m_messages->showError(*opened.missing, tr("The project’s model is not there"),
            { tr("Find the model…"), [this] { chooseModel(); } });
    else if (opened.model.empty())
        m_messages->showNotice(tr("%1 holds no model yet; open one to begin").arg(QFileInfo(file).fileName()));
}

void MainWindow::chooseProject()
{
    const QString path = chooseFile(this, tr("Open project"), rememberedFolder(projectFolder),
        tr("Quantoscope projects (*.qscope);;All files (*)"));
    if (!path.isEmpty())
        openProject(path);
}

void MainWindow::saveProject()
{
    if (m_workbench->project().path().empty()) {
        chooseSave();
        return;
    }
    m_workbench->project().saveNow();
    m_messages->showNotice(
        tr("%1 has everything: results are in it as soon as they are shown").arg(m_workbench->project().title()));
}

void MainWindow::chooseSave()
{
    const LoadedModelPtr& model = m_session->model();
    const QString stem = model ? QFileInfo(model->name).completeBaseName() : QStringLiteral("project");
    QString path = chooseNewFile(this, tr("Save project as"),
        inRememberedFolder(projectFolder, stem + QStringLiteral(".qscope")), tr("Quantoscope projects (*.qscope)"));
    if (path.isEmpty()) {
        m_afterSaving = {};
        return;
    }
    if (QFileInfo(path).suffix().isEmpty())
        path += QStringLiteral(".qscope");
    m_workbench->project().saveAs(path.toStdString());
}

void MainWindow::exportEverything()
{
    const QString folder = chooseFolder(this, tr("Folder for charts and tables"), rememberedFolder(exportFolder));
    if (folder.isEmpty())
        return;
    const auto files = exportVisible(*this, folder.toStdString());
    if (files)
        rememberFolderOf(exportFolder, folder + QStringLiteral("/."));
    if (files)
        m_messages->showNotice(
            tr("Files written to %1: %2").arg(folder, formatCount(static_cast<qint64>(files->size()))));
    else
        m_messages->showError(
            files.error(), tr("Not everything was saved"), { tr("Save elsewhere…"), [this] { exportEverything(); } });
}

void MainWindow::chooseReport()
{
    const QString name = QFileInfo(m_workbench->project().path().empty()
            ? (m_session->model() ? m_session->model()->name : tr("report"))
            : QString::fromStdString(m_workbench->project().path().string()))
                             .completeBaseName();
    QString path = chooseNewFile(this, tr("Write report"),
        inRememberedFolder(exportFolder, name + QStringLiteral(".html")), tr("Web pages (*.html)"));
    if (path.isEmpty())
        return;
    if (QFileInfo(path).suffix().isEmpty())
        path += QStringLiteral(".html");
    m_workbench->writeReport(path.toStdString());
}

void MainWindow::resetLayout()
{
    showDocks(true);
    for (QDockWidget* dock : { m_layersDock, m_optionsDock }) {
        dock->setFloating(false);
        dock->show();
    }
    addDockWidget(Qt::LeftDockWidgetArea, m_layersDock);
    addDockWidget(Qt::RightDockWidgetArea, m_optionsDock);
    shareWidth();
    showDocks(m_session->model() != nullptr);
}

void MainWindow::newProject()
{
    askUnsaved([this] {
        m_messages->clear();
        m_workbench->close();
    });
}

void MainWindow::askUnsaved(const std::function<void()>& then)
{
    if (!m_workbench->project().needsSaving()) {
        then();
        return;
    }
    const auto results = static_cast<qint64>(m_session->runs().size());
    auto* box = new QMessageBox(QMessageBox::Question, tr("Unsaved work"),
        tr("Save what was found out about %1?").arg(m_session->model() ? m_session->model()->name : tr("the model")),
        QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, this);
    box->setObjectName(QStringLiteral("UnsavedQuestion"));
    box->setIconPixmap(windowIcon().pixmap(48));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setInformativeText(
        tr("%1, the options and the names are not saved in a project yet. What is discarded cannot be "
           "brought back.")
            .arg(results == 1 ? tr("1 result") : tr("%1 results").arg(formatCount(results))));
    box->setDefaultButton(QMessageBox::Save);
    connect(box, &QMessageBox::buttonClicked, this, [this, box, then](QAbstractButton* button) {
        const auto role = box->standardButton(button);
        if (role == QMessageBox::Save) {
            m_afterSaving = then;
            chooseSave();
        } else if (role == QMessageBox::Discard) {
            then();
        }
    });
    box->open();
}

void MainWindow::showUnsaved(const std::vector<UnsavedWork>& work)
{
    m_start->setUnsaved(work);
    if (work.empty() || !m_session->model())
        return;
    m_messages->showOffer(tr("Work of an earlier session was not saved: %1").arg(work.front().title),
        { tr("Recover"), [this, first = work.front()] { openUnsaved(first); } });
}

void MainWindow::openUnsaved(const UnsavedWork& work) { openProject(QString::fromStdString(work.path.string())); }

} // namespace quantoscope::ui
