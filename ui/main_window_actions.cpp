// SPDX-License-Identifier: GPL-3.0-or-later
// Menus, tool bar and what their actions need; the rest of MainWindow is in main_window.cpp.
#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QDialog>
#include <QDialogButtonBox>
#include <QDockWidget>
#include <QFileInfo>
#include <QInputDialog>
#include <QSpinBox>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QSettings>
#include <QTabWidget>
#include <QToolBar>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/main_window.h"
#include "ui/session/window_words.h"
#include "ui/views/accuracy_badge.h"
#include "ui/views/appearance.h"
#include "ui/views/energy_dialog.h"
#include "ui/views/help_window.h"
#include "ui/views/job_strip.h"
#include "ui/views/model_check_dialog.h"
#include "ui/views/distributions_page.h"
#include "ui/views/flips_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/runs_page.h"
#include "ui/views/start_page.h"
#include "ui/views/studies_page.h"
#include "ui/views/undo_keys.h"

namespace quantoscope::ui {

namespace {

const QString memoryKey = QStringLiteral("evaluation/memory");

} // namespace

QAction* MainWindow::makeAction(const QString& text, const QString& icon, const QKeySequence& shortcut,
    const QString& tip, const std::function<void()>& act)
{
    auto* action = new QAction(text, this);
    action->setProperty("iconName", icon);
    action->setShortcut(shortcut);
    QString help = tip;
    if (!shortcut.isEmpty())
        help += QStringLiteral(" (%1)").arg(shortcut.toString(QKeySequence::NativeText));
    action->setToolTip(help);
    connect(action, &QAction::triggered, this, act);
    addAction(action);
    return action;
}

void MainWindow::buildActions()
{
    m_openModel = makeAction(tr("Open &model…"), QStringLiteral("model"), QKeySequence::Open, tr("Open an ONNX model"),
        [this] { chooseModel(); });
    m_openModel->setIconText(tr("Open model"));
    m_openData = makeAction(tr("Open &images…"), QStringLiteral("images"), Qt::CTRL | Qt::Key_D,
        tr("Open labelled images for calibration and evaluation"), [this] { showDataDialog(); });
    m_openData->setIconText(tr("Open images"));
    m_openSample = makeAction(tr("Open the &sample"), {}, {}, tr("A ResNet-20 for Fashion-MNIST with its test images"),
        [this] { openSample(); });
    m_openProject = makeAction(tr("Open &project…"), {}, Qt::CTRL | Qt::SHIFT | Qt::Key_O,
        tr("Open a file with everything that was found out about a model, and go on with it"),
        [this] { chooseProject(); });
    m_saveProject = makeAction(tr("Sa&ve project"), {}, QKeySequence::Save,
        tr("Keep everything in a file; from then on every finished result is in it at once"),
        [this] { saveProject(); });
    m_saveProjectAs = makeAction(tr("Save project &as…"), {}, Qt::CTRL | Qt::SHIFT | Qt::Key_S,
        tr("Go on with this project in another file"), [this] { chooseSave(); });
    m_newProject = makeAction(tr("&Close project"), {}, Qt::CTRL | Qt::Key_W, tr("Close model, images and project"),
        [this] { newProject(); });
    m_evaluate = makeAction(tr("&Evaluate"), QStringLiteral("evaluate"), Qt::Key_F5,
        tr("Measure the accuracy of the current plan"), [this] { m_workbench->evaluate(); });
    m_automatic = new QAction(tr("Evaluate after every e&dit"), this);
    m_automatic->setCheckable(true);
    m_automatic->setChecked(true);
    connect(m_automatic, &QAction::toggled, this, [this](bool on) { m_workbench->setAutomatic(on); });
    m_study = makeAction(tr("&Sweep word-lengths"), QStringLiteral("study"), Qt::CTRL | Qt::Key_T,
        tr("Evaluate a grid of word-lengths"), [this] {
            showPage(m_studies);
            m_workbench->startSweep(m_studies->settings());
        });
    m_study->setIconText(tr("Sweep"));
    m_export = makeAction(tr("&Export…"), QStringLiteral("export"), Qt::CTRL | Qt::Key_E,
        tr("Write the quantized model or its encodings, and check the file"), [this] { chooseExport(); });
    m_export->setIconText(tr("Export"));
    m_exportVisible = makeAction(tr("Save what is &visible…"), {}, Qt::CTRL | Qt::SHIFT | Qt::Key_E,
        tr("Every chart and table that can be seen into a folder: PNG, SVG, CSV and TSV"),
        [this] { exportEverything(); });
    m_report = makeAction(tr("&Report…"), {}, Qt::CTRL | Qt::SHIFT | Qt::Key_R,
        tr("Write every study and result of this project as one page of HTML"), [this] { chooseReport(); });
    m_check = makeAction(tr("Model &check…"), {}, {},
        tr("Operators, batch norms, weights outside the file, and whether biases fit"), [this] { showModelCheck(); });
    m_applyEncodings = makeAction(tr("Apply e&ncodings…"), {}, {},
        tr("Take encodings of AIMET or a calibration table of ONNX Runtime into the plan"),
        [this] { chooseEncodings(); });
    m_energy = makeAction(tr("E&nergy model…"), {}, {},
        tr("What energies are made of: choose a model, or change its numbers"), [this] { showEnergyModel(); });
    m_cancel = makeAction(tr("&Cancel jobs"), QStringLiteral("cancel"), Qt::Key_Escape,
        tr("Stop everything that runs or waits"), [this] { cancelJobs(); });
    m_quit = makeAction(tr("&Quit"), {}, Qt::CTRL | Qt::Key_Q, tr("Leave Quantoscope"), [this] { close(); });
    m_undo = m_session->undoStack().createUndoAction(this, tr("Undo"));
    m_undo->setShortcut(QKeySequence::Undo);
    m_undo->setProperty("iconName", QStringLiteral("undo"));
    m_undo->setIconText(tr("Undo"));
    m_redo = m_session->undoStack().createRedoAction(this, tr("Redo"));
    m_redo->setShortcuts({ QKeySequence(Qt::CTRL | Qt::Key_Y), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z) });
    new UndoKeys(this);
    m_redo->setProperty("iconName", QStringLiteral("redo"));
    refreshIcons();
}

void MainWindow::refreshIcons()
{
    for (QAction* action : findChildren<QAction*>())
        if (const QString name = action->property("iconName").toString(); !name.isEmpty())
            action->setIcon(tintedIcon(name, palette()));
}

void MainWindow::buildToolBar()
{
    auto* bar = addToolBar(tr("Tool bar"));
    bar->setObjectName(QStringLiteral("MainToolBar"));
    bar->setMovable(false);
    bar->setIconSize(QSize(16, 16));
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->addAction(m_openModel);
    bar->addAction(m_openData);
    bar->addSeparator();
    bar->addAction(m_undo);
    bar->addAction(m_redo);
    // The texts of undo and redo name the edit; on the bar their arrows say enough.
    for (QAction* action : { m_undo, m_redo })
        if (auto* button = qobject_cast<QToolButton*>(bar->widgetForAction(action)))
            button->setToolButtonStyle(Qt::ToolButtonIconOnly);
    bar->addSeparator();
    bar->addAction(m_evaluate);
    bar->addAction(m_study);
    bar->addAction(m_export);
    auto* space = new QWidget;
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(space);
    m_badge = new AccuracyBadge(*m_session);
    auto* holder = new QWidget;
    auto* layout = new QHBoxLayout(holder);
    layout->setContentsMargins(4, 2, 4, 2);
    layout->addWidget(m_badge);
    bar->addWidget(holder);
}

void MainWindow::buildMenus()
{
    QMenu* file = menuBar()->addMenu(tr("&File"));
    file->addAction(m_openModel);
    file->addAction(m_openData);
    file->addAction(m_openSample);
    m_recentMenu = file->addMenu(tr("&Recent"));
    m_recentMenu->setToolTipsVisible(true); // names alike in two folders
    QMenu* models = file->addMenu(tr("Mo&dels of the project"));
    models->setToolTipsVisible(true);
    connect(file, &QMenu::aboutToShow, this, [this, models] { fillModels(models); });
    file->addSeparator();
    file->addAction(m_openProject);
    file->addAction(m_saveProject);
    file->addAction(m_saveProjectAs);
    file->addAction(m_newProject);
    file->addSeparator();
    file->addAction(m_applyEncodings);
    file->addAction(m_export);
    file->addAction(m_exportVisible);
    file->addAction(m_report);
    file->addSeparator();
    file->addAction(m_quit);
    QMenu* edit = menuBar()->addMenu(tr("&Edit"));
    edit->addAction(m_undo);
    edit->addAction(m_redo);
    QMenu* run = menuBar()->addMenu(tr("&Run"));
    run->addAction(m_check);
    run->addAction(m_evaluate);
    run->addAction(m_automatic);
    run->addAction(tr("&Memory between evaluations…"), this, [this] { askMemory(); });
    if (const int memory = QSettings().value(memoryKey, 0).toInt(); memory > 0)
        m_workbench->setMemory(memory);
    run->addAction(m_energy);
    run->addAction(m_study);
    run->addSeparator();
    run->addAction(m_cancel);
    buildViewMenu(menuBar()->addMenu(tr("&View")));
    buildHelpMenu(menuBar()->addMenu(tr("&Help")));
}

void MainWindow::fillModels(QMenu* menu)
{
    menu->clear();
    const auto paths = m_workbench->project().models();
    menu->setEnabled(paths.size() > 1);
    for (const auto& path : paths) {
        const QString file = QString::fromStdString(path.string());
        QAction* action = menu->addAction(QFileInfo(file).fileName(), this, [this, file] { openModel(file); });
        action->setToolTip(file);
        action->setCheckable(true);
        action->setChecked(m_session->model() && m_session->model()->path == path);
    }
}

void MainWindow::buildViewMenu(QMenu* menu)
{
    menu->addAction(m_layersDock->toggleViewAction());
    menu->addAction(m_optionsDock->toggleViewAction());
    menu->addSeparator();
    for (int i = 0; i < m_pages->count(); ++i) {
        QAction* action = menu->addAction(m_pages->tabText(i), this, [this, i] { m_pages->setCurrentIndex(i); });
        action->setShortcut(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)));
    }
    menu->addSeparator();
    QAction* whole = makeAction(tr("&Full screen"), {}, Qt::Key_F11, tr("The window alone on the screen, and back"),
        [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
    menu->addAction(whole);
    menu->addAction(tr("&Reset the layout"), this, &MainWindow::resetLayout);
    QMenu* look = menu->addMenu(tr("&Colours"));
    auto* group = new QActionGroup(look);
    const std::pair<QString, Appearance> looks[] = { { tr("As the &system"), Appearance::System },
        { tr("&Light"), Appearance::Light }, { tr("&Dark"), Appearance::Dark } };
    for (const auto& [text, appearance] : looks) {
        QAction* action = look->addAction(text, this, [appearance = appearance] {
            saveAppearance(appearance);
            applyAppearance(appearance);
        });
        action->setCheckable(true);
        action->setChecked(savedAppearance() == appearance);
        group->addAction(action);
    }
}

void MainWindow::buildHelpMenu(QMenu* menu)
{
    menu->addAction(tr("&Help"), QKeySequence(Qt::Key_F1), this, [this] { showHelp(helpPage()); });
    menu->addAction(tr("&Options and formulas"), this, [this] { showHelp(QStringLiteral("options")); });
    menu->addAction(tr("&Keyboard and mouse"), this, [this] { showHelp(QStringLiteral("keyboard")); });
    menu->addSeparator();
    menu->addAction(tr("&About Quantoscope"), this, &MainWindow::showAbout);
}

void MainWindow::refreshActions()
{
    m_evaluate->setEnabled(m_workbench->canEvaluate());
    m_study->setEnabled(m_workbench->canStart(Study::Sweep));
    m_export->setEnabled(m_session->currentAnalysis() != nullptr);
    m_applyEncodings->setEnabled(m_session->currentAnalysis() != nullptr);
    m_cancel->setEnabled(!m_jobs->idle());
    m_check->setEnabled(m_session->modelCheck() != nullptr);
    const bool any = m_session->model() != nullptr;
    for (QAction* action : { m_saveProject, m_saveProjectAs, m_newProject, m_exportVisible, m_report })
        action->setEnabled(any);
    m_strip->setIdleText(!m_session->model() ? tr("Open a model, or the sample, to begin")
            : !m_session->data()             ? tr("Open labelled images to measure accuracy and see activations")
            : !m_session->stats()            ? tr("Ready")
                                             : tr("Ready, %1").arg(calibrationText(*m_session->data())));
}

void MainWindow::changeEvent(QEvent* event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        refreshIcons();
}

void MainWindow::askMemory()
{
    QInputDialog dialog(this);
    dialog.setWindowTitle(tr("Memory between evaluations"));
    dialog.setInputMode(QInputDialog::IntInput);
    dialog.setLabelText(
        tr("An evaluation keeps values of the network in memory, so that the next one computes only the "
           "layers from the edited one on.\nMore memory makes edits faster; accuracies stay the same.\n\n"
           "Memory to keep at most:"));
    dialog.setIntRange(16, 1 << 20);
    dialog.setIntStep(256);
    dialog.setIntValue(m_workbench->memory());
    if (auto* field = dialog.findChild<QSpinBox*>()) {
        field->setSuffix(tr(" MiB"));
        field->setAccessibleName(tr("Memory to keep at most, in MiB"));
    }
    if (dialog.exec() != QDialog::Accepted)
        return;
    QSettings().setValue(memoryKey, dialog.intValue());
    m_workbench->setMemory(dialog.intValue());
}

void MainWindow::showModelCheck()
{
    m_modelCheck->show();
    m_modelCheck->raise();
    m_modelCheck->activateWindow();
}

void MainWindow::showEnergyModel()
{
    if (!m_energyDialog)
        m_energyDialog = new EnergyDialog(*m_session, this);
    m_energyDialog->show();
    m_energyDialog->raise();
    m_energyDialog->activateWindow();
}

void MainWindow::showHelp(const QString& page)
{
    if (!m_help)
        m_help = new HelpWindow(this);
    m_help->showPage(page);
    m_help->show();
    m_help->raise();
    m_help->activateWindow();
}

QString MainWindow::helpPage() const
{
    const QWidget* focus = QApplication::focusWidget();
    if (m_layersDock->isAncestorOf(focus))
        return QStringLiteral("layers");
    if (m_optionsDock->isAncestorOf(focus))
        return QStringLiteral("options");
    if (!m_pages->isVisible())
        return QStringLiteral("index");
    const std::pair<const QWidget*, const char*> pages[] = { { m_distributions, "distributions" }, { m_graph, "graph" },
        { m_runs, "runs" }, { m_flips, "what-broke" }, { m_studyTabs, "studies" } };
    for (const auto& [page, name] : pages)
        if (m_pages->currentWidget() == page)
            return QString::fromLatin1(name);
    return QStringLiteral("index");
}

void MainWindow::showAbout()
{
    auto* dialog = new QDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(QStringLiteral("About"));
    dialog->setWindowTitle(tr("About Quantoscope"));
    auto* label
        = new QLabel(tr("<h3>Quantoscope %1</h3><p>A workbench for post-training quantization of ONNX models.</p>"
                        "<p>Free software under the GNU General Public License, version 3 or later.<br>With Qt %2, "
                        "QCustomPlot, oneDNN, ONNX, Eigen.</p>")
                         .arg(QStringLiteral(QUANTOSCOPE_VERSION), QString::fromLatin1(qVersion())));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::close);
    auto* layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addWidget(label);
    layout->addWidget(buttons);
    dialog->show();
}

} // namespace quantoscope::ui
