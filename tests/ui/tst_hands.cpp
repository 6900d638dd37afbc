// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// What hands do that plans do not foresee: a handle dragged past the other one, a chart dragged away, an undo while a
// field has the keys, letters that are no word-length.
#include <algorithm>
#include <cmath>

#include <QDoubleSpinBox>
#include <QScopeGuard>
#include <QTableView>
#include <QTest>
#include <QToolTip>

#include "tests/ui/fresh_start.h"
#include "tests/ui/handles.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/distribution_chart.h"
#include "ui/main_window.h"
#include "ui/models/layers_model.h"
#include "ui/models/runs_model.h"
#include "ui/session/work.h"
#include "ui/views/appearance.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/options_panel.h"
#include "ui/views/plan_panel.h"
#include "ui/views/runs_page.h"
#include "ui/views/sensitivity_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

/// Relative luminance, as WCAG 2 has it.
double luminance(const QColor& color)
{
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

double contrast(const QColor& a, const QColor& b)
{
    const double one = luminance(a);
    const double other = luminance(b);
    return (std::max(one, other) + 0.05) / (std::min(one, other) + 0.05);
}

}

class TestHands : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::freshStart("tst_hands"); }

    void init()
    {
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openModel(m_tiny.modelPath());
        m_window->openData(m_tiny.dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    }

    void cleanup() { m_window.reset(); }

    void aHandleStopsAtTheOther_data()
    {
        QTest::addColumn<bool>("weights");
        QTest::addColumn<bool>("high");
        QTest::newRow("upper end of weights") << true << true;
        QTest::newRow("lower end of weights") << true << false;
        QTest::newRow("upper end of activations") << false << true;
    }

    void aHandleStopsAtTheOther()
    {
        QFETCH(bool, weights);
        QFETCH(bool, high);
        DistributionPanel* panel
            = weights ? m_window->distributions()->weights() : m_window->distributions()->activations();
        DistributionChart* chart = panel->chart();
        const double width = chart->content().clip->high - chart->content().clip->low;
        const QPoint from = test::handleOf(*chart, high);
        const QRect area = chart->axisRect()->rect();
        QTest::mousePress(chart, Qt::LeftButton, {}, from);
        QTest::mouseMove(chart, QPoint(high ? area.left() + 1 : area.right() - 1, from.y()));
        const Span clip = *chart->content().clip;
        QVERIFY2(clip.high > clip.low, qPrintable(QStringLiteral("%1 to %2").arg(clip.low).arg(clip.high)));
        QVERIFY(clip.high - clip.low < 0.1 * width);
        QTest::mouseRelease(chart, Qt::LeftButton, {}, QPoint(high ? area.left() + 1 : area.right() - 1, from.y()));
        const QString layer = m_window->session().selectedLayerInfo()->name;
        const auto range
            = manualRange(m_window->session().request(), layer, weights ? Operand::Weight : Operand::Activation);
        QVERIFY(range && range->high > range->low);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void endsAreBroughtIntoSight()
    {
        DistributionChart* chart = m_window->distributions()->weights()->chart();
        const auto inSight = [&] {
            const Span clip = *chart->content().clip;
            return chart->xAxis->range().contains(clip.low) && chart->xAxis->range().contains(clip.high);
        };
        QVERIFY(inSight());
        // Of few bits the lower end lies a step farther out than any value.
        m_window->options()->weightBits()->setBits(2);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QVERIFY2(inSight(), qPrintable(QString::number(chart->content().clip->low)));
        const QPoint handle = test::handleOf(*chart, true);
        const QPoint beyond(chart->width() - 1, handle.y());
        QTest::mousePress(chart, Qt::LeftButton, {}, handle);
        QTest::mouseMove(chart, beyond);
        QTest::mouseRelease(chart, Qt::LeftButton, {}, beyond);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        QTRY_VERIFY(inSight());
        // Somebody who zoomed stays there.
        chart->xAxis->setRange(-0.01, 0.01);
        m_window->options()->weightBits()->setBits(4);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QCOMPARE(chart->xAxis->range().upper, 0.01);
    }

    void aChartCannotBeDraggedAway()
    {
        DistributionChart* chart = m_window->distributions()->weights()->chart();
        chart->resetView();
        const QCPRange home = chart->xAxis->range();
        const QRect area = chart->axisRect()->rect();
        for (int round = 0; round < 5; ++round) {
            const QPoint from(area.center().x() + 40, area.top() + 20);
            QTest::mousePress(chart, Qt::LeftButton, {}, from);
            for (int step = 1; step <= 4; ++step)
                QTest::mouseMove(chart, from - QPoint(step * 50, 0));
            QTest::mouseRelease(chart, Qt::LeftButton, {}, from - QPoint(200, 0));
        }
        const QCPRange shown = chart->xAxis->range();
        QVERIFY(shown.lower > home.lower);
        QVERIFY2(shown.lower < home.upper - 0.05 * home.size(), qPrintable(QString::number(shown.lower)));
        QVERIFY(std::abs(shown.size() - home.size()) < 1e-6 * home.size());
        chart->resetView();
        QCOMPARE(chart->xAxis->range(), home);
    }

    void undoWorksFromWithinANumber()
    {
        BitsSpinBox* box = m_window->options()->weightBits();
        const auto bits = [&] { return m_window->session().request().weights.bits; };
        box->setFocus();
        QTest::keyClick(box, Qt::Key_Down);
        QTest::keyClick(box, Qt::Key_Down);
        QCOMPARE(bits(), std::optional(6));
        QTest::keyClick(box, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(bits(), std::optional(8));
        QCOMPARE(box->bits(), std::optional(8));
        QTest::keyClick(box, Qt::Key_Y, Qt::ControlModifier);
        QCOMPARE(bits(), std::optional(6));
        box->selectAll();
        QTest::keyClicks(box, QStringLiteral("5"));
        QTest::keyClick(box, Qt::Key_Return);
        QCOMPARE(bits(), std::optional(5));
        QTest::keyClick(box, Qt::Key_Z, Qt::ControlModifier);
        QVERIFY(bits() != std::optional(5));
    }

    void chosenLayersGoBackToTheOptionsOfAll()
    {
        QTableView* table = m_window->layers()->table();
        m_window->session().editBits({ 0, 1, 2 }, Operand::Weight, 4);
        m_window->session().editRange(1, Operand::Weight, quant::RangeSpec { .method = quant::RangeSpec::Method::Mse });
        m_window->session().editBits({ 1 }, Operand::Activation, 5);
        QCOMPARE(m_window->session().request().overrides.size(), std::size_t(3));
        table->setFocus();
        table->selectionModel()->setCurrentIndex(table->model()->index(1, LayersModel::Name),
            QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        QTest::keyClick(table, Qt::Key_Delete);
        const auto& overrides = m_window->session().request().overrides;
        QCOMPARE(overrides.size(), std::size_t(2));
        const std::string gone = m_window->session().model()->layers[1].name.toStdString();
        QVERIFY(std::ranges::none_of(overrides, [&](const auto& own) { return own.pattern == gone; }));
        QCOMPARE(table->model()->index(1, LayersModel::ActivationBits).data().toString(), QStringLiteral("8"));
        m_window->session().undoStack().undo();
        QCOMPARE(m_window->session().request().overrides.size(), std::size_t(3));
    }

    void aRunIsRenamedFromTheNameItHas()
    {
        QTRY_COMPARE(m_window->session().runs().size(), std::size_t(2));
        m_window->showPage(m_window->runs());
        QTableView* table = m_window->runs()->table();
        const QModelIndex cell = table->model()->index(1, RunsModel::Name);
        QCOMPARE(cell.data(Qt::EditRole).toString(), QStringLiteral("W8 A8"));
        // Left as it was it is no name.
        QVERIFY(table->model()->setData(cell, QStringLiteral("W8 A8")));
        QVERIFY(m_window->session().runs()[1].name.isEmpty());
        QVERIFY(table->model()->setData(cell, QStringLiteral("before")));
        QCOMPARE(cell.data(Qt::EditRole).toString(), QStringLiteral("before"));
    }

    void longNamesDoNotWidenTheWindow()
    {
        const QString name(120, QLatin1Char('n'));
        const int before = m_window->minimumSizeHint().width();
        m_window->messages()->showError(
            { ErrorCode::NotFound, "there is no such file", name.toStdString(), "look" }, name);
        QVERIFY(m_window->messages()->isVisible());
        m_window->showPage(m_window->sensitivity());
        m_window->sensitivity()->plan()->showPoint(name, nullptr);
        QVERIFY(m_window->sensitivity()->plan()->isVisible());
        QTest::qWait(50);
        QVERIFY2(m_window->minimumSizeHint().width() <= std::max(before, 1024),
            qPrintable(QString::number(m_window->minimumSizeHint().width())));
    }

    void lettersStayTheFieldsOwn()
    {
        auto* low = m_window->distributions()->weights()->findChild<QDoubleSpinBox*>();
        QVERIFY(low);
        const int edits = m_window->session().undoStack().count();
        low->setFocus();
        low->selectAll();
        QTest::keyClicks(low, QStringLiteral("-0.1"));
        QTest::keyClick(low, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(m_window->session().undoStack().count(), edits);
        QVERIFY(low->text() != QStringLiteral("-0.1"));
    }

    void whatIsNoWordLengthIsSaid_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::newRow("too many") << "99";
        QTest::newRow("too few") << "1\n";
        QTest::newRow("no number") << "x";
    }

    void whatIsNoWordLengthIsSaid()
    {
        QFETCH(QString, typed);
        QTableView* table = m_window->layers()->table();
        const QModelIndex cell = table->model()->index(0, LayersModel::WeightBits);
        table->setCurrentIndex(cell);
        table->edit(cell);
        auto* editor = table->findChild<BitsSpinBox*>();
        QVERIFY(editor);
        QToolTip::hideText();
        editor->selectAll();
        for (const QChar letter : typed)
            if (letter == QLatin1Char('\n'))
                QTest::keyClick(editor, Qt::Key_Return);
            else
                QTest::keyClick(editor, letter.toLatin1());
        QTRY_VERIFY2(QToolTip::text().contains(QStringLiteral("2 to 16")), qPrintable(QToolTip::text()));
        QTest::keyClick(editor, Qt::Key_Escape);
        QToolTip::hideText();
    }

    void lessImportantTextCanBeRead_data()
    {
        QTest::addColumn<Appearance>("appearance");
        QTest::newRow("system") << Appearance::System;
        QTest::newRow("light") << Appearance::Light;
        QTest::newRow("dark") << Appearance::Dark;
    }

    void lessImportantTextCanBeRead()
    {
        QFETCH(Appearance, appearance);
        applyAppearance(appearance);
        const auto back = qScopeGuard([] { applyAppearance(Appearance::System); });
        const QPalette palette = QApplication::palette();
        const double ratio = contrast(
            palette.color(QPalette::Disabled, QPalette::WindowText), palette.color(QPalette::Active, QPalette::Window));
        QVERIFY2(ratio >= 4.5, qPrintable(QString::number(ratio))); // WCAG 2, AA
    }

private:
    const test::TinyProject m_tiny { 96 };
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestHands)
#include "tst_hands.moc"
