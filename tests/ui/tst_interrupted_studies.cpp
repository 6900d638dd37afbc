// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// Studies that wait, are cancelled, or closed with their window: what is said, and that they go on.
#include <algorithm>

#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>
#include <QThread>

#include "tests/ui/fresh_start.h"
#include "tests/ui/held_study.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/views/interrupted_study.h"
#include "ui/views/job_strip.h"
#include "ui/views/options_study_page.h"
#include "ui/views/search_page.h"
#include "ui/views/sensitivity_page.h"
#include "ui/views/studies_page.h"
#include "ui/views/study_charts.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

}

class TestInterruptedStudies : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_interrupted_studies");
        m_project = std::make_unique<test::TinyProject>();
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openModel(m_project->modelPath());
        m_window->openData(m_project->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void cleanupTestCase() { m_window.reset(); }

    void whatWaitsSaysForWhat_data()
    {
        QTest::addColumn<int>("study");
        QTest::newRow("sweep") << int(Study::Sweep);
        QTest::newRow("options") << int(Study::Options);
        QTest::newRow("sensitivity") << int(Study::Sensitivity);
        QTest::newRow("search") << int(Study::Search);
    }

    void whatWaitsSaysForWhat()
    {
        QFETCH(int, study);
        chooseLittle();
        const auto waiting = static_cast<Study>(study);
        const Study before = waiting == Study::Sensitivity ? Study::Sweep : Study::Sensitivity;
        const QString title
            = before == Study::Sweep ? QStringLiteral("“Sweep”") : QStringLiteral("“Sensitivity of layers”");
        // Nothing of the first can be finished before events are handled again.
        start(before);
        start(waiting);
        QVERIFY(m_window->workbench().running(waiting));
        const StudyCharts* charts = chartsOf(waiting);
        QVERIFY2(charts->currentChart()->message().contains(title), qPrintable(charts->currentChart()->message()));
        QVERIFY(charts->currentChart()->message().startsWith(QStringLiteral("Waiting for")));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(before), patience);
        if (m_window->workbench().running(waiting))
            QVERIFY(!charts->currentChart()->message().startsWith(QStringLiteral("Waiting for")));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(waiting), patience);
    }

    void aCancelledStudyGoesOn_data() { whatWaitsSaysForWhat_data(); }

    void aCancelledStudyGoesOn()
    {
        QFETCH(int, study);
        const auto wanted = static_cast<Study>(study);
        const Study before = wanted == Study::Sensitivity ? Study::Sweep : Study::Sensitivity;
        const InterruptedStudy* row = rowOf(wanted);
        m_window->resize(1024, 700);
        m_window->showPage(row->parentWidget());
        QVERIFY(!row->isVisible());
        start(before);
        start(wanted);
        QVERIFY(!row->isVisible()); // it is about to run
        m_window->workbench().cancel(wanted);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(before), patience);
        QVERIFY(row->isVisible());
        QCOMPARE(row->text()->text(), QStringLiteral("Cancelled before the first point"));
        QTest::qWait(20);
        QVERIFY(m_window->minimumSizeHint().height() <= 700);
        QCOMPARE(m_window->size(), QSize(1024, 700));
        row->button()->click();
        QVERIFY(m_window->workbench().running(wanted) && !row->isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(wanted), patience);
        QVERIFY(!row->isVisible());
        QVERIFY(!m_window->workbench().interruption(wanted));
        m_window->resize(1280, 800);
    }

    void theButtonThatStartsCancels_data() { whatWaitsSaysForWhat_data(); }

    void theButtonThatStartsCancels()
    {
        QFETCH(int, study);
        const auto wanted = static_cast<Study>(study);
        chooseLittle();
        m_window->studies()->setSettings(
            { { 2, 3, 4, 5, 6, 7, 8, 9 }, { 2, 3, 4, 5, 6, 7, 8, 9 } }); // not over at once
        QPushButton* button = buttonOf(wanted);
        InterruptedStudy* row = rowOf(wanted);
        m_window->showPage(row->parentWidget());
        const QString start = button->text();
        const QString tip = button->toolTip();
        const JobId blocker = block();
        const auto unblock = qScopeGuard([&] { m_window->jobs().cancel(blocker); });
        const auto isStart
            = [&] { return button->text() == start && button->accessibleName() == start && button->toolTip() == tip; };
        const auto isCancel = [&] {
            return button->text() == QStringLiteral("Cancel") && button->isEnabled()
                && button->accessibleName().startsWith(QStringLiteral("Cancel the "))
                && button->toolTip().contains(QStringLiteral("what is finished stays"));
        };
        QVERIFY(isStart());
        button->setFocus();
        const int width = button->width();
        QTest::keyClick(button, Qt::Key_Space);
        QVERIFY(m_window->workbench().running(wanted) && isCancel()); // it waits
        QTest::qWait(20);
        QVERIFY(button->width() >= width); // and what stands beside it stays where it was
        QTest::keyClick(button, Qt::Key_Space);
        QVERIFY(!m_window->workbench().running(wanted) && isStart());

        // The keyboard stays where the study can be stopped when it goes on.
        QVERIFY(row->isVisible());
        row->button()->setFocus();
        QTest::keyClick(row->button(), Qt::Key_Space);
        QVERIFY(m_window->workbench().running(wanted) && isCancel() && !row->isVisible());
        QVERIFY(button->hasFocus());
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(!m_window->workbench().running(wanted) && isStart() && row->isVisible());

        // Whoever clicks twice means once: the second press comes as a double-click.
        QTest::mouseClick(button, Qt::LeftButton);
        QTest::mouseDClick(button, Qt::LeftButton);
        QTest::mouseRelease(button, Qt::LeftButton);
        QVERIFY(m_window->workbench().running(wanted) && isCancel());
        // Held as soon as it runs: so little is done in no time.
        JobRunner& jobs = m_window->jobs();
        const QObject holder;
        bool held = false;
        connect(&jobs, &JobRunner::changed, &holder, [&] {
            const auto running = jobs.running(Lane::Study);
            if (!held && running && running->id != blocker) {
                held = true;
                jobs.setPaused(Lane::Study, true);
            }
        });
        jobs.cancel(blocker);
        QTRY_VERIFY_WITH_TIMEOUT(held && m_window->workbench().waitsFor(wanted).isEmpty(), patience);
        QVERIFY(m_window->workbench().running(wanted) && isCancel()); // it runs
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(button->text(), QStringLiteral("Stopping…"));
        QVERIFY(button->isEnabled() && button->accessibleName().startsWith(QStringLiteral("Cancel")));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(wanted), patience);
        QVERIFY(isStart());
    }

    void aCancelledSweepSaysHowFarItCame()
    {
        StudiesPage* page = m_window->studies();
        m_window->showPage(page);
        page->setSettings({ { 2, 3, 4, 5, 6, 7, 8, std::nullopt }, { 2, 3, 4, 5, 6, 7, 8, std::nullopt } });
        page->startButton()->click();
        QVERIFY(test::holdWhen(
            m_window->jobs(), [this] { return !m_window->session().sweep()->points.empty(); }, patience));
        // Axes are those of what was asked for from the first point on.
        QCOMPARE(page->lines()->series().ticks.size(), std::size_t(8));
        QCOMPARE(page->lines()->series().lines.size(), std::size_t(8));
        m_window->workbench().cancel(Study::Sweep);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        const auto& sweep = *m_window->session().sweep();
        QVERIFY(!sweep.complete && !sweep.points.empty());
        QCOMPARE(page->interrupted()->text()->text(),
            QStringLiteral("Cancelled after %1 of 64 points").arg(sweep.points.size()));
        page->interrupted()->button()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QVERIFY(m_window->session().sweep()->complete && !page->interrupted()->isVisible());
        QCOMPARE(m_window->session().sweep()->points.size(), std::size_t(64));
    }

    void aWindowClosedInTheMiddleOfASweepKeepsIt()
    {
        const QString path = m_project->folder() + QStringLiteral("/study.qscope");
        QSignalSpy saved(&m_window->workbench().project(), &ProjectFile::saved);
        m_window->workbench().project().saveAs(path.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 1, patience);
        // Others than those of the sweep before, which are known.
        m_window->studies()->setSettings({ { 9, 10, 11, 12, 13, 14 }, { 9, 10, 11, 12, 13, 14 } });
        m_window->studies()->startButton()->click();
        QVERIFY(test::holdWhen(
            m_window->jobs(), [this] { return m_window->session().sweep()->points.size() >= 2; }, patience));
        const std::size_t finished = m_window->session().sweep()->points.size();
        QVERIFY(m_window->close()); // without a question
        QVERIFY(!m_window->findChild<QMessageBox*>(QStringLiteral("UnsavedQuestion")));
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openProject(path);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().sweep(), patience);
        const auto kept = m_window->session().sweep();
        QVERIFY(kept->points.size() >= finished && !kept->complete);
        QCOMPARE(m_window->studies()->lines()->series().ticks.size(), std::size_t(6));
        const InterruptedStudy* row = m_window->studies()->interrupted();
        m_window->showPage(m_window->studies());
        QVERIFY(row->isVisible());
        QCOMPARE(row->text()->text(), QStringLiteral("Interrupted after %1 of 36 points").arg(kept->points.size()));
        row->button()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QVERIFY(m_window->session().sweep()->complete && !row->isVisible());
        QCOMPARE(m_window->session().sweep()->points.size(), std::size_t(36));
    }

    void aJobIsNamedOnce_data()
    {
        QTest::addColumn<QString>("title");
        QTest::addColumn<QString>("stage");
        QTest::addColumn<QString>("shown");
        QTest::newRow("preparing") << "Sensitivity of layers"
                                   << "Preparing the sensitivity of layers"
                                   << "Preparing the sensitivity of layers";
        QTest::newRow("running") << "Sensitivity of layers"
                                 << "Sensitivity of 42 tensors"
                                 << "Sensitivity of 42 tensors";
        QTest::newRow("sweep") << "Sweep"
                               << "Sweep {2..8} x {2..8}"
                               << "Sweep {2..8} x {2..8}";
        QTest::newRow("another word") << "Comparing options"
                                      << "Calibrating"
                                      << "Comparing options: Calibrating";
    }

    void aJobIsNamedOnce()
    {
        QFETCH(QString, title);
        QFETCH(QString, stage);
        QFETCH(QString, shown);
        JobRunner jobs;
        JobStrip strip(jobs);
        strip.setVisible(true);
        const JobId id = jobs.start<int>(
            { title, Lane::Study, {} },
            [stage](const base::Job& job) -> Result<int> {
                job.begin(stage.toStdString(), 0, "steps");
                while (!job.stopRequested())
                    QThread::msleep(1);
                return 1;
            },
            [](const Result<int>&) {});
        const auto says = [&] {
            const auto labels = strip.findChildren<QLabel*>();
            return std::ranges::any_of(
                labels, [&](const QLabel* label) { return label->isVisible() && label->text() == shown; });
        };
        QTRY_VERIFY_WITH_TIMEOUT(says(), patience);
        jobs.cancel(id);
    }

private:
    void start(Study study)
    {
        QPushButton* button = buttonOf(study);
        QVERIFY(button->isEnabled());
        button->click();
        QVERIFY(m_window->workbench().running(study));
    }

    /// Studies that are finished soon.
    void chooseLittle()
    {
        m_window->studies()->setSettings({ { 4 }, { 4, 8 } });
        m_window->sensitivity()->measureBox()->setChecked(false);
        for (QLineEdit* bits : { m_window->sensitivity()->weightBits(), m_window->search()->weightBits(),
                 m_window->search()->activationBits() })
            bits->setText(QStringLiteral("2,4"));
    }

    const StudyCharts* chartsOf(Study study)
    {
        return study == Study::Sweep      ? m_window->studies()->charts()
            : study == Study::Options     ? m_window->optionsStudy()->charts()
            : study == Study::Sensitivity ? m_window->sensitivity()->charts()
                                          : m_window->search()->charts();
    }

    QPushButton* buttonOf(Study study)
    {
        return study == Study::Sweep      ? m_window->studies()->startButton()
            : study == Study::Options     ? m_window->optionsStudy()->startButton()
            : study == Study::Sensitivity ? m_window->sensitivity()->startButton()
                                          : m_window->search()->startButton();
    }

    /// Keeps studies waiting until it is cancelled.
    JobId block()
    {
        return m_window->jobs().start<int>(
            { QStringLiteral("Blocker"), Lane::Study, {} },
            [](const base::Job& job) -> Result<int> {
                while (!job.stopRequested())
                    QThread::msleep(1);
                return 1;
            },
            [](const Result<int>&) {});
    }

    InterruptedStudy* rowOf(Study study)
    {
        return study == Study::Sweep      ? m_window->studies()->interrupted()
            : study == Study::Options     ? m_window->optionsStudy()->interrupted()
            : study == Study::Sensitivity ? m_window->sensitivity()->interrupted()
                                          : m_window->search()->interrupted();
    }

    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestInterruptedStudies)
#include "tst_interrupted_studies.moc"
