// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// What a person expects of any such program: rows are copied, splitters stay where they were put, charts follow the
// keys, numbers look alike everywhere, and a wide window is made use of.
#include <QAction>
#include <QClipboard>
#include <QDropEvent>
#include <QGuiApplication>
#include <QHeaderView>
#include <QMenu>
#include <QMimeData>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSettings>
#include <QSplitter>
#include <QStandardItemModel>
#include <QTableView>
#include <QTest>

#include "tests/support/deep_network.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/distribution_chart.h"
#include "ui/charts/range_chart.h"
#include "ui/charts/sensitivity_chart.h"
#include "ui/main_window.h"
#include "ui/models/layers_model.h"
#include "ui/models/runs_model.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/graph_view.h"
#include "ui/views/layers_view.h"
#include "ui/views/line_scroll.h"
#include "ui/views/runs_page.h"
#include "ui/views/sensitivity_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

QStringList labelsOf(QCPAxisTicker& ticker, double from, double to)
{
    QVector<double> ticks;
    QVector<QString> labels;
    ticker.generate(QCPRange(from, to), QLocale::c(), QLatin1Char('g'), 6, ticks, nullptr, &labels);
    return labels;
}

}

class TestComfort : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::freshStart("tst_comfort"); }

    void init() { m_window = makeWindow(); }
    void cleanup() { m_window.reset(); }

    void chosenRowsAreCopied()
    {
        openModel();
        QTableView* table = m_window->layers()->table();
        table->clearSelection();
        for (const int row : { 2, 0 }) // in the order they are seen, not chosen
            table->selectionModel()->select(
                table->model()->index(row, 0), QItemSelectionModel::Select | QItemSelectionModel::Rows);
        action(*table, "Copy chosen rows")->trigger();
        const QStringList lines = QGuiApplication::clipboard()->text().trimmed().split(QLatin1Char('\n'));
        QCOMPARE(lines.size(), 3);
        QVERIFY(lines[0].contains(QStringLiteral("Layer")));
        QVERIFY2(lines[1].contains(QStringLiteral("conv1")), qPrintable(lines[1]));
        QVERIFY2(lines[2].contains(QStringLiteral("logits")), qPrintable(lines[2]));
        table->clearSelection();
        action(*table, "Copy chosen rows")->trigger();
        QCOMPARE(QGuiApplication::clipboard()->text().count(QLatin1Char('\n')), 4);
    }

    void figuresAreCopiedForScripts()
    {
        QStandardItemModel model(1, 3);
        model.setItem(0, 0, new QStandardItem(QStringLiteral("−1.20")));
        model.setItem(0, 1, new QStandardItem(QStringLiteral("1.08\u00a0MB")));
        model.setItem(0, 2, new QStandardItem(QStringLiteral("3.20×10⁻⁵")));
        QCOMPARE(toTsv(model, { 0, 1, 2 }).section(QLatin1Char('\n'), 1, 1), QStringLiteral("-1.20\t1.08 MB\t3.20e-5"));
    }

    void axesAreLabelledLikeTexts_data()
    {
        QTest::addColumn<bool>("logarithmic");
        QTest::addColumn<double>("from");
        QTest::addColumn<double>("to");
        QTest::addColumn<QString>("has");
        QTest::newRow("negative") << false << -1.0 << 1.0 << "−0.5";
        QTest::newRow("negative and tiny") << false << -1e-6 << 1e-6 << "−5×10⁻⁷";
        QTest::newRow("below one") << true << 1e-6 << 1e3 << "0.01";
        QTest::newRow("hundreds") << true << 1e-6 << 1e3 << "100";
        QTest::newRow("far below") << true << 1e-6 << 1e3 << "10⁻⁶";
    }
    void axesAreLabelledLikeTexts()
    {
        QFETCH(const bool, logarithmic);
        QFETCH(const double, from);
        QFETCH(const double, to);
        QFETCH(const QString, has);
        Ticker125 linear;
        PowerOfTenTicker powers;
        QCPAxisTicker& ticker = logarithmic ? static_cast<QCPAxisTicker&>(powers) : linear;
        const QStringList labels = labelsOf(ticker, from, to);
        QVERIFY2(labels.contains(has), qPrintable(labels.join(QLatin1Char(' '))));
        for (const QString& label : labels)
            QVERIFY2(!label.contains(QLatin1Char('-')) && !label.contains(QLatin1Char('e')), qPrintable(label));
    }

    void labelsOfALogarithmicAxisKeepApart_data()
    {
        QTest::addColumn<int>("width");
        QTest::addColumn<bool>("allFit");
        QTest::newRow("wide") << 1200 << true;
        QTest::newRow("as in a small window") << 480 << false;
        QTest::newRow("narrow") << 220 << false;
    }
    void labelsOfALogarithmicAxisKeepApart()
    {
        QFETCH(const int, width);
        QFETCH(const bool, allFit);
        DistributionChart chart;
        chart.resize(width, 300);
        chart.show();
        DistributionChart::Content content;
        content.scale.linear = 0.008;
        const double end = content.scale.toAxis(0.2);
        content.values = { .edges = { -end, 0, end }, .shares = { 50, 50 }, .low = -end, .high = end };
        chart.setContent(content, false);
        chart.replot(QCustomPlot::rpImmediateRefresh);
        const QFontMetricsF metrics(chart.xAxis->tickLabelFont());
        double right = 0;
        int missing = 0;
        QStringList kept;
        for (int i = 0; i < chart.xAxis->tickVector().size(); ++i) {
            const QString label = chart.xAxis->tickVectorLabels()[i];
            if (label.isEmpty()) {
                ++missing;
                continue;
            }
            kept << label;
            const double middle = chart.xAxis->coordToPixel(chart.xAxis->tickVector()[i]);
            const double half = metrics.horizontalAdvance(label) / 2;
            QVERIFY2(middle - half > right, qPrintable(kept.join(QLatin1Char(' '))));
            right = middle + half;
        }
        QCOMPARE(missing == 0, allFit);
        QVERIFY2(kept.contains(QStringLiteral("0")), qPrintable(kept.join(QLatin1Char(' '))));
    }

    void barsThatRunOffTheTopAreTold()
    {
        DistributionChart chart;
        DistributionChart::Content content;
        content.values = { .width = 1, .shares = { 61.2, 2, 2, 1 }, .low = 0, .high = 4 };
        content.quantized = { .width = 2, .shares = { 30, 1.5 }, .low = 0, .high = 4 };
        chart.setContent(content, false);
        QCOMPARE(chart.notes(),
            QStringList({ QStringLiteral("▲ 61.2 % at 0"), QStringLiteral("▲ quantized to 30.0 % per bar") }));
        chart.setOverlayVisible(false);
        QCOMPARE(chart.notes(), QStringList(QStringLiteral("▲ 61.2 % at 0")));
        chart.setOverlayVisible(true);
        chart.setLogarithmic(true); // there is room for all
        QCOMPARE(chart.notes(), QStringList());
        QVERIFY(chart.yAxis->range().upper > 61.2);
        content.values.shares = { 3, 2, 2, 1 };
        content.quantized.shares = { 30, 1.5 };
        chart.setContent(content, false);
        QVERIFY(chart.yAxis->range().upper > 30);
        chart.setLogarithmic(false);
        content.quantized.shares = { 3.2, 1 };
        chart.setContent(content, false);
        QCOMPARE(chart.notes(), QStringList());
    }

    void splittersStayWhereTheyWerePut()
    {
        openModel();
        const auto splitter
            = [this] { return m_window->findChild<QSplitter*>(QStringLiteral("DistributionsSplitter")); };
        const auto weightsAbove = [&] { return splitter()->sizes()[1] > splitter()->sizes()[2] + 100; };
        QTest::qWait(20);
        QVERIFY(!weightsAbove());
        splitter()->setSizes({ 0, 400, 150 });
        QVERIFY(weightsAbove());
        m_window->workbench().close();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs().idle(), patience);
        m_window->close();
        m_window = makeWindow();
        openModel();
        QTest::qWait(20);
        QVERIFY(weightsAbove());
        // What was hidden then has room when it is shown.
        m_window->distributions()->setView(DistributionsPage::View::Channels);
        QTest::qWait(20);
        QVERIFY(splitter()->sizes()[0] > 100);
        QSettings().clear();
    }

    void chartsFollowTheKeys()
    {
        openModel();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs().idle(), patience);
        DistributionChart* chart = m_window->distributions()->weights()->chart();
        chart->resetView();
        const QCPRange all = chart->xAxis->range();
        QTest::keyClick(chart, Qt::Key_Plus);
        QVERIFY(chart->xAxis->range().size() < 0.9 * all.size());
        const QCPRange near = chart->xAxis->range();
        QTest::keyClick(chart, Qt::Key_Right);
        QVERIFY(chart->xAxis->range().lower > near.lower);
        QCOMPARE(chart->xAxis->range().size(), near.size());
        QTest::keyClick(chart, Qt::Key_Left);
        QCOMPARE(chart->xAxis->range().lower, near.lower);
        QTest::keyClick(chart, Qt::Key_Minus);
        QCOMPARE(chart->xAxis->range().size(), all.size());
        QTest::keyClick(chart, Qt::Key_Up); // shares begin at zero, whatever is pressed
        QCOMPARE(chart->yAxis->range().lower, 0.0);
        QTest::keyClick(chart, Qt::Key_Right);
        QTest::keyClick(chart, Qt::Key_Home);
        QCOMPARE(chart->xAxis->range(), all);
    }

    void manyLinesHaveAScrollBar()
    {
        SensitivityChart* chart = m_window->sensitivity()->chart();
        auto result = std::make_shared<sweep::SensitivityResult>();
        for (std::size_t i = 0; i < 90; ++i) {
            sweep::QuantizedUnit unit;
            unit.layers = { "layer " + std::to_string(i) };
            result->units.push_back(unit);
            sweep::SensitivityPoint point;
            point.unit = i;
            point.bits = 4;
            result->points.push_back(point);
        }
        chart->setResult(result);
        m_window->showPage(m_window->sensitivity());
        auto* bar = qobject_cast<LineScroll*>(chart->parentWidget())->bar();
        chart->resize(600, 300);
        chart->replot();
        QVERIFY(bar->maximum() > 60);
        bar->setValue(40);
        QCOMPARE(chart->yAxis->range().lower, 39.4);
        chart->setResult(nullptr);
        chart->replot();
        QCOMPARE(bar->maximum(), 0);
    }

    void aWideWindowShowsWhatWasQuantized()
    {
        openModel();
        m_window->openData(m_tiny.dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        m_window->showPage(m_window->runs());
        const QTableView* table = m_window->runs()->table();
        m_window->resize(1024, 700);
        QTest::qWait(20);
        const int narrow = table->columnWidth(RunsModel::Scope);
        m_window->resize(3840, 1440);
        QTest::qWait(20);
        const QString text = table->model()->index(1, RunsModel::Scope).data().toString();
        QVERIFY(table->columnWidth(RunsModel::Scope) > narrow);
        QVERIFY(table->columnWidth(RunsModel::Scope) > table->fontMetrics().horizontalAdvance(text));
        QVERIFY(table->horizontalHeader()->length() <= table->viewport()->width());
        // A width that somebody chose stays.
        m_window->runs()->table()->setColumnWidth(RunsModel::Scope, 333);
        m_window->resize(3000, 1440);
        QTest::qWait(20);
        QCOMPARE(table->columnWidth(RunsModel::Scope), 333);
    }

    void columnsStandForBoxesWhereLayersAreCrowded()
    {
        RangeSeries series;
        for (int i = 0; i < 200; ++i)
            series.layers.push_back({ QStringLiteral("layer %1").arg(i), MagnitudeBox { 0.001, 0.1, 0.2, 0.4, 0.9, 1 },
                MagnitudeRange { 0.05, 0.8 } });
        series.frame();
        RangeChart chart;
        chart.resize(500, 300);
        chart.show();
        chart.setSeries(series, QStringLiteral("Ranges"), true);
        const auto bars = [&] { // that have something in them
            int count = 0;
            for (int i = 0; i < chart.graphCount(); ++i)
                count += chart.graph(i)->channelFillGraph() && chart.graph(i)->dataCount() > 0;
            return count;
        };
        const auto* boxes = qobject_cast<QCPStatisticalBox*>(chart.plottable(chart.plottableCount() - 1));
        QVERIFY(boxes);
        QSignalSpy keys(&chart, &RangeChart::keyChanged);
        chart.replot();
        QVERIFY(chart.dense());
        QCOMPARE(bars(), 3);
        QVERIFY(!boxes->visible());
        // What is not drawn has neither room nor a word.
        QVERIFY2(chart.yAxis->range().lower > 0.02, qPrintable(QString::number(chart.yAxis->range().lower)));
        QVERIFY(!chart.key().join(QLatin1Char(' ')).contains(QStringLiteral("hisker")));
        chart.resize(2400, 300);
        chart.replot();
        QVERIFY(!chart.dense());
        QCOMPARE(bars(), 1);
        QVERIFY(boxes->visible());
        QVERIFY(chart.yAxis->range().lower < 0.001);
        QVERIFY(chart.key().join(QLatin1Char(' ')).contains(QStringLiteral("whiskers")));
        QVERIFY(!keys.isEmpty());
        // The wheel brings back boxes as well.
        chart.resize(500, 300);
        QVERIFY(chart.dense());
        chart.xAxis->setRange(10, 40);
        QVERIFY(!chart.dense());
        QVERIFY(chart.yAxis->range().lower < 0.001);
    }

    void aLongChainIsSeenAsAWhole()
    {
        const test::TinyProject deep(8, test::deepNetwork(99, 8, 32, 10));
        m_window->openModel(deep.modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis(), patience);
        m_window->showPage(m_window->graph());
        GraphView* view = m_window->graph()->view();
        m_window->session().setMeasure(Measure::WeightSqnr);
        view->fit();
        const auto node = m_window->session().model()->map->nodeOfLayer[120];
        const QPointF beside = view->boxOf(node).center() + QPointF(7, 0);
        QVERIFY(!view->boxOf(node).contains(beside));
        const QImage image = view->viewport()->grab().toImage();
        const auto colorAt = [&](const QPointF& point) {
            return image.pixelColor(static_cast<int>(point.x()), static_cast<int>(point.y()));
        };
        QVERIFY(colorAt(beside) != image.pixelColor(2, 2));
        QVERIFY(view->nodeAt(beside));
        QVERIFY(!view->verticalScrollBar()->isVisible() && !view->horizontalScrollBar()->isVisible());
        // Whole colours: each layer's measure can be read, whatever runs through it.
        const auto& measure = m_window->session().analysis()->layers;
        double low = 1e9;
        double high = -1e9;
        for (const LayerAnalysis& layer : measure) {
            low = std::min(low, layer.weightError.sqnrDb());
            high = std::max(high, layer.weightError.sqnrDb());
        }
        int exact = 0;
        for (int layer = 100; layer < 140; ++layer) {
            const QPointF middle = view->boxOf(m_window->session().model()->map->nodeOfLayer[layer]).center();
            const double place = (measure[static_cast<std::size_t>(layer)].weightError.sqnrDb() - low) / (high - low);
            exact += colorAt(middle) == Theme::viridis(place);
        }
        QVERIFY2(exact >= 38, qPrintable(QString::number(exact)));
        view->zoomIn();
        QVERIFY(view->verticalScrollBar()->isVisible());
    }

    void filesAreDroppedOntoTheWindow()
    {
        QMimeData files;
        files.setUrls({ QUrl::fromLocalFile(m_tiny.modelPath()) });
        QDragEnterEvent enter({ 300, 300 }, Qt::CopyAction, &files, Qt::LeftButton, {});
        QCoreApplication::sendEvent(m_window.get(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop({ 300, 300 }, Qt::CopyAction, &files, Qt::LeftButton, {});
        QCoreApplication::sendEvent(m_window.get(), &drop);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        QMimeData text;
        text.setText(QStringLiteral("no file"));
        QDragEnterEvent refused({ 300, 300 }, Qt::CopyAction, &text, Qt::LeftButton, {});
        QCoreApplication::sendEvent(m_window.get(), &refused);
        QVERIFY(!refused.isAccepted());
    }

    void recentFilesAreListedAndForgotten()
    {
        openModel();
        auto* menu = action(*m_window, "tiny.onnx");
        QCOMPARE(menu->toolTip(), m_tiny.modelPath());
        action(*m_window, "&Clear the list")->trigger();
        QVERIFY(QSettings().value(QStringLiteral("recent/models")).toStringList().isEmpty());
        for (const QAction* left : m_window->findChildren<QAction*>())
            QVERIFY(left->text() != QStringLiteral("tiny.onnx"));
    }

    void theWholeScreen()
    {
        QAction* whole = action(*m_window, "&Full screen");
        whole->trigger();
        QVERIFY(m_window->isFullScreen());
        whole->trigger();
        QVERIFY(!m_window->isFullScreen());
    }

private:
    static std::unique_ptr<MainWindow> makeWindow()
    {
        auto window = std::make_unique<MainWindow>();
        window->resize(1280, 800);
        window->show();
        return window;
    }

    void openModel()
    {
        m_window->openModel(m_tiny.modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis(), patience);
    }

    static QAction* action(const QObject& of, const char* text)
    {
        for (QAction* candidate : of.findChildren<QAction*>())
            if (candidate->text() == QString::fromUtf8(text))
                return candidate;
        qFatal("no action %s", text);
    }

    test::TinyProject m_tiny;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestComfort)
#include "tst_comfort.moc"
