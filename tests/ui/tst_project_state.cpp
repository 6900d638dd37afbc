// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// What a project remembers of the window survives the way through text, and nonsense is refused.
#include <QTemporaryDir>
#include <QTest>

#include "ui/session/project_state.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

ProjectState full()
{
    ProjectState state;
    state.model = "abc";
    state.page = QStringLiteral("RunsPage");
    state.worthKeeping = true;
    ModelState& model = state.models["abc"];
    model.path = "/data/models/net.onnx";
    model.foldBatchNorm = false;
    model.layer = QStringLiteral("Schicht „5“");
    DataRequest data;
    data.path = "/data/images/test_batch.bin";
    data.kind = dataset::Kind::Cifar10;
    data.labels = "/data/images/labels.txt";
    data.classes = "/data/images/classes.txt";
    data.calibrationPath = "/elsewhere/train";
    data.calibrationCount = 77;
    data.limit = 1000;
    data.preprocessing = *dataset::Preprocessing::named("imagenet");
    data.preprocessing.channels = dataset::Channels::Bgr;
    data.preprocessing.layout = dataset::MemoryLayout::Nhwc;
    data.calibrationResize = 40;
    model.data = data;
    model.wish.request.weights.bits.reset();
    model.wish.request.overrides.push_back({ "conv*", {}, {} });
    model.wish.request.overrides.back().weights.bits = std::optional<int>();
    model.wish.profile = &quant::builtInProfiles().front();
    model.wish.notes << QStringLiteral("something was changed");
    RunState run;
    run.key = { "g", "p", "s" };
    run.name = QStringLiteral("the best");
    run.scope = QStringLiteral("W4 A8");
    run.data = QStringLiteral("CIFAR-10");
    run.request.weights.bits = 4;
    flow::CorrectionOutcome outcome;
    outcome.correction = "gain-correction";
    outcome.kept = true;
    outcome.droppedLayers = { "conv1" };
    outcome.keptLayers = 21;
    run.corrections.push_back(outcome);
    model.runs.push_back(run);
    model.sweep = SweepState { { 2, std::nullopt }, { 4 }, run.request, true };
    OptionsState options;
    options.settings.weightBits = { 4, std::nullopt };
    options.settings.weightRanges = { *quant::RangeSpec::parse("mse"), *quant::RangeSpec::parse("percentile:99.9") };
    options.settings.weightSchemes = { "symmetric" };
    options.settings.activationPerChannel = { true, false };
    options.settings.corrections.resize(2);
    options.settings.corrections[1].gain = true;
    options.complete = true;
    model.options = options;
    model.sensitivity = SensitivityState { { 2, 3 }, {}, false, run.request, true };
    model.search = SearchState { { 2, 4, 8 }, { 8 }, { sweep::Price::Bops, 12.5 }, false, run.request, false };
    return state;
}

} // namespace

class TestProjectState : public QObject {
    Q_OBJECT

private slots:
    void comesBackAsItWas()
    {
        const ProjectState state = full();
        const std::string text = state.toText("/data/projects");
        const auto back = ProjectState::fromText(text, "/data/projects");
        QVERIFY2(back.has_value(), back ? "" : back.error().message().c_str());
        // Written again it is the same, field by field.
        QCOMPARE(back->toText("/data/projects"), text);
        const ModelState& model = back->models.at("abc");
        const ModelState& was = state.models.at("abc");
        QVERIFY(*model.data == *was.data);
        QVERIFY(model.wish == was.wish);
        QCOMPARE(model.layer, was.layer);
        QVERIFY(model.runs[0].key == was.runs[0].key);
        QCOMPARE(model.runs[0].name, was.runs[0].name);
        QVERIFY(model.runs[0].request == was.runs[0].request);
        QVERIFY(model.runs[0].corrections[0].droppedLayers == was.runs[0].corrections[0].droppedLayers);
        QCOMPARE(model.runs[0].corrections[0].keptLayers, 21);
        QVERIFY(model.sweep->weightBits == was.sweep->weightBits);
        QVERIFY(model.options->settings.weightRanges == was.options->settings.weightRanges);
        QVERIFY(model.options->settings.activationPerChannel == was.options->settings.activationPerChannel);
        QVERIFY(model.options->settings.corrections == was.options->settings.corrections);
        QVERIFY(model.sensitivity->weightBits == was.sensitivity->weightBits);
        QVERIFY(!model.sensitivity->measure && model.sensitivity->complete);
        QVERIFY(model.search->budget == was.search->budget);
        QVERIFY(!model.search->uniform && !model.search->complete);
        QVERIFY(back->worthKeeping);
    }

    void projectsOfEarlierVersionsHaveNoSearches()
    {
        std::string text = full().toText("/");
        for (const std::string field : { "\"sensitivity\":", "\"search\":" }) {
            const auto at = text.find(field);
            QVERIFY(at != std::string::npos);
            text.insert(at + 1, "un"); // as if it were not there
        }
        const auto back = ProjectState::fromText(text, "/");
        QVERIFY2(back.has_value(), back ? "" : back.error().message().c_str());
        QVERIFY(!back->models.at("abc").sensitivity && !back->models.at("abc").search);
        QVERIFY(back->models.at("abc").sweep);
    }

    void dataThatMovedWithTheProjectAreFound()
    {
        const QTemporaryDir folder;
        const std::filesystem::path home = folder.path().toStdString();
        std::filesystem::create_directories(home / "new/images");
        ProjectState state = full();
        state.models["abc"].data->path = home / "old/images";
        const std::string text = state.toText(home / "old");
        const auto back = ProjectState::fromText(text, home / "new");
        QVERIFY(back.has_value());
        QCOMPARE(back->models.at("abc").data->path, home / "new/images");
    }

    void nonsenseIsRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        const QByteArray good = QByteArray::fromStdString(full().toText("/"));
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("no JSON") << QByteArray("window");
        QTest::newRow("a list") << QByteArray("[1, 2]");
        QTest::newRow("cut off") << good.left(good.size() / 2);
        QTest::newRow("another version") << QByteArray(good).replace("\"version\":1", "\"version\":99");
        QTest::newRow("a word for a number") << QByteArray(good).replace("\"limit\":1000", "\"limit\":\"many\"");
        QTest::newRow("an unknown range") << QByteArray(good).replace("\"mse\"", "\"guess\"");
        QTest::newRow("a field missing") << QByteArray(good).replace("\"layer\"", "\"layers\"");
    }

    void nonsenseIsRefused()
    {
        QFETCH(QByteArray, text);
        const auto state = ProjectState::fromText(text.toStdString(), "/");
        QVERIFY(!state.has_value());
        QCOMPARE(state.error().code, ErrorCode::InvalidInput);
    }

    void aProfileOfAnotherVersionIsLeftOut()
    {
        std::string text = full().toText("/");
        const std::string name = quant::builtInProfiles().front().name;
        const std::string field = "\"profile\":\"" + name + "\"";
        const auto at = text.find(field);
        QVERIFY(at != std::string::npos);
        text.replace(at, field.size(), "\"profile\":\"of the future\"");
        const auto state = ProjectState::fromText(text, "/");
        QVERIFY(state.has_value());
        QVERIFY(!state->models.at("abc").wish.profile);
    }
};

QTEST_GUILESS_MAIN(TestProjectState)
#include "tst_project_state.moc"
