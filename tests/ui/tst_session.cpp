// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <QSignalSpy>
#include <QTest>

#include "tests/ui/session_fixture.h"
#include "ui/session/session.h"
#include "ui/session/work.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

planning::PlanRequest withWeightBits(planning::PlanRequest request, std::optional<int> bits)
{
    request.weights.bits = bits;
    return request;
}

} // namespace

class TestSession : public QObject {
    Q_OBJECT

private slots:
    void editsAreUndoneAndRedone()
    {
        Session session;
        session.setModel(test::layersOnly(3));
        const planning::PlanRequest before = session.request();
        QSignalSpy changed(&session, &Session::requestChanged);
        session.edit(withWeightBits(before, 4), QStringLiteral("four"));
        session.edit(withWeightBits(before, 3), QStringLiteral("three"));
        QCOMPARE(session.request().weights.bits, std::optional(3));
        session.undoStack().undo();
        QCOMPARE(session.request().weights.bits, std::optional(4));
        session.undoStack().undo();
        QVERIFY(session.request() == before);
        session.undoStack().redo();
        QCOMPARE(session.request().weights.bits, std::optional(4));
        QCOMPARE(changed.count(), 5);
    }

    void anEditThatChangesNothingIsNone()
    {
        Session session;
        QSignalSpy changed(&session, &Session::requestChanged);
        session.edit(session.request(), QStringLiteral("nothing"));
        QCOMPARE(session.undoStack().count(), 0);
        QCOMPARE(changed.count(), 0);
    }

    void editsOfOneKeyAreOneStep()
    {
        Session session;
        for (const int bits : { 7, 6, 5 })
            session.edit(
                withWeightBits(session.request(), bits), QStringLiteral("bits"), QStringLiteral("weight-bits"));
        QCOMPARE(session.undoStack().count(), 1);
        session.edit(withWeightBits(session.request(), 4), QStringLiteral("other"), QStringLiteral("other-key"));
        QCOMPARE(session.undoStack().count(), 2);
        session.undoStack().undo();
        QCOMPARE(session.request().weights.bits, std::optional(5));
        session.undoStack().undo();
        QCOMPARE(session.request().weights.bits, std::optional(8));
    }

    void layerEditsBecomeOverridesAndVanishAtTheDefault()
    {
        Session session;
        session.setModel(test::layersOnly(3));
        session.editBits({ 0, 2 }, Operand::Weight, 4);
        QCOMPARE(session.request().overrides.size(), std::size_t(2));
        QCOMPARE(session.undoStack().count(), 1);
        const auto& layers = session.model()->layers;
        QCOMPARE(wishedBits(session.request(), layers, 0).weight, std::optional(4));
        QVERIFY(wishedBits(session.request(), layers, 0).weightOverridden);
        QCOMPARE(wishedBits(session.request(), layers, 1).weight, std::optional(8));
        session.editBits({ 0, 2 }, Operand::Weight, 8);
        QVERIFY(session.request().overrides.empty());
    }

    void rangesByHandCanBeTakenBack()
    {
        Session session;
        session.setModel(test::layersOnly(2));
        quant::RangeSpec spec;
        spec.method = quant::RangeSpec::Method::Manual;
        spec.low = -0.5;
        spec.high = 0.5;
        session.editRange(1, Operand::Activation, spec);
        const QString name = session.model()->layers[1].name;
        QCOMPARE(manualRange(session.request(), name, Operand::Activation).has_value(), true);
        QCOMPARE(manualRange(session.request(), name, Operand::Weight).has_value(), false);
        session.editRange(1, Operand::Activation, std::nullopt);
        QVERIFY(session.request().overrides.empty());
    }

    void namesThatLookLikePatternsMeanThemselves()
    {
        const auto request = withBits({}, QStringLiteral("a*[b]?\\c"), Operand::Weight, 2);
        QCOMPARE(request.overrides.front().pattern, std::string("a\\*\\[b]\\?\\\\c"));
    }

    void firstAndLastLayer()
    {
        Session session;
        session.setModel(test::layersOnly(3));
        planning::PlanRequest request = withWeightBits({}, 4);
        request.firstLastBits = 8;
        const auto& layers = session.model()->layers;
        QCOMPARE(wishedBits(request, layers, 0).weight, std::optional(8));
        QCOMPARE(wishedBits(request, layers, 1).weight, std::optional(4));
        QCOMPARE(wishedBits(request, layers, 2).weight, std::optional(8));
        request.weights.bits.reset();
        QCOMPARE(wishedBits(request, layers, 0).weight, std::optional<int>());
    }

    void aNewModelStartsAfresh()
    {
        Session session;
        session.setModel(test::layersOnly(3));
        session.edit(withWeightBits(session.request(), 5), QStringLiteral("five"));
        session.editBits({ 1 }, Operand::Weight, 3);
        session.addRun(test::madeRun(10, 5, true));
        session.selectLayer(2);
        session.setModel(test::layersOnly(2));
        QCOMPARE(session.selectedLayer(), 0);
        QVERIFY(session.runs().empty());
        QVERIFY(session.request().overrides.empty());
        QCOMPARE(session.request().weights.bits, std::optional(5));
        QVERIFY(!session.undoStack().canUndo());
        session.setModel(nullptr);
        QCOMPARE(session.selectedLayer(), -1);
        QVERIFY(!session.selectedLayerInfo());
    }

    void selectionStaysInside()
    {
        Session session;
        session.setModel(test::layersOnly(3));
        QSignalSpy changed(&session, &Session::selectionChanged);
        session.selectLayer(7);
        session.selectLayer(-5);
        QCOMPARE(session.selectedLayer(), 0);
        session.selectLayer(2);
        session.selectLayer(2);
        QCOMPARE(changed.count(), 1);
    }

    void aStaleAnalysisIsNotCurrent()
    {
        Session session;
        session.setModel(test::layersOnly(1));
        auto analysis = std::make_shared<Analysis>();
        analysis->request = session.request();
        session.setAnalysis(analysis);
        QVERIFY(session.currentAnalysis());
        session.edit(withWeightBits(session.request(), 4), QStringLiteral("four"));
        QVERIFY(!session.currentAnalysis());
        QVERIFY(session.analysis());
        session.undoStack().undo();
        QVERIFY(session.currentAnalysis());
    }

    void channelsOfAWeight()
    {
        LayerInfo layer;
        layer.weight = test::constant({ 2, 3, 2 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 });
        QCOMPARE(channelValues(layer, 1), (std::vector<float> { 6, 7, 8, 9, 10, 11 }));
        layer.layer.weightChannelAxis = 1;
        QCOMPARE(channelValues(layer, 1), (std::vector<float> { 2, 3, 8, 9 }));
        QCOMPARE(channelHistogram(layer, 2).total(), std::uint64_t(4));
    }

    void scopesInShort()
    {
        planning::PlanRequest request;
        QCOMPARE(shortScope(request), QStringLiteral("W8 A8"));
        request.activations.bits.reset();
        QCOMPARE(shortScope(request), QStringLiteral("W8 A float"));
        request.firstLastBits = 8;
        QCOMPARE(shortScope(request), QStringLiteral("W8 A float mixed"));
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"
