// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// The graph, colours by measure, channels and ranges of all layers, through the widgets a person uses.
#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QScrollBar>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <QWheelEvent>

#include "tests/support/deep_network.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/channel_chart.h"
#include "ui/charts/range_chart.h"
#include "ui/main_window.h"
#include "ui/views/channels_panel.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/graph_view.h"
#include "ui/views/layers_view.h"
#include "ui/views/measure_box.h"
#include "ui/views/ranges_panel.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

}

class TestGraphPage : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_graph_page");
        m_project = std::make_unique<test::TinyProject>(48, test::deepNetwork(6, 6, 32, 10));
        m_window = std::make_unique<MainWindow>();
        m_window->resize(1280, 800);
        m_window->show();
        m_window->openModel(m_project->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis(), patience);
    }

    void cleanupTestCase() { m_window.reset(); }

    void showsTheStartLargeEnoughToRead()
    {
        m_window->showPage(m_window->graph());
        GraphView* view = m_window->graph()->view();
        QVERIFY(view->scale() >= 0.8);
        QVERIFY(view->viewport()->rect().contains(view->boxOf(0).center().toPoint()));
        QCOMPARE(*view->currentNode(), map().nodeOfLayer[0]);
        QVERIFY(view->accessibleDescription().contains(QStringLiteral("Conv")));
    }

    void aClickSelectsTheLayerEverywhere()
    {
        GraphView* view = m_window->graph()->view();
        view->fit();
        const std::size_t node = map().nodeOfLayer[5];
        QVERIFY(view->viewport()->rect().contains(view->boxOf(node).toRect()));
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, view->boxOf(node).center().toPoint());
        QCOMPARE(m_window->session().selectedLayer(), 5);
        QCOMPARE(m_window->layers()->table()->currentIndex().row(), 5);
        // And the other way round.
        m_window->layers()->table()->setCurrentIndex(m_window->layers()->table()->model()->index(9, 1));
        QCOMPARE(view->currentNode(), std::optional(map().nodeOfLayer[9]));
    }

    void selectionComesIntoSight()
    {
        GraphView* view = m_window->graph()->view();
        view->showStart();
        m_window->session().selectLayer(13);
        QVERIFY(view->viewport()->rect().contains(view->boxOf(map().nodeOfLayer[13]).center().toPoint()));
        m_window->session().selectLayer(0);
        QVERIFY(view->viewport()->rect().contains(view->boxOf(map().nodeOfLayer[0]).center().toPoint()));
    }

    void theWheelZoomsAboutTheCursor()
    {
        GraphView* view = m_window->graph()->view();
        view->fit();
        const QPointF at = view->boxOf(map().nodeOfLayer[3]).center();
        const double before = view->scale();
        QWheelEvent in(at, view->viewport()->mapToGlobal(at), {}, { 0, 360 }, {}, {}, Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(view->viewport(), &in);
        QVERIFY(view->scale() > 1.8 * before);
        const QPointF moved = view->boxOf(map().nodeOfLayer[3]).center() - at;
        QVERIFY2(std::hypot(moved.x(), moved.y()) < 3, qPrintable(QString::number(std::hypot(moved.x(), moved.y()))));
        QWheelEvent out(at, view->viewport()->mapToGlobal(at), {}, { 0, -12000 }, {}, {}, Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(view->viewport(), &out);
        QVERIFY(view->scale() > 0);
    }

    void draggingMovesTheCanvasAndSelectsNothing()
    {
        GraphView* view = m_window->graph()->view();
        view->showStart();
        const int selected = m_window->session().selectedLayer();
        const QPoint from = view->boxOf(map().nodeOfLayer[1]).center().toPoint();
        const int before = view->verticalScrollBar()->value();
        QTest::mousePress(view->viewport(), Qt::LeftButton, {}, from);
        QMouseEvent move(QEvent::MouseMove, from - QPoint(0, 60), view->viewport()->mapToGlobal(from - QPoint(0, 60)),
            Qt::LeftButton, Qt::LeftButton, {});
        QCoreApplication::sendEvent(view->viewport(), &move);
        QTest::mouseRelease(view->viewport(), Qt::LeftButton, {}, from - QPoint(0, 60));
        QCOMPARE(view->verticalScrollBar()->value(), before + 60);
        QCOMPARE(m_window->session().selectedLayer(), selected);
    }

    void keysGoAlongTheNetwork()
    {
        GraphView* view = m_window->graph()->view();
        view->setFocus();
        QTest::keyClick(view, Qt::Key_Home);
        QCOMPARE(*view->currentNode(), std::size_t { 0 });
        for (int i = 0; i < 4; ++i)
            QTest::keyClick(view, Qt::Key_Down);
        // Input, stem, its relu, conv1, relu1.
        QCOMPARE(map().nodes[*view->currentNode()].op, QStringLiteral("Relu"));
        QCOMPARE(m_window->session().selectedLayer(), 1);
        QTest::keyClick(view, Qt::Key_Up);
        QCOMPARE(*view->currentNode(), map().nodeOfLayer[1]);
        QTest::keyClick(view, Qt::Key_End);
        QCOMPARE(map().nodes[*view->currentNode()].kind, NetworkMap::Kind::Output);
        const double before = view->scale();
        QTest::keyClick(view, Qt::Key_Plus);
        QVERIFY(view->scale() > before);
        QTest::keyClick(view, Qt::Key_Minus);
        QVERIFY(std::abs(view->scale() - before) < 1e-9);
        QTest::keyClick(view, Qt::Key_0);
        QCOMPARE(view->scale(), 1.0);
        QTest::keyClick(view, Qt::Key_F);
        QVERIFY(view->viewport()->rect().contains(view->boxOf(map().nodes.size() - 1).toRect()));
        QVERIFY(view->viewport()->rect().contains(view->boxOf(0).toRect()));
    }

    void searchFindsTheNextOne()
    {
        GraphView* view = m_window->graph()->view();
        QLineEdit* field = m_window->graph()->searchField();
        view->setFocus();
        QTest::keyClick(view, Qt::Key_Home);
        QTest::keyClick(view, Qt::Key_Slash);
        field->clear();
        QTest::keyClicks(field, QStringLiteral("add"));
        const auto first = view->currentNode();
        QCOMPARE(map().nodes[*first].op, QStringLiteral("Add"));
        QTest::keyClick(field, Qt::Key_Return);
        QVERIFY(*view->currentNode() > *first);
        QTest::keyClicks(field, QStringLiteral("!"));
        QVERIFY(!m_window->graph()->found().isEmpty());
        field->clear();
        QVERIFY(m_window->graph()->found().isEmpty());
    }

    void quantizersStandOnEdgesAndLayers()
    {
        // Painted in the colours that mean weights and activations.
        m_window->openData(m_project->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        GraphView* view = m_window->graph()->view();
        view->showStart();
        const Theme theme = Theme::forPalette(view->palette());
        QVERIFY(shows(view, theme.weights));
        QVERIFY(shows(view, theme.activations));
        planning::PlanRequest request = m_window->session().request();
        request.weights.bits.reset();
        request.activations.bits.reset();
        m_window->session().edit(request, QStringLiteral("float"));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        QVERIFY(!shows(view, theme.weights));
        QVERIFY(!shows(view, theme.activations));
        m_window->session().undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
    }

    void layersAreColouredByWhatIsChosen()
    {
        MeasureBox* box = m_window->layers()->measureBox();
        const QAbstractItemModel* table = m_window->layers()->table()->model();
        const QModelIndex number = table->index(0, LayersModel::Number);
        QVERIFY(!number.data(LayersModel::MeasureRole).isValid());
        const int macs = box->findData(static_cast<int>(Measure::Macs));
        box->setCurrentIndex(macs);
        emit box->activated(macs);
        QVERIFY(number.data(LayersModel::MeasureRole).isValid());
        // The same in the graph.
        QCOMPARE(m_window->graph()->findChild<MeasureBox*>()->currentIndex(), macs);
        QVERIFY(m_window->graph()->legend()->text().contains(QStringLiteral(" to ")));
        GraphView* view = m_window->graph()->view();
        view->fit();
        QVERIFY(shows(view, Theme::viridis(1)) || shows(view, Theme::viridis(0)));
        // What is not known yet says how to know it.
        m_window->session().setMeasure(Measure::Sensitivity);
        QVERIFY(m_window->graph()->legend()->text().contains(QStringLiteral("Sensitivity")));
        QVERIFY(!number.data(LayersModel::MeasureRole).isValid());
        m_window->session().setMeasure(Measure::None);
        QVERIFY(m_window->graph()->legend()->text().isEmpty());
    }

    void theFilterLeadsIntoTheTable()
    {
        QLineEdit* filter = m_window->layers()->filter();
        filter->setFocus();
        QTest::keyClicks(filter, QStringLiteral("block3"));
        QCOMPARE(m_window->layers()->table()->model()->rowCount(), 2);
        QTest::keyClick(filter, Qt::Key_Down);
        QVERIFY(m_window->layers()->table()->hasFocus() || !m_window->isActiveWindow());
        QTest::keyClick(m_window->layers()->table(), Qt::Key_Down);
        filter->clear();
    }

    void aChannelIsChosenByItsBar()
    {
        m_window->showPage(m_window->distributions());
        DistributionsPage* page = m_window->distributions();
        m_window->session().selectLayer(2);
        QTest::mouseClick(page->viewButton(DistributionsPage::View::Channels), Qt::LeftButton);
        QVERIFY(page->channels()->isVisible());
        QVERIFY(page->weights()->isVisible());
        QVERIFY(!page->activations()->isVisible());
        ChannelChart* chart = page->channels()->chart();
        QCOMPARE(chart->series().values.size(), std::size_t { 6 });
        QCOMPARE(chart->series().representable.size(), std::size_t { 6 });
        QVERIFY(page->channels()->note().contains(QStringLiteral("6 channels")));
        chart->replot();
        const QPoint at(static_cast<int>(chart->pixelOf(4)), chart->axisRect()->rect().center().y());
        QTest::mouseClick(chart, Qt::LeftButton, {}, at);
        QCOMPARE(page->weights()->channel(), 4);
        QCOMPARE(page->weights()->chart()->content().levels.size(), std::size_t { 256 });
        // Another layer shows all of its channels again.
        m_window->session().selectLayer(3);
        QCOMPARE(page->weights()->channel(), -1);
    }

    void channelsOfActivations()
    {
        DistributionsPage* page = m_window->distributions();
        page->operandBox()->setCurrentIndex(1);
        QVERIFY(page->activations()->isVisible());
        QVERIFY(!page->weights()->isVisible());
        ChannelChart* chart = page->channels()->chart();
        QCOMPARE(chart->series().values.size(), std::size_t { 6 });
        chart->replot();
        const QPoint at(static_cast<int>(chart->pixelOf(1)), chart->axisRect()->rect().center().y());
        QTest::mouseClick(chart, Qt::LeftButton, {}, at);
        QCOMPARE(page->activations()->channel(), 1);
        const auto& content = page->activations()->chart()->content();
        QVERIFY(!content.values.empty());
        QVERIFY(!content.draggable);
        const Span& seen = chart->series().values[1];
        QVERIFY(content.values.high <= seen.high * 1.3 + 1e-3);
        page->operandBox()->setCurrentIndex(0);
    }

    void rangesOfAllLayers()
    {
        DistributionsPage* page = m_window->distributions();
        QTest::mouseClick(page->viewButton(DistributionsPage::View::Layers), Qt::LeftButton);
        QVERIFY(page->ranges()->isVisible());
        RangeChart* chart = page->ranges()->chart();
        QCOMPARE(chart->series().layers.size(), std::size_t { 14 });
        QVERIFY(chart->message().isEmpty());
        const double step = chart->series().layers[7].range->step;
        chart->replot();
        QTest::mouseClick(chart, Qt::LeftButton, {},
            QPoint(static_cast<int>(chart->pixelOf(7)), chart->axisRect()->rect().center().y()));
        QCOMPARE(m_window->session().selectedLayer(), 7);
        m_window->session().editBits({ 7 }, Operand::Weight, 3);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        QVERIFY(chart->series().layers[7].range->step > 8 * step);
        QVERIFY(!chart->csv().empty());
        m_window->session().undoStack().undo();
        page->operandBox()->setCurrentIndex(1);
        QVERIFY(chart->series().layers[7].box.has_value());
        page->operandBox()->setCurrentIndex(0);
        page->setView(DistributionsPage::View::Histograms);
        QVERIFY(page->activations()->isVisible() && page->weights()->isVisible());
    }

    void anotherModelStartsAfresh()
    {
        test::TinyProject other;
        m_window->showPage(m_window->graph());
        m_window->openModel(other.modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model()->layers.size() == 3, patience);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().currentAnalysis(), patience);
        QCOMPARE(*m_window->graph()->view()->currentNode(), map().nodeOfLayer[0]);
        m_window->graph()->view()->viewport()->repaint();
    }

private:
    const NetworkMap& map() const { return *m_window->session().model()->map; }

    static bool shows(GraphView* view, const QColor& color)
    {
        const QImage image = view->viewport()->grab().toImage().convertToFormat(QImage::Format_RGB32);
        for (int y = 0; y < image.height(); ++y)
            for (int x = 0; x < image.width(); ++x)
                if ((image.pixel(x, y) & 0xffffff) == (color.rgb() & 0xffffff))
                    return true;
        return false;
    }

    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestGraphPage)
#include "tst_graph_page.moc"
