// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// The event loop comes round while the longest jobs run, whatever page is in front.
#include <QPushButton>
#include <QTabWidget>
#include <QTest>

#include "tests/support/sanitized.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/loop_watch.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/views/options_study_page.h"
#include "ui/views/studies_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 120'000;
constexpr double frozen = 100; // milliseconds: what a person feels

}

class TestResponsiveness : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::freshStart("tst_responsiveness"); }

    void theLoopComesRound_data()
    {
        QTest::addColumn<bool>("sample");
        QTest::newRow("small network") << false;
        QTest::newRow("the sample") << true;
    }

    void theLoopComesRound()
    {
        QFETCH(bool, sample);
        // A busy machine can hold up a window that does nothing wrong; what freezes it does so every time.
        Gaps gaps;
        for (int attempt = 0; attempt < 3 && !gaps.unnoticed(); ++attempt) {
            gaps = {};
            measure(sample, gaps);
            if (QTest::currentTestFailed() || gaps.skipped)
                return;
        }
        if (test::sanitized)
            qInfo("not judged: a sanitizer slows the window down");
        else
            QVERIFY2(gaps.unnoticed(),
                qPrintable(QStringLiteral("%1 ms opening, %2 ms in a sweep").arg(gaps.opening).arg(gaps.sweep)));
    }

private:
    /// Longest times the loop did not come round, milliseconds without waiting for a processor.
    struct Gaps {
        double opening = frozen;
        double sweep = frozen;
        bool skipped = false;
        bool unnoticed() const { return opening < frozen && sweep < frozen; }
    };

    static void measure(bool sample, Gaps& gaps)
    {
        MainWindow window;
        window.resize(1280, 800);
        window.show();
        test::TinyProject tiny;
        DataRequest data = tiny.dataRequest();
        QString model = tiny.modelPath();
        if (sample) {
            gaps.skipped = !Workbench::sampleData() || !std::filesystem::exists(Workbench::sampleModel());
            if (gaps.skipped)
                QSKIP("the sample or Fashion-MNIST is not installed");
            data = *Workbench::sampleData();
            data.limit = 100;
            model = QString::fromStdString(Workbench::sampleModel().string());
        }
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        test::LoopWatch opening;
        window.openModel(model);
        window.openData(data);
        QTRY_VERIFY_WITH_TIMEOUT(window.session().accuracy().state == Accuracy::State::Done, patience);
        gaps.opening = report("opening", opening);

        window.showPage(window.studies());
        QTest::qWait(50);
        test::LoopWatch sweeping;
        window.studies()->setSettings({ { 2, 3, 4, 5 }, { 2, 3, 4, 5 } });
        window.studies()->startButton()->click();
        // A person goes on working meanwhile.
        for (int page = 0; page < window.pages()->count(); ++page) {
            window.pages()->setCurrentIndex(page);
            window.session().selectLayer(page % static_cast<int>(window.session().model()->layers.size()));
            QTest::qWait(20);
        }
        window.session().editBits({ 0 }, Operand::Weight, 5);
        QTRY_VERIFY_WITH_TIMEOUT(!window.workbench().running(Study::Sweep), patience);
        QCOMPARE(window.session().sweep()->points.size(), std::size_t(16));
        gaps.sweep = report("a sweep of 16 points", sweeping);
    }

    static double report(const char* what, const test::LoopWatch& watch)
    {
        qInfo("%s: %d rounds, longest gap %.1f ms, %.1f ms without waiting for a processor", what, watch.ticks(),
            watch.longest(), watch.longestBusy());
        return watch.longestBusy();
    }
};

QTEST_MAIN(TestResponsiveness)
#include "tst_responsiveness.moc"
