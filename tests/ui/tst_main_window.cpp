// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
#include <QClipboard>
#include <QGuiApplication>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSpinBox>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

#include "core/onnx_io/reader.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/handles.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/chart_exporter.h"
#include "ui/charts/heat_chart.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/session/work.h"
#include "ui/views/accuracy_badge.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/data_dialog.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/flips_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/options_panel.h"
#include "ui/views/options_study_page.h"
#include "ui/views/plan_panel.h"
#include "ui/views/runs_page.h"
#include "ui/views/search_page.h"
#include "ui/views/sensitivity_page.h"
#include "ui/views/studies_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

}

class TestMainWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_main_window");
        m_project = std::make_unique<test::TinyProject>();
    }

    void init()
    {
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
    }

    void cleanup() { m_window.reset(); }

    void beginsWithWhatToDo()
    {
        QVERIFY(!m_window->pages()->isVisible());
        QVERIFY(!m_window->badge()->isVisible());
        QVERIFY(m_window->messages()->text().isEmpty());
    }

    void aModelAloneShowsItsWeights()
    {
        m_window->openModel(m_project->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis(), patience);
        QCOMPARE(m_window->layers()->table()->model()->rowCount(), 3);
        QVERIFY(!m_window->distributions()->weights()->chart()->content().values.empty());
        QVERIFY(m_window->distributions()->weights()->readout().contains(QStringLiteral("dB")));
        QVERIFY(m_window->distributions()->activations()->chart()->content().values.empty());
        QVERIFY(m_window->distributions()->activations()->chart()->message().contains(QStringLiteral("images")));
        QVERIFY(m_window->windowTitle().contains(QStringLiteral("tiny.onnx")));
    }

    void evaluatesByItselfOnceImagesAreOpen()
    {
        openBoth();
        QCOMPARE(m_window->session().floatResult()->top1(), 100.0);
        QCOMPARE(m_window->session().accuracy().images, std::int64_t(96));
        QVERIFY(m_window->badge()->text().contains(QStringLiteral("W8 A8")));
        QVERIFY(m_window->badge()->text().contains(QStringLiteral("96 images")));
        QTRY_COMPARE(m_window->session().runs().size(), std::size_t(2));
        QVERIFY(!m_window->distributions()->activations()->chart()->content().values.empty());
    }

    void oneSelectionEverywhere()
    {
        openBoth();
        QTableView* table = m_window->layers()->table();
        table->setCurrentIndex(table->model()->index(1, LayersModel::Name));
        QCOMPARE(m_window->session().selectedLayer(), 1);
        QVERIFY(m_window->distributions()->weights()->chart()->content().title.contains(QStringLiteral("conv2")));
        m_window->session().selectLayer(2);
        QCOMPARE(table->currentIndex().row(), 2);
    }

    void bitsOfSeveralRowsAreEditedInPlace()
    {
        openBoth();
        const std::size_t runs = m_window->session().runs().size();
        QTableView* table = m_window->layers()->table();
        table->selectAll();
        const QModelIndex cell = table->model()->index(1, LayersModel::WeightBits);
        table->selectionModel()->setCurrentIndex(cell, QItemSelectionModel::NoUpdate);
        table->edit(cell);
        auto* editor = table->findChild<BitsSpinBox*>();
        QVERIFY(editor);
        editor->selectAll();
        QTest::keyClicks(editor, QStringLiteral("3"));
        // Results that arrive meanwhile leave what is typed alone.
        emit table->model()->dataChanged(table->model()->index(0, 0),
            table->model()->index(table->model()->rowCount() - 1, table->model()->columnCount() - 1));
        QTest::keyClick(editor, Qt::Key_Return);
        // Return commits by way of the event loop.
        for (int row = 0; row < 3; ++row)
            QTRY_COMPARE(table->model()->index(row, LayersModel::WeightBits).data().toString(), QStringLiteral("3*"));
        QCOMPARE(m_window->session().undoStack().count(), 1);
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().runs().size(), runs + 1, patience);
        QVERIFY(m_window->session().runs().back().mixed);
        m_window->session().undoStack().undo();
        QCOMPARE(table->model()->index(0, LayersModel::WeightBits).data().toString(), QStringLiteral("8"));
    }

    void draggingAHandleFollowsAndThenEdits()
    {
        openBoth();
        DistributionPanel* panel = m_window->distributions()->activations();
        DistributionChart* chart = panel->chart();
        const double before = chart->content().clip->high;
        const QString readout = panel->readout();
        const QPoint handle = test::handleOf(*chart, true);
        const QPoint target = (handle + test::handleOf(*chart, false)) / 2;
        QTest::mousePress(chart, Qt::LeftButton, {}, handle);
        QTest::mouseMove(chart, target);
        QVERIFY(chart->content().clip->high < 0.7 * before);
        QVERIFY(panel->readout() != readout);
        QVERIFY(m_window->session().request().overrides.empty());
        QTest::mouseRelease(chart, Qt::LeftButton, {}, target);
        const QString layer = m_window->session().selectedLayerInfo()->name;
        const auto range = manualRange(m_window->session().request(), layer, Operand::Activation);
        QVERIFY(range.has_value());
        QVERIFY(range->high < 0.7 * before);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        const auto& quantizer = m_window->session().currentAnalysis()->layers[0].activation;
        QVERIFY(std::abs(static_cast<double>(quantizer->encoding.high()) - range->high) < 0.02 * before);
        m_window->session().undoStack().undo();
        QVERIFY(m_window->session().request().overrides.empty());
    }

    void aChannelHasItsOwnGrid()
    {
        openBoth();
        DistributionPanel* panel = m_window->distributions()->weights();
        QVERIFY(panel->chart()->content().levels.empty());
        QVERIFY(panel->chart()->content().draggable);
        QVERIFY(panel->chart()->notes().contains(QStringLiteral("levels differ by channel")));
        panel->findChild<QSpinBox*>()->setValue(3);
        QVERIFY(!panel->chart()->notes().contains(QStringLiteral("levels differ by channel")));
        QCOMPARE(panel->chart()->content().levels.size(), std::size_t(256));
        QVERIFY(!panel->chart()->content().draggable);
    }

    void roundingAndClippingAddUp()
    {
        openBoth();
        static const QRegularExpression split(
            QStringLiteral("([0-9.]+)&nbsp;%</b> rounding, <b>([0-9.]+)&nbsp;%</b> clipping"));
        DistributionPanel* panel = m_window->distributions()->activations();
        const DistributionChart* chart = panel->chart();
        const double largest = chart->content().values.high;
        int read = 0;
        m_window->session().editBits({ m_window->session().selectedLayer() }, Operand::Activation, 3);
        for (const double part : { 0.95, 0.9, 0.85, 0.8 }) {
            quant::RangeSpec spec;
            spec.method = quant::RangeSpec::Method::Manual;
            spec.high = largest * part;
            m_window->session().editRange(m_window->session().selectedLayer(), Operand::Activation, spec);
            QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
            const auto match = split.match(panel->readout());
            if (!match.hasMatch())
                continue; // "< 0.1"
            ++read;
            QCOMPARE(std::round(10 * (match.captured(1).toDouble() + match.captured(2).toDouble())), 1000.0);
        }
        QVERIFY(read > 1);
    }

    void theBadgeNamesAnIntervalThatIsPossible()
    {
        openBoth();
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().accuracy().state, Accuracy::State::Done, patience);
        const auto& interval = m_window->session().accuracy().interval;
        QVERIFY(m_window->session().accuracy().top1 > 90 && interval.high <= 100);
        const QString ends = QStringLiteral("(%1 – %2)").arg(interval.low, 0, 'f', 1).arg(interval.high, 0, 'f', 1);
        const QString badge = m_window->findChild<AccuracyBadge*>()->text();
        QVERIFY2(badge.contains(ends), qPrintable(badge));
    }

    void theBadgeStaysInASmallWindow()
    {
        openBoth();
        m_window->resize(1024, 700);
        planning::PlanRequest request = m_window->session().request();
        request.weights.bits = 3;
        request.corrections.compensate = request.corrections.gain = request.corrections.bias = true;
        m_window->session().edit(request, QStringLiteral("corrections"));
        m_window->session().editBits({ 0 }, Operand::Weight, 4);
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().accuracy().state, Accuracy::State::Done, patience);
        const auto* badge = m_window->findChild<AccuracyBadge*>();
        QTest::qWait(50);
        QCOMPARE(m_window->width(), 1024);
        QVERIFY(badge->isVisible());
        QVERIFY2(badge->width() > 200, qPrintable(badge->text()));
    }

    void theLastEditWins()
    {
        openBoth();
        const std::size_t runs = m_window->session().runs().size();
        for (const int bits : { 7, 6, 5, 4 })
            m_window->options()->weightBits()->setBits(bits);
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().accuracy().state, Accuracy::State::Done, patience);
        QTRY_COMPARE_WITH_TIMEOUT(m_window->session().runs().size(), runs + 1, patience);
        QCOMPARE(m_window->session().runs().back().weightBits, std::optional(4));
        QCOMPARE(m_window->session().undoStack().count(), 1);
    }

    void escapeCancels()
    {
        openBoth();
        m_window->studies()->setSettings({ { 2, 3, 4, 5, 6, 7, 8 }, { 2, 3, 4, 5, 6, 7, 8 } });
        m_window->studies()->startButton()->click();
        QVERIFY(m_window->workbench().running(Study::Sweep));
        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        QVERIFY(m_window->messages()->text().isEmpty());
        QVERIFY(m_window->studies()->startButton()->isEnabled());
    }

    void aSweepDrawsAndItsPointsCanBeChosen()
    {
        openBoth();
        m_window->showPage(m_window->studies());
        m_window->studies()->setSettings({ { 2, 3 }, { 3, 4 } });
        m_window->studies()->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        const auto& sweep = m_window->session().sweep();
        QVERIFY(sweep->complete);
        QCOMPARE(sweep->points.size(), std::size_t(4));
        SweepChart* chart = m_window->studies()->lines();
        QCOMPARE(chart->series().lines.size(), std::size_t(2));
        chart->replot();
        const QPoint at = chart->pixelOf(2)->toPoint();
        QVERIFY(!m_window->studies()->plan()->isVisible());
        QTest::mouseClick(chart, Qt::LeftButton, {}, at);
        // A click shows the plan and changes nothing.
        QVERIFY(m_window->studies()->plan()->isVisible());
        QVERIFY(m_window->studies()->plan()->summary()->text().contains(QStringLiteral("top-1")));
        QVERIFY(!m_window->session().undoStack().canUndo());
        m_window->studies()->plan()->currentButton()->click();
        const auto& request = m_window->session().request();
        // Two lines may cross at a point; either plan is right then.
        QVERIFY(
            request.weights.bits == sweep->points[2].weightBits || request.weights.bits == sweep->points[3].weightBits);
        QVERIFY(m_window->session().undoStack().canUndo());
        checkExports(*chart);
        checkExports(*m_window->studies()->map());
    }

    void exportedModelsAreReadBack()
    {
        openBoth();
        const std::filesystem::path path = (m_project->folder() + QStringLiteral("/tiny_qdq.onnx")).toStdString();
        std::optional<exporting::ExportReport> report;
        connect(&m_window->workbench(), &Workbench::exported, this, [&](const auto& r) { report = r; });
        m_window->workbench().exportPlan(path);
        QTRY_VERIFY_WITH_TIMEOUT(report.has_value(), patience);
        QVERIFY(onnx_io::readModel(path).has_value());
        QCOMPARE(report->agreement, 100.0);
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("tiny_qdq.onnx")));
    }

    void exportToNowhereIsSaidInPlace()
    {
        openBoth();
        m_window->workbench().exportPlan("/nonexistent/folder/model.onnx");
        QTRY_VERIFY_WITH_TIMEOUT(m_window->messages()->text().contains(QStringLiteral("not exported")), patience);
    }

    void aBadFileIsSaidInPlaceAndNothingElseChanges()
    {
        openBoth();
        const QString path = m_project->folder() + QStringLiteral("/bad.onnx");
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("this is no model");
        file.close();
        m_window->openModel(path);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->messages()->text().contains(QStringLiteral("bad.onnx")), patience);
        QVERIFY(m_window->messages()->isVisible());
        QCOMPARE(m_window->session().model()->name, QStringLiteral("tiny.onnx"));
        QVERIFY(m_window->session().floatResult());
    }

    void missingDataIsSaidInPlace()
    {
        m_window->openModel(m_project->modelPath());
        DataRequest request;
        request.path = "/nonexistent/images.bin";
        m_window->openData(request);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->messages()->text().contains(QStringLiteral("images.bin")), patience);
    }

    void theDataDialogSaysWhatItWasTold()
    {
        DataRequest request = m_project->dataRequest();
        request.limit = 50;
        request.calibrationResize = 40;
        request.classes = "/data/classes.txt";
        request.preprocessing = *dataset::Preprocessing::named("imagenet");
        request.preprocessing.crop = { 24, 24 };
        request.preprocessing.channels = dataset::Channels::Bgr;
        m_window->dataDialog()->setRequest(request);
        const auto got = m_window->dataDialog()->request();
        QVERIFY(got.has_value());
        QVERIFY(*got == request);
        m_window->dataDialog()->setRequest({});
        QVERIFY(!m_window->dataDialog()->request().has_value());
    }

    void aSmallScreenHoldsEveryPage()
    {
        openBoth();
        const QSize small(1024, 700);
        m_window->resize(small);
        for (QWidget* page : std::initializer_list<QWidget*> { m_window->distributions(), m_window->graph(),
                 m_window->studies(), m_window->optionsStudy(), m_window->sensitivity(), m_window->search(),
                 m_window->flips(), m_window->runs() }) {
            m_window->showPage(page);
            QTest::qWait(20);
            QVERIFY2(m_window->minimumSizeHint().width() <= small.width(), wideOnes(small.width()).constData());
            QCOMPARE(m_window->size(), small);
            QVERIFY2(m_window->layers()->width() >= 256, QByteArray::number(m_window->layers()->width()));
        }
        m_window->showPage(m_window->studies());
        m_window->studies()->showMap();
        QTest::qWait(20);
        QVERIFY2(m_window->minimumSizeHint().width() <= small.width(), wideOnes(small.width()).constData());
        QCOMPARE(m_window->size(), small);
        DistributionsPage* page = m_window->distributions();
        m_window->showPage(page);
        for (const auto view : { DistributionsPage::View::Channels, DistributionsPage::View::Layers,
                 DistributionsPage::View::Histograms }) {
            page->setView(view);
            for (const int index : { 1, 0 }) {
                page->channelChartBox()->setCurrentIndex(index);
                page->operandBox()->setCurrentIndex(index);
                QTest::qWait(20);
                QVERIFY2(m_window->minimumSizeHint().width() <= small.width(), wideOnes(small.width()).constData());
                QCOMPARE(m_window->size(), small);
                // Names are told apart there, on whatever page one has been.
                QVERIFY2(m_window->layers()->width() >= 256, QByteArray::number(m_window->layers()->width()));
            }
        }
        m_window->messages()->showError({ ErrorCode::NotFound, "it is not there", {}, {} }, QStringLiteral("Opening"),
            { QStringLiteral("Open another…"), [] {} });
        QTest::qWait(20);
        QCOMPARE(m_window->size(), small);
        // Both word-lengths of a layer can be read there.
        const QTableView* table = m_window->layers()->table();
        for (const int column : { LayersModel::WeightBits, LayersModel::ActivationBits })
            QVERIFY(table->columnViewportPosition(column) + table->columnWidth(column) <= table->viewport()->width());
    }

    void tablesCanBeCopied()
    {
        openBoth();
        const QStringList lines = m_window->layers()->tsv().trimmed().split(QLatin1Char('\n'));
        QCOMPARE(lines.size(), 4);
        QVERIFY(lines[1].contains(QStringLiteral("conv1")));
        QCOMPARE(m_window->runs()->tsv().trimmed().split(QLatin1Char('\n')).size(), 3);
    }

private:
    void openBoth()
    {
        m_window->openModel(m_project->modelPath());
        m_window->openData(m_project->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    /// Which widgets ask for so much, for a person who has to find out.
    QByteArray wideOnes(int width) const
    {
        QByteArray text = QByteArray::number(m_window->minimumSizeHint().width());
        for (const QWidget* widget : m_window->findChildren<QWidget*>())
            if (const int wanted = std::max(widget->minimumSizeHint().width(), widget->minimumWidth());
                wanted > width * 2 / 5)
                text += QByteArray("; ") + widget->metaObject()->className() + ' ' + widget->objectName().toUtf8() + ' '
                    + QByteArray::number(wanted);
        return text;
    }

    void checkExports(BaseChart& chart)
    {
        const QString stem = m_project->folder() + QStringLiteral("/chart");
        for (const char* extension : { ".png", ".svg", ".pdf", ".csv" }) {
            const QString path = stem + QLatin1String(extension);
            const auto written = exportChart(chart, path.toStdString());
            QVERIFY2(written.has_value(), extension);
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QByteArray bytes = file.readAll();
            QVERIFY2(bytes.size() > 100, extension);
        }
        const QImage image(stem + QStringLiteral(".png"));
        QCOMPARE(image.size(), QSize(1920, 1200));
        QCOMPARE(image.pixelColor(0, 0), QColor(Qt::white));
        QVERIFY(!exportChart(chart, (stem + QStringLiteral(".doc")).toStdString()).has_value());
        QVERIFY(!exportChart(chart, "/nonexistent/folder/chart.png").has_value());
    }

    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestMainWindow)
#include "tst_main_window.moc"
