// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// The page of runs: names, filter, two runs beside each other, and back to a plan.
#include <algorithm>

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QHeaderView>
#include <QTableView>
#include <QTest>

#include "tests/ui/fresh_start.h"
#include "tests/ui/session_fixture.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/models/run_comparison_model.h"
#include "ui/models/runs_model.h"
#include "ui/views/accuracy_badge.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/flips_page.h"
#include "ui/views/options_panel.h"
#include "ui/views/runs_page.h"
#include "ui/views/tensor_options.h"

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
        // The run of the current options is marked, not in bold type alone.
        QVERIFY(model->index(2, RunsModel::Number).data(RunsModel::CurrentRole).toBool());
        QCOMPARE(model->index(2, RunsModel::Number).data(Qt::AccessibleTextRole).toString(),
            QStringLiteral("3, the current options"));
        QCOMPARE(model->index(1, RunsModel::Number).data(Qt::AccessibleTextRole).toString(), QStringLiteral("2"));
        // Costs stand before the long texts.
        const QHeaderView* header = page->table()->horizontalHeader();
        for (const int cost : { RunsModel::Size, RunsModel::Energy })
            QVERIFY(header->visualIndex(cost) < header->visualIndex(RunsModel::Scope));
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
        const QHeaderView* compared = page->comparison()->horizontalHeader();
        for (const int column : { RunComparisonModel::WeightDifference, RunComparisonModel::ActivationDifference })
            QVERIFY2(compared->sectionViewportPosition(column) + compared->sectionSize(column)
                    <= page->comparison()->viewport()->width(),
                "the difference of the errors is in sight");
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

    /// Ranges and corrections are called the same wherever they are named, and no column says what another one says.
    void optionsAreCalledAsInThePanel()
    {
        planning::PlanRequest request = m_window->session().request();
        request.weights.bits = 5;
        request.weights.range = *quant::RangeSpec::parse("mse");
        request.activations.bits = 7;
        request.activations.range = *quant::RangeSpec::parse("percentile:99.9");
        request.activations.scheme = "asymmetric-power-of-two";
        request.corrections.bias = true;
        m_window->session().edit(request, QStringLiteral("words"), {});
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done
                && m_window->session().runs().back().weightBits == std::optional(5),
            patience);
        const QString words = QStringLiteral(
            "compute layers, weights symmetric per channel MSE, activations asymmetric, power of two per tensor "
            "percentile 99.9");
        auto* model = m_window->runs()->table()->model();
        const int row = model->rowCount() - 1;
        QCOMPARE(model->index(row, RunsModel::Scope).data().toString(), words);
        const QString tip = model->index(row, RunsModel::Scope).data(Qt::ToolTipRole).toString();
        QVERIFY2(
            tip.startsWith(QStringLiteral("W5 A7 ") + words + QStringLiteral(", bias-corrected\n")), qPrintable(tip));
        m_window->session().selectLayer(0);
        QVERIFY(says(m_window->distributions()->weights(), QStringLiteral("5 bits, symmetric, per channel, MSE")));
        QVERIFY(says(m_window->distributions()->activations(),
            QStringLiteral("7 bits, asymmetric, power of two, per tensor, percentile 99.9")));
        QVERIFY(m_window->findChild<AccuracyBadge*>()->toolTip().contains(QStringLiteral("W5 A7 ") + words));
        QVERIFY(m_window->options()->weights()->summary().endsWith(QStringLiteral("MSE")));
        bool listed = false;
        for (int i = 0; i < m_window->flips()->runs()->count(); ++i)
            listed = listed || m_window->flips()->runs()->itemData(i, Qt::ToolTipRole).toString().contains(words);
        QVERIFY(listed);
    }

    /// What somebody else said of a run stays as it is, in the same words.
    void aScopeThatWasNotMadeHereIsShownAsAWhole()
    {
        Session session;
        session.setModel(test::layersOnly(2));
        Run run = test::madeRun(10, 5, false);
        run.scope = QStringLiteral("W4 A8 compute, weights symmetric per channel mse, something else");
        session.addRun(run);
        const RunsModel model(session);
        QCOMPARE(model.index(0, RunsModel::Scope).data().toString(),
            QStringLiteral("W4 A8 compute layers, weights symmetric per channel MSE, something else"));
    }

private:
    static bool says(const QWidget* within, const QString& text)
    {
        const auto labels = within->findChildren<QLabel*>();
        return std::ranges::any_of(labels, [&](const QLabel* label) { return label->text().contains(text); });
    }

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
