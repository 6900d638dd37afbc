// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// What pages show, before anything is drawn: maps of networks, measures of layers, ranges, contours, plans.
#include <cmath>

#include <QAbstractItemModelTester>
#include <QTest>

#include "tests/support/deep_network.h"
#include "tests/support/small_networks.h"
#include "tests/ui/session_fixture.h"
#include "ui/charts/channel_series.h"
#include "ui/charts/contour_series.h"
#include "ui/charts/range_series.h"
#include "ui/models/layer_measure.h"
#include "ui/models/layer_ranges.h"
#include "ui/models/plan_model.h"
#include "ui/session/work.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

LoadedModelPtr loaded(graph::Graph network)
{
    auto source = std::make_shared<graph::Model>();
    source->graph = std::move(network);
    LoadedModel read;
    read.name = QStringLiteral("made.onnx");
    read.source = std::move(source);
    auto model = prepareModel(read, true);
    return model ? *model : nullptr;
}

bool near(double a, double b, double tolerance = 1e-9)
{
    return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

} // namespace

class TestViewSeries : public QObject {
    Q_OBJECT

private slots:
    void aMapHasEveryNodeOnce()
    {
        const LoadedModelPtr model = loaded(test::smallConvNet(3, 32, 10));
        QVERIFY(model && model->map);
        const NetworkMap& map = *model->map;
        QCOMPARE(map.nodes.front().kind, NetworkMap::Kind::Input);
        QCOMPARE(map.nodes.front().title, QStringLiteral("image"));
        QCOMPARE(map.nodes.back().kind, NetworkMap::Kind::Output);
        QCOMPARE(map.edges.size(), map.nodes.size() - 1); // a chain
        QCOMPARE(map.nodeOfLayer.size(), std::size_t { 3 });
        for (std::size_t i = 0; i < 3; ++i) {
            const auto& node = map.nodes[map.nodeOfLayer[i]];
            QCOMPARE(node.kind, NetworkMap::Kind::Layer);
            QCOMPARE(node.layer, static_cast<int>(i));
            QCOMPARE(node.title, model->layers[i].name);
            QVERIFY(node.subtitle.contains(model->layers[i].weightShape));
            QCOMPARE(map.edges[node.incoming.at(0)].tensor, model->layers[i].inputTensor);
        }
        QCOMPARE(map.edges.front().shape, QStringLiteral("N×3×32×32"));
        for (const auto& edge : map.edges) {
            QVERIFY(edge.from < edge.to);
            QCOMPARE(edge.route.front().y(), map.nodes[edge.from].box.bottom());
            QCOMPARE(edge.route.back().y(), map.nodes[edge.to].box.top());
        }
    }

    void aMapOfShortcuts()
    {
        const LoadedModelPtr model = loaded(test::deepNetwork(3, 4, 16, 5));
        QVERIFY(model && model->map);
        const NetworkMap& map = *model->map;
        QCOMPARE(map.nodeOfLayer.size(), std::size_t { 8 });
        int adds = 0;
        for (const auto& node : map.nodes)
            if (node.op == QStringLiteral("Add")) {
                ++adds;
                QCOMPARE(node.incoming.size(), std::size_t { 2 });
            }
        QCOMPARE(adds, 3);
        QVERIFY(map.width > 184 && map.height > 0);
    }

    void nodesAreFoundByNameOrOperator()
    {
        const LoadedModelPtr model = loaded(test::deepNetwork(2, 4, 16, 5));
        const NetworkMap& map = *model->map;
        const auto first = findNode(map, QStringLiteral("ADD"), 0);
        QVERIFY(first);
        QCOMPARE(map.nodes[*first].op, QStringLiteral("Add"));
        const auto second = findNode(map, QStringLiteral("add"), *first + 1);
        QVERIFY(second && *second > *first);
        QCOMPARE(findNode(map, QStringLiteral("add"), *second + 1), first); // around the end
        QCOMPARE(map.nodes[*findNode(map, QStringLiteral("block1.conv2"), 0)].layer, 4);
        QVERIFY(!findNode(map, QStringLiteral("nothing like it"), 0));
        QVERIFY(!findNode(map, QStringLiteral("  "), 0));
        QVERIFY(!findNode({}, QStringLiteral("a"), 0));
    }

    void channelRangesAreTheWeights()
    {
        const LoadedModelPtr model = loaded(test::smallConvNet(3, 32, 10));
        for (const LayerInfo& layer : model->layers) {
            QCOMPARE(static_cast<std::int64_t>(layer.channelLow.size()), layer.channels);
            for (std::int64_t c = 0; c < layer.channels; ++c) {
                const auto values = channelValues(layer, c);
                const auto [low, high] = std::minmax_element(values.begin(), values.end());
                QCOMPARE(layer.channelLow[static_cast<std::size_t>(c)], *low);
                QCOMPARE(layer.channelHigh[static_cast<std::size_t>(c)], *high);
            }
        }
    }

    void channelsAndTheirGrids()
    {
        const std::vector<float> low { -1, -4, 0 };
        const std::vector<float> high { 1, 2, 0 };
        QVERIFY(channelSeries(std::span<const float> {}, {}, nullptr).empty());
        const ChannelSeries plain = channelSeries(low, high, nullptr);
        QVERIFY(plain.representable.empty());
        QCOMPARE(plain.all, (Span { -4, 2 }));
        QCOMPARE(plain.spread(), 4.0); // a channel of zeros says nothing
        quant::Encoding encoding;
        encoding.qmin = -8;
        encoding.qmax = 7;
        encoding.scale = { 0.5F };
        encoding.zeroPoint = { 0 };
        const ChannelSeries tensor = channelSeries(low, high, &encoding);
        QCOMPARE(tensor.representable.size(), std::size_t { 3 });
        QCOMPARE(tensor.representable[2], (Span { -4, 3.5 }));
        encoding.axis = 0;
        encoding.scale = { 0.125F, 0.5F, 1 };
        encoding.zeroPoint = { 0, 0, 0 };
        const ChannelSeries each = channelSeries(low, high, &encoding);
        QCOMPARE(each.representable[0], (Span { -1, 0.875 }));
        QCOMPARE(each.representable[2], (Span { -8, 7 }));
        QCOMPARE(each.all, (Span { -8, 7 }));
        QCOMPARE(QString::fromStdString(toCsv(each)).split('\n').size(), 5);
        std::vector<calibration::Moments> seen(2);
        seen[1].min = -3;
        seen[1].max = 5;
        QCOMPARE(channelSeries(seen, nullptr).values[1], (Span { -3, 5 }));
    }

    void magnitudesOfKnownValues()
    {
        QCOMPARE(magnitudes(calibration::Histogram {}).largest, 0.0);
        calibration::Histogram zeros;
        zeros.add(std::vector<float>(10, 0.0F));
        QCOMPARE(magnitudes(zeros).largest, 0.0);
        // Evenly from -1 to 1, and a heap of zeros that must not count.
        calibration::Histogram even;
        std::vector<float> values(5000, 0.0F);
        for (int i = 0; i < 20000; ++i)
            values.push_back((static_cast<float>(i) + 0.5F) / 10000.0F - 1.0F);
        even.add(values);
        const MagnitudeBox box = magnitudes(even);
        QVERIFY(near(box.median, 0.5, 2e-3));
        QVERIFY(near(box.lower, 0.25, 2e-3));
        QVERIFY(near(box.upper, 0.75, 2e-3));
        QVERIFY(near(box.most, 0.99, 2e-3));
        QVERIFY(near(box.least, 0.01, 1e-3));
        QVERIFY(near(box.largest, 1, 2e-3));
    }

    void whatCanBeRepresented()
    {
        quant::Encoding encoding;
        encoding.qmin = 0;
        encoding.qmax = 15;
        encoding.scale = { 0.25F };
        encoding.zeroPoint = { 3 };
        MagnitudeRange range = representableMagnitudes(encoding);
        QCOMPARE(range.step, 0.25);
        QCOMPARE(range.end, 3.0);
        encoding.zeroPoint = { 14 };
        QCOMPARE(representableMagnitudes(encoding).end, 3.5); // the negative end
        encoding.axis = 0;
        encoding.scale = { 0.25F, 0.5F };
        encoding.zeroPoint = { 0, 0 };
        range = representableMagnitudes(encoding);
        QCOMPARE(range.step, 0.25);
        QCOMPARE(range.end, 7.5);
    }

    void theFrameIsPowersOfTwo()
    {
        RangeSeries series;
        series.frame();
        QCOMPARE(series.high, 2.0);
        QVERIFY(series.empty());
        series.layers.push_back({ QStringLiteral("a"), MagnitudeBox { 0.03, 0.1, 0.2, 0.3, 0.9, 1.1 }, {} });
        series.layers.push_back({ QStringLiteral("b"), {}, MagnitudeRange { 0.01, 0.5 } });
        series.layers.push_back({ QStringLiteral("zeros"), MagnitudeBox {}, {} });
        series.frame();
        QVERIFY(!series.empty());
        QCOMPARE(series.low, 1.0 / 128);
        QCOMPARE(series.high, 2.0);
        QCOMPARE(QString::fromStdString(toCsv(series)).split('\n').size(), 5);
    }

    void rangesOfASession()
    {
        Session session;
        LayerRanges ranges(session);
        QVERIFY(ranges.series(Operand::Weight).layers.empty());
        const LoadedModelPtr model = loaded(test::smallConvNet(3, 32, 10));
        session.setModel(model);
        session.setAnalysis(*analyse(*model, nullptr, session.request(), nullptr, nullptr));
        const RangeSeries weights = ranges.series(Operand::Weight);
        QCOMPARE(weights.layers.size(), std::size_t { 3 });
        QVERIFY(weights.layers[0].box && weights.layers[0].range);
        QVERIFY(ranges.series(Operand::Activation).empty());
        // Fewer bits, wider steps; the box stays.
        session.editBits({ 0 }, Operand::Weight, 3);
        session.setAnalysis(*analyse(*model, nullptr, session.request(), nullptr, nullptr));
        const RangeSeries coarse = ranges.series(Operand::Weight);
        QVERIFY(coarse.layers[0].range->step > 8 * weights.layers[0].range->step);
        QCOMPARE(coarse.layers[0].box->median, weights.layers[0].box->median);
    }

    void measuresOfLayers()
    {
        Session session;
        QVERIFY(measureLayers(session).empty());
        const LoadedModelPtr model = loaded(test::smallConvNet(3, 32, 10));
        session.setModel(model);
        QVERIFY(measureLayers(session, Measure::WeightSqnr).empty());
        session.editBits({ 1 }, Operand::Weight, 2);
        session.setAnalysis(*analyse(*model, nullptr, session.request(), nullptr, nullptr));
        const LayerMeasure sqnr = measureLayers(session, Measure::WeightSqnr);
        QCOMPARE(sqnr.values.size(), std::size_t { 3 });
        QCOMPARE(sqnr.position(1), std::optional(0.0)); // two bits are the worst
        QVERIFY(sqnr.worst < sqnr.best);
        QVERIFY(measureLayers(session, Measure::ActivationSqnr).empty());
        const LayerMeasure macs = measureLayers(session, Measure::Macs);
        QCOMPARE(macs.best, 0.0);
        QVERIFY(macs.worst > 0);
        QCOMPARE(macs.position(1), std::optional(0.0)); // conv2 has the most
        QVERIFY(*macs.position(2) > 0.9);
        QVERIFY(measureLayers(session, Measure::Size).position(0).has_value());
        QVERIFY(!measureLayers(session, Measure::None).position(0));
        for (const Measure measure : measures) {
            QVERIFY(!measureName(measure).isEmpty());
            QVERIFY(!measureTip(measure).isEmpty());
        }
    }

    void sensitivityIsTheWorseOperand()
    {
        Session session;
        const LoadedModelPtr model = loaded(test::smallConvNet(3, 32, 10));
        session.setModel(model);
        auto study = std::make_shared<sweep::SensitivityResult>();
        const std::string first = model->layers[0].layer.name;
        study->units = { { first, quant::Role::Weight, { "w" }, { first } },
            { first, quant::Role::Activation, { "x" }, { first } } };
        const auto add = [&](std::size_t unit, int bits, double delta) {
            sweep::SensitivityPoint point { .unit = unit, .bits = bits };
            point.measured.emplace();
            point.measured->againstFloat.delta = delta;
            study->points.push_back(point);
        };
        add(0, 2, -10);
        add(0, 4, -200); // not the fewest bits
        add(1, 2, -20);
        session.setSensitivity(study, {});
        const LayerMeasure measure = measureLayers(session, Measure::Sensitivity);
        QCOMPARE(measure.values[0], 20.0);
        QCOMPARE(measure.text(20), QStringLiteral("20 points lost at 2 bits"));
        QVERIFY(std::isnan(measure.values[1]));
        QCOMPARE(measure.position(0), std::optional(0.0));
        QVERIFY(!measure.position(1));
        add(0, 1, -3); // weights were tried at fewer bits than activations
        session.setSensitivity(std::make_shared<sweep::SensitivityResult>(*study), {});
        QCOMPARE(measureLayers(session, Measure::Sensitivity).at, QStringLiteral("W1 A2"));
        session.setModel(nullptr);
        QVERIFY(!session.sensitivity());
    }

    void costsOfASweep()
    {
        sweep::SweepResult result;
        for (const int w : { 2, 4, 8 })
            for (const int a : { 2, 4, 8 }) {
                sweep::SweepPoint point;
                point.weightBits = w;
                point.activationBits = a;
                point.cost.bops = 1e6 * w * a;
                point.cost.sizeBytes = 1000.0 * w;
                result.points.push_back(point);
            }
        const SweepGrid grid = sweepGrid(result);
        const auto bops = isoCosts(result, grid, cost::Metric::Bops);
        QVERIFY(!bops.empty());
        QVERIFY(bops.front().label.endsWith(QStringLiteral("MBOP")));
        // Size does not depend on activations: straight upwards.
        for (const auto& contour : isoCosts(result, grid, cost::Metric::Size))
            for (const auto& line : contour.lines)
                for (const QPointF& point : line)
                    QVERIFY(near(point.x(), line.front().x()));
        QVERIFY(isoCosts(result, grid, cost::Metric::Energy).empty());
        result.points[4].cost.bops = 0; // not known: nothing goes through the squares around it
        QVERIFY(isoCosts(result, grid, cost::Metric::Bops).empty());
    }

    void planModelKeepsItsContract()
    {
        PlanModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(model.rowCount(), 0);
        const LoadedModelPtr network = loaded(test::smallConvNet(3, 32, 10));
        planning::PlanRequest request;
        request.weights.bits = 5;
        const auto analysis = *analyse(*network, nullptr, request, nullptr, nullptr);
        model.setPlan(network, analysis->plan);
        QCOMPARE(model.rowCount(), 3);
        const auto cell = [&](int row, int column) { return model.index(row, column).data().toString(); };
        QCOMPARE(cell(0, PlanModel::Number), QStringLiteral("1"));
        QCOMPARE(cell(0, PlanModel::Layer), network->layers[0].name);
        QCOMPARE(cell(0, PlanModel::WeightBits), QStringLiteral("5"));
        QCOMPARE(cell(0, PlanModel::ActivationBits), QStringLiteral("float"));
        QVERIFY(cell(0, PlanModel::WeightRange).contains(QStringLiteral(" to ")));
        QCOMPARE(cell(0, PlanModel::ActivationRange), QStringLiteral("–"));
        model.setPlan(nullptr, nullptr);
        QCOMPARE(model.rowCount(), 0);
    }

    void wordLengthsOfUnits()
    {
        planning::PlanRequest request;
        const sweep::QuantizedUnit unit { "a", quant::Role::Activation, { "x" }, { "a", "b[1]" } };
        request = withUnitBits(request, unit, 3);
        QCOMPARE(request.overrides.size(), std::size_t { 2 });
        QCOMPARE(request.overrides[0].activations.bits.value_or(std::nullopt), std::optional(3));
        QVERIFY(!request.overrides[0].weights.bits);
        QCOMPARE(request.overrides[1].pattern, std::string("b\\[1]"));
        request = withUnitBits(request, { "a", quant::Role::Weight, { "w" }, { "a" } }, 4);
        QCOMPARE(request.overrides.size(), std::size_t { 2 });
        QCOMPARE(request.overrides[0].weights.bits.value_or(std::nullopt), std::optional(4));
        QCOMPARE(request.overrides[0].activations.bits.value_or(std::nullopt), std::optional(3));
    }
};

QTEST_GUILESS_MAIN(TestViewSeries)
#include "tst_view_series.moc"
