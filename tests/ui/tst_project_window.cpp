// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// The project in the window: saved, opened, resumed, shared, lost and found.
#include <QAbstractButton>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTest>

#include "core/graph/fingerprint.h"
#include "tests/support/deep_network.h"
#include "tests/ui/file_answer.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/held_study.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/session/work.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/options_panel.h"
#include "ui/views/start_page.h"
#include "ui/views/studies_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

}

class TestProjectWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_project_window");
        m_tiny = std::make_unique<test::TinyProject>();
    }

    void init()
    {
        QDir(unsaved()).removeRecursively();
        QFile::remove(file());
        m_window = makeWindow();
    }

    void cleanup() { m_window.reset(); }

    void everythingComesBack()
    {
        openBoth();
        setWeightBits(5);
        m_window->session().renameRun(2, QStringLiteral("five bits"));
        m_window->session().editBits({ 1 }, Operand::Activation, 4);
        waitForAccuracy();
        m_window->session().selectLayer(2);
        m_window->showPage(m_window->studies());
        sweep({ { 2, 3 }, { 3, 4 } });
        const auto points = m_window->session().sweep()->points;
        save();
        const planning::PlanRequest request = m_window->session().request();
        const double top1 = m_window->session().accuracy().top1;
        const auto runs = summary();
        QCOMPARE(runs.size(), 8); // the points of the sweep are runs too

        m_window = makeWindow();
        m_window->openProject(file());
        waitForAccuracy();
        QTRY_COMPARE_WITH_TIMEOUT(summary(), runs, patience);
        QVERIFY(m_window->session().request() == request);
        QCOMPARE(m_window->session().accuracy().top1, top1);
        QCOMPARE(m_window->session().selectedLayer(), 2);
        QCOMPARE(m_window->currentPage(), static_cast<QWidget*>(m_window->studies()));
        QVERIFY(!m_window->session().undoStack().canUndo());
        QVERIFY(m_window->windowTitle().contains(QStringLiteral("study.qscope")));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().sweep(), patience);
        const auto& again = m_window->session().sweep()->points;
        QVERIFY(m_window->session().sweep()->complete);
        QCOMPARE(again.size(), points.size());
        for (std::size_t i = 0; i < points.size(); ++i)
            QCOMPARE(again[i].top1, points[i].top1);
        QCOMPARE(m_window->studies()->lines()->series().lines.size(), std::size_t(2));
        // All of it was found, nothing was computed again.
        QCOMPARE(m_window->workbench().project().store()->current()->use().computed, std::int64_t(0));
        // Runs have what the other pages need of them.
        for (const Run& run : m_window->session().runs()) {
            QVERIFY(run.samples);
            QVERIFY(run.isFloat || (run.plan && run.graph && run.floatResult && run.againstFloat));
        }
    }

    void studiesOfLayersComeBack()
    {
        openBoth();
        m_window->workbench().startSensitivity({ { 2, 4 }, { 3 }, true });
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sensitivity), patience);
        SearchSettings settings { { 2, 4 }, { 4, 8 }, { sweep::Price::Size, 20 }, true };
        m_window->workbench().startSearch(settings);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Search), patience);
        const auto sensitivity = m_window->session().sensitivity();
        const auto search = m_window->session().search();
        QVERIFY(sensitivity->complete && search->complete && search->chosen);
        save();

        m_window = makeWindow();
        m_window->openProject(file());
        waitForAccuracy();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().sensitivity() && m_window->session().search(), patience);
        const auto& points = m_window->session().sensitivity()->points;
        QVERIFY(m_window->session().sensitivity()->complete);
        QCOMPARE(points.size(), sensitivity->points.size());
        for (std::size_t i = 0; i < points.size(); ++i)
            QCOMPARE(points[i].measured->top1, sensitivity->points[i].measured->top1);
        const auto& found = *m_window->session().search();
        QVERIFY(found.complete);
        QCOMPARE(found.points.size(), search->points.size());
        QCOMPARE(found.chosen, search->chosen);
        QVERIFY(found.points[*found.chosen].bits == search->points[*search->chosen].bits);
        QVERIFY(m_window->session().searchRequest() == m_window->session().request());
        QCOMPARE(m_window->workbench().project().store()->current()->use().computed, std::int64_t(0));
    }

    void whatIsShownIsInTheFile()
    {
        openBoth();
        save();
        setWeightBits(4);
        const auto project = project::Project::open(file().toStdString(), project::Mode::ReadOnly);
        QVERIFY(project.has_value());
        const auto results = (*project)->results();
        QCOMPARE(results->size(), std::size_t(3));
        QCOMPARE(results->back().top1, m_window->session().accuracy().top1);
        QVERIFY(results->back().scope.starts_with("W4"));
    }

    void aSecondWindowReadsAndSaysSo()
    {
        openBoth();
        save();
        const auto before = kept();
        const auto second = makeWindow();
        second->openProject(file());
        QTRY_VERIFY_WITH_TIMEOUT(second->session().accuracy().state == Accuracy::State::Done, patience);
        QVERIFY(second->windowTitle().contains(QStringLiteral("study.qscope (read-only)")));
        QVERIFY(second->messages()->text().contains(QStringLiteral("process")));
        second->options()->weightBits()->setBits(3);
        QTRY_COMPARE_WITH_TIMEOUT(second->session().runs().size(), before + 1, patience);
        QCOMPARE(kept(), before);
        QVERIFY(second->workbench().project().needsSaving());
        // Not over the file that another window writes to, but elsewhere.
        QSignalSpy problem(&second->workbench().project(), &ProjectFile::problem);
        second->workbench().project().saveAs(file().toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(problem.count(), 1, patience);
        const QString other = m_tiny->folder() + QStringLiteral("/other.qscope");
        QFile::remove(other);
        second->workbench().project().saveAs(other.toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(second->windowTitle().contains(QStringLiteral("other.qscope")), patience);
        QVERIFY(!second->windowTitle().contains(QStringLiteral("read-only")));
    }

    void workThatWasNotSavedIsOfferedAgain()
    {
        openBoth();
        setWeightBits(6);
        const auto scratch = m_window->workbench().project().store()->current()->path();
        m_window->workbench().project().saveNow();
        // What a kill would leave: the file as it is while the window is open.
        const QString left = unsaved() + QStringLiteral("/unsaved-1-0.qscope");
        for (const char* part : { "", "-wal" })
            QFile::copy(QString::fromStdString(scratch.string()) + QLatin1String(part), left + QLatin1String(part));
        const auto runs = summary();
        m_window = makeWindow();
        auto* recover
            = QTest::qWaitFor([this] { return button(tr("Recover")); }, patience) ? button(tr("Recover")) : nullptr;
        QVERIFY(recover);
        recover->click();
        waitForAccuracy();
        QTRY_COMPARE_WITH_TIMEOUT(summary(), runs, patience);
        QCOMPARE(m_window->session().request().weights.bits, std::optional(6));
        QVERIFY(m_window->workbench().project().needsSaving());
        save();
        QVERIFY(!QFile::exists(left));
    }

    void workOfNoWorthIsNotOffered()
    {
        openBoth();
        m_window->workbench().project().saveNow();
        QVERIFY(!m_window->workbench().project().needsSaving());
        const auto scratch
            = QString::fromStdString(m_window->workbench().project().store()->current()->path().string());
        QVERIFY(QFile::exists(scratch));
        QVERIFY(m_window->close());
        m_window.reset();
        QVERIFY(!QFile::exists(scratch));
    }

    void closingAsksAboutUnsavedWork_data()
    {
        QTest::addColumn<int>("answer");
        QTest::addColumn<bool>("closed");
        QTest::newRow("save") << int(QMessageBox::Save) << true;
        QTest::newRow("discard") << int(QMessageBox::Discard) << true;
        QTest::newRow("cancel") << int(QMessageBox::Cancel) << false;
    }

    void closingAsksAboutUnsavedWork()
    {
        QFETCH(int, answer);
        QFETCH(bool, closed);
        openBoth();
        setWeightBits(7);
        QVERIFY(!m_window->close());
        auto* question = m_window->findChild<QMessageBox*>(QStringLiteral("UnsavedQuestion"));
        QVERIFY(question);
        QVERIFY(question->text().contains(QStringLiteral("tiny.onnx")));
        if (answer == QMessageBox::Save)
            test::answerWithFile(file());
        question->button(static_cast<QMessageBox::StandardButton>(answer))->click();
        QTRY_COMPARE_WITH_TIMEOUT(!m_window->isVisible(), closed, patience);
        QCOMPARE(QFile::exists(file()), answer == QMessageBox::Save);
        if (answer == QMessageBox::Save)
            QCOMPARE(kept(), std::size_t(3));
    }

    void aSavedProjectIsNotAskedFor()
    {
        openBoth();
        setWeightBits(6);
        save();
        setWeightBits(5);
        QVERIFY(m_window->close());
        m_window = makeWindow();
        m_window->openProject(file());
        waitForAccuracy();
        QCOMPARE(m_window->session().request().weights.bits, std::optional(5));
    }

    void anInterruptedSweepGoesOn()
    {
        openBoth();
        save();
        m_window->studies()->setSettings({ { 2, 3, 4, 5, 6, 7, 8 }, { 2, 3, 4, 5, 6, 7, 8 } });
        m_window->studies()->startButton()->click();
        QVERIFY(test::holdWhen(
            m_window->jobs(), [this] { return m_window->session().sweep()->points.size() >= 3; }, patience));
        m_window->workbench().cancel(Study::Sweep);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        const std::size_t finished = m_window->session().sweep()->points.size();
        QVERIFY(!m_window->session().sweep()->complete);
        m_window->workbench().project().saveNow();
        m_window = makeWindow();
        m_window->openProject(file());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().sweep(), patience);
        QVERIFY(!m_window->session().sweep()->complete);
        QCOMPARE(m_window->session().sweep()->points.size(), finished);
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("interrupted")));
        auto* goOn = button(tr("Go on"));
        QVERIFY(goOn);
        const auto use = m_window->workbench().project().store()->current()->use();
        QCOMPARE(use.computed, std::int64_t(0));
        goOn->click();
        QVERIFY(m_window->workbench().running(Study::Sweep));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QVERIFY(m_window->session().sweep()->complete);
        QCOMPARE(m_window->session().sweep()->points.size(), std::size_t(49));
        QVERIFY(m_window->workbench().project().store()->current()->use().computed
            <= static_cast<std::int64_t>(49 - finished));
    }

    void aProjectOfTheCommandLineOpens()
    {
        const QString classes = m_tiny->folder() + QStringLiteral("/words.txt");
        QFile list(classes);
        QVERIFY(list.open(QIODevice::WriteOnly) && list.write("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n") == 20);
        list.close();
        {
            const auto project = project::Project::open(file().toStdString());
            QVERIFY(project.has_value());
            const auto model = loadModel(m_tiny->modelPath().toStdString());
            const auto data = loadData(m_tiny->dataRequest());
            QVERIFY(model && data);
            evaluation::EvaluationOptions options;
            options.store = *project;
            QVERIFY((*project)->addSource({ "model", (*model)->fingerprint, (*model)->path, {}, {} }).has_value());
            for (const auto& [role, samples] :
                { std::pair { "data", (*data)->evaluation }, std::pair { "calibration", (*data)->calibration } })
                QVERIFY((*project)
                            ->addSource({ role, samples->fingerprint(), samples->dataset()->path(), {},
                                { { "description", samples->description() },
                                    { "preprocessing", samples->preprocessing().toJson() },
                                    { "classes", role == std::string("data") ? classes.toStdString() : "" } } })
                            .has_value());
            planning::PlanRequest request;
            request.weights.bits = 3;
            request.activations.bits.reset();
            const auto network = flow::Quantizer((*model)->graph, nullptr).quantize(request);
            QVERIFY(network.has_value());
            QVERIFY(evaluation::evaluate(*(*model)->graph, {}, *(*data)->evaluation, options).has_value());
            QVERIFY(evaluation::evaluate(*(*model)->graph, *network->plan, *(*data)->evaluation, options).has_value());
        }
        m_window->openProject(file());
        waitForAccuracy();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().runs().size() >= 2, patience);
        QVERIFY(m_window->session().data());
        QCOMPARE(m_window->session().data()->request.calibrationPath, m_tiny->dataRequest().calibrationPath);
        QCOMPARE(m_window->session().data()->evaluation->dataset()->classNames().at(3), std::string("d"));
        const Run& run = m_window->session().runs()[1];
        QCOMPARE(run.weightBits, std::optional(3));
        QVERIFY(run.againstFloat.has_value());
        QCOMPARE(m_window->session().request().weights.bits, std::optional(3));
    }

    void aModelThatMovedIsFoundOrAskedFor()
    {
        openBoth();
        setWeightBits(6);
        save();
        const auto runs = summary();
        m_window = makeWindow();
        const QString moved = m_tiny->folder() + QStringLiteral("/elsewhere/moved.onnx");
        QDir(m_tiny->folder()).mkdir(QStringLiteral("elsewhere"));
        QVERIFY(QFile::rename(m_tiny->modelPath(), moved));
        m_window->openProject(file());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->messages()->text().contains(QStringLiteral("not there")), patience);
        QVERIFY(button(tr("Find the model…")));
        m_window->openModel(moved);
        waitForAccuracy();
        QTRY_COMPARE_WITH_TIMEOUT(summary(), runs, patience);
        QVERIFY(QFile::rename(moved, m_tiny->modelPath()));
    }

    void modelsOfAProjectAreAMenuApart()
    {
        openBoth();
        setWeightBits(6);
        save();
        const auto runs = summary();
        const auto models = [this]() -> QMenu* {
            for (QMenu* menu : m_window->findChildren<QMenu*>())
                if (menu->title() == tr("Mo&dels of the project")) {
                    emit qobject_cast<QMenu*>(menu->parentWidget())->aboutToShow();
                    return menu;
                }
            return nullptr;
        };
        QVERIFY(!models()->isEnabled()); // one is no choice
        const test::TinyProject deep(96, test::deepNetwork(2, 4, 32, 10));
        m_window->openModel(deep.modelPath());
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().model()->path.string(), deep.modelPath().toStdString(), patience);
        waitForAccuracy();
        QTRY_COMPARE_WITH_TIMEOUT(models()->actions().size(), 2, patience);
        QVERIFY(models()->isEnabled());
        for (QAction* entry : models()->actions())
            QCOMPARE(entry->isChecked(), entry->toolTip() == deep.modelPath());
        for (QAction* entry : models()->actions())
            if (entry->toolTip() == m_tiny->modelPath()) {
                entry->trigger();
                break;
            }
        QTRY_COMPARE_WITH_TIMEOUT(
            m_window->session().model()->path.string(), m_tiny->modelPath().toStdString(), patience);
        waitForAccuracy();
        QTRY_COMPARE_WITH_TIMEOUT(summary(), runs, patience);
        QCOMPARE(m_window->session().request().weights.bits, std::optional(6));
    }

    void whatIsNoProjectIsSaidInPlace()
    {
        openBoth();
        const QString path = m_tiny->folder() + QStringLiteral("/bad.qscope");
        QFile bad(path);
        QVERIFY(bad.open(QIODevice::WriteOnly));
        bad.write("this is no project");
        bad.close();
        m_window->openFile(path);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->messages()->text().contains(QStringLiteral("bad.qscope")), patience);
        QCOMPARE(m_window->session().model()->name, QStringLiteral("tiny.onnx"));
    }

    void closingTheProjectGivesTheStartPage()
    {
        openBoth();
        save();
        m_window->workbench().close();
        QVERIFY(!m_window->session().model());
        QVERIFY(!m_window->session().data());
        QVERIFY(!m_window->pages()->isVisible());
        QVERIFY(!m_window->windowTitle().contains(QStringLiteral("study")));
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis(), patience);
        QVERIFY(m_window->session().runs().empty());
    }

private:
    QString file() const { return m_tiny->folder() + QStringLiteral("/study.qscope"); }
    static QString unsaved() { return QString::fromStdString(ProjectFile::unsavedFolder().string()); }

    static std::unique_ptr<MainWindow> makeWindow()
    {
        auto window = std::make_unique<MainWindow>();
        window->resize(1280, 800);
        window->show();
        return window;
    }

    void openBoth()
    {
        m_window->openModel(m_tiny->modelPath());
        m_window->openData(m_tiny->dataRequest());
        waitForAccuracy();
    }

    void waitForAccuracy()
    {
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void setWeightBits(int bits)
    {
        const auto runs = m_window->session().runs().size();
        m_window->options()->weightBits()->setBits(bits);
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().runs().size(), runs + 1, patience);
    }

    void sweep(const SweepSettings& settings)
    {
        m_window->studies()->setSettings(settings);
        m_window->studies()->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
    }

    void save()
    {
        QSignalSpy saved(&m_window->workbench().project(), &ProjectFile::saved);
        m_window->workbench().project().saveAs(file().toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 1, patience);
        QVERIFY(!m_window->workbench().project().needsSaving());
    }

    /// How many results the file has.
    std::size_t kept() const
    {
        const auto project = project::Project::open(file().toStdString(), project::Mode::ReadOnly);
        return project ? (*project)->results()->size() : 0;
    }

    /// Every run in words.
    QStringList summary() const
    {
        QStringList lines;
        for (const Run& run : m_window->session().runs())
            lines << QStringLiteral("%1|%2|%3").arg(run.name, run.scope).arg(run.result->top1());
        return lines;
    }

    QAbstractButton* button(const QString& text) const
    {
        for (auto* candidate : m_window->findChildren<QAbstractButton*>())
            if (candidate->text() == text && candidate->isVisible())
                return candidate;
        return nullptr;
    }

    std::unique_ptr<test::TinyProject> m_tiny;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestProjectWindow)
#include "tst_project_window.moc"
