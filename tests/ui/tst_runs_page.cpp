// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// The page of runs: names, filter, two runs beside each other, and back to a plan.
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QTest>

#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/models/run_comparison_model.h"
#include "ui/models/runs_model.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/options_panel.h"
#include "ui/views/runs_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

}

class TestRunsPage : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_runs_page");
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
    }

    void cleanupTestCase() { m_window.reset(); }

    void runsAreNamedAndComparedLayerByLayer()
    {
        openBoth();
        setWeightBits(3);
        RunsPage* page = m_window->runs();
        m_window->showPage(page);
        auto* model = page->table()->model();
        QVERIFY(model->setData(model->index(2, RunsModel::Name), QStringLiteral("three")));
        QCOMPARE(m_window->session().runs()[2].name, QStringLiteral("three"));
        m_window->session().undoStack().undo();
        QCOMPARE(m_window->session().runs()[2].name, QString());
        m_window->session().undoStack().redo();
        page->filter()->setText(QStringLiteral("three"));
        QCOMPARE(model->rowCount(), 1);
        page->filter()->clear();
        page->table()->selectAll();
        QVERIFY(!page->compareButton()->isEnabled()); // three are not two
        page->table()->selectRow(2);
        page->compareButton()->click();
        const auto ready
            = [this] { return m_window->session().runComparison() && m_window->session().runComparison()->images > 0; };
        QTRY_VERIFY_WITH_TIMEOUT(ready(), patience);
        QVERIFY(page->comparison()->isVisible());
        auto* layers = page->comparison()->model();
        QCOMPARE(layers->rowCount(), 3);
        QCOMPARE(layers->index(0, RunComparisonModel::FirstWeightBits).data().toString(), QStringLiteral("8"));
        QCOMPARE(layers->index(0, RunComparisonModel::SecondWeightBits).data().toString(), QStringLiteral("3"));
        // Five bits fewer are about 30 dB.
        const double difference
            = layers->index(0, RunComparisonModel::WeightDifference).data(RunComparisonModel::SortRole).toDouble();
        QVERIFY2(difference < -20 && difference > -40, QByteArray::number(difference));
        page->comparison()->selectRow(1);
        QCOMPARE(m_window->session().selectedLayer(), 1);
        // Against float there is nothing to measure on one side.
        page->table()->selectionModel()->clear();
        page->table()->setCurrentIndex(model->index(0, 0));
        page->table()->selectRow(1);
        page->compareButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(ready(), patience);
        QCOMPARE(layers->index(0, RunComparisonModel::FirstWeightSqnr).data().toString(), QStringLiteral("–"));
        // And back to that plan.
        page->table()->selectRow(1);
        page->restoreButton()->click();
        QCOMPARE(m_window->session().request().weights.bits, std::optional(8));
    }

private:
    void openBoth()
    {
        m_window->openModel(m_tiny.modelPath());
        m_window->openData(m_tiny.dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void setWeightBits(int bits)
    {
        const auto runs = m_window->session().runs().size();
        m_window->options()->weightBits()->setBits(bits);
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().runs().size(), runs + 1, patience);
    }

    test::TinyProject m_tiny;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestRunsPage)
#include "tst_runs_page.moc"
