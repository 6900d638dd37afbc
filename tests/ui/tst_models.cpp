// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include "tests/ui/session_fixture.h"
#include "ui/models/distinct_names.h"
#include "ui/models/layers_filter.h"
#include "ui/models/layers_model.h"
#include "ui/models/runs_model.h"

using namespace quantoscope;
using namespace quantoscope::ui;

class TestModels : public QObject {
    Q_OBJECT

private slots:
    void namesAreShortenedToWhatTellsThemApart_data()
    {
        QTest::addColumn<QStringList>("names");
        QTest::addColumn<int>("letters");
        QTest::addColumn<QStringList>("shown");
        const QStringList torch { QStringLiteral("layer1.0.conv1_node"), QStringLiteral("layer1.0.conv2_node"),
            QStringLiteral("layer1.1.conv1_node"), QStringLiteral("layer2.0.conv1_node"), QStringLiteral("fc_node") };
        QTest::newRow("what is common at both ends goes")
            << torch << 13 << QStringList { QStringLiteral("…1.0.conv1…"), QStringLiteral("…0.conv2_node") };
        QTest::newRow("all of them fit") << torch << 19 << torch;
        QTest::newRow("paths") << QStringList { QStringLiteral("/layer1/layer1.0/conv1/Conv"),
            QStringLiteral("/layer1/layer1.1/conv1/Conv"), QStringLiteral("/layer2/layer2.0/conv1/Conv"),
            QStringLiteral("/fc/Gemm") }
                               << 16 << QStringList { QStringLiteral("…1.0/conv1/Conv") };
        QTest::newRow("nothing to tell them by") << QStringList { QStringLiteral("aaaaaaaaaa"),
            QStringLiteral("aaaaaaaaaa") } << 6 << QStringList { QStringLiteral("…aaaaa") };
        QTest::newRow("numbers in front")
            << QStringList { QStringLiteral("17_convolution"), QStringLiteral("18_convolution") } << 8
            << QStringList { QStringLiteral("17_conv…") };
        QTest::newRow("no room") << torch << 2 << QStringList { QStringLiteral("…"), QStringLiteral("…") };
    }

    void namesAreShortenedToWhatTellsThemApart()
    {
        QFETCH(QStringList, names);
        QFETCH(int, letters);
        QFETCH(QStringList, shown);
        const DistinctNames distinct(names);
        for (int i = 0; i < shown.size(); ++i) {
            QCOMPARE(distinct.shortened(names[i], letters), shown[i]);
            QVERIFY(shown[i].size() <= letters);
        }
    }

    /// Those of a network of 200 layers, in the room of a small window.
    void twoHundredNamesAreToldApart()
    {
        QStringList names;
        for (int block = 0; block < 100; ++block)
            for (int conv = 1; conv <= 2; ++conv)
                names << QStringLiteral("stage.block%1.conv%2_node").arg(block).arg(conv);
        const DistinctNames distinct(names);
        QSet<QString> shown;
        for (const QString& name : names)
            shown.insert(distinct.shortened(name, 14));
        QCOMPARE(shown.size(), 200);
    }

    void layersModelKeepsItsContract()
    {
        Session session;
        LayersModel model(session);
        LayersFilter filter;
        filter.setSourceModel(&model);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QAbstractItemModelTester filterTester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(model.rowCount(), 0);
        session.setModel(test::layersOnly(5));
        QCOMPARE(model.rowCount(), 5);
        session.editBits({ 1, 2 }, Operand::Weight, 4);
        filter.setText(QStringLiteral("gemm"));
        QCOMPARE(filter.rowCount(), 1);
        filter.setText(QStringLiteral("BLOCK2"));
        QCOMPARE(filter.rowCount(), 1);
        filter.setText({});
        filter.sort(LayersModel::Parameters, Qt::AscendingOrder);
        QCOMPARE(filter.index(0, LayersModel::Number).data().toInt(), 5);
        session.setModel(test::layersOnly(2));
        QCOMPARE(model.rowCount(), 2);
        session.setModel(nullptr);
        QCOMPARE(model.rowCount(), 0);
    }

    void layersModelShowsAndEditsBits()
    {
        Session session;
        LayersModel model(session);
        session.setModel(test::layersOnly(4));
        const auto cell = [&](int row, int column) { return model.index(row, column).data().toString(); };
        QCOMPARE(cell(0, LayersModel::Parameters), QStringLiteral("4,000"));
        QCOMPARE(cell(0, LayersModel::WeightBits), QStringLiteral("8"));
        QVERIFY(model.flags(model.index(0, LayersModel::WeightBits)) & Qt::ItemIsEditable);
        QVERIFY(!(model.flags(model.index(0, LayersModel::Name)) & Qt::ItemIsEditable));

        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        QVERIFY(model.setData(model.index(2, LayersModel::WeightBits), 3));
        QVERIFY(!changed.isEmpty());
        QCOMPARE(cell(2, LayersModel::WeightBits), QStringLiteral("3*"));
        QVERIFY(model.index(2, LayersModel::WeightBits).data(LayersModel::OverriddenRole).toBool());
        QCOMPARE(cell(2, LayersModel::ActivationBits), QStringLiteral("8"));
        QVERIFY(model.setData(model.index(2, LayersModel::ActivationBits), 0));
        QCOMPARE(cell(2, LayersModel::ActivationBits), QStringLiteral("float*"));
        for (const int wrong : { 1, 17, -3 })
            QVERIFY(!model.setData(model.index(0, LayersModel::WeightBits), wrong));
        QVERIFY(!model.setData(model.index(0, LayersModel::Name), 4));
        session.undoStack().undo();
        session.undoStack().undo();
        QCOMPARE(cell(2, LayersModel::WeightBits), QStringLiteral("8"));
        QCOMPARE(cell(2, LayersModel::WeightSqnr), QStringLiteral("–"));
    }

    void layersWithoutWeightsHaveNothingToEdit()
    {
        auto model = std::make_shared<LoadedModel>(*test::layersOnly(1));
        model->layers[0].weight.reset();
        Session session;
        LayersModel layers(session);
        session.setModel(model);
        QCOMPARE(layers.index(0, LayersModel::WeightBits).data().toString(), QStringLiteral("–"));
        QVERIFY(!(layers.flags(layers.index(0, LayersModel::WeightBits)) & Qt::ItemIsEditable));
        QVERIFY(layers.flags(layers.index(0, LayersModel::ActivationBits)) & Qt::ItemIsEditable);
    }

    void runsModelKeepsItsContract()
    {
        Session session;
        RunsModel model(session);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        session.addRun(test::madeRun(1000, 915, true));
        Run run = test::madeRun(1000, 900, false);
        run.floatResult = session.runs().front().result;
        run.againstFloat = evaluation::compare(run.floatResult->outcomes, run.result->outcomes);
        session.addRun(run);
        QCOMPARE(model.rowCount(), 2);
        const auto cell = [&](int row, int column) { return model.index(row, column).data().toString(); };
        QCOMPARE(cell(0, RunsModel::Top1), QStringLiteral("91.5"));
        QCOMPARE(cell(0, RunsModel::WeightBits), QStringLiteral("float"));
        QCOMPARE(cell(0, RunsModel::Delta), QStringLiteral("–"));
        QCOMPARE(cell(1, RunsModel::WeightBits), QStringLiteral("4"));
        QCOMPARE(cell(1, RunsModel::FloatTop1), QStringLiteral("91.5"));
        QCOMPARE(cell(1, RunsModel::Delta), QStringLiteral("−1.5"));
        QCOMPARE(cell(1, RunsModel::Images), QStringLiteral("1,000"));
        const QStringList lines = toTsv(model, { RunsModel::Number, RunsModel::Top1 }).split(QLatin1Char('\n'));
        QCOMPARE(lines[0], QStringLiteral("#\tTop-1 [%]"));
        QCOMPARE(lines[2], QStringLiteral("2\t90.0"));
        // A star where some layer has its own word-length, and only there.
        run.mixed = true;
        run.request.overrides = { { "conv*", { .range = quant::RangeSpec {} }, { .bits = std::optional(3) } } };
        session.addRun(run);
        QCOMPARE(cell(2, RunsModel::WeightBits), QStringLiteral("4"));
        QCOMPARE(cell(2, RunsModel::ActivationBits), QStringLiteral("8*"));
        run.request.overrides.clear();
        run.request.firstLastBits = 8;
        session.addRun(run);
        QCOMPARE(cell(3, RunsModel::WeightBits), QStringLiteral("4*"));
        session.setModel(test::layersOnly(1));
        QCOMPARE(model.rowCount(), 0);
    }
};

QTEST_MAIN(TestModels)
#include "tst_models.moc"
