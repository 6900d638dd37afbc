// SPDX-License-Identifier: GPL-3.0-or-later
// How long the window takes to answer a hand: a drag of a clipping handle until it is painted, and the graph of a
// network with a thousand nodes. Prints medians and 99th percentiles; run by hand, with QT_QPA_PLATFORM=offscreen where
// there is no screen.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include <QApplication>
#include <QEvent>
#include <QMouseEvent>
#include <QScrollBar>

#include "core/base/random.h"
#include "tests/support/deep_network.h"
#include "ui/session/work.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/graph_page.h"
#include "ui/views/graph_view.h"
#include "ui/views/layers_view.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

void print(const char* what, std::vector<double> times)
{
    std::sort(times.begin(), times.end());
    const auto at = [&](double share) {
        return times[std::min(times.size() - 1, static_cast<std::size_t>(share * static_cast<double>(times.size())))];
    };
    std::printf("%-46s median %7.2f ms   p99 %7.2f ms   (%zu)\n", what, at(0.5), at(0.99), times.size());
}

/// Counts the paints of a widget.
class Paints : public QObject {
public:
    int count = 0;
    bool eventFilter(QObject*, QEvent* event) override
    {
        count += event->type() == QEvent::Paint;
        return false;
    }
};

LoadedModelPtr deepModel(int blocks, int channels)
{
    auto source = std::make_shared<graph::Model>();
    source->graph = test::deepNetwork(blocks, channels, 32, 10);
    LoadedModel read;
    read.name = QStringLiteral("deep.onnx");
    read.source = std::move(source);
    const auto start = Clock::now();
    auto model = prepareModel(read, true);
    if (!model) {
        std::fprintf(stderr, "%s\n", model.error().what.c_str());
        std::exit(1);
    }
    std::printf("%zu nodes, %zu layers: prepared and laid out in %.0f ms\n", (*model)->map->nodes.size(),
        (*model)->layers.size(), milliseconds(start));
    const auto again = Clock::now();
    (void)mapNetwork(*(*model)->graph, (*model)->layers);
    std::printf("  of these the layout %.1f ms\n", milliseconds(again));
    return *model;
}

/// Moves the upper handle of a panel to and fro; each move until it is painted.
void drag(DistributionPanel& panel, const char* what)
{
    DistributionChart* chart = panel.chart();
    Paints paints;
    chart->installEventFilter(&paints);
    const auto send = [&](QEvent::Type type, double x, Qt::MouseButtons buttons) {
        const QPointF at(x, chart->axisRect()->rect().center().y());
        QMouseEvent event(
            type, at, chart->mapToGlobal(at), type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, buttons, {});
        QCoreApplication::sendEvent(chart, &event);
    };
    QCoreApplication::processEvents();
    const double from = chart->handlePixel(true);
    const double to = chart->handlePixel(false);
    send(QEvent::MouseButtonPress, from, Qt::LeftButton);
    std::vector<double> times;
    for (int i = 0; i < 400; ++i) {
        const double share = 0.05 + 0.4 * std::abs((i % 100) / 50.0 - 1);
        const int before = paints.count;
        const auto start = Clock::now();
        send(QEvent::MouseMove, from + share * (to - from), Qt::LeftButton);
        while (paints.count == before)
            QCoreApplication::processEvents();
        times.push_back(milliseconds(start));
    }
    chart->removeEventFilter(&paints);
    print(what, std::move(times));
}

void paintGraph(Session& session)
{
    GraphPage page(session);
    page.resize(1280, 800);
    page.show();
    QCoreApplication::processEvents();
    GraphView* view = page.view();
    const auto repaint = [&](const char* what, const auto& move) {
        std::vector<double> times;
        for (int i = 0; i < 200; ++i) {
            move(i);
            const auto start = Clock::now();
            view->viewport()->repaint();
            times.push_back(milliseconds(start));
        }
        print(what, std::move(times));
    };
    view->fit();
    repaint("graph, everything in sight", [](int) {});
    view->showStart();
    repaint("graph, scrolling at a readable size", [&](int i) { view->verticalScrollBar()->setValue(i * 40); });
    view->fit();
    for (int i = 0; i < 4; ++i)
        view->zoomIn();
    repaint("graph, four steps nearer", [&](int i) { view->verticalScrollBar()->setValue(i * 10); });
    session.setMeasure(Measure::Macs);
    view->fit();
    repaint("graph, everything, coloured", [](int) {});
}

/// Weights and, since nothing was calibrated here, activations made up.
void dragBoth(Session& session)
{
    auto stats = std::make_shared<calibration::CalibrationStats>();
    base::Random random(1);
    for (const LayerInfo& layer : session.model()->layers) {
        std::vector<float> values(20'000);
        for (float& value : values)
            value = static_cast<float>(std::max(0.0, random.normal()));
        calibration::TensorStats seen;
        seen.observe(Tensor::from<float>({ 1, 20'000 }, values).view());
        stats->tensors.emplace(layer.inputTensor, std::move(seen));
    }
    session.setStats(stats);
    const auto analysis = analyse(*session.model(), stats.get(), session.request(), nullptr, nullptr);
    if (!analysis) {
        std::fprintf(stderr, "%s\n", analysis.error().what.c_str());
        std::exit(1);
    }
    session.setAnalysis(*analysis);
    for (const Operand operand : { Operand::Weight, Operand::Activation }) {
        DistributionPanel panel(session, operand);
        panel.resize(580, 340);
        panel.show();
        drag(panel,
            operand == Operand::Weight ? "drag to redraw, weights, 8 bits" : "drag to redraw, activations, 8 bits");
        panel.resize(1800, 700);
        drag(panel, "  the same in a window of 2560x1440");
    }
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    std::printf("platform %s\n", qPrintable(QGuiApplication::platformName()));
    {
        // One wide layer: as many weights as a layer of ResNet-18 has.
        Session session;
        session.setModel(deepModel(1, 512));
        session.selectLayer(1);
        dragBoth(session);
    }
    Session session;
    session.setModel(deepModel(198, 8));
    const auto analysis = analyse(*session.model(), nullptr, session.request(), nullptr, nullptr);
    if (analysis)
        session.setAnalysis(*analysis);
    paintGraph(session);
    return 0;
}
