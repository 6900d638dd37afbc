// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/engine/engine.h"
#include "core/importing/apply_encodings.h"
#include "core/planning/plan_builder.h"
#include "tests/core/exporting/residual_network.h"

using namespace quantoscope;
using importing::AppliedEncodings;
using quant::Role;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

QString whyNot(const AppliedEncodings& applied, const std::string& tensor)
{
    const auto it = std::ranges::find(applied.unmatched, tensor, &importing::UnmatchedEncoding::tensor);
    return it == applied.unmatched.end() ? QString() : QString::fromStdString(it->why);
}

} // namespace

class TestApplyEncodings : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        auto prepared = engine::prepareGraph(test::residualNetwork());
        VERIFY_OK(prepared);
        m_graph = *prepared;
    }

    void takesNumbers()
    {
        const auto applied = apply(quant::Scope::Compute, R"({"version": "1.0.0", "activation_encodings": [
            {"name": "act", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 6, "is_sym": false, "scale": [0.25],
             "offset": [-7]}],
            "param_encodings": [{"name": "w1", "enc_type": "PER_CHANNEL", "dtype": "INT", "bw": 4, "is_sym": true,
             "scale": [0.1, 0.2, 0.3, 0.4], "offset": [-8, -8, -8, -8]},
             {"name": "w2", "enc_type": "PER_TENSOR", "dtype": "FLOAT", "bw": 32}]})");
        QVERIFY(applied.unmatched.empty());
        QCOMPARE(applied.applied, (std::vector<std::string> { "act", "w1", "w2" }));
        // Float in the base plan, quantized by the file.
        const auto* act = applied.plan.find("act");
        QVERIFY(act && act->role == Role::Activation);
        QCOMPARE(act->encoding.scale, std::vector<float> { 0.25F });
        QCOMPARE(act->encoding.zeroPoint, std::vector<std::int32_t> { 7 });
        QCOMPARE(act->encoding.qmin, 0);
        QCOMPARE(act->encoding.qmax, 63);
        QCOMPARE(act->range.low, -7 * 0.25);
        const auto* w1 = applied.plan.find("w1");
        QCOMPARE(w1->encoding.axis, 0);
        QCOMPARE(w1->encoding.qmin, -8);
        QCOMPARE(w1->encoding.zeroPoint, std::vector<std::int32_t>(4, 0));
        QCOMPARE(w1->config.bits, 4);
        QVERIFY(!applied.plan.find("w2"));
        QCOMPARE(applied.missing, (std::vector<std::string> { "fc", "w3", "w4" }));
        QCOMPARE(QString::fromStdString(applied.plan.title), QString("AIMET encodings 1.0.0: W4..8, A6 compute"));
    }

    void takesTypesOfVersion200()
    {
        const auto applied = apply(quant::Scope::Compute, R"({"version": "2.0.0", "encodings": [
            {"name": "act", "y_scale": 0.25, "y_zero_point": -120, "output_dtype": "int8"},
            {"name": "w1", "y_scale": [0.1, 0.2, 0.3, 0.4], "axis": -4, "output_dtype": "int4"},
            {"name": "w2", "y_scale": [0.1, 0.2, 0.3, 0.4], "axis": 1, "output_dtype": "int4"},
            {"name": "b1", "y_scale": 0.1, "output_dtype": "int32"}]})");
        const auto* act = applied.plan.find("act");
        QVERIFY(act);
        QCOMPARE(act->encoding.qmin, -128);
        QCOMPARE(act->encoding.qmax, 127);
        QCOMPARE(act->encoding.zeroPoint, std::vector<std::int32_t> { -120 });
        const auto* w1 = applied.plan.find("w1");
        QCOMPARE(w1->encoding.axis, 0);
        QCOMPARE(w1->encoding.qmin, -8);
        QCOMPARE(w1->encoding.zeroPoint, std::vector<std::int32_t>(4, 0));
        QVERIFY2(
            whyNot(applied, "w2").contains("along axis 1, the channels along 0"), qPrintable(whyNot(applied, "w2")));
        QVERIFY(!whyNot(applied, "b1").isEmpty()); // the compute scope leaves biases float
    }

    void saysWhatDidNotMatch()
    {
        const auto applied = apply(quant::Scope::Compute, R"({"version": "1.0.0", "activation_encodings": [
            {"name": "nobody", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 8, "is_sym": false, "scale": [1], "offset": [0]},
            {"name": "sum", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 8, "is_sym": false, "scale": [1], "offset": [0]},
            {"name": "act", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 24, "is_sym": false, "scale": [1], "offset": [0]},
            {"name": "pool", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 8, "is_sym": false, "scale": [1],
             "offset": [-300]}],
            "param_encodings": [{"name": "w1", "enc_type": "PER_CHANNEL", "dtype": "INT", "bw": 4, "is_sym": true,
             "scale": [0.1, 0.2], "offset": [-8, -8]}]})");
        QVERIFY(applied.applied.empty());
        QCOMPARE(applied.unmatched.size(), std::size_t { 5 });
        QVERIFY(whyNot(applied, "nobody").contains("no tensor of that name"));
        QVERIFY(whyNot(applied, "sum").contains("scope compute does not quantize it"));
        QVERIFY(whyNot(applied, "act").contains("24 bits"));
        QVERIFY(!whyNot(applied, "pool").isEmpty());
        QVERIFY(whyNot(applied, "w1").contains("2 scales do not fit axis 0"));
    }

    void rangesTakeTheConfigThatIsThere()
    {
        const auto applied
            = apply(quant::Scope::Compute, R"({"act": [0.0, 12.75], "pool": [-1, 1], "nobody": [0, 1]})");
        const auto* act = applied.plan.find("act");
        QVERIFY(act);
        QCOMPARE(act->encoding.bits(), 8); // as the request says
        QCOMPARE(act->encoding.scale.front(), 0.05F);
        QVERIFY(act->range.method == quant::RangeSpec::Method::Manual);
        QVERIFY(std::abs(applied.plan.find("pool")->encoding.low() + 1) < 1.01 / 255);
        QVERIFY(whyNot(applied, "nobody").contains("no tensor"));
    }

    /// A cache does not know on which side of zero values lie; the plan before may.
    void magnitudesReachWherePlansDo()
    {
        importing::EncodingsFile file { "calibration cache", {} };
        for (const char* tensor : { "act", "image" }) {
            importing::EncodingEntry entry { .tensor = tensor };
            entry.range = { -2.0, 2.0 };
            entry.isMagnitude = true;
            file.entries.push_back(entry);
        }
        const auto base = apply(quant::Scope::Compute, R"({"act": [0, 1], "image": [-1, 1]})").plan;
        const auto applied = importing::applyEncodings(*m_graph, base, {}, file);
        QVERIFY(applied.unmatched.empty());
        QCOMPARE(applied.plan.find("act")->range.low, 0.0);
        QCOMPARE(applied.plan.find("act")->range.high, 2.0);
        QCOMPARE(applied.plan.find("image")->range.low, -2.0);
        QCOMPARE(applied.notes.size(), std::size_t { 1 });
        QVERIFY(applied.notes.front().find("largest magnitude") != std::string::npos);
    }

    void softmaxAndSigmoidKeepTheirRange()
    {
        auto model = test::residualNetwork();
        auto& g = model.graph;
        const auto output = g.outputs().front();
        graph::Node node;
        node.name = "probabilities";
        node.opType = "Softmax";
        node.inputs = { output };
        node.outputs = { g.addValue("p") };
        const auto result = node.outputs.front();
        g.addNode(std::move(node));
        g.setOutputs({ result });
        const auto prepared = engine::prepareGraph(model);
        VERIFY_OK(prepared);
        planning::PlanRequest request;
        request.scope = quant::Scope::Integer;
        quant::QuantizationPlan base;
        base.scope = quant::Scope::Integer;
        const auto file = importing::parseEncodings(Json::parse(R"({"p": [0.01, 0.7], "logits": [-9, 9]})"));
        VERIFY_OK(file);
        const auto applied = importing::applyEncodings(**prepared, base, request, *file);
        const auto* p = applied.plan.find("p");
        QVERIFY(p);
        QCOMPARE(p->range.low, 0.0);
        QCOMPARE(p->range.high, 1.0);
        QVERIFY(std::ranges::any_of(applied.notes, [](const auto& note) { return note.starts_with("'p' keeps"); }));
        QVERIFY(std::abs(applied.plan.find("logits")->encoding.high() - 9) < 0.1);
    }

    /// In the integer scope data movement follows, and biases are derived anew.
    void sharedTensorsAndBiasesFollow()
    {
        const auto applied
            = apply(quant::Scope::Integer, R"({"image": [0, 1], "act": [0, 2], "c2": [-4, 4], "sum": [-8, 8],
            "left": [-1, 1], "right": [-1, 1], "joined": [-3, 3], "mean": [-1, 1], "flat": [-1, 1], "logits": [-9, 9]})");
        QVERIFY2(applied.unmatched.empty(), applied.unmatched.empty() ? "" : applied.unmatched.front().why.c_str());
        QVERIFY(applied.plan.find("pool")); // not in the file: moved, not made
        QVERIFY(applied.plan.find("pool")->encoding == applied.plan.find("sum")->encoding);
        const auto* bias = applied.plan.find("b1");
        QVERIFY(bias && bias->role == Role::Bias);
        const auto& weight = applied.plan.find("w1")->encoding;
        const double image = applied.plan.find("image")->encoding.scale.front();
        for (std::size_t c = 0; c < bias->encoding.scale.size(); ++c)
            QVERIFY(std::abs(bias->encoding.scale[c] - image * weight.scale[c]) < 1e-6 * bias->encoding.scale[c]);
    }

    void correctedConstantsGoWithTheirEncoding()
    {
        auto base = plan(quant::Scope::Compute);
        const auto values = m_graph->value(*m_graph->find("w1")).constant;
        base.setConstant("w1", values);
        base.setConstant("w3", m_graph->value(*m_graph->find("w3")).constant);
        const auto file = importing::parseEncodings(Json::parse(R"({"version": "1.0.0", "param_encodings": [
            {"name": "w1", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 4, "is_sym": true, "scale": [0.1],
             "offset": [-8]}]})"));
        VERIFY_OK(file);
        const auto applied = importing::applyEncodings(*m_graph, base, {}, *file);
        QVERIFY(!applied.plan.constants().contains("w1"));
        QVERIFY(applied.plan.constants().contains("w3"));
    }

private:
    /// Weights at 8 bits per channel, activations float.
    quant::QuantizationPlan plan(quant::Scope scope) const
    {
        planning::PlanRequest request;
        request.scope = scope;
        request.activations.bits.reset();
        auto built = planning::buildPlan(*m_graph, nullptr, request);
        if (!built)
            qFatal("%s", built.error().message().c_str());
        return built->plan;
    }

    AppliedEncodings apply(quant::Scope scope, const char* text) const
    {
        planning::PlanRequest request;
        request.scope = scope;
        const auto file = importing::parseEncodings(Json::parse(text, nullptr, false));
        if (!file)
            qFatal("%s", file.error().message().c_str());
        return importing::applyEncodings(*m_graph, plan(scope), request, *file);
    }

    std::shared_ptr<const graph::Graph> m_graph;
};

QTEST_APPLESS_MAIN(TestApplyEncodings)
#include "tst_apply_encodings.moc"
