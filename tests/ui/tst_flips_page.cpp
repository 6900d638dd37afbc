// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

#include "tests/core/flow/flow_testing.h"
#include "tests/ui/session_fixture.h"
#include "ui/charts/confusion_chart.h"
#include "ui/charts/divergence_chart.h"
#include "ui/models/confusion_model.h"
#include "ui/models/flips_model.h"
#include "ui/views/elided_combo_box.h"
#include "ui/views/flips_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

/// A run on gray pictures in which the images of `flipped` are taken for another class than by the float network.
Run flippedRun(const dataset::SampleSetPtr& samples, const std::vector<std::size_t>& flipped)
{
    const auto outcomes = [&](bool quantized) {
        auto result = std::make_shared<evaluation::EvaluationResult>();
        result->classes = 2;
        for (std::size_t i = 0; i < static_cast<std::size_t>(samples->size()); ++i)
            result->outcomes.push_back({ .prediction = 0, .label = 0, .margin = 1 });
        for (const std::size_t i : quantized ? flipped : std::vector<std::size_t>())
            result->outcomes[i] = { .prediction = 1, .label = 0, .margin = -static_cast<float>(i) };
        return result;
    };
    Run run;
    run.scope = QStringLiteral("W4 A8");
    run.samples = samples;
    run.floatResult = outcomes(false);
    run.result = outcomes(true);
    return run;
}

QString cell(const QAbstractItemModel& model, int row, int column)
{
    return model.index(row, column).data().toString();
}

/// As a person does it.
void choose(FlipsPage& page, int run)
{
    page.runs()->setCurrentIndex(run);
    emit page.runs()->activated(run);
}

} // namespace

class TestFlipsPage : public QObject {
    Q_OBJECT

private slots:
    void modelsKeepTheirContract()
    {
        FlipsModel flips;
        ConfusionModel confusion;
        QAbstractItemModelTester first(&flips, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QAbstractItemModelTester second(&confusion, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const Run run = flippedRun(test::graySamples(12), { 3, 7 });
        flips.setRun(run);
        confusion.setRun(run);
        QCOMPARE(flips.rowCount(), 2);
        QCOMPARE(cell(flips, 0, FlipsModel::Kind), QStringLiteral("lost"));
        QCOMPARE(cell(flips, 0, FlipsModel::FloatMargin), QStringLiteral("+1.00"));
        QCOMPARE(cell(flips, 0, FlipsModel::QuantizedMargin), QStringLiteral("−7.00")); // the more surprising first
        QVERIFY(!flips.index(0, FlipsModel::Name).data(Qt::DecorationRole).value<QImage>().isNull());
        QCOMPARE(confusion.rowCount(), 2);
        QCOMPARE(cell(confusion, 0, ConfusionModel::Change), QStringLiteral("−2"));
        QCOMPARE(cell(confusion, 1, ConfusionModel::Change), QStringLiteral("+2"));
        Run exact = run;
        exact.isFloat = true;
        flips.setRun(exact);
        QCOMPARE(flips.rowCount(), 0);
        flips.setRun(run);
        flips.clear();
        confusion.clear();
        QCOMPARE(flips.rowCount() + confusion.rowCount(), 0);
    }

    void theMatrixShowsWhatChanged()
    {
        ConfusionChart chart;
        QVERIFY(chart.csv().empty());
        std::vector<evaluation::ConfusionChange> changes { { 3, 3, 10, 8 }, { 3, 5, 1, 3 }, { 7, 5, 4, 2 } };
        chart.setChanges(changes, [](std::int32_t label) { return QStringLiteral("class %1").arg(label); });
        QCOMPARE(chart.classes(), (std::vector<std::int32_t> { 3, 5, 7 }));
        QVERIFY(!ConfusionChart::better(changes[0])); // fewer right
        QVERIFY(!ConfusionChart::better(changes[1])); // more wrong
        QVERIFY(ConfusionChart::better(changes[2]));
        QStringList shown;
        for (int i = 0; i < chart.itemCount(); ++i)
            if (const auto* text = qobject_cast<QCPItemText*>(chart.item(i)))
                shown << text->text();
        QCOMPARE(shown, (QStringList { QStringLiteral("−2"), QStringLiteral("+2"), QStringLiteral("−2") }));
        QVERIFY(QString::fromStdString(chart.csv()).contains(QStringLiteral("3,5,1,3,2,class 3,class 5\n")));
        QSignalSpy keys(&chart, &ConfusionChart::keyChanged);
        const QString key = chart.key();
        QVERIFY(key.contains(QStringLiteral("better")) && key.contains(QStringLiteral("left out")));
        chart.setTheme(Theme::night());
        QVERIFY(!keys.isEmpty() && chart.key().contains(chart.theme().quantized.name()));
        // Of very many classes those that most changed for.
        changes.clear();
        for (int label = 0; label < 100; ++label)
            changes.push_back({ label, label, 50, label < 60 ? 49 : 10 });
        chart.setChanges(changes, [](std::int32_t label) { return QString::number(label); });
        QCOMPARE(chart.classes().size(), ConfusionChart::mostClasses);
        QVERIFY(chart.classes().front() >= 60);
        QVERIFY(chart.key().contains(QStringLiteral("32 classes of 100")));
        chart.setChanges({}, {});
        QVERIFY(chart.classes().empty());
    }

    void picturesAreWhatTheNetworkSees()
    {
        const auto samples = test::graySamples(3);
        const QImage picture = pictureOf(*samples, 2);
        const auto shape = samples->sampleShape();
        QCOMPARE(picture.size(), QSize(static_cast<int>(shape[2]), static_cast<int>(shape[1])));
        std::vector<float> values(static_cast<std::size_t>(samples->sampleSize()));
        samples->fill(2, 1, values);
        for (int y = 0; y < picture.height(); ++y)
            for (int x = 0; x < picture.width(); ++x) {
                const float value = values[static_cast<std::size_t>(y * picture.width() + x)];
                QCOMPARE(qGray(picture.pixel(x, y)), qRound(value * 255));
            }
    }

    void newestRunUnlessAnotherWasChosen()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        FlipsPage page(session, workbench);
        QCOMPARE(page.runs()->count(), 0);
        const auto samples = test::graySamples(12);
        session.addRun(flippedRun(samples, { 1 }));
        QCOMPARE(page.table()->model()->rowCount(), 1);
        session.addRun(flippedRun(samples, { 1, 2 }));
        QCOMPARE(page.table()->model()->rowCount(), 2);
        QVERIFY(page.summary().contains(QStringLiteral("2 of 12")));
        // Name and accuracy come first, and what has no room ends in dots.
        QCOMPARE(page.runs()->itemText(0), QStringLiteral("2: W8 A8, 83.3\u00a0%"));
        session.renameRun(1, QStringLiteral("a name that is much longer than the box"));
        QVERIFY(page.runs()->itemText(0).startsWith(QStringLiteral("2: a name")));
        auto* box = qobject_cast<ElidedComboBox*>(page.runs());
        QVERIFY(box);
        box->resize(120, box->height());
        QVERIFY2(box->shownText().endsWith(QChar(0x2026)), qPrintable(box->shownText()));
        box->resize(900, box->height());
        QCOMPARE(box->shownText(), box->currentText());
        choose(page, 1);
        QCOMPARE(page.table()->model()->rowCount(), 1);
        session.addRun(flippedRun(samples, { 1, 2, 3 }));
        QCOMPARE(page.runs()->currentIndex(), 2);
        QCOMPARE(page.table()->model()->rowCount(), 1);
        choose(page, 0);
        QCOMPARE(page.table()->model()->rowCount(), 3);
        page.showConfusion();
        QVERIFY(page.confusion()->model()->rowCount() > 0);
        QVERIFY(!page.matrix()->classes().empty());
        session.setModel(nullptr);
        QCOMPARE(page.runs()->count(), 0);
        QCOMPARE(page.table()->model()->rowCount(), 0);
    }

    void theRunOfTheCurrentOptionsWhateverStudiesBring()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        FlipsPage page(session, workbench);
        const auto samples = test::graySamples(12);
        session.addRun(flippedRun(samples, { 1 })); // of the options as they are
        Run studied = flippedRun(samples, { 1, 2 });
        studied.request.weights.bits = 3;
        session.addRun(studied);
        QVERIFY(page.summary().contains(QStringLiteral("1 of 12")));
        // Until the new options are evaluated the old answer stays.
        planning::PlanRequest wanted = session.request();
        wanted.weights.bits = 5;
        session.edit(wanted, QStringLiteral("bits"));
        QVERIFY(page.summary().contains(QStringLiteral("1 of 12")));
        Run evaluated = flippedRun(samples, { 1, 2, 3 });
        evaluated.request = wanted;
        session.addRun(evaluated);
        QVERIFY(page.summary().contains(QStringLiteral("3 of 12")));
        session.undoStack().undo();
        QVERIFY(page.summary().contains(QStringLiteral("1 of 12")));
    }

    void followsAnImageThroughTheNetwork()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        FlipsPage page(session, workbench);
        const auto samples = test::graySamples(24);
        Run run = flippedRun(samples, { 5, 9 });
        run.graph = test::smallGraph();
        const flow::Quantizer quantizer(run.graph, samples);
        planning::PlanRequest request;
        request.weights.bits = 3;
        request.activations.bits = 4;
        run.plan = quantizer.quantize(request)->plan;
        session.addRun(run);
        page.resize(700, 600);
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        QTRY_VERIFY(session.flipTrace());
        QCOMPARE(session.flipTrace()->image, 9);
        QVERIFY(!page.chart()->series().empty());
        const auto usual = session.flipTrace()->usual;
        page.table()->selectRow(1);
        QTRY_VERIFY(session.flipTrace() && session.flipTrace()->image == 5);
        QCOMPARE(session.flipTrace()->usual, usual); // not measured again
        QVERIFY(page.chart()->csv().starts_with("tensor,usual_sqnr_db,image_sqnr_db\n"));
    }
};

QTEST_MAIN(TestFlipsPage)
#include "tst_flips_page.moc"
