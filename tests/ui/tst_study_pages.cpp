// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// Sensitivity, search and the map of a sweep, through the widgets a person uses.
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTableView>
#include <QTest>
#include <QToolButton>

#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/cost_chart.h"
#include "ui/charts/cost_words.h"
#include "ui/charts/pareto_chart.h"
#include "ui/charts/sensitivity_chart.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/session/work.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/plan_panel.h"
#include "ui/views/search_page.h"
#include "ui/views/sensitivity_page.h"
#include "ui/views/studies_page.h"
#include "ui/views/study_charts.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

}

class TestStudyPages : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_study_pages");
        m_project = std::make_unique<test::TinyProject>();
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
    }

    void cleanupTestCase() { m_window.reset(); }

    void nothingToStartWithoutImages()
    {
        QVERIFY(!m_window->sensitivity()->startButton()->isEnabled());
        QVERIFY(!m_window->search()->startButton()->isEnabled());
        QVERIFY(m_window->sensitivity()->chart()->message().contains(QStringLiteral("images")));
        m_window->openModel(m_project->modelPath());
        m_window->openData(m_project->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().runs().size() == 2, patience);
        QVERIFY(m_window->sensitivity()->startButton()->isEnabled());
        QVERIFY(m_window->search()->startButton()->isEnabled());
    }

    void wrongWordLengthsAreSaidInPlace_data()
    {
        QTest::addColumn<QString>("bits");
        QTest::newRow("words") << QStringLiteral("many");
        QTest::newRow("too few") << QStringLiteral("1");
        QTest::newRow("too many") << QStringLiteral("4..99");
        QTest::newRow("float") << QStringLiteral("4,float");
    }

    void wrongWordLengthsAreSaidInPlace()
    {
        QFETCH(QString, bits);
        SensitivityPage* page = m_window->sensitivity();
        const QString good = page->weightBits()->text();
        page->weightBits()->setText(bits);
        QVERIFY(!page->startButton()->isEnabled());
        QVERIFY(page->workload()->text().startsWith(QStringLiteral("⚠")));
        page->weightBits()->setText(good);
        QVERIFY(page->startButton()->isEnabled());
        m_window->search()->activationBits()->setText(bits);
        QVERIFY(!m_window->search()->startButton()->isEnabled());
        m_window->search()->activationBits()->setText(QStringLiteral("2..8"));
    }

    void sensitivityComesInAndIsClickable()
    {
        SensitivityPage* page = m_window->sensitivity();
        m_window->showPage(page);
        QVERIFY(page->isVisible());
        page->weightBits()->setText(QStringLiteral("2,4"));
        page->activationBits()->setText(QStringLiteral("3"));
        QVERIFY(page->workload()->text().startsWith(QStringLiteral("9 points")));
        QSignalSpy changes(&m_window->session(), &Session::sensitivityChanged);
        page->startButton()->click();
        QCOMPARE(page->startButton()->text(), QStringLiteral("Cancel"));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sensitivity), patience);
        // Each point on its own, and the end.
        QVERIFY(changes.size() >= 9);
        const auto& study = m_window->session().sensitivity();
        QVERIFY(study->complete);
        QCOMPARE(study->points.size(), std::size_t { 9 });
        QVERIFY(study->points[0].measured.has_value());
        SensitivityChart* chart = page->chart();
        QCOMPARE(chart->series().lines.size(), std::size_t { 8 });
        QVERIFY(chart->message().isEmpty());
        chart->replot();

        // The line of conv2's weight at 2 bits: on its bar, which begins at zero.
        std::size_t wanted = 0;
        for (std::size_t i = 0; i < study->points.size(); ++i) {
            const auto& unit = study->units[study->points[i].unit];
            if (unit.role == quant::Role::Weight && unit.name.find("conv2") != std::string::npos
                && study->points[i].bits == 2)
                wanted = i;
        }
        const QPointF end = *chart->pixelOf(wanted);
        QVERIFY(!page->plan()->isVisible());
        QTest::mouseClick(chart, Qt::LeftButton, {}, QPoint(chart->axisRect()->right() - 2, static_cast<int>(end.y())));
        QVERIFY(page->plan()->isVisible());
        QVERIFY(page->plan()->summary()->text().contains(QStringLiteral("conv2")));
        QCOMPARE(m_window->session().selectedLayer(), 1);
    }

    void sensitivityCanBeTaken()
    {
        SensitivityPage* page = m_window->sensitivity();
        const int bits = page->plan()->summary()->text().contains(QStringLiteral("2 bits")) ? 2 : 4;
        const auto before = m_window->session().request();
        page->plan()->otherButton()->click();
        QCOMPARE(m_window->layers()->table()->model()->index(1, LayersModel::WeightBits).data().toString(),
            QStringLiteral("%1*").arg(bits));
        QCOMPARE(m_window->session().request().weights.bits, before.weights.bits);
        m_window->session().undoStack().undo();
        QVERIFY(m_window->session().request() == before);
        page->plan()->currentButton()->click();
        QVERIFY(!m_window->session().request().weights.bits);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        const auto& layers = m_window->session().currentAnalysis()->layers;
        QVERIFY(layers[1].weight && layers[1].weight->config.bits == bits);
        QVERIFY(!layers[0].weight && !layers[2].weight);
        for (const auto& layer : layers)
            QVERIFY(!layer.activation);
        m_window->session().undoStack().undo();
        QVERIFY(m_window->session().request() == before);
    }

    void layersAreColouredBySensitivity()
    {
        m_window->session().setMeasure(Measure::Sensitivity);
        int coloured = 0;
        for (int row = 0; row < 3; ++row)
            coloured += m_window->layers()
                            ->table()
                            ->model()
                            ->index(row, LayersModel::Number)
                            .data(LayersModel::MeasureRole)
                            .isValid();
        QCOMPARE(coloured, 3);
        QVERIFY(m_window->layers()->table()->model()->index(0, LayersModel::Sensitivity).data().toString()
            != QStringLiteral("–"));
        m_window->session().setMeasure(Measure::None);
    }

    void mostHarmfulFirst()
    {
        SensitivityPage* page = m_window->sensitivity();
        page->orderBox()->setCurrentIndex(1);
        const auto& series = page->chart()->series();
        const auto& study = m_window->session().sensitivity();
        std::vector<double> last;
        for (const auto& line : series.lines) {
            std::vector<double> lost; // by word-length, the fewest first
            for (const auto& point : study->points)
                if (!line.heading && point.unit == line.unit)
                    lost.push_back(-point.measured->againstFloat.delta);
            QVERIFY(line.heading || last.empty() || lost <= last);
            last = lost;
        }
        page->orderBox()->setCurrentIndex(0);
    }

    void estimatesWithoutLabels()
    {
        SensitivityPage* page = m_window->sensitivity();
        page->measureBox()->setChecked(false);
        page->activationBits()->clear();
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sensitivity), patience);
        const auto& study = m_window->session().sensitivity();
        QCOMPARE(study->points.size(), std::size_t { 6 });
        QVERIFY(!study->points[0].measured);
        QVERIFY(page->chart()->series().valueTitle.contains(QStringLiteral("nat")));
    }

    void aSearchFindsAMix()
    {
        SearchPage* page = m_window->search();
        m_window->showPage(page);
        page->budgetBox()->setCurrentIndex(0);
        page->limitBox()->setValue(14);
        page->weightBits()->setText(QStringLiteral("2,4,8"));
        page->activationBits()->setText(QStringLiteral("4,8"));
        QSignalSpy changes(&m_window->session(), &Session::searchChanged);
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Search), patience);
        const auto& search = m_window->session().search();
        QVERIFY(search && search->complete);
        QVERIFY(changes.size() >= static_cast<qsizetype>(search->points.size()));
        QVERIFY(search->chosen.has_value());
        QVERIFY2(page->answer()->text().startsWith(QStringLiteral("Best within size 14 % of float: top-1 ")),
            qPrintable(page->answer()->text()));
        ParetoChart* chart = page->chart();
        chart->replot();
        const std::size_t chosen = *search->chosen;
        QTest::mouseClick(chart, Qt::LeftButton, {}, chart->pixelOf(chosen)->toPoint());
        QVERIFY(page->plan()->isVisible());
        const auto place = [page] { return page->plan()->planButton()->mapToGlobal(QPoint()); };
        QTest::qWait(20);
        const QPoint before = place();
        page->plan()->planButton()->click();
        QVERIFY(page->plan()->table()->isVisible());
        QCOMPARE(page->plan()->table()->model()->rowCount(), 3);
        // The table opens without moving the button from under the pointer.
        QTest::qWait(20);
        QCOMPARE(place(), before);
    }

    void ownWordLengthsAreSaidOfAPoint()
    {
        StudiesPage* page = m_window->studies();
        m_window->showPage(page);
        m_window->session().editBits({ 1 }, Operand::Weight, 5);
        page->setSettings({ { 4 }, { 3, 8 } });
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        page->charts()->showOwn(page->lines());
        page->lines()->replot();
        QTest::mouseClick(page->lines(), Qt::LeftButton, {}, page->lines()->pixelOf(0)->toPoint());
        QVERIFY2(page->plan()->summary()->text().contains(QStringLiteral("W4 A3 mixed (1 layer)")),
            qPrintable(page->plan()->summary()->text()));
        m_window->session().undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void theMixCanBeTaken()
    {
        const auto& search = m_window->session().search();
        const std::size_t chosen = *search->chosen;
        const auto before = m_window->session().request();
        m_window->workbench().makeSearchPointCurrent(chosen);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        // What is planned here is what was measured there.
        const auto& model = *m_window->session().model();
        for (std::size_t i = 0; i < model.layers.size(); ++i) {
            const auto& layer = m_window->session().currentAnalysis()->layers[i];
            const auto* weight = search->points[chosen].plan->find(model.layers[i].weightTensor);
            const auto* input = search->points[chosen].plan->find(model.layers[i].inputTensor);
            QVERIFY(weight && layer.weight && layer.weight->encoding == weight->encoding);
            QVERIFY(input && layer.activation && layer.activation->encoding == input->encoding);
        }
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QCOMPARE(m_window->session().accuracy().top1, search->points[chosen].top1);
        m_window->session().undoStack().undo();
        QVERIFY(m_window->session().request() == before);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void aBudgetThatBuysNothingIsSaid()
    {
        SearchPage* page = m_window->search();
        page->limitBox()->setValue(0.1);
        page->uniformBox()->setChecked(false);
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Search), patience);
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("budget")));
        QVERIFY(page->startButton()->isEnabled());
    }

    void searchingCanBeCancelled()
    {
        SearchPage* page = m_window->search();
        page->limitBox()->setValue(50);
        page->weightBits()->setText(QStringLiteral("2..16"));
        page->activationBits()->setText(QStringLiteral("2..16"));
        page->uniformBox()->setChecked(true);
        page->startButton()->click();
        QCOMPARE(page->startButton()->text(), QStringLiteral("Cancel"));
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Search), patience);
        QCOMPARE(page->startButton()->text(), QStringLiteral("Search"));
    }

    void studiesKeepToTheHardware()
    {
        const auto& profiles = quant::builtInProfiles();
        const auto int8 = std::ranges::find(profiles, "generic-int8", &quant::HardwareProfile::name);
        QVERIFY(int8 != profiles.end());
        m_window->session().chooseProfile(*int8);
        SearchPage* page = m_window->search();
        page->uniformBox()->setChecked(false);
        page->limitBox()->setValue(50);
        page->weightBits()->setText(QStringLiteral("2,4"));
        QTRY_VERIFY_WITH_TIMEOUT(page->startButton()->isEnabled(), patience);
        page->startButton()->click();
        QVERIFY(!m_window->workbench().running(Study::Search));
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("Nothing was started")));
        page->weightBits()->setText(QStringLiteral("4,8"));
        page->activationBits()->setText(QStringLiteral("4,8"));
        page->startButton()->click();
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("left out")));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Search), patience);
        const auto& search = m_window->session().search();
        QVERIFY(search && search->complete && !search->points.empty());
        for (const auto& point : search->points)
            for (const int bits : point.bits)
                QCOMPARE(bits, 8);
        m_window->session().undoStack().undo();
        QVERIFY(m_window->session().profile().name != int8->name);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    void anyCostCanBeTheAxis_data()
    {
        QTest::addColumn<QString>("page");
        for (const char* page : { "sweep", "sensitivity", "search" })
            QTest::newRow(page) << page;
    }

    void anyCostCanBeTheAxis()
    {
        QFETCH(QString, page);
        StudyCharts* charts = m_window->studies()->charts();
        QWidget* shown = m_window->studies();
        const PlanPanel* plan = m_window->studies()->plan();
        std::size_t points = m_window->session().sweep()->points.size();
        if (page == QStringLiteral("sensitivity")) {
            charts = m_window->sensitivity()->charts();
            shown = m_window->sensitivity();
            plan = m_window->sensitivity()->plan();
            // The last one measured nothing.
            m_window->sensitivity()->measureBox()->setChecked(true);
            m_window->sensitivity()->startButton()->click();
            QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sensitivity), patience);
            points = m_window->session().sensitivity()->points.size();
        } else if (page == QStringLiteral("search")) {
            charts = m_window->search()->charts();
            shown = m_window->search();
            plan = m_window->search()->plan();
            points = m_window->session().search()->points.size();
        }
        m_window->showPage(shown);
        QVERIFY(!charts->showsCosts());
        for (const auto metric : { cost::Metric::Size, cost::Metric::Energy }) {
            charts->showCost(metric);
            QVERIFY(charts->showsCosts() && charts->costChart()->isVisible());
            QVERIFY(charts->currentChart() == charts->costChart());
            QVERIFY(charts->costChart()->series().metric == metric);
            std::size_t drawn = 0;
            for (const auto& group : charts->costChart()->series().groups)
                drawn += group.points.size();
            QCOMPARE(drawn, points);
            QCOMPARE(charts->costChart()->message(), QString());
        }
        charts->costChart()->replot();
        const auto& first = charts->costChart()->series().front.front();
        QTest::mouseClick(
            charts->costChart(), Qt::LeftButton, {}, charts->costChart()->pixelOf(first.index)->toPoint());
        QVERIFY(plan->isVisible());
        charts->box()->setCurrentIndex(0);
        QVERIFY(!charts->costChart()->isVisible() && charts->currentChart()->isVisible());
    }

    void theReportHasThem()
    {
        m_window->studies()->setSettings({ { 2, 3, 4 }, { 3, 4 } });
        m_window->studies()->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("report.html"));
        QSignalSpy reported(&m_window->workbench(), &Workbench::reported);
        m_window->workbench().writeReport(path.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(reported.size(), 1, patience);
        QVERIFY(reported[0][1].value<qsizetype>() >= 3);
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray page = file.readAll();
        for (const char* title : { "Word-lengths: ", "Sensitivity of each layer: ", "Mixed word-lengths: " })
            QVERIFY2(page.contains(title), title);
        QVERIFY(page.contains(m_project->modelPath().toUtf8())); // where it comes from
        QTRY_VERIFY(m_window->messages()->text().contains(QStringLiteral("report.html")));
        // A study again takes the place of the same one.
        const auto before = reported[0][1].value<qsizetype>();
        m_window->studies()->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        m_window->workbench().writeReport(path.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(reported.size(), 2, patience);
        QCOMPARE(reported[1][1].value<qsizetype>(), before);
        // What cannot be written is said.
        m_window->workbench().writeReport(folder.filePath(QStringLiteral("no/such/report.html")).toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(
            m_window->messages()->text().contains(QStringLiteral("The report was not written")), patience);
    }

    void anotherModelForgetsThem()
    {
        m_window->openModel(m_project->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->session().search() && !m_window->session().sensitivity(), patience);
        QVERIFY(!m_window->search()->plan()->isVisible());
        QVERIFY(!m_window->sensitivity()->plan()->isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

private:
    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestStudyPages)
#include "tst_study_pages.moc"
