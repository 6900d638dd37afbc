// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include <cmath>

#include <QCloseEvent>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QLabel>
#include <QListWidget>
#include <QMenu>
#include <QMimeData>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/views/accuracy_badge.h"
#include "ui/views/data_dialog.h"
#include "ui/views/distributions_page.h"
#include "ui/views/export_dialog.h"
#include "ui/views/file_choice.h"
#include "ui/views/flips_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/job_strip.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/model_check_dialog.h"
#include "ui/views/options_panel.h"
#include "ui/views/options_study_page.h"
#include "ui/views/runs_page.h"
#include "ui/views/search_page.h"
#include "ui/views/sensitivity_page.h"
#include "ui/views/start_page.h"
#include "ui/views/studies_page.h"

/// Resources of a static library are linked in only where somebody asks for them; the macro wants no namespace around
/// it.
static void initResources() { Q_INIT_RESOURCE(quantoscope); }

namespace quantoscope::ui {

namespace {

constexpr int mostRecent = 8;
constexpr int roomyWidth = 1200; // pixels
constexpr int ampleWidth = 1900;
const QString modelFolder = QStringLiteral("model");
const QString recentKey = QStringLiteral("recent/models");
const QString splitterKey = QStringLiteral("window/splitters/");

/// By a person or a saved layout; a dock that waits for its window to be shown is not.
bool isClosed(const QWidget& dock) { return dock.isHidden() && dock.testAttribute(Qt::WA_WState_ExplicitShowHide); }

/// Which of the widths of docks a window has: for a small screen, the usual, or with room for more columns.
int roomOf(int width) { return width < roomyWidth ? 0 : width < ampleWidth ? 1 : 2; }

} // namespace

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent)
    , m_session(std::make_unique<Session>())
    , m_jobs(std::make_unique<JobRunner>())
    , m_workbench(std::make_unique<Workbench>(*m_session, *m_jobs))
{
    initResources();
    setObjectName(QStringLiteral("MainWindow"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/quantoscope.svg")));
    setAcceptDrops(true);
    setDockNestingEnabled(true);
    resize(1280, 800);
    m_dataDialog = new DataDialog(*m_session, *m_workbench, this);
    m_modelCheck = new ModelCheckDialog(*m_session, this);
    buildCentre();
    buildDocks();
    buildActions();
    buildToolBar();
    buildMenus();
    connectSession();
    connectProject();
    fillRecent();
    refreshActions();
    refreshTitle();
    restoreLayout();
    showDocks(false);
}

MainWindow::~MainWindow()
{
    // Workers report to the workbench; they end before it does. Views look at the session; they go before it does.
    m_jobs->disconnect();
    m_session->disconnect();
    m_workbench->project().disconnect();
    delete m_strip;
    m_jobs.reset();
    for (QWidget* view :
        std::initializer_list<QWidget*> { m_layersDock, m_optionsDock, m_pages, m_dataDialog, m_modelCheck, m_badge })
        delete view;
}

void MainWindow::buildCentre()
{
    m_start = new StartPage;
    m_distributions = new DistributionsPage(*m_session);
    m_studies = new StudiesPage(*m_session, *m_workbench);
    m_optionsStudy = new OptionsStudyPage(*m_session, *m_workbench);
    m_sensitivity = new SensitivityPage(*m_session, *m_workbench);
    m_search = new SearchPage(*m_session, *m_workbench);
    m_runs = new RunsPage(*m_session, *m_workbench);
    m_flips = new FlipsPage(*m_session, *m_workbench);
    m_graph = new GraphPage(*m_session);
    m_studyTabs = new QTabWidget;
    m_studyTabs->setDocumentMode(true);
    m_studyTabs->addTab(m_studies, tr("Word-lengths"));
    m_studyTabs->addTab(m_optionsStudy, tr("Options"));
    m_studyTabs->addTab(m_sensitivity, tr("Sensitivity"));
    m_studyTabs->addTab(m_search, tr("Best mix"));
    m_pages = new QTabWidget;
    m_pages->setDocumentMode(true);
    m_pages->addTab(m_distributions, tr("Distributions"));
    m_pages->addTab(m_graph, tr("Graph"));
    m_pages->addTab(m_studyTabs, tr("Studies"));
    m_pages->addTab(m_flips, tr("What broke"));
    m_pages->addTab(m_runs, tr("Runs"));
    m_centre = new QStackedWidget;
    m_centre->addWidget(m_start);
    m_centre->addWidget(m_pages);
    m_messages = new MessageBar;
    m_strip = new JobStrip(*m_jobs);

    auto* central = new QWidget;
    auto* layout = new QVBoxLayout(central);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_messages);
    layout->addWidget(m_centre, 1);
    setCentralWidget(central);
    statusBar()->addWidget(m_strip, 1);
    statusBar()->setSizeGripEnabled(false);

    connect(m_start, &StartPage::sampleWanted, this, &MainWindow::openSample);
    connect(m_start, &StartPage::modelWanted, this, &MainWindow::chooseModel);
    connect(m_start, &StartPage::recentWanted, this, &MainWindow::openFile);
    connect(m_start, &StartPage::projectWanted, this, &MainWindow::chooseProject);
    connect(m_start, &StartPage::unsavedWanted, this, &MainWindow::openUnsaved);
    connect(m_distributions, &DistributionsPage::openDataWanted, this, &MainWindow::showDataDialog);
    connect(m_dataDialog, &DataDialog::openWanted, this, &MainWindow::openData);
}

void MainWindow::buildDocks()
{
    m_layers = new LayersView(*m_session);
    m_layersDock = new QDockWidget(tr("Layers"), this);
    m_layersDock->setObjectName(QStringLiteral("LayersDock"));
    m_layersDock->setWidget(m_layers);
    addDockWidget(Qt::LeftDockWidgetArea, m_layersDock);
    m_options = new OptionsPanel(*m_session, *m_workbench);
    m_optionsDock = new QDockWidget(tr("Options"), this);
    m_optionsDock->setObjectName(QStringLiteral("OptionsDock"));
    m_optionsDock->setWidget(m_options);
    addDockWidget(Qt::RightDockWidgetArea, m_optionsDock);
    shareWidth();
}

void MainWindow::shareWidth()
{
    const QList<int> widths[] = { { 272, 264 }, { 416, 272 }, { 648, 304 } };
    resizeDocks({ m_layersDock, m_optionsDock }, widths[m_room], Qt::Horizontal);
}

void MainWindow::showDocks(bool on)
{
    if (on == m_docksShown)
        return;
    m_docksShown = on;
    QDockWidget* const docks[] = { m_layersDock, m_optionsDock };
    for (std::size_t i = 0; i < std::size(docks); ++i) {
        // The start page has nothing for them to show; whoever closed one finds it closed again.
        if (!on)
            m_dockWanted[i] = !isClosed(*docks[i]);
        docks[i]->setVisible(on && m_dockWanted[i]);
        docks[i]->toggleViewAction()->setEnabled(on);
    }
    // Docks that were hidden from the start have had no widths yet.
    if (on && !std::exchange(m_widthsShared, true))
        QMetaObject::invokeMethod(this, &MainWindow::shareWidth, Qt::QueuedConnection); // once they are laid out
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    // Otherwise the pages alone would shrink and grow.
    if (const int room = roomOf(width()); room != m_room) {
        m_room = room;
        shareWidth();
    }
}

void MainWindow::connectSession()
{
    for (const auto signal :
        { &Session::modelChanged, &Session::dataChanged, &Session::statsChanged, &Session::analysisChanged }) {
        connect(m_session.get(), signal, this, &MainWindow::refreshActions);
        connect(m_session.get(), signal, this, &MainWindow::refreshTitle);
    }
    connect(m_session.get(), &Session::modelChanged, this, [this] {
        m_centre->setCurrentWidget(m_session->model() ? static_cast<QWidget*>(m_pages) : m_start);
        showDocks(m_session->model() != nullptr);
    });
    connect(m_jobs.get(), &JobRunner::changed, this, &MainWindow::refreshActions);
    connect(m_workbench.get(), &Workbench::studiesChanged, this, &MainWindow::refreshActions);
    connect(m_workbench.get(), &Workbench::problem, this, &MainWindow::showProblem);
    connect(m_workbench.get(), &Workbench::notice, m_messages, &MessageBar::showNotice);
    connect(m_session.get(), &Session::refused, m_messages, &MessageBar::showNotice);
    connect(m_workbench.get(), &Workbench::modelOpened, this, [this](const std::filesystem::path& path) {
        rememberFolderOf(modelFolder, QString::fromStdString(path.string()));
        if (m_workbench->project().path().empty()) // a project stands for its models
            remember(QString::fromStdString(path.string()));
    });
    connect(m_workbench.get(), &Workbench::dataOpened, m_dataDialog, &DataDialog::setRequest);
    connect(m_workbench.get(), &Workbench::exported, this, [this](const exporting::ExportReport& report) {
        QString text = tr("Wrote %1: %2")
                           .arg(QString::fromStdString(report.file.filename().string()),
                               formatBytes(static_cast<double>(report.bytes)));
        if (report.opset > 0)
            text += tr(", opset %1").arg(report.opset);
        if (report.images > 0 && std::isnan(report.agreement))
            text += tr(". Read back and run on %1 images: outputs differ by at most %2")
                        .arg(formatCount(report.images), formatSignificant(report.maxAbsDiff));
        else if (report.images > 0)
            text += tr(
                ". Read back and simulated in float on %1 images, as the plan was: same prediction on %2, outputs "
                "differ by at most %3; top-1 %4 there")
                        .arg(formatCount(report.images), formatTop1(report.agreement, report.images),
                            formatSignificant(report.maxAbsDiff), formatTop1(report.reloadTop1, report.images));
        if (!report.firstDifference.empty())
            text += tr(". The first tensor that differs by more than a step is '%1'")
                        .arg(QString::fromStdString(report.firstDifference));
        m_messages->showNotice(text);
    });
    connect(m_workbench.get(), &Workbench::encodingsApplied, this, &MainWindow::showApplied);
}

MessageBar::Remedy MainWindow::remedyFor(Mend mend)
{
    switch (mend) {
    case Mend::Model:
        return { tr("Open another…"), [this] { chooseModel(); } };
    case Mend::Images:
        return { tr("Open images…"), [this] { showDataDialog(); } };
    case Mend::Project:
        return { tr("Open another…"), [this] { chooseProject(); } };
    case Mend::ProjectName:
        return { tr("Save as…"), [this] { chooseSave(); } };
    case Mend::Encodings:
        return { tr("Apply others…"), [this] { chooseEncodings(); } };
    case Mend::Export:
        return { tr("Export…"), [this] { chooseExport(); } };
    case Mend::Report:
        return { tr("Write elsewhere…"), [this] { chooseReport(); } };
    case Mend::Nothing:
        break;
    }
    return {};
}

void MainWindow::showProblem(const base::Error& error, const QString& context, Mend mend)
{
    if (mend == Mend::Model && error.code == ErrorCode::Unsupported && m_session->modelCheck()
        && !m_session->modelCheck()->usable)
        m_messages->showError(error, context, { tr("All findings…"), [this] { showModelCheck(); } });
    else
        m_messages->showError(error, context, remedyFor(mend));
}

QWidget* MainWindow::currentPage() const
{
    QWidget* page = m_pages->currentWidget();
    return page == m_studyTabs ? m_studyTabs->currentWidget() : page;
}

void MainWindow::showPage(QWidget* page)
{
    const bool study = m_studyTabs->indexOf(page) >= 0;
    m_pages->setCurrentWidget(study ? m_studyTabs : page);
    if (study)
        m_studyTabs->setCurrentWidget(page);
}

void MainWindow::openModel(const QString& path)
{
    m_messages->clear();
    m_workbench->openModel(path.toStdString());
}

void MainWindow::openData(const DataRequest& request)
{
    m_messages->clear();
    m_workbench->openData(request);
}

void MainWindow::openSample()
{
    m_messages->clear();
    m_workbench->openSample();
}

void MainWindow::chooseModel()
{
    const QString path
        = chooseFile(this, tr("Open model"), rememberedFolder(modelFolder), tr("ONNX models (*.onnx);;All files (*)"));
    if (!path.isEmpty())
        openModel(path);
}

void MainWindow::showDataDialog()
{
    m_dataDialog->show();
    m_dataDialog->raise();
    m_dataDialog->activateWindow();
}

void MainWindow::chooseExport()
{
    if (!m_session->model())
        return;
    auto* dialog = new ExportDialog(*m_session, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        const QString path = chooseNewFile(this, tr("Export"), dialog->suggestedFile(), dialog->fileFilter());
        if (!path.isEmpty())
            m_workbench->exportPlan(path.toStdString(), dialog->options());
    });
    dialog->open();
}

void MainWindow::chooseEncodings()
{
    const QString path = chooseFile(this, tr("Apply encodings"), rememberedFolder(modelFolder),
        tr("Encodings and calibration tables (*.json *.encodings *.cache);;All files (*)"));
    if (!path.isEmpty())
        m_workbench->applyEncodings(path.toStdString());
}

void MainWindow::showApplied(const std::filesystem::path& path, const importing::AppliedEncodings& applied)
{
    QString text = tr("%1 tensors have the encodings of %2")
                       .arg(formatCount(static_cast<std::int64_t>(applied.applied.size())),
                           QString::fromStdString(path.filename().string()));
    MessageBar::Remedy remedy;
    const auto unused = applied.unmatched.size() + applied.missing.size();
    if (unused > 0) {
        text += tr(". %1 of its entries do not match the model, %2 quantized tensors are not in it")
                    .arg(applied.unmatched.size())
                    .arg(applied.missing.size());
        QStringList lines;
        for (const auto& entry : applied.unmatched)
            lines << QString::fromStdString(entry.tensor + ": " + entry.why);
        for (const auto& tensor : applied.missing)
            lines << tr("%1: not in the file, as before").arg(QString::fromStdString(tensor));
        remedy = { tr("Which?"), [this, lines] { showList(tr("Encodings that were not applied"), lines); } };
    }
    m_messages->showOffer(text, remedy);
}

void MainWindow::showList(const QString& title, const QStringList& lines)
{
    auto* dialog = new QDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(title);
    auto* list = new QListWidget;
    list->addItems(lines);
    auto* layout = new QVBoxLayout(dialog);
    layout->addWidget(list);
    dialog->resize(560, 360);
    dialog->open();
}

void MainWindow::cancelJobs()
{
    for (const Lane lane : lanes)
        m_jobs->cancelLane(lane);
}

void MainWindow::remember(const QString& path)
{
    QSettings settings;
    QStringList recent = settings.value(recentKey).toStringList();
    const QString absolute = QFileInfo(path).absoluteFilePath();
    recent.removeAll(absolute);
    recent.prepend(absolute);
    settings.setValue(recentKey, QStringList(recent.mid(0, mostRecent)));
    fillRecent();
}

void MainWindow::fillRecent()
{
    const QStringList recent = QSettings().value(recentKey).toStringList();
    m_start->setRecent(recent);
    m_recentMenu->clear();
    m_recentMenu->setEnabled(!recent.isEmpty());
    for (const QString& path : recent)
        m_recentMenu->addAction(QFileInfo(path).fileName(), this, [this, path] { openFile(path); })->setToolTip(path);
    m_recentMenu->addSeparator();
    m_recentMenu->addAction(tr("&Clear the list"), this, [this] {
        QSettings().remove(recentKey);
        fillRecent();
    });
}

void MainWindow::refreshTitle()
{
    QStringList parts;
    const ProjectFile& project = m_workbench->project();
    if (!project.path().empty() || !project.readOnlyReason().isEmpty())
        parts << project.title();
    if (m_session->model())
        parts << m_session->model()->name;
    if (m_session->data())
        parts << m_session->data()->title;
    parts << tr("Quantoscope");
    setWindowTitle(parts.join(QStringLiteral(" – ")));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    const auto urls = event->mimeData()->urls();
    if (urls.size() == 1 && urls.front().isLocalFile())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    const QString path = event->mimeData()->urls().front().toLocalFile();
    event->acceptProposedAction();
    openFile(path);
}

void MainWindow::openFile(const QString& path)
{
    if (path.endsWith(QStringLiteral(".qscope"), Qt::CaseInsensitive)) {
        openProject(path);
    } else if (path.endsWith(QStringLiteral(".onnx"), Qt::CaseInsensitive)) {
        openModel(path);
    } else {
        // Anything else can only be images; how to prepare them is for a person to say.
        showDataDialog();
        m_dataDialog->choosePath(path);
    }
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_closing || !m_workbench->project().needsSaving()) {
        saveLayout();
        m_workbench->project().saveNow();
        event->accept();
        return;
    }
    event->ignore();
    askUnsaved([this] {
        m_closing = true;
        close();
    });
}

void MainWindow::saveLayout()
{
    QSettings settings;
    showDocks(true); // as they are with a model
    settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    settings.setValue(QStringLiteral("window/state"), saveState());
    settings.setValue(QStringLiteral("window/layerColumns"), m_layers->saveColumns());
    for (const QSplitter* splitter : m_pages->findChildren<QSplitter*>())
        if (!splitter->objectName().isEmpty())
            settings.setValue(splitterKey + splitter->objectName(), splitter->saveState());
}

void MainWindow::restoreLayout()
{
    const QSettings settings;
    restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
    if (restoreState(settings.value(QStringLiteral("window/state")).toByteArray())) {
        m_room = roomOf(width()); // whose dock widths those are
        m_widthsShared = true;
    }
    if (const QByteArray columns = settings.value(QStringLiteral("window/layerColumns")).toByteArray();
        !columns.isEmpty())
        m_layers->restoreColumns(columns);
    for (QSplitter* splitter : m_pages->findChildren<QSplitter*>())
        splitter->restoreState(settings.value(splitterKey + splitter->objectName()).toByteArray());
}

} // namespace quantoscope::ui
