// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// Corrections, the best flow and the comparison of options in the window, on a small network that really runs.
#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

#include "core/graph/shape_inference.h"
#include "core/onnx_io/reader.h"
#include "tests/support/graph_builder.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/session_fixture.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/chart_exporter.h"
#include "ui/charts/options_chart.h"
#include "ui/main_window.h"
#include "ui/models/layers_model.h"
#include "ui/models/options_model.h"
#include "ui/models/runs_model.h"
#include "ui/views/accuracy_badge.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/corrections_panel.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/message_bar.h"
#include "ui/views/options_panel.h"
#include "ui/views/options_study_page.h"
#include "ui/views/plan_panel.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

/// A network whose batch normalisation can become part of the weights before it.
graph::Graph normalizedNet()
{
    test::GraphBuilder builder;
    const auto image = builder.input("image", { graph::Dim::named("batch"), 3, 32, 32 });
    const auto weight = builder.constant("conv.weight", test::normalTensor({ 8, 3, 3, 3 }, 1, 0.3));
    const auto conv = builder.node("Conv", { image, weight }, "conv", { { "pads", test::Ints { 1, 1, 1, 1 } } });
    std::vector<float> variances, scales;
    for (int c = 0; c < 8; ++c) {
        variances.push_back(0.5F + 0.3F * static_cast<float>(c));
        scales.push_back(0.6F + 0.2F * static_cast<float>(c));
    }
    const auto normal = builder.node("BatchNormalization",
        { conv, builder.constant("scale", Tensor::from<float>({ 8 }, scales)),
            builder.constant("shift", test::normalTensor({ 8 }, 2, 0.2)),
            builder.constant("mean", test::normalTensor({ 8 }, 3, 0.2)),
            builder.constant("variance", Tensor::from<float>({ 8 }, variances)) },
        "normal");
    const auto flat = builder.node("Flatten",
        { builder.node("GlobalAveragePool", { builder.node("Relu", { normal }, "relu") }, "pool") }, "flat",
        { { "axis", std::int64_t { 1 } } });
    builder.output(builder.node("Gemm",
        { flat, builder.constant("logits.weight", test::normalTensor({ 10, 8 }, 4, 2.0)),
            builder.constant("logits.bias", test::normalTensor({ 10 }, 5, 0.5)) },
        "logits", { { "transB", std::int64_t { 1 } } }));
    [[maybe_unused]] const auto inferred = graph::inferShapes(builder.graph());
    assert(inferred.has_value());
    return builder.graph();
}

sweep::StudyRow madeRow(const std::vector<bool>& right, std::optional<int> weightBits)
{
    sweep::StudyRow row;
    row.request.weights.bits = weightBits;
    row.weights = "symmetric per channel, mse";
    row.activations = "asymmetric, min-max";
    row.corrections = "none";
    row.images = static_cast<std::int64_t>(right.size());
    std::int64_t correct = 0;
    for (const bool is : right) {
        row.predictions.push_back({ is ? 1 : 0, 1, true, 0, 0 });
        correct += is;
    }
    row.top1 = 100.0 * static_cast<double>(correct) / static_cast<double>(right.size());
    const auto interval = evaluation::wilson(correct, row.images);
    row.top1Interval = { 100 * interval.low, 100 * interval.high };
    return row;
}

}

class TestCorrectionsWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_corrections_window");
        m_project = std::make_unique<test::TinyProject>();
    }

    void init()
    {
        QSettings().clear();
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
    }

    void cleanup() { m_window.reset(); }

    void correctionsAreAppliedEvaluatedAndReported()
    {
        openBoth();
        m_window->options()->weightBits()->setBits(3);
        settle();
        CorrectionsPanel* panel = m_window->options()->corrections();
        panel->box("bias-correction")->click();
        panel->box("gain-correction")->click();
        settle();
        const auto corrected = session().currentCorrected();
        QVERIFY(corrected);
        QCOMPARE(corrected->network.corrections.size(), std::size_t(2));
        for (const char* word : { "bias-correction", "gain-correction" }) {
            const auto* outcome = findOutcome(corrected->network.corrections, word);
            QVERIFY(outcome);
            QVERIFY(panel->outcome(word)->isVisible());
            QVERIFY(panel->outcome(word)->text().startsWith(outcomeMark(*outcome)));
        }
        const Run& run = session().runs().back();
        QCOMPARE(run.corrections.size(), std::size_t(2));
        QVERIFY(m_window->badge()->toolTip().contains(QStringLiteral("bias correction")));
        RunsModel runs(session());
        const QString cell = runs.index(runs.rowCount() - 1, RunsModel::Corrections).data().toString();
        QVERIFY2(cell.contains(QStringLiteral("correction")), qPrintable(cell));
        QVERIFY(m_window->messages()->text().isEmpty());
    }

    void foldingOfBatchNormalisationIsUndone()
    {
        const test::TinyProject normalized(48, normalizedNet());
        m_window->openModel(normalized.modelPath());
        m_window->openData(normalized.dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done, patience);
        session().editBits({ 0 }, Operand::Weight, 3);
        settle();
        const LoadedModelPtr folded = session().model();
        const planning::PlanRequest request = session().request();
        const std::size_t runs = session().runs().size();
        const double top1 = session().accuracy().top1;
        QCheckBox* box = m_window->options()->corrections()->foldBatchNorm();
        QVERIFY(folded->foldBatchNorm && box->isChecked());

        box->click();
        QTRY_VERIFY_WITH_TIMEOUT(!session().model()->foldBatchNorm, patience);
        QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done, patience);
        QVERIFY(!box->isChecked());
        QVERIFY(session().request().overrides.empty());
        QVERIFY(session().model()->graph->nodes().size() > folded->graph->nodes().size());
        const std::size_t apart = session().runs().size();
        QVERIFY(session().undoStack().undoText().contains(QStringLiteral("batch norm")));

        session().undoStack().undo();
        QCOMPARE(session().model(), folded);
        QVERIFY(box->isChecked());
        QVERIFY(session().request() == request);
        QCOMPARE(session().runs().size(), runs);
        settle();
        QCOMPARE(session().accuracy().top1, top1);
        session().undoStack().redo();
        QVERIFY(!session().model()->foldBatchNorm);
        QVERIFY(session().runs().size() >= apart);
        QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done, patience);
        session().undoStack().undo();
        session().undoStack().undo(); // the edit before it can be undone as well
        QVERIFY(session().request().overrides.empty());
    }

    void foldingIsUndoneAndRedoneInHaste_data()
    {
        QTest::addColumn<int>("pause");
        for (const int pause : { 0, 10, 40, 70, 150 })
            QTest::addRow("%d ms apart", pause) << pause;
    }

    void foldingIsUndoneAndRedoneInHaste()
    {
        QFETCH(int, pause);
        const test::TinyProject normalized(48, normalizedNet());
        m_window->openModel(normalized.modelPath());
        m_window->openData(normalized.dataRequest());
        m_window->options()->weightBits()->setBits(3);
        QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done, patience);
        settle();
        const double folded = session().accuracy().top1;
        const quant::PlanPtr plan = session().currentAnalysis()->plan;
        m_window->options()->corrections()->foldBatchNorm()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!session().model()->foldBatchNorm, patience);
        settle();
        // At no moment is anything shown that was found with the other network.
        QStringList strange;
        const QObject watcher; // goes with what it writes to
        connect(&session(), &Session::runsChanged, &watcher, [&] {
            for (const Run& run : session().runs())
                if (run.key.graph != session().model()->graphFingerprint)
                    strange << run.scope;
        });
        connect(&session(), &Session::analysisChanged, &watcher, [&] {
            if (!session().analysis())
                return;
            for (const auto& [name, quantizer] : session().analysis()->plan->tensors())
                if (session().model()->foldBatchNorm && !plan->find(name))
                    strange << QString::fromStdString(name);
        });
        for (int i = 0; i < 4; ++i) {
            QTest::qWait(pause);
            session().undoStack().undo();
            QTest::qWait(pause);
            session().undoStack().redo();
        }
        session().undoStack().undo();
        QVERIFY(session().model()->foldBatchNorm);
        QTRY_VERIFY2_WITH_TIMEOUT(
            session().accuracy().state == Accuracy::State::Done, qPrintable(m_window->messages()->text()), patience);
        QCOMPARE(session().accuracy().images, 48);
        QCOMPARE(session().accuracy().top1, folded);
        // Ranges are those of this network, not of the one in between.
        settle();
        const auto& tensors = session().currentAnalysis()->plan->tensors();
        QCOMPARE(tensors.size(), plan->tensors().size());
        for (const auto& [name, quantizer] : tensors)
            QVERIFY2(plan->find(name) && plan->find(name)->encoding == quantizer.encoding, name.c_str());
        QVERIFY2(strange.isEmpty(), qPrintable(strange.join(QStringLiteral("; "))));
    }

    void whatIsExportedIsCorrected()
    {
        openBoth();
        m_window->options()->weightBits()->setBits(3);
        m_window->options()->corrections()->box("bias-correction")->click();
        settle();
        const auto corrected = session().currentCorrected();
        QVERIFY(corrected && corrected->network.corrections.front().kept);
        const std::filesystem::path path = (m_project->folder() + QStringLiteral("/corrected.onnx")).toStdString();
        std::optional<exporting::ExportReport> report;
        connect(&m_window->workbench(), &Workbench::exported, this, [&](const auto& r) { report = r; });
        m_window->workbench().exportPlan(path);
        QTRY_VERIFY_WITH_TIMEOUT(report.has_value(), patience);
        QCOMPARE(report->agreement, 100.0);
        QCOMPARE(report->reloadTop1, session().runs().back().result->top1());
    }

    void theErrorsOfTheLayersAreMeasured()
    {
        openBoth();
        QTRY_VERIFY_WITH_TIMEOUT(session().currentErrors(), patience);
        LayersModel layers(session());
        for (const int column : { LayersModel::ActivationTotal, LayersModel::ActivationOwn, LayersModel::WeightClipped,
                 LayersModel::AccumulatorWorst, LayersModel::AccumulatorSeen })
            QVERIFY2(layers.index(1, column).data().toString() != QStringLiteral("–"),
                qPrintable(layers.headerData(column, Qt::Horizontal).toString()));
        const double worst = layers.index(1, LayersModel::AccumulatorWorst).data(LayersModel::SortRole).toDouble();
        const double seen = layers.index(1, LayersModel::AccumulatorSeen).data(LayersModel::SortRole).toDouble();
        QVERIFY(seen <= worst && seen > 1);
        m_window->options()->weightBits()->setBits(5);
        QVERIFY2(!session().currentErrors(), "errors of another plan are not shown");
    }

    void rangesSayHowSureTheyAre()
    {
        openBoth();
        session().selectLayer(1);
        QTRY_VERIFY_WITH_TIMEOUT(session().currentConfidence(), patience);
        DistributionChart* chart = m_window->distributions()->activations()->chart();
        QVERIFY(chart->band(true).has_value());
        const double end = chart->content().clip->high;
        QVERIFY(chart->band(true)->low <= end * 1.001 && chart->band(true)->high >= end * 0.999);
        QVERIFY(m_window->distributions()->activations()->readout().contains(QStringLiteral("rounding")));
        QVERIFY(!m_window->distributions()->weights()->chart()->band(true));
    }

    void bestFlowBecomesCurrentAndCanBeUndone()
    {
        openBoth();
        m_window->options()->weightBits()->setBits(3);
        settle();
        const planning::PlanRequest before = session().request();
        CorrectionsPanel* panel = m_window->options()->corrections();
        panel->findBest()->click();
        QVERIFY(m_window->workbench().running(Study::BestFlow));
        QVERIFY(panel->findBest()->text().contains(QStringLiteral("Cancel")));
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::BestFlow), patience);
        QVERIFY2(m_window->messages()->text().isEmpty(), qPrintable(m_window->messages()->text()));
        QVERIFY(session().bestFlow());
        QCOMPARE(session().request(), session().bestFlow()->request);
        QCOMPARE(session().request().weights.bits, std::optional(3));
        QVERIFY(panel->reasons()->isVisible());
        settle();
        QCOMPARE(session().runs().back().request, session().request());
        session().undoStack().undo();
        QCOMPARE(session().request(), before);
        QVERIFY(!panel->reasons()->isVisible());
    }

    void theSearchCanBeCancelled()
    {
        openBoth();
        const planning::PlanRequest before = session().request();
        QPushButton* button = m_window->options()->corrections()->findBest();
        button->click();
        button->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::BestFlow), patience);
        QCOMPARE(session().request(), before);
        QVERIFY(m_window->messages()->text().isEmpty());
        QVERIFY(button->isEnabled());
    }

    void optionsAreComparedFromEndToEnd()
    {
        openBoth();
        OptionsStudyPage* page = showStudy();
        StudyChoices choices;
        choices.weightBits = QStringLiteral("2,3");
        choices.activationBits = QStringLiteral("8");
        choices.weightRanges = QStringList { QStringLiteral("min-max"), QStringLiteral("mse") };
        choices.weightGranularities = QStringList { QStringLiteral("tensor"), QStringLiteral("channel") };
        page->setChoices(choices);
        QVERIFY2(page->workload()->text().contains(QStringLiteral("8 points")), qPrintable(page->workload()->text()));
        QVERIFY(page->workload()->text().contains(QStringLiteral("about")));
        QAbstractItemModelTester tester(page->table()->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Options), patience);
        const auto& study = session().optionsStudy();
        QVERIFY(study && study->complete);
        QCOMPARE(study->rows.size(), std::size_t(8));
        QCOMPARE(page->table()->model()->rowCount(), 8);
        QCOMPARE(page->chart()->series().rows.size(), std::size_t(8));
        QCOMPARE(page->chart()->series().headings.size(), std::size_t(2));

        page->chart()->replot();
        QTest::mouseClick(page->chart(), Qt::LeftButton, {}, page->chart()->pixelOf(1)->toPoint());
        QVERIFY(page->details()->text().contains(QStringLiteral("Rank 2")));
        QCOMPARE(page->plan()->table()->model()->rowCount(), static_cast<int>(session().model()->layers.size()));
        // What the open table shows is not told in short as well.
        page->plan()->showPoint(QStringLiteral("what"), session().currentAnalysis()->plan, QStringLiteral("in short"));
        page->plan()->planButton()->setChecked(false);
        QVERIFY(page->plan()->summary()->text().contains(QStringLiteral("in short")));
        page->plan()->planButton()->setChecked(true);
        QCOMPARE(page->plan()->summary()->text(), QStringLiteral("what"));
        QCOMPARE(page->table()->currentIndex().row(), 1);
        page->currentButton()->click();
        QCOMPARE(session().request(), study->rows[1].request);
        QVERIFY(session().undoStack().canUndo());
        checkExports(*page->chart());
    }

    void aComparisonCanBeCancelled()
    {
        openBoth();
        OptionsStudyPage* page = showStudy();
        StudyChoices choices;
        choices.weightBits = QStringLiteral("2..8");
        choices.activationBits = QStringLiteral("2..8");
        choices.weightRanges = QStringList { QStringLiteral("min-max"), QStringLiteral("mse"), QStringLiteral("aciq") };
        page->setChoices(choices);
        page->startButton()->click();
        QVERIFY(m_window->workbench().running(Study::Options));
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Options), patience);
        QVERIFY(session().optionsStudy()->rows.size() < 147);
        QVERIFY2(m_window->messages()->text().isEmpty(), qPrintable(m_window->messages()->text()));
        QVERIFY(page->startButton()->isEnabled());
    }

    void errorsStandInPlace()
    {
        openBoth();
        OptionsStudyPage* page = showStudy();
        StudyChoices choices;
        choices.weightBits = QStringLiteral("4,99");
        page->setChoices(choices);
        QVERIFY(page->workload()->text().contains(QStringLiteral("⚠")));
        QVERIFY(!page->startButton()->isEnabled());
        choices.weightBits.clear();
        page->setChoices(choices);
        QVERIFY(page->startButton()->isEnabled());
    }

    void theModelKeepsItsContract()
    {
        Session own;
        OptionsModel model(own);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(model.rowCount(), 0);
        auto study = std::make_shared<sweep::OptionsStudy>();
        std::vector<bool> good(200, true);
        std::vector<bool> bad(200, false);
        std::vector<bool> nearly = good;
        nearly[3] = false;
        study->rows = { madeRow(bad, 4), madeRow(good, 4), madeRow(nearly, 4) };
        sweep::rankRows(study->rows);
        own.setOptionsStudy(study);
        QCOMPARE(model.rowCount(), 3);
        const auto cell = [&](int row, int column) { return model.index(row, column).data().toString(); };
        QCOMPARE(cell(0, OptionsModel::Top1), QStringLiteral("100.0"));
        QCOMPARE(cell(0, OptionsModel::Weights), QStringLiteral("symmetric per channel, MSE"));
        QCOMPARE(cell(1, OptionsModel::Group), QStringLiteral("1"));
        QCOMPARE(cell(2, OptionsModel::Group), QStringLiteral("2"));
        QVERIFY(model.index(1, 0).data(OptionsModel::BestRole).toBool());
        QVERIFY(!model.index(2, 0).data(OptionsModel::BestRole).toBool());
        const OptionsSeries series = optionsSeries(*study);
        QVERIFY(series.headings.empty());
        QVERIFY(series.rows[1].best && !series.rows[2].best);
        QCOMPARE(series.rows[2].y, 2.0);
        own.setOptionsStudy(nullptr);
        QCOMPARE(model.rowCount(), 0);
    }

private:
    Session& session() { return m_window->session(); }

    void openBoth()
    {
        m_window->openModel(m_project->modelPath());
        m_window->openData(m_project->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done, patience);
    }

    /// Waits until the accuracy of what is asked for now is known.
    void settle()
    {
        QTRY_VERIFY_WITH_TIMEOUT(session().accuracy().state == Accuracy::State::Done
                && session().runs().back().request == session().request(),
            patience);
    }

    OptionsStudyPage* showStudy()
    {
        m_window->showPage(m_window->optionsStudy());
        return m_window->optionsStudy();
    }

    void checkExports(BaseChart& chart)
    {
        for (const char* extension : { "png", "svg", "pdf", "csv" }) {
            const QString path = m_project->folder() + QStringLiteral("/options.") + QLatin1String(extension);
            QVERIFY(exportChart(chart, path.toStdString()).has_value());
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QByteArray content = file.readAll();
            QVERIFY(content.size() > 200);
            if (QLatin1String(extension) == QLatin1String("csv"))
                QVERIFY(content.count('\n') >= 9);
        }
    }

    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestCorrectionsWindow)
#include "tst_corrections_window.moc"
