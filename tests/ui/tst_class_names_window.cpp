// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// What the classes are called, from the dialog that asks for a list of names to the pages that say them.
#include <cmath>

#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QTest>
#include <QToolButton>

#include "tests/support/memory_dataset.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/confusion_chart.h"
#include "ui/main_window.h"
#include "ui/models/confusion_model.h"
#include "ui/models/flips_model.h"
#include "ui/session/project_state.h"
#include "ui/views/data_dialog.h"
#include "ui/views/data_preview.h"
#include "ui/views/flips_page.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

class NamedDataset : public test::MemoryDataset {
public:
    NamedDataset(std::vector<int> labels, std::vector<std::string> names)
        : MemoryDataset(
            std::vector<dataset::Image>(labels.size(), dataset::Image { 4, 4, 1, std::vector<std::uint8_t>(16) }),
            labels)
        , m_names(std::move(names))
    {
    }
    const std::vector<std::string>& classNames() const override { return m_names; }

private:
    std::vector<std::string> m_names;
};

dataset::SampleSetPtr samplesOf(std::vector<int> labels, std::vector<std::string> names)
{
    dataset::SampleSet::Options load;
    load.preprocessing.channels = dataset::Channels::Gray;
    return *dataset::SampleSet::load(std::make_shared<NamedDataset>(std::move(labels), std::move(names)), load);
}

/// Image i is right in the float network; the quantized one takes it for `taken[i]`.
Run runOn(const dataset::SampleSetPtr& samples, const std::vector<std::int32_t>& taken, const std::string& plan = "p")
{
    auto before = std::make_shared<evaluation::EvaluationResult>();
    auto after = std::make_shared<evaluation::EvaluationResult>();
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const std::int32_t label = samples->labels()[i];
        before->outcomes.push_back({ .prediction = label, .label = label, .margin = 1 });
        after->outcomes.push_back({ .prediction = taken[i], .label = label, .margin = -1 - static_cast<float>(i) });
    }
    Run run;
    run.key = { "g", plan, samples->fingerprint() };
    run.scope = QStringLiteral("W4 A8");
    run.samples = samples;
    run.floatResult = before;
    run.result = after;
    run.request.weights.bits = plan == "p" ? 8 : 4;
    return run;
}

QString cell(const QAbstractItemModel& model, int row, int column, int role = Qt::DisplayRole)
{
    return model.index(row, column).data(role).toString();
}

void write(const QString& path, const QByteArray& content)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(content);
}

/// The names that stand at an axis, by place.
QMap<double, QString> namesAt(const QCPAxis* axis) { return axis->ticker().staticCast<QCPAxisTickerText>()->ticks(); }

std::vector<evaluation::ConfusionChange> changesOf(int classes)
{
    std::vector<evaluation::ConfusionChange> changes;
    for (int label = 0; label < classes; ++label)
        changes.push_back({ label, (label + 1) % classes, 3, 5 + label % 7 });
    return changes;
}

} // namespace

class TestClassNamesWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_class_names_window");
        m_tiny = std::make_unique<test::TinyProject>();
    }

    void words_data()
    {
        QTest::addColumn<int>("number");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("tip");
        QTest::newRow("named") << 0 << "cat"
                               << "cat, class 0";
        QTest::newRow("named like another") << 1 << "crane (1)"
                                            << "crane, class 1";
        QTest::newRow("the other") << 2 << "crane (2)"
                                   << "crane, class 2";
        QTest::newRow("other letters") << 3 << QStringLiteral("Käfer") << QStringLiteral("Käfer, class 3");
        QTest::newRow("without a name") << 4 << "4"
                                        << "class 4";
        QTest::newRow("none") << -1 << "none"
                              << "none";
    }

    void words()
    {
        QFETCH(int, number);
        const auto samples = samplesOf({ 0 }, { "cat", "crane", "crane", "Käfer" });
        QTEST(classText(*samples, number), "text");
        QTEST(classTip(*samples, number), "tip");
    }

    void tablesSayNames()
    {
        const auto samples = samplesOf({ 0, 1, 2, 0 }, { "Shirt", "ankle boot", "Coat" });
        const Run run = runOn(samples, { 2, 0, 5, 0 });
        FlipsModel flips;
        flips.setRun(run);
        QCOMPARE(flips.rowCount(), 3);
        QCOMPARE(cell(flips, 2, FlipsModel::Label), QStringLiteral("Shirt"));
        QCOMPARE(cell(flips, 2, FlipsModel::FloatClass), QStringLiteral("Shirt"));
        QCOMPARE(cell(flips, 2, FlipsModel::QuantizedClass), QStringLiteral("Coat"));
        QCOMPARE(cell(flips, 2, FlipsModel::QuantizedClass, Qt::ToolTipRole), QStringLiteral("Coat, class 2"));
        QCOMPARE(cell(flips, 0, FlipsModel::QuantizedClass), QStringLiteral("5"));
        QSortFilterProxyModel order;
        order.setSourceModel(&flips);
        order.setSortRole(FlipsModel::SortRole);
        order.sort(FlipsModel::Label);
        QStringList labels;
        for (int row = 0; row < order.rowCount(); ++row)
            labels << cell(order, row, FlipsModel::Label);
        QCOMPARE(labels, (QStringList { "ankle boot", "Coat", "Shirt" })); // as they are read
        ConfusionModel confusion;
        confusion.setRun(run);
        QStringList pairs;
        for (int row = 0; row < confusion.rowCount(); ++row)
            pairs << cell(confusion, row, ConfusionModel::Label) + "/"
                    + cell(confusion, row, ConfusionModel::Prediction);
        QVERIFY2(pairs.contains("Shirt/Coat") && pairs.contains("Coat/5"), qPrintable(pairs.join(' ')));
        QVERIFY(cell(confusion, 0, ConfusionModel::Label, Qt::ToolTipRole).contains(QStringLiteral(", class ")));
    }

    void numbersAreSortedAsNumbers()
    {
        const auto samples = samplesOf({ 10, 9, 100 }, {});
        FlipsModel flips;
        flips.setRun(runOn(samples, { 1, 2, -1 }));
        QSortFilterProxyModel order;
        order.setSourceModel(&flips);
        order.setSortRole(FlipsModel::SortRole);
        QStringList labels;
        order.sort(FlipsModel::Label);
        for (int row = 0; row < 3; ++row)
            labels << cell(order, row, FlipsModel::Label);
        QCOMPARE(labels, (QStringList { "9", "10", "100" }));
        order.sort(FlipsModel::QuantizedClass);
        QCOMPARE(cell(order, 0, FlipsModel::QuantizedClass), QStringLiteral("none"));
    }

    void thePageSaysNames()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        FlipsPage page(session, workbench);
        session.addRun(runOn(samplesOf({ 0, 1 }, { "<Shirt>", "Coat" }), { 1, 1 }));
        page.table()->selectRow(0);
        QString facts;
        for (const auto* label : page.findChildren<QLabel*>())
            facts += label->text();
        QVERIFY2(facts.contains(QStringLiteral("label &lt;Shirt&gt;")), qPrintable(facts));
        QVERIFY2(facts.contains(QStringLiteral("quantized Coat")), qPrintable(facts));
        const auto names = namesAt(page.matrix()->xAxis).values();
        QCOMPARE(names, (QStringList { "<Shirt>", "Coat" }));
        QVERIFY(QString::fromStdString(page.matrix()->csv()).contains(QStringLiteral("0,1,0,1,1,<Shirt>,Coat\n")));
    }

    void namesOfImagesThatWereOpenedAgainReachOlderRuns()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        FlipsPage page(session, workbench);
        session.addRun(runOn(samplesOf({ 0, 1 }, {}), { 1, 1 }, "other"));
        QCOMPARE(cell(*page.table()->model(), 0, FlipsModel::Label), QStringLiteral("0"));
        session.addRun(runOn(samplesOf({ 0, 1 }, { "Shirt", "Coat" }), { 0, 0 }));
        for (const Run& run : session.runs())
            QCOMPARE(classText(*run.samples, 0), QStringLiteral("Shirt"));
        page.runs()->setCurrentIndex(1);
        QCOMPARE(cell(*page.table()->model(), 0, FlipsModel::Label), QStringLiteral("Shirt"));
    }

    void axesHoldTheirNames_data()
    {
        QTest::addColumn<int>("classes");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QSize>("size");
        const QList<QSize> sizes { { 360, 260 }, { 560, 420 }, { 900, 700 } };
        for (const QSize& size : sizes)
            for (const auto& [classes, name] :
                { std::pair(2, "cat"), std::pair(10, "Ankle boot"), std::pair(10, "7"), std::pair(32, "aquarium_fish"),
                    std::pair(32, "Staffordshire bullterrier, Staffordshire bull terrier"),
                    std::pair(3, "Staffordshire bullterrier, Staffordshire bull terrier"), std::pair(1, "cat") })
                QTest::addRow("%d of %s, %d pixels", classes, name, size.width()) << classes << name << size;
    }

    void axesHoldTheirNames()
    {
        QFETCH(int, classes);
        QFETCH(QString, name);
        QFETCH(QSize, size);
        ConfusionChart chart;
        chart.setChanges(changesOf(classes), [&](std::int32_t) { return name; });
        chart.resize(size);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        chart.replot(QCustomPlot::rpImmediateRefresh);
        const QFontMetricsF metrics(chart.xAxis->tickLabelFont());
        const double slope = std::abs(chart.xAxis->tickLabelRotation());
        for (const auto* axis : { chart.xAxis, chart.yAxis }) {
            const auto names = namesAt(axis);
            QVERIFY(names.size() >= std::min(classes, 6));
            double before = -1e9;
            for (auto at = names.begin(); at != names.end(); ++at) {
                const double width = metrics.horizontalAdvance(at.value());
                const bool flat = axis == chart.xAxis && slope == 0;
                const double pixel = std::abs(axis->coordToPixel(at.key()));
                const double apart
                    = flat ? width : metrics.height() / (axis == chart.xAxis ? std::sin(slope * M_PI / 180) : 1);
                QVERIFY2(std::abs(pixel - before) >= apart - 0.5,
                    qPrintable(QStringLiteral("%1 pixels between names, %2 needed").arg(pixel - before).arg(apart)));
                before = pixel;
                // All of it is in the picture.
                if (axis == chart.yAxis)
                    QVERIFY2(width < chart.axisRect()->left(), qPrintable(at.value()));
                if (axis == chart.xAxis && !flat) {
                    QVERIFY2(pixel - width * std::cos(slope * M_PI / 180) >= -1, qPrintable(at.value()));
                    QVERIFY2(chart.axisRect()->bottom() + width * std::sin(slope * M_PI / 180) <= chart.height(),
                        qPrintable(at.value()));
                }
                if (flat)
                    QVERIFY2(pixel + width / 2 <= chart.width(), qPrintable(at.value()));
            }
        }
        // Names leave room for what is drawn.
        QVERIFY(chart.axisRect()->width() >= size.width() / 2);
        QVERIFY2(chart.axisRect()->height() >= size.height() / 3, QByteArray::number(chart.axisRect()->height()));
    }

    void figuresThatHaveNoRoomAreLeftToTheReadout()
    {
        ConfusionChart chart;
        chart.setChanges(changesOf(32), [](std::int32_t label) { return QString::number(label); });
        chart.resize(900, 800);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        const auto shown = [&chart] {
            int count = 0;
            for (int i = 0; i < chart.itemCount(); ++i)
                count += qobject_cast<QCPItemText*>(chart.item(i)) && chart.item(i)->visible() ? 1 : 0;
            return count;
        };
        QTRY_COMPARE(shown(), 32);
        chart.resize(300, 240);
        QTRY_COMPARE(shown(), 0);
        chart.xAxis->setRange(-0.5, 3.5);
        chart.yAxis->setRange(-0.5, 3.5);
        QCOMPARE(shown(), 32);
    }

    void shortNamesAreWhole()
    {
        ConfusionChart chart;
        chart.setChanges(changesOf(10), [](std::int32_t) { return QStringLiteral("Ankle boot"); });
        chart.resize(560, 420);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        for (const auto* axis : { chart.xAxis, chart.yAxis })
            QCOMPARE(namesAt(axis).values(), QStringList(10, QStringLiteral("Ankle boot")));
        QVERIFY(chart.xAxis->tickLabelRotation() != 0); // ten of them are wider than the chart
        chart.resize(1600, 600);
        QTRY_COMPARE(chart.xAxis->tickLabelRotation(), 0.0);
        chart.resize(560, 420);
        QTRY_VERIFY(chart.xAxis->tickLabelRotation() != 0);
        chart.xAxis->setRange(-0.5, 2.5); // as by the wheel
        QCOMPARE(chart.xAxis->tickLabelRotation(), 0.0);
    }

    void theDialogAsksForNames()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        DataDialog dialog(session, workbench);
        auto* labels = field(dialog, QStringLiteral("Labels"));
        auto* classes = field(dialog, QStringLiteral("Class names"));
        QVERIFY(labels && classes);
        QVERIFY(!classes->toolTip().isEmpty());
        QCOMPARE(classes->placeholderText(), QStringLiteral("found beside the images"));
        // The key of each label reaches the field, and Tab goes on from Labels by way of Browse.
        for (const auto* label : dialog.findChildren<QLabel*>())
            if (label->text() == QStringLiteral("Cla&sses"))
                QCOMPARE(label->buddy(), classes);
        QWidget* next = labels->nextInFocusChain();
        while (!qobject_cast<QToolButton*>(next) && next != classes)
            next = next->nextInFocusChain();
        QCOMPARE(next->accessibleName(), QStringLiteral("Browse: Labels"));
        while (next != classes && !(next != labels && qobject_cast<QLineEdit*>(next)))
            next = next->nextInFocusChain();
        QCOMPARE(next, classes);
        DataRequest request;
        request.path = "/images";
        request.classes = "/names.txt";
        dialog.setRequest(request);
        QCOMPARE(classes->text(), QStringLiteral("/names.txt"));
        QVERIFY(dialog.request()->classes == request.classes);
        classes->setText(QStringLiteral("  /others.txt "));
        QVERIFY(dialog.request()->classes == "/others.txt");
        QVERIFY2(dialog.sizeHint().height() <= 660, QByteArray::number(dialog.sizeHint().height())); // of 700, framed
        QVERIFY2(dialog.minimumSizeHint().width() <= 1024, QByteArray::number(dialog.minimumSizeHint().width()));
    }

    void thePreviewSaysNames()
    {
        Session session;
        JobRunner jobs;
        Workbench workbench(session, jobs);
        DataDialog dialog(session, workbench);
        dialog.show();
        QVERIFY(QTest::qWaitForWindowExposed(&dialog));
        const QString list = m_tiny->folder() + QStringLiteral("/names.txt");
        QByteArray names;
        for (int i = 0; i < 10; ++i)
            names += "a name, " + QByteArray::number(i) + ", far too long for the space under one picture\n";
        write(list, names);
        field(dialog, QStringLiteral("Images"))->setText(QString::fromStdString(m_tiny->dataRequest().path.string()));
        field(dialog, QStringLiteral("Class names"))->setText(list);
        QTRY_VERIFY_WITH_TIMEOUT(dialog.preview()->images()->count() > 0, patience);
        const auto* images = dialog.preview()->images();
        for (int i = 0; i < images->count(); ++i) {
            const auto* item = images->item(i);
            QVERIFY2(item->text().startsWith(QStringLiteral("a name")) && item->text().endsWith(QChar(0x2026)),
                qPrintable(item->text()));
            QVERIFY(images->fontMetrics().horizontalAdvance(item->text()) <= images->gridSize().width() - 8);
            QVERIFY2(
                item->toolTip().contains(QStringLiteral("under one picture, class ")), qPrintable(item->toolTip()));
        }
        // A list that is none is said where the pictures would be.
        write(list, "only one\n");
        field(dialog, QStringLiteral("Class names"))->setText(list + QLatin1Char(' '));
        QTRY_VERIFY_WITH_TIMEOUT(
            dialog.preview()->text().contains(QStringLiteral("of the images has no name")), patience);
        QVERIFY(dialog.preview()->text().contains(QStringLiteral("names.txt")));
    }

    void aProjectKeepsTheList_data()
    {
        QTest::addColumn<bool>("known");
        QTest::newRow("with it") << true;
        QTest::newRow("of an earlier version") << false;
    }

    void aProjectKeepsTheList()
    {
        QFETCH(bool, known);
        ProjectState state;
        DataRequest data;
        data.path = "/data/images";
        data.labels = "/data/labels.txt";
        data.classes = "/data/classes.txt";
        state.models["abc"].data = data;
        QString text = QString::fromStdString(state.toText("/data"));
        if (!known) {
            const auto before = text.size();
            text.remove(QRegularExpression(QStringLiteral("\"classes\":\\{[^}]*\\},?")));
            QVERIFY(text.size() < before);
            data.classes.clear();
        }
        const auto back = ProjectState::fromText(text.toStdString(), "/data");
        QVERIFY2(back.has_value(), back ? "" : back.error().message().c_str());
        QVERIFY(*back->models.at("abc").data == data);
    }

    void theSampleHasNames()
    {
        const auto list = Workbench::sampleFile("fashion_mnist_classes.txt");
        QVERIFY2(std::filesystem::exists(list), list.c_str());
        QFile file(QString::fromStdString(list.string()));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const auto names = QString::fromUtf8(file.readAll()).split('\n', Qt::SkipEmptyParts);
        QCOMPARE(names.size(), 10);
        QCOMPARE(names[6], QStringLiteral("Shirt"));
        const auto request = Workbench::sampleData();
        if (!request)
            QSKIP("SKIPPED: Fashion-MNIST is not installed");
        QCOMPARE(request->classes, list);
        const auto data = dataset::openDataset(request->path, request->openOptions());
        QVERIFY2(data.has_value(), data ? "" : data.error().message().c_str());
        QCOMPARE((*data)->classNames().at(9), std::string("Ankle boot"));
    }

    /// From the dialog to the page of what broke and into the project, as a person does it.
    void fromTheDialogToThePage()
    {
        const QString list = m_tiny->folder() + QStringLiteral("/words.txt");
        QByteArray names;
        for (int i = 0; i < 10; ++i)
            names += "class " + QByteArray(1, static_cast<char>('A' + i)) + '\n';
        write(list, names);
        MainWindow window;
        window.show();
        window.openModel(m_tiny->modelPath());
        DataRequest request = m_tiny->dataRequest();
        request.classes = list.toStdString();
        window.openData(request);
        QTRY_VERIFY_WITH_TIMEOUT(window.session().accuracy().state == Accuracy::State::Done, patience);
        planning::PlanRequest coarse = window.session().request();
        coarse.weights.bits = 2;
        coarse.activations.bits = 2;
        window.session().edit(coarse, QStringLiteral("bits"));
        QTRY_VERIFY_WITH_TIMEOUT(window.flips()->table()->model()->rowCount() > 0
                && window.session().accuracy().state == Accuracy::State::Done,
            patience);
        const QString said = cell(*window.flips()->table()->model(), 0, FlipsModel::Label);
        QVERIFY2(said.startsWith(QStringLiteral("class ")), qPrintable(said));
        const QString project = m_tiny->folder() + QStringLiteral("/names.qscope");
        QSignalSpy saved(&window.workbench().project(), &ProjectFile::saved);
        window.workbench().project().saveAs(project.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 1, patience);
        MainWindow later;
        later.show();
        later.openProject(project);
        QTRY_VERIFY_WITH_TIMEOUT(later.flips()->table()->model()->rowCount() > 0, patience);
        QCOMPARE(later.session().data()->request.classes.string(), list.toStdString());
        QCOMPARE(cell(*later.flips()->table()->model(), 0, FlipsModel::Label), said);
    }

private:
    static QLineEdit* field(const DataDialog& dialog, const QString& name)
    {
        for (auto* edit : dialog.findChildren<QLineEdit*>())
            if (edit->accessibleName() == name)
                return edit;
        return nullptr;
    }

    std::unique_ptr<test::TinyProject> m_tiny;
};

QTEST_MAIN(TestClassNamesWindow)
#include "tst_class_names_window.moc"
