// SPDX-License-Identifier: GPL-3.0-or-later
// Quantized models written node by node, as other tools write them, taken apart.
#include <QTest>

#include "core/engine/engine.h"
#include "core/importing/open_model.h"
#include "core/importing/quantized_model.h"
#include "core/importing/transplant.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

using namespace quantoscope;
using graph::Dim;
using graph::ValueId;
using quant::Role;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

Tensor integers(DType dtype, const Shape& shape, const std::vector<std::int32_t>& values)
{
    return tensor::convert(Tensor::from<std::int32_t>(shape, values).view(), dtype);
}

/// image -> quantizer -> Conv with stored weights (2 channels) -> quantizer -> output.
struct Options {
    int opset = 13;
    DType activation = DType::UInt8;
    DType weight = DType::Int8;
    std::vector<std::int32_t> levels { -100, 5, 7, 100 };
    std::string domain = {};
    bool hasZeroPoints = true;
    bool scaleIsVector = false; ///< of one element, as some tools write scalars
    int clip = 0; ///< > 0: an integer Clip to this
    bool perChannel = true;
    bool sharesEncoding = false; ///< MaxPool with a quantizer like that before it
};

graph::Model quantizedNetwork(const Options& o)
{
    test::GraphBuilder b(o.opset);
    const Shape single = o.scaleIsVector ? Shape { 1 } : Shape {};
    const auto pair = [&](ValueId value, const std::string& name, const std::string& result, float scale, int zero) {
        const auto s = b.constant(name + "_scale", Tensor::from<float>(single, std::vector { scale }));
        std::vector<ValueId> parameters { s };
        if (o.hasZeroPoints)
            parameters.push_back(b.constant(name + "_zero_point", integers(o.activation, single, { zero })));
        auto inputs = parameters;
        inputs.insert(inputs.begin(), value);
        const auto q = b.add("QuantizeLinear", inputs, { name + "_q" });
        auto levels = b.graph().node(q).outputs[0];
        if (o.clip > 0)
            levels = b.node("Clip",
                { levels, b.constant(name + "_low", integers(o.activation, {}, { 0 })),
                    b.constant(name + "_high", integers(o.activation, {}, { o.clip })) },
                name + "_c");
        inputs = parameters;
        inputs.insert(inputs.begin(), levels);
        const auto dq = b.add("DequantizeLinear", inputs, { result });
        b.graph().node(q).domain = b.graph().node(dq).domain = o.domain;
        return b.graph().node(dq).outputs[0];
    };
    const auto image = b.input("image", { Dim::named("batch"), 1, 2, 2 });
    const auto x = pair(image, "image", "image_dq", 0.5F, o.hasZeroPoints ? 3 : 0);
    const std::vector<float> scales = o.perChannel ? std::vector { 0.1F, 0.2F } : std::vector { 0.1F };
    const Shape along = o.perChannel ? Shape { 2 } : Shape {};
    const auto weight = b.add("DequantizeLinear",
        { b.constant("w_quantized", integers(o.weight, { 2, 1, 1, 2 }, o.levels)),
            b.constant("w_scale", Tensor::from<float>(along, scales)) },
        { "w_dq" }, { { "axis", std::int64_t { 0 } } });
    auto y = b.node("Conv", { x, b.graph().node(weight).outputs[0] }, "y_raw");
    y = pair(y, "y", o.sharesEncoding ? "y_dq" : "out", 0.25F, o.hasZeroPoints ? 1 : 0);
    if (o.sharesEncoding) {
        y = b.node("MaxPool", { y }, "p", { { "kernel_shape", test::Ints { 1, 1 } } });
        y = pair(y, "p", "out", 0.25F, o.hasZeroPoints ? 1 : 0);
    }
    b.output(y);
    if (!o.domain.empty())
        b.graph().opsets[o.domain] = 1;
    graph::Model model;
    model.irVersion = 10;
    model.graph = b.graph();
    return model;
}

} // namespace

Q_DECLARE_METATYPE(Options)

class TestQuantizedModel : public QObject {
    Q_OBJECT

private slots:
    void wordLengths_data()
    {
        QTest::addColumn<Options>("options");
        QTest::addColumn<int>("activationBits");
        QTest::addColumn<int>("weightBits");
        QTest::newRow("8 bits") << Options {} << 8 << 8;
        QTest::newRow("weights within 4 bits") << Options { .levels = { -8, 5, 7, 0 } } << 8 << 4;
        QTest::newRow("weights within 3 bits") << Options { .levels = { -4, 3, 0, 0 } } << 8 << 3;
        QTest::newRow("clipped to 5 bits") << Options { .clip = 31 } << 5 << 8;
        QTest::newRow("int4 weights") << Options { .opset = 21, .weight = DType::Int4, .levels = { -8, 5, 7, 0 } } << 8
                                      << 4;
        QTest::newRow("uint16") << Options { .opset = 21, .activation = DType::UInt16 } << 16 << 8;
        QTest::newRow("uint16 of com.microsoft")
            << Options { .activation = DType::UInt16, .domain = "com.microsoft" } << 16 << 8;
        QTest::newRow("no zero points") << Options { .hasZeroPoints = false } << 8 << 8;
        QTest::newRow("scales of one element") << Options { .scaleIsVector = true } << 8 << 8;
        QTest::newRow("per tensor") << Options { .perChannel = false } << 8 << 8;
        QTest::newRow("shared encoding") << Options { .sharesEncoding = true } << 8 << 8;
    }

    void wordLengths()
    {
        QFETCH(Options, options);
        QFETCH(int, activationBits);
        QFETCH(int, weightBits);
        const auto model = quantizedNetwork(options);
        const auto opened = importing::openModel(model);
        VERIFY_OK(opened);
        QVERIFY2(opened->notes.empty(), opened->notes.empty() ? "" : opened->notes.front().c_str());
        QVERIFY(opened->plan && opened->plan->scope == quant::Scope::Integer); // its output is quantized
        const auto* image = opened->plan->find("image");
        const auto* weight = opened->plan->find("w");
        const auto* out = opened->plan->find("out");
        QVERIFY(image && weight && out);
        QCOMPARE(image->encoding.bits(), activationBits);
        QCOMPARE(weight->encoding.bits(), weightBits);
        QVERIFY(weight->role == Role::Weight);
        QCOMPARE(image->encoding.zeroPoint.front(), options.hasZeroPoints ? 3 : 0);
        QCOMPARE(weight->encoding.axis, options.perChannel ? 0 : -1);
        QCOMPARE(opened->plan->tensors().size(), std::size_t { options.sharesEncoding ? 4U : 3U });
        QVERIFY(!importing::isQuantized(opened->model->graph));
        QVERIFY(!opened->model->graph.opsets.contains("com.microsoft"));
        QCOMPARE(opened->graph->value(opened->graph->outputs()[0]).name, std::string("out"));

        // The plan on the float network is what the file computes.
        if (!options.domain.empty())
            return; // the file itself has operators that only its runtime knows
        const auto input = test::randomTensor({ 3, 1, 2, 2 }, 5, 20);
        const auto file = engine::prepareGraph(model);
        VERIFY_OK(file);
        const auto expected = test::runGraph(**file, { input });
        const auto actual = test::runGraph(*opened->graph, { input }, *opened->plan);
        VERIFY_OK(expected);
        VERIFY_OK(actual);
        QVERIFY(tensor::toDoubles(expected->front().view()) == tensor::toDoubles(actual->front().view()));
    }

    void whatAPlanCannotSayStays()
    {
        auto model = quantizedNetwork({});
        // The way back is another than the way there.
        auto& scale = model.graph.value(*model.graph.find("image_scale"));
        const auto other = model.graph.addConstant("other", std::make_shared<const Tensor>(Tensor::scalar(0.125F)));
        const auto dq = model.graph.value(*model.graph.find("image_dq")).producer;
        model.graph.setInput(dq, 1, other);
        QVERIFY(scale.constant);
        const auto opened = importing::openModel(model);
        VERIFY_OK(opened);
        QCOMPARE(opened->notes.size(), std::size_t { 1 });
        QVERIFY2(opened->notes.front().find("does not undo") != std::string::npos, opened->notes.front().c_str());
        QVERIFY(!opened->plan->find("image"));
        QVERIFY(opened->plan->find("w") && opened->plan->find("out"));
    }

    /// Two scales along an axis of one: nobody knows what that means, so it is said instead of computed.
    void scalesThatDoNotFit()
    {
        auto model = quantizedNetwork({});
        const auto dq = model.graph.value(*model.graph.find("w_dq")).producer;
        model.graph.node(dq).attributes["axis"] = std::int64_t { 1 };
        const auto opened = importing::openModel(model);
        QVERIFY(!opened);
        QVERIFY2(opened.error().what.find("expected [1]") != std::string::npos, opened.error().message().c_str());
    }

    void floatModelsHaveNoPlan()
    {
        test::GraphBuilder b;
        b.output(b.node("Relu", { b.input("x", { 1, 4 }) }, "y"));
        graph::Model model;
        model.irVersion = 7;
        model.graph = b.graph();
        const auto opened = importing::openModel(model);
        VERIFY_OK(opened);
        QVERIFY(!opened->plan);
    }

    /// A quantized model's plan on the model it was made from.
    void transplants()
    {
        const auto opened = importing::openModel(quantizedNetwork({}));
        VERIFY_OK(opened);
        auto original = *opened->graph;
        const auto w = *original.find("w");
        Tensor values = *original.value(w).constant;
        values.as<float>()[0] += 0.03F;
        original.value(w).constant = std::make_shared<const Tensor>(std::move(values));
        const auto moved = importing::transplant(*opened->plan, *opened->graph, original);
        VERIFY_OK(moved);
        QCOMPARE(moved->constants().size(), std::size_t { 1 });
        const auto input = test::randomTensor({ 3, 1, 2, 2 }, 5, 20);
        const auto expected = test::runGraph(*opened->graph, { input }, *opened->plan);
        const auto actual = test::runGraph(original, { input }, *moved);
        VERIFY_OK(expected);
        VERIFY_OK(actual);
        QVERIFY(tensor::toDoubles(expected->front().view()) == tensor::toDoubles(actual->front().view()));

        test::GraphBuilder stranger;
        stranger.output(stranger.node("Relu", { stranger.input("x", { 1, 4 }) }, "y"));
        const auto refused = importing::transplant(*opened->plan, *opened->graph, stranger.graph());
        QVERIFY(!refused);
        QVERIFY(refused.error().where.find("image") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestQuantizedModel)
#include "tst_quantized_model.moc"
