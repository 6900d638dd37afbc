// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include <functional>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/dataset/preprocessing.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;

using Change = std::function<void(Preprocessing&)>;
using JsonChange = std::function<void(Json&)>;
Q_DECLARE_METATYPE(Change)
Q_DECLARE_METATYPE(JsonChange)

class TestPreprocessing : public QObject {
    Q_OBJECT

private slots:
    void named();
    void describes_data();
    void describes();
    void jsonRoundTrip();
    void jsonErrors_data();
    void jsonErrors();
    void validates_data();
    void validates();
};

void TestPreprocessing::named()
{
    const auto imagenet = Preprocessing::named("imagenet").value();
    QCOMPARE(imagenet.mean[2], 0.406F);
    QCOMPARE(imagenet.std[1], 0.224F);
    QCOMPARE(imagenet.scale, 1.0F / 255);
    QCOMPARE(Preprocessing::named("unit").value(), Preprocessing {});
    QCOMPARE(Preprocessing::named("raw").value().scale, 1.0F);
    QS_VERIFY_ERROR(Preprocessing::named("caffe"), ErrorCode::InvalidInput, "choose imagenet, unit or raw");
}

void TestPreprocessing::describes_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<Change>("change");
    QTest::addColumn<QString>("text");
    QTest::newRow("unit") << "unit" << Change([](auto&) {}) << "unit: RGB, x / 255, NCHW";
    QTest::newRow("raw gray") << "raw" << Change([](auto& p) { p.channels = Channels::Gray; }) << "raw: gray, x, NCHW";
    QTest::newRow("imagenet") << "imagenet" << Change([](auto& p) {
        p.resize = 256;
        p.crop = { 224, 224 };
    })
                              << "imagenet: shorter side 256, centre 224 x 224, RGB, (x / 255 - [0.485 0.456 0.406]) / "
                                 "[0.229 0.224 0.225], NCHW";
    QTest::newRow("width first") << "raw" << Change([](auto& p) {
        p.resize = Extent { 240, 320 };
        p.crop = { 224, 288 };
    }) << "raw: resized to 320 x 240, centre 288 x 224, RGB, x, NCHW";
    QTest::newRow("custom") << "raw" << Change([](auto& p) {
        p.name = "custom";
        p.channels = Channels::Bgr;
        p.layout = MemoryLayout::Nhwc;
        p.scale = 0.0078125F;
        p.mean = { 1, 1, 1 };
    }) << "custom: BGR, (x * 0.0078125 - [1 1 1]) / [1 1 1], NHWC";
}

void TestPreprocessing::describes()
{
    QFETCH(QString, name);
    QFETCH(Change, change);
    auto settings = Preprocessing::named(name.toStdString()).value();
    change(settings);
    QTEST(QString::fromStdString(settings.describe()), "text");
}

void TestPreprocessing::jsonRoundTrip()
{
    auto settings = Preprocessing::named("imagenet").value();
    settings.channels = Channels::Bgr;
    settings.layout = MemoryLayout::Nhwc;
    settings.resize = 256;
    settings.crop = { 224, 224 };
    const auto text = settings.toJson().dump();
    const auto back = Preprocessing::fromJson(Json::parse(text));
    QS_VERIFY_OK(back);
    QCOMPARE(*back, settings);
    QCOMPARE(Json::parse(text).at("crop"), Json(224)); // as ever
    settings.resize = Extent { 240, 320 };
    settings.crop = { 224, 288 };
    QCOMPARE(Preprocessing::fromJson(Json::parse(settings.toJson().dump())).value(), settings);
}

void TestPreprocessing::jsonErrors_data()
{
    QTest::addColumn<JsonChange>("change");
    QTest::addColumn<QString>("message");
    QTest::newRow("missing") << JsonChange([](Json& j) { j.erase("crop"); }) << "crop";
    QTest::newRow("wrong type") << JsonChange([](Json& j) { j["mean"] = "grey"; }) << "pre-processing";
    QTest::newRow("too short") << JsonChange([](Json& j) { j["std"] = { 1.0 }; }) << "pre-processing";
    QTest::newRow("unknown channels") << JsonChange([](Json& j) { j["channels"] = "hsv"; }) << "'hsv' is no channels";
    QTest::newRow("unknown layout") << JsonChange([](Json& j) { j["layout"] = "chw"; }) << "'chw' is no layout";
    QTest::newRow("invalid value") << JsonChange([](Json& j) { j["crop"] = -1; }) << "crop is -1";
    QTest::newRow("no size") << JsonChange([](Json& j) { j["crop"] = "wide"; }) << "'wide' is no size";
    QTest::newRow("not an object") << JsonChange([](Json& j) { j = Json::array(); }) << "pre-processing";
}

void TestPreprocessing::jsonErrors()
{
    QFETCH(JsonChange, change);
    QFETCH(QString, message);
    Json json = Preprocessing {}.toJson();
    change(json);
    QS_VERIFY_ERROR(Preprocessing::fromJson(json), ErrorCode::InvalidInput, message.toStdString());
}

void TestPreprocessing::validates_data()
{
    QTest::addColumn<Change>("change");
    QTest::addColumn<QString>("message");
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    QTest::newRow("negative resize") << Change([](auto& p) { p.resize = -5; }) << "resize is -5";
    QTest::newRow("giant crop") << Change([](auto& p) { p.crop = { 1 << 20, 1 << 20 }; }) << "crop is 1048576";
    QTest::newRow("one side of two") << Change([](auto& p) { p.crop = { 0, 320 }; }) << "crop is 320x0";
    QTest::newRow("giant width") << Change([](auto& p) { p.resize = Extent { 2, 1 << 20 }; }) << "resize is 1048576x2";
    QTest::newRow("two ways to resize") << Change([](auto& p) {
        p.resize = Extent { 24, 32 };
        p.resize.shorterSide = 24;
    }) << "a shorter side and both sides";
    QTest::newRow("zero scale") << Change([](auto& p) { p.scale = 0; }) << "scale is 0";
    QTest::newRow("NaN scale") << Change([](auto& p) { p.scale = nan; }) << "scale is nan";
    QTest::newRow("zero std") << Change([](auto& p) { p.std[2] = 0; }) << "std of channel 2 is 0";
    QTest::newRow("negative std") << Change([](auto& p) { p.std[0] = -1; }) << "std of channel 0 is -1";
    QTest::newRow("NaN mean") << Change([](auto& p) { p.mean[1] = nan; }) << "mean of channel 1";
}

void TestPreprocessing::validates()
{
    QFETCH(Change, change);
    QFETCH(QString, message);
    Preprocessing settings;
    QS_VERIFY_OK(settings.validate());
    change(settings);
    QS_VERIFY_ERROR(settings.validate(), ErrorCode::InvalidInput, message.toStdString());
    const auto data = std::make_shared<testing::FunctionDataset>(1, [](auto) { return Image {}; });
    SampleSet::Options options;
    options.preprocessing = settings;
    QS_VERIFY_ERROR(SampleSet::load(data, options), ErrorCode::InvalidInput, message.toStdString());
}

QTEST_APPLESS_MAIN(TestPreprocessing)
#include "tst_preprocessing.moc"
