// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include <cmath>

#include "tests/support/kernel_harness.h"

using namespace quantoscope;
using namespace quantoscope::test;

namespace {

Tensor floats(const Shape& shape, const std::vector<float>& values) { return Tensor::from(shape, values); }

Tensor row(const std::vector<float>& values)
{
    return floats({ 1, 1, 1, static_cast<std::int64_t>(values.size()) }, values);
}

/// Resizes the last axis of a row to `out` elements.
Tensor resizeRow(const Tensor& x, std::int64_t out, const Attributes& attributes, KernelSet set = KernelSet::Fast)
{
    return runForTensor({ "Resize", { dynamic(x), absent(), absent(), ints({ 1, 1, 1, out }) },
                            { { DType::Float32, { 1, 1, 1, out } } }, attributes },
        set);
}

Attributes mode(const char* name, const char* coordinates, const char* nearest = "round_prefer_floor")
{
    return { { "mode", std::string(name) }, { "coordinate_transformation_mode", std::string(coordinates) },
        { "nearest_mode", std::string(nearest) } };
}

} // namespace

class ResizeTest : public QObject {
    Q_OBJECT

private slots:
    void nearestModes_data();
    void nearestModes();
    void linear_data();
    void linear();
    void constantStaysConstant_data();
    void constantStaysConstant();
    void linearKeepsRamps();
    void separable();
    void layoutsAgree_data();
    void layoutsAgree();
    void cropAndExtrapolate();
    void axesAndAspectRatio();
    void antialiasAverages();
    void oldForms();
    void integersByNearest();
    void errors_data();
    void errors();
};

void ResizeTest::nearestModes_data()
{
    QTest::addColumn<QString>("rounding");
    QTest::addColumn<QList<float>>("expected");
    // Half-pixel positions of 4 -> 2 elements are 0.5 and 2.5.
    QTest::newRow("prefer floor") << "round_prefer_floor" << QList<float> { 0, 2 };
    QTest::newRow("prefer ceil") << "round_prefer_ceil" << QList<float> { 1, 3 };
    QTest::newRow("floor") << "floor" << QList<float> { 0, 2 };
    QTest::newRow("ceil") << "ceil" << QList<float> { 1, 3 };
}

void ResizeTest::nearestModes()
{
    QFETCH(QString, rounding);
    QFETCH(QList<float>, expected);
    const Tensor y = resizeRow(row({ 0, 1, 2, 3 }), 2, mode("nearest", "half_pixel", qPrintable(rounding)));
    QCOMPARE(QList<float>(y.as<float>().begin(), y.as<float>().end()), expected);
}

void ResizeTest::linear_data()
{
    QTest::addColumn<QString>("coordinates");
    QTest::addColumn<QList<float>>("expected");
    // [0, 4] stretched to four elements
    QTest::newRow("half_pixel") << "half_pixel" << QList<float> { 0, 1, 3, 4 };
    QTest::newRow("half_pixel_symmetric") << "half_pixel_symmetric" << QList<float> { 0, 1, 3, 4 };
    QTest::newRow("pytorch_half_pixel") << "pytorch_half_pixel" << QList<float> { 0, 1, 3, 4 };
    QTest::newRow("asymmetric") << "asymmetric" << QList<float> { 0, 2, 4, 4 };
    QTest::newRow("align_corners") << "align_corners" << QList<float> { 0, 4.0F / 3, 8.0F / 3, 4 };
    QTest::newRow("tf_half_pixel_for_nn") << "tf_half_pixel_for_nn" << QList<float> { 1, 3, 4, 4 };
}

void ResizeTest::linear()
{
    QFETCH(QString, coordinates);
    QFETCH(QList<float>, expected);
    const Tensor y = resizeRow(row({ 0, 4 }), 4, mode("linear", qPrintable(coordinates)));
    QCOMPARE(difference(y, row({ expected.begin(), expected.end() }), 1e-6), std::string());
}

void ResizeTest::constantStaysConstant_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("out");
    QTest::addColumn<bool>("antialias");
    QTest::addColumn<bool>("excludeOutside");
    for (const char* name : { "nearest", "linear", "cubic" })
        for (const int out : { 1, 3, 5, 7, 23 })
            for (const bool antialias : { false, true })
                for (const bool exclude : { false, true })
                    QTest::addRow("%s to %d %d %d", name, out, antialias, exclude)
                        << QString(name) << out << antialias << exclude;
}

/// The weights of every output element sum to 1.
void ResizeTest::constantStaysConstant()
{
    QFETCH(QString, name);
    QFETCH(int, out);
    QFETCH(bool, antialias);
    QFETCH(bool, excludeOutside);
    for (const char* coordinates : { "half_pixel", "align_corners", "asymmetric" }) {
        Attributes attributes = mode(qPrintable(name), coordinates);
        attributes["antialias"] = std::int64_t { antialias };
        attributes["exclude_outside"] = std::int64_t { excludeOutside };
        const Tensor y = resizeRow(row({ 3, 3, 3, 3, 3, 3, 3 }), out, attributes);
        QCOMPARE(difference(y, row(std::vector<float>(static_cast<std::size_t>(out), 3)), 1e-5), std::string());
    }
}

void ResizeTest::linearKeepsRamps()
{
    const Tensor y = resizeRow(row({ 0, 1, 2, 3, 4 }), 9, mode("linear", "align_corners"));
    QCOMPARE(difference(y, row({ 0, 0.5F, 1, 1.5F, 2, 2.5F, 3, 3.5F, 4 }), 1e-6), std::string());
    const Tensor cubic = resizeRow(row({ 0, 1, 2, 3, 4, 5, 6 }), 13, mode("cubic", "align_corners"));
    QVERIFY(std::abs(cubic.as<float>()[6] - 3) < 1e-5F); // the middle, away from repeated edges
    QVERIFY(std::abs(cubic.as<float>()[7] - 3.5F) < 1e-5F);
}

/// Resizing both axes at once equals resizing one after the other.
void ResizeTest::separable()
{
    const Tensor x = randomTensor({ 1, 2, 5, 6 }, 1);
    const auto resize = [](const Tensor& from, const Shape& to) {
        return runForTensor({ "Resize", { dynamic(from), absent(), absent(), ints(to.dims()) },
            { { DType::Float32, to } }, mode("cubic", "half_pixel") });
    };
    const Tensor both = resize(x, { 1, 2, 8, 4 });
    const Tensor twice = resize(resize(x, { 1, 2, 8, 6 }), { 1, 2, 8, 4 });
    QCOMPARE(difference(both, twice, 1e-5, 1e-6), std::string());
}

void ResizeTest::layoutsAgree_data()
{
    QTest::addColumn<QString>("name");
    for (const char* name : { "nearest", "linear", "cubic" })
        QTest::newRow(name) << QString(name);
}

void ResizeTest::layoutsAgree()
{
    QFETCH(QString, name);
    const Tensor x = randomTensor({ 2, 3, 4, 5 }, 2);
    KernelCall call { "Resize", { dynamic(x), absent(), absent(), ints({ 2, 3, 7, 3 }) },
        { { DType::Float32, { 2, 3, 7, 3 } } }, mode(qPrintable(name), "half_pixel") };
    const Tensor plain = runForTensor(call);
    call.inputs[0].layout = Layout::ChannelsLast;
    const auto last = runKernel(call);
    QCOMPARE(last->outputLayouts[0], Layout::ChannelsLast);
    QCOMPARE(difference(last->outputs[0], plain, 1e-6, 1e-6), std::string());
}

void ResizeTest::cropAndExtrapolate()
{
    const Tensor x = row({ 0, 1, 2, 3 });
    const auto crop = [&](const char* interpolation, const std::vector<float>& roi) {
        Attributes attributes = mode(interpolation, "tf_crop_and_resize");
        attributes["extrapolation_value"] = 9.0F;
        return runForTensor({ "Resize", { dynamic(x), constant(floats({ 8 }, roi)), absent(), ints({ 1, 1, 1, 3 }) },
            { { DType::Float32, { 1, 1, 1, 3 } } }, attributes });
    };
    QCOMPARE(difference(crop("linear", { 0, 0, 0, 0, 1, 1, 1, 1 }), row({ 0, 1.5F, 3 }), 1e-6), std::string());
    QCOMPARE(difference(crop("linear", { 0, 0, 0, 0.5F, 1, 1, 1, 1.5F }), row({ 1.5F, 3, 9 }), 1e-6), std::string());
    QCOMPARE(difference(crop("nearest", { 0, 0, 0, -1, 1, 1, 1, 1 }), row({ 9, 0, 3 })), std::string());
}

void ResizeTest::axesAndAspectRatio()
{
    const Tensor x = randomTensor({ 1, 1, 4, 2 }, 3);
    Attributes attributes = mode("linear", "half_pixel");
    attributes["axes"] = Ints { 3, 2 };
    attributes["keep_aspect_ratio_policy"] = std::string("not_larger");
    // not_larger: the smaller of 4/2 and 6/4 for both, so [6, 3]
    const Tensor y = runForTensor({ "Resize", { dynamic(x), absent(), absent(), ints({ 4, 6 }) },
        { { DType::Float32, { 1, 1, 6, 3 } } }, attributes });
    const Tensor same
        = runForTensor({ "Resize", { dynamic(x), absent(), constant(floats({ 4 }, { 1, 1, 1.5F, 1.5F })) },
            { { DType::Float32, { 1, 1, 6, 3 } } }, mode("linear", "half_pixel") });
    QCOMPARE(difference(y, same, 1e-6), std::string());
}

void ResizeTest::antialiasAverages()
{
    // Down to a half, the triangle is four elements wide: weights 1/8, 3/8, 3/8, 1/8, cut off and repeated at the edge.
    Attributes attributes = mode("linear", "half_pixel");
    attributes["antialias"] = std::int64_t { 1 };
    const Tensor y = resizeRow(row({ 0, 8, 0, 0, 0, 0 }), 3, attributes);
    QCOMPARE(difference(y, row({ 3, 1, 0 }), 1e-6, 1e-6), std::string());
}

void ResizeTest::oldForms()
{
    const Tensor x = row({ 1, 2 });
    const Tensor scales = floats({ 4 }, { 1, 1, 1, 2 });
    const OutputType out { DType::Float32, { 1, 1, 1, 4 } };
    const Tensor expected = row({ 1, 1, 2, 2 });
    QCOMPARE(difference(runForTensor({ "Upsample", { dynamic(x), constant(scales) }, { out }, {}, 9 }), expected),
        std::string());
    QCOMPARE(difference(runForTensor({ .op = "Upsample",
                            .inputs = { dynamic(x) },
                            .outputs = { out },
                            .attributes = { { "scales", std::vector<float> { 1, 1, 1, 2 } } },
                            .opset = 7 }),
                 expected),
        std::string());
    QCOMPARE(difference(runForTensor({ "Resize", { dynamic(x), constant(scales) }, { out }, {}, 10 }), expected),
        std::string());
    QCOMPARE(difference(runForTensor({ "Upsample", { dynamic(x), constant(scales) }, { out },
                            { { "mode", std::string("linear") } }, 9 }),
                 row({ 1, 1.5F, 2, 2 })),
        std::string());
}

void ResizeTest::integersByNearest()
{
    const Tensor x = tensor::convert(row({ 7, 200 }).view(), DType::UInt8);
    const Tensor y = runForTensor({ "Resize", { dynamic(x), absent(), absent(), ints({ 1, 1, 1, 4 }) },
        { { DType::UInt8, { 1, 1, 1, 4 } } }, mode("nearest", "asymmetric", "floor") });
    QCOMPARE(tensor::toInt64s(y.view()), (Ints { 7, 7, 200, 200 }));
}

void ResizeTest::errors_data()
{
    QTest::addColumn<QString>("attribute");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("words");
    QTest::newRow("mode") << "mode"
                          << "lanczos"
                          << "lanczos";
    QTest::newRow("coordinates") << "coordinate_transformation_mode"
                                 << "middle"
                                 << "middle";
    QTest::newRow("rounding") << "nearest_mode"
                              << "up"
                              << "up";
}

void ResizeTest::errors()
{
    QFETCH(QString, attribute);
    QFETCH(QString, value);
    QFETCH(QString, words);
    KernelCall call { "Resize", { dynamic(row({ 1, 2 })), absent(), absent(), ints({ 1, 1, 1, 4 }) },
        { { DType::Float32, { 1, 1, 1, 4 } } }, { { attribute.toStdString(), value.toStdString() } } };
    const auto run = runKernel(call);
    QVERIFY(!run);
    QVERIFY(QString::fromStdString(run.error().message()).contains(words));
    call.attributes.clear();
    call.inputs[3] = dynamic(Tensor::from(Shape { 4 }, Ints { 1, 1, 1, 4 }));
    const auto computed = runKernel(call);
    QVERIFY(!computed);
    QCOMPARE(computed.error().code, ErrorCode::Unsupported);
}

QTEST_APPLESS_MAIN(ResizeTest)
#include "tst_resize.moc"
