// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// One sitting of a person with the bundled sample, through what is on the screen alone: opened from the start page, a
// layer chosen, a handle dragged, the bits of five rows edited, evaluated, a sweep cancelled and another finished, a
// point of it made current and undone, exported, saved and opened again.
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "core/onnx_io/reader.h"
#include "tests/ui/file_answer.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/handles.h"
#include "ui/charts/distribution_chart.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/models/layers_model.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/export_dialog.h"
#include "ui/views/job_strip.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/plan_panel.h"
#include "ui/views/start_page.h"
#include "ui/views/studies_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 120'000;

} // namespace

class TestOneSession : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_one_session");
        QVERIFY(m_folder.isValid());
        if (!Workbench::sampleData() || !std::filesystem::exists(Workbench::sampleModel()))
            QSKIP("the sample or Fashion-MNIST is not installed");
        makeWindow();
    }
    void cleanupTestCase() { m_window.reset(); }

    void theSampleOpensFromTheStartPage()
    {
        auto* start = m_window->findChild<StartPage*>();
        QVERIFY(start && start->isVisible());
        QTest::mouseClick(buttonOf(start, QStringLiteral("Open the sample")), Qt::LeftButton);
        waitForAccuracy();
        QVERIFY(!start->isVisible());
        QCOMPARE(session().model()->layers.size(), std::size_t { 22 });
        QCOMPARE(session().accuracy().images, 10'000);
        QVERIFY(session().accuracy().top1 > 90);
    }

    void aLayerIsChosen()
    {
        QTableView* table = m_window->layers()->table();
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, cellAt(4, LayersModel::Name));
        QCOMPARE(session().selectedLayer(), 4);
        QVERIFY(m_window->distributions()->weights()->isVisible());
    }

    void aHandleIsDragged()
    {
        DistributionPanel* panel = m_window->distributions()->activations();
        DistributionChart* chart = panel->chart();
        const double before = chart->content().clip->high;
        const QString readout = panel->readout();
        const QPoint handle = test::handleOf(*chart, true);
        QTest::mousePress(chart, Qt::LeftButton, {}, handle);
        QTest::mouseMove(chart, handle - QPoint(40, 0));
        QVERIFY(panel->readout() != readout); // at once, while the hand is still there
        const std::size_t runs = session().runs().size();
        QTest::mouseRelease(chart, Qt::LeftButton, {}, handle - QPoint(40, 0));
        QVERIFY(chart->content().clip->high < before);
        QTRY_COMPARE_WITH_TIMEOUT(session().runs().size(), runs + 1, patience);
    }

    void theBitsOfFiveRowsAreEdited()
    {
        QTableView* table = m_window->layers()->table();
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, cellAt(6, LayersModel::WeightBits));
        QTest::mouseClick(table->viewport(), Qt::LeftButton, Qt::ShiftModifier, cellAt(10, LayersModel::WeightBits));
        QCOMPARE(table->selectionModel()->selectedRows().size(), 5);
        const std::size_t runs = session().runs().size();
        const int edits = session().undoStack().count();
        QTest::keyClick(table, Qt::Key_F2);
        auto* editor = table->findChild<BitsSpinBox*>();
        QVERIFY(editor);
        editor->selectAll();
        QTest::keyClicks(editor, QStringLiteral("4"));
        QTest::keyClick(editor, Qt::Key_Return);
        for (int row = 5; row < 12; ++row) {
            const bool edited = row >= 6 && row <= 10;
            QTRY_COMPARE(bitsIn(row), edited ? QStringLiteral("4*") : QStringLiteral("8"));
        }
        QCOMPARE(session().undoStack().count(), edits + 1); // one step for all five
        QTRY_COMPARE_WITH_TIMEOUT(session().runs().size(), runs + 1, patience);
        QVERIFY(session().runs().back().mixed);
    }

    void aSweepIsCancelled()
    {
        m_window->showPage(m_window->studies());
        QTest::mouseClick(m_window->studies()->startButton(), Qt::LeftButton);
        QVERIFY(m_window->workbench().running(Study::Sweep));
        QTRY_VERIFY_WITH_TIMEOUT(
            session().sweep() && !session().sweep()->points.empty(), patience); // results arrive while it runs
        QCOMPARE(m_window->studies()->startButton()->text(), QStringLiteral("Cancel"));
        auto* cancel = buttonOf(m_window->findChild<JobStrip*>(), QStringLiteral("Cancel"));
        QVERIFY(cancel && cancel->isVisible());
        QTest::mouseClick(cancel, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QVERIFY(!session().sweep()->complete);
        QVERIFY(!session().sweep()->points.empty()); // what was finished stays
        QCOMPARE(m_window->studies()->startButton()->text(), QStringLiteral("Start sweep"));
    }

    void aSweepIsFinishedAndAPointChosen()
    {
        StudiesPage* page = m_window->studies();
        page->setSettings({ { 2, 3 }, { 7, 8 } });
        QTest::mouseClick(page->startButton(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QVERIFY(session().sweep()->complete);
        QCOMPARE(session().sweep()->points.size(), std::size_t { 4 });
        page->lines()->replot();
        QTest::mouseClick(page->lines(), Qt::LeftButton, {}, page->lines()->pixelOf(0)->toPoint());
        QVERIFY(page->plan()->isVisible());
        const int edits = session().undoStack().index();
        QTest::mouseClick(page->plan()->currentButton(), Qt::LeftButton);
        QCOMPARE(*session().request().weights.bits, 2);
        QTest::keyClick(m_window.get(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(session().undoStack().index(), edits);
        QCOMPARE(*session().request().weights.bits, 8);
        QCOMPARE(bitsIn(6), QStringLiteral("4*")); // the five rows are as they were
        waitForAccuracy();
    }

    void theModelIsExported()
    {
        const QString file = m_folder.filePath(QStringLiteral("exported.onnx"));
        QTest::keyClick(m_window.get(), Qt::Key_E, Qt::ControlModifier);
        auto* dialog = m_window->findChild<ExportDialog*>();
        QVERIFY(dialog && dialog->isVisible());
        test::answerWithFile(file);
        QSignalSpy exported(&m_window->workbench(), &Workbench::exported);
        QTest::mouseClick(buttonOf(dialog, QStringLiteral("&Export…")), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(exported.count(), 1, patience);
        QVERIFY(onnx_io::readModel(file.toStdString()).has_value());
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("exported.onnx")));
    }

    void theProjectIsSavedAndOpenedAgain()
    {
        const QString file = m_folder.filePath(QStringLiteral("sitting.qscope"));
        m_window->activateWindow(); // behind the dialog of the export it may not be
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        test::answerWithFile(file);
        QSignalSpy saved(&m_window->workbench().project(), &ProjectFile::saved);
        QTest::keyClick(m_window.get(), Qt::Key_S, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 1, patience);
        const planning::PlanRequest request = session().request();
        const std::size_t runs = session().runs().size();
        const double top1 = session().accuracy().top1;
        m_window->workbench().close();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs().idle(), patience);

        makeWindow();
        m_window->openProject(file);
        waitForAccuracy();
        QVERIFY(session().request() == request);
        QCOMPARE(session().runs().size(), runs);
        QCOMPARE(session().accuracy().top1, top1);
        QCOMPARE(bitsIn(6), QStringLiteral("4*"));
        QTRY_VERIFY_WITH_TIMEOUT(session().sweep(), patience);
        QCOMPARE(session().sweep()->points.size(), std::size_t { 4 });
    }

private:
    Session& session() { return m_window->session(); }

    void makeWindow()
    {
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }

    void waitForAccuracy() { QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done, patience); }

    QPoint cellAt(int row, int column) const
    {
        QTableView* table = m_window->layers()->table();
        return table->visualRect(table->model()->index(row, column)).center();
    }
    QString bitsIn(int row) const
    {
        return m_window->layers()->table()->model()->index(row, LayersModel::WeightBits).data().toString();
    }

    static QAbstractButton* buttonOf(QWidget* within, const QString& text)
    {
        for (auto* button : within->findChildren<QAbstractButton*>())
            if (button->isVisible() && (button->text() == text || button->accessibleName().startsWith(text)))
                return button;
        return nullptr;
    }

    QTemporaryDir m_folder;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestOneSession)
#include "tst_one_session.moc"
