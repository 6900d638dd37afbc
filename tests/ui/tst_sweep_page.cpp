// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// The page of word-lengths: lists, lines near float, the map with its lines of equal cost.
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>

#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/heat_chart.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/views/plan_panel.h"
#include "ui/views/studies_page.h"
#include "ui/views/study_charts.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

}

class TestSweepPage : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_sweep_page");
        m_project = std::make_unique<test::TinyProject>();
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openModel(m_project->modelPath());
        m_window->openData(m_project->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().runs().size() == 2, patience);
    }

    void cleanupTestCase() { m_window.reset(); }

    void linesNearFloat()
    {
        StudiesPage* page = m_window->studies();
        m_window->showPage(page);
        page->setSettings({ { 2, 3, 8 }, { 2, 8 } });
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        page->showNearFloat();
        SweepChart* chart = page->linesNearFloat();
        QVERIFY(chart->isVisible() && !page->lines()->isVisible());
        const auto& sweep = *m_window->session().sweep();
        const QCPRange shown = chart->yAxis->range();
        const double bottom = std::floor(chart->series().floatTop1.value_or(0)) - 5;
        QVERIFY2(shown.lower >= bottom, qPrintable(QString::number(shown.lower)));
        double worst = 100;
        for (const auto& point : sweep.points) {
            worst = std::min(worst, point.top1Interval.low);
            QVERIFY(shown.upper >= std::min(100.2, point.top1Interval.high));
        }
        QVERIFY2(shown.lower >= std::floor(worst), qPrintable(QString::number(worst)));
        // Points below are there for the keys.
        chart->setFocus();
        for (std::size_t i = 0; i < sweep.points.size(); ++i)
            QTest::keyClick(chart, i % 2 ? Qt::Key_Down : Qt::Key_Right, Qt::ControlModifier);
        QVERIFY(chart->current() && page->lines()->current() == chart->current());
        QVERIFY(page->plan()->isVisible());
        page->charts()->showOwn(page->lines());
        QVERIFY(page->lines()->isVisible());
    }

    void wordLengthsAreLists()
    {
        StudiesPage* page = m_window->studies();
        m_window->showPage(page);
        const SweepSettings lists { { 2, 4, 5, 6, 8, std::nullopt }, { 3, 8 } };
        page->setSettings(lists);
        QVERIFY(page->settings().weightBits == lists.weightBits);
        QVERIFY(page->settings().activationBits == lists.activationBits);
        const auto fields = page->findChildren<QLineEdit*>();
        const auto field = [&](const char* name) {
            return *std::ranges::find(fields, QString::fromLatin1(name), &QLineEdit::accessibleName);
        };
        QLineEdit* weights = field("Word-lengths of weights");
        QCOMPARE(weights->text(), QStringLiteral("2,4..6,8,float"));
        const auto said = [&](const char* text) {
            return std::ranges::any_of(page->findChildren<QLabel*>(), [&](const QLabel* label) {
                return label->isVisible() && label->text().contains(QString::fromUtf8(text));
            });
        };
        QVERIFY(said("12 points"));
        for (const char* wrong : { "", "1", "17", "2..", "8..2", "four" }) {
            weights->setText(QString::fromLatin1(wrong));
            QVERIFY2(!page->startButton()->isEnabled(), wrong);
            QVERIFY2(said("⚠") && !said("12 points"), wrong);
        }
        weights->setText(QStringLiteral("4, 8"));
        QVERIFY(page->startButton()->isEnabled());
        QTest::keyClick(weights, Qt::Key_Return);
        QVERIFY(m_window->workbench().running(Study::Sweep));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QCOMPARE(m_window->session().sweep()->points.size(), std::size_t { 4 });
        // A sweep that comes from elsewhere says what it was of; what is typed afterwards stays.
        auto other = std::make_shared<sweep::SweepResult>(*m_window->session().sweep());
        other->weightBits = { 3, 4, 5 };
        m_window->session().setSweep(other, m_window->session().sweepRequest());
        QCOMPARE(weights->text(), QStringLiteral("3..5"));
        weights->setText(QStringLiteral("7"));
        m_window->session().setSweep(std::make_shared<sweep::SweepResult>(*other), m_window->session().sweepRequest());
        QCOMPARE(weights->text(), QStringLiteral("7"));
    }

    void linesOfEqualCost()
    {
        StudiesPage* page = m_window->studies();
        m_window->showPage(page);
        page->setSettings({ { 2, 3, 4 }, { 2, 3, 4 } });
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        page->showMap();
        HeatChart* map = page->map();
        QVERIFY(map->isVisible());
        for (int i = 0; i < page->contourBox()->count(); ++i) {
            page->contourBox()->setCurrentIndex(i);
            // What a small network holds at once, or sums up, may not depend on its word-lengths.
            if (i <= 3)
                QCOMPARE(map->contours().empty(), i == 0);
            map->replot();
            // Numbers stand in the middle of cells; a label there would hide one.
            QCOMPARE(map->contourLabels().empty(), map->contours().empty());
            for (const QPointF& label : map->contourLabels()) {
                const double aside = std::abs(label.x() - std::round(label.x()));
                const double above = std::abs(label.y() - std::round(label.y()));
                QVERIFY2(std::max(aside, above) > 0.4, qPrintable(QStringLiteral("%1 %2").arg(aside).arg(above)));
            }
        }
        QTest::mouseClick(map, Qt::LeftButton, {}, map->pixelOf(4)->toPoint());
        QVERIFY(page->plan()->isVisible());
        QVERIFY(page->plan()->summary()->text().contains(QStringLiteral("W3 A3")));
        page->plan()->currentButton()->click();
        QCOMPARE(m_window->session().request().weights.bits, std::optional(3));
        QCOMPARE(m_window->session().request().activations.bits, std::optional(3));
        m_window->session().undoStack().undo();
    }

private:
    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestSweepPage)
#include "tst_sweep_page.moc"
