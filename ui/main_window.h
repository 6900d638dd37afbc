// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include <QMainWindow>

#include "ui/jobs/job_runner.h"
#include "ui/session/session.h"
#include "ui/session/workbench.h"
#include "ui/views/message_bar.h"

class QAction;
class QDockWidget;
class QMenu;
class QStackedWidget;
class QTabWidget;

namespace quantoscope::ui {

class AccuracyBadge;
class DataDialog;
class DistributionsPage;
class EnergyDialog;
class FlipsPage;
class GraphPage;
class HelpWindow;
class JobStrip;
class LayersView;
class ModelCheckDialog;
class OptionsPanel;
class OptionsStudyPage;
class RunsPage;
class SearchPage;
class SensitivityPage;
class StartPage;
class StudiesPage;

/// Assembles menus, docks and pages around one session; computes nothing.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    Session& session() { return *m_session; }
    JobRunner& jobs() { return *m_jobs; }
    Workbench& workbench() { return *m_workbench; }
    LayersView* layers() const { return m_layers; }
    OptionsPanel* options() const { return m_options; }
    DistributionsPage* distributions() const { return m_distributions; }
    StudiesPage* studies() const { return m_studies; }
    OptionsStudyPage* optionsStudy() const { return m_optionsStudy; }
    SensitivityPage* sensitivity() const { return m_sensitivity; }
    SearchPage* search() const { return m_search; }
    RunsPage* runs() const { return m_runs; }
    FlipsPage* flips() const { return m_flips; }
    GraphPage* graph() const { return m_graph; }
    MessageBar* messages() const { return m_messages; }
    AccuracyBadge* badge() const { return m_badge; }
    QTabWidget* pages() const { return m_pages; }
    DataDialog* dataDialog() const { return m_dataDialog; }
    ModelCheckDialog* modelCheck() const { return m_modelCheck; }
    EnergyDialog* energyDialog() const { return m_energyDialog; } ///< null until it was asked for
    HelpWindow* help() const { return m_help; } ///< null until it was asked for

    void openModel(const QString& path);
    void openData(const DataRequest& request);
    void openSample();
    /// Brings a page, or one of the studies, to the front.
    void showPage(QWidget* page);
    QWidget* currentPage() const; ///< of the studies, the one in front
    void openProject(const QString& path); ///< after the question about unsaved work, if there is some
    void openFile(const QString& path); ///< a model, a project or images, told by the name

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildCentre();
    void buildDocks();
    void buildActions();
    void buildToolBar();
    void buildMenus();
    void fillModels(QMenu* menu); ///< with those that were open in the project
    void buildViewMenu(QMenu* menu);
    void buildHelpMenu(QMenu* menu);
    void connectSession();
    QAction* makeAction(const QString& text, const QString& icon, const QKeySequence& shortcut, const QString& tip,
        const std::function<void()>& act);
    void chooseModel();
    void showDataDialog();
    void chooseExport();
    void chooseEncodings();
    void showApplied(const std::filesystem::path& path, const importing::AppliedEncodings& applied);
    void showList(const QString& title, const QStringList& lines);
    void cancelJobs();
    void showProblem(const base::Error& error, const QString& context, Mend mend);
    MessageBar::Remedy remedyFor(Mend mend);
    void chooseProject();
    void chooseSave();
    void saveProject();
    void newProject();
    void connectProject();
    void showOpened(const OpenedProject& project);
    void showUnsaved(const std::vector<UnsavedWork>& work);
    void openUnsaved(const UnsavedWork& work);
    void askUnsaved(const std::function<void()>& then);
    void saveLayout();
    void resetLayout();
    void exportEverything();
    void chooseReport();
    void remember(const QString& path);
    void fillRecent();
    void refreshActions();
    void refreshTitle();
    void refreshIcons();
    void askMemory(); ///< for what evaluations leave for each other
    void showAbout();
    void showModelCheck();
    void showEnergyModel();
    void showHelp(const QString& page);
    QString helpPage() const; ///< about what has the focus
    void changeEvent(QEvent* event) override;
    void restoreLayout();
    void shareWidth();
    void showDocks(bool on); ///< as they were when there was a model, or none

    std::unique_ptr<Session> m_session;
    std::unique_ptr<JobRunner> m_jobs;
    std::unique_ptr<Workbench> m_workbench;

    bool m_closing = false; ///< the question about unsaved work was answered
    std::function<void()> m_afterSaving; ///< what waits for the project to be saved
    bool m_docksShown = true;
    bool m_widthsShared = false; ///< docks have had their widths, or a person's
    bool m_dockWanted[2] = { true, true }; ///< layers and options, while neither is shown
    int m_room = 1; ///< how wide the window is, for the widths of the docks
    QStackedWidget* m_centre = nullptr;
    StartPage* m_start = nullptr;
    QTabWidget* m_pages = nullptr;
    DistributionsPage* m_distributions = nullptr;
    StudiesPage* m_studies = nullptr;
    OptionsStudyPage* m_optionsStudy = nullptr;
    SensitivityPage* m_sensitivity = nullptr;
    SearchPage* m_search = nullptr;
    QTabWidget* m_studyTabs = nullptr;
    RunsPage* m_runs = nullptr;
    FlipsPage* m_flips = nullptr;
    GraphPage* m_graph = nullptr;
    MessageBar* m_messages = nullptr;
    JobStrip* m_strip = nullptr;
    LayersView* m_layers = nullptr;
    OptionsPanel* m_options = nullptr;
    QDockWidget* m_layersDock = nullptr;
    QDockWidget* m_optionsDock = nullptr;
    AccuracyBadge* m_badge = nullptr;
    DataDialog* m_dataDialog = nullptr;
    ModelCheckDialog* m_modelCheck = nullptr;
    HelpWindow* m_help = nullptr;
    EnergyDialog* m_energyDialog = nullptr;
    QMenu* m_recentMenu = nullptr;

    QAction* m_openModel = nullptr;
    QAction* m_openData = nullptr;
    QAction* m_openSample = nullptr;
    QAction* m_openProject = nullptr;
    QAction* m_saveProject = nullptr;
    QAction* m_saveProjectAs = nullptr;
    QAction* m_newProject = nullptr;
    QAction* m_undo = nullptr;
    QAction* m_redo = nullptr;
    QAction* m_evaluate = nullptr;
    QAction* m_automatic = nullptr;
    QAction* m_study = nullptr;
    QAction* m_export = nullptr;
    QAction* m_applyEncodings = nullptr;
    QAction* m_cancel = nullptr;
    QAction* m_quit = nullptr;
    QAction* m_check = nullptr;
    QAction* m_energy = nullptr;
    QAction* m_exportVisible = nullptr;
    QAction* m_report = nullptr;
};

} // namespace quantoscope::ui
