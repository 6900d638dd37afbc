// SPDX-License-Identifier: GPL-3.0-or-later
// What a person waits for in the window, on the bundled sample: from opening it to the first histogram, from an edit to
// the first figure of accuracy, and how long the event loop does not come round while a grid is evaluated. Offscreen:
//     QT_QPA_PLATFORM=offscreen build/release/tests/bench/bench_window [REPEATS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <QApplication>
#include <QSettings>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTest>

#include "tests/ui/loop_watch.h"
#include "ui/charts/distribution_chart.h"
#include "ui/main_window.h"
#include "ui/views/appearance.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/options_panel.h"
#include "ui/views/studies_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 600'000;
constexpr std::int64_t images = 1000;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void print(const char* what, std::vector<double> milliseconds)
{
    std::ranges::sort(milliseconds);
    std::printf("%-44s median %8.1f ms   least %8.1f   most %8.1f   (%zu)\n", what,
        milliseconds[milliseconds.size() / 2], milliseconds.front(), milliseconds.back(), milliseconds.size());
    std::fflush(stdout);
}

template <typename Condition> bool wait(Condition condition)
{
    const auto start = Clock::now();
    while (!condition()) {
        if (since(start) > patience)
            return false;
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 50);
    }
    return true;
}

std::unique_ptr<MainWindow> shown()
{
    auto window = std::make_unique<MainWindow>();
    window->resize(1280, 800);
    window->show();
    [[maybe_unused]] const bool exposed = QTest::qWaitForWindowExposed(window.get());
    return window;
}

bool histogramIsThere(const MainWindow& window)
{
    return window.pages()->isVisible() && !window.distributions()->weights()->chart()->content().values.empty();
}

double firstHistogram()
{
    const auto window = shown();
    const auto start = Clock::now();
    window->openModel(QString::fromStdString(Workbench::sampleModel().string()));
    wait([&] { return histogramIsThere(*window); });
    window->repaint();
    return since(start);
}

void open(MainWindow& window)
{
    DataRequest data = *Workbench::sampleData();
    data.limit = images;
    window.openModel(QString::fromStdString(Workbench::sampleModel().string()));
    window.openData(data);
    wait([&] { return window.session().accuracy().state == Accuracy::State::Done; });
}

/// Edits word-lengths and waits for the first figure, however few images it is from, and for the last one.
void measureEdits(MainWindow& window, int repeats)
{
    std::vector<double> first;
    std::vector<double> all;
    for (int i = 0; i < repeats; ++i) {
        wait([&] { return window.jobs().idle(); });
        const auto start = Clock::now();
        window.session().editBits({ i % 20 }, Operand::Weight, 3 + i / 20 % 4);
        wait([&] { return window.session().accuracy().images > 0; });
        first.push_back(since(start));
        wait([&] { return window.session().accuracy().state == Accuracy::State::Done; });
        all.push_back(since(start));
    }
    print("edit to first accuracy figure", std::move(first));
    print("edit to accuracy on 1,000 images", std::move(all));
}

void measureGrid(MainWindow& window)
{
    window.showPage(window.studies());
    wait([&] { return window.jobs().idle(); });
    test::LoopWatch watch;
    const auto start = Clock::now();
    window.studies()->setSettings({ { 2, 3, 4, 5, 6, 7, 8 }, { 2, 3, 4, 5, 6, 7, 8 } });
    window.workbench().startSweep(window.studies()->settings());
    wait([&] { return !window.workbench().running(Study::Sweep); });
    std::printf("%-44s longest %.1f ms, %.1f ms without waiting for a processor; %d rounds, %zu points in %.1f s\n",
        "event-loop gap during a grid", watch.longest(), watch.longestBusy(), watch.ticks(),
        window.session().sweep()->points.size(), since(start) / 1000);
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QStandardPaths::setTestModeEnabled(true);
    qputenv("QUANTOSCOPE_NO_CACHE", "1");
    QCoreApplication::setOrganizationName(QStringLiteral("QuantoscopeTest"));
    QCoreApplication::setApplicationName(QStringLiteral("bench_window"));
    QSettings().clear();
    if (!Workbench::sampleData() || !std::filesystem::exists(Workbench::sampleModel())) {
        std::fprintf(stderr, "error: the sample or Fashion-MNIST is not installed\n");
        return 1;
    }
    const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 20;
    std::vector<double> histograms;
    for (int i = 0; i < std::min(repeats, 10); ++i)
        histograms.push_back(firstHistogram());
    print("open sample to first histogram", std::move(histograms));
    const auto window = shown();
    open(*window);
    measureEdits(*window, repeats);
    measureGrid(*window);
    return 0;
}
