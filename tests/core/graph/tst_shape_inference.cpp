// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <QtTest>

#include "core/graph/op_schema.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::Dims;
using graph::InferenceOptions;
using graph::ValueId;

namespace {

const Dim N = Dim::named("N");
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

Attributes one(const char* key, std::int64_t value) { return { { key, value } }; }

} // namespace

class TestShapeInference : public QObject {
    Q_OBJECT

private slots:
    void declaredTypesAreCompared_data()
    {
        QTest::addColumn<QString>("declared");
        QTest::addColumn<QString>("expected"); // empty: a contradiction
        QTest::newRow("the same") << "same"
                                  << "float32[N, 6]";
        QTest::newRow("nothing") << "nothing"
                                 << "float32[N, 6]";
        QTest::newRow("another extent") << "extent"
                                        << "";
        QTest::newRow("another rank") << "rank"
                                      << "";
        QTest::newRow("another type") << "type"
                                      << "";
        QTest::newRow("a number for the symbol") << "number"
                                                 << "float32[N, 6]";
    }

    void declaredTypesAreCompared()
    {
        QFETCH(QString, declared);
        QFETCH(QString, expected);
        const std::map<QString, graph::ValueType> types { { "same", { DType::Float32, Dims { N, 6 } } },
            { "nothing", {} }, { "extent", { DType::Float32, Dims { N, 7 } } },
            { "rank", { DType::Float32, Dims { N, 6, 1 } } }, { "type", { DType::Float16, Dims { N, 6 } } },
            { "number", { DType::Float32, Dims { 4, 6 } } } };
        GraphBuilder builder;
        const ValueId y = builder.node("Relu", { builder.input("x", { N, 6 }) }, "y");
        builder.graph().value(y).type = types.at(declared);
        const auto inferred = graph::inferShapes(builder.graph());
        QCOMPARE(inferred.has_value(), !expected.isEmpty());
        if (inferred) {
            QCOMPARE(QString::fromStdString(builder.graph().value(y).type.toString()), expected);
            return;
        }
        const std::string text = inferred.error().message();
        for (const std::string& part :
            { std::string("'y_node'"), std::string("float32[N, 6]"), types.at(declared).toString() })
            QVERIFY2(text.find(part) != std::string::npos, text.c_str());
    }

    void inputShapesReplaceSymbols()
    {
        GraphBuilder builder;
        const ValueId x = builder.input("x", { N, 3, Dim(), 10 });
        const ValueId y = builder.node("Flatten", { x }, "y");
        InferenceOptions options;
        options.inputShapes["x"] = { 4, 3, 8, 10 };
        QVERIFY(graph::inferShapes(builder.graph(), options));
        QCOMPARE(builder.graph().value(x).type.toString(), std::string("float32[4, 3, 8, 10]"));
        QCOMPARE(builder.graph().value(y).type.toString(), std::string("float32[4, 240]"));
    }

    void wrongInputShapes_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QList<qlonglong>>("shape");
        QTest::addColumn<ErrorCode>("code");
        using Extents = QList<qlonglong>;
        QTest::newRow("no such input") << "z" << Extents { 1, 3 } << ErrorCode::NotFound;
        QTest::newRow("not an input") << "y" << Extents { 1, 3 } << ErrorCode::NotFound;
        QTest::newRow("contradicts") << "x" << Extents { 1, 4 } << ErrorCode::InvalidInput;
        QTest::newRow("another rank") << "x" << Extents { 1, 3, 1 } << ErrorCode::InvalidInput;
        QTest::newRow("negative") << "x" << Extents { -1, 3 } << ErrorCode::InvalidInput;
        QTest::newRow("too large") << "x" << Extents { 1LL << 40, 3 } << ErrorCode::InvalidInput;
        QTest::newRow("overflows") << "x" << Extents { 1LL << 62, 3 } << ErrorCode::InvalidInput;
    }

    void wrongInputShapes()
    {
        QFETCH(QString, name);
        QFETCH(QList<qlonglong>, shape);
        QFETCH(ErrorCode, code);
        GraphBuilder builder;
        builder.node("Relu", { builder.input("x", { N, 3 }) }, "y");
        InferenceOptions options;
        options.inputShapes[name.toStdString()] = Shape(Ints(shape.begin(), shape.end()));
        const auto inferred = graph::inferShapes(builder.graph(), options);
        QVERIFY(!inferred);
        QCOMPARE(inferred.error().code, code);
        QVERIFY(inferred.error().message().find("'" + name.toStdString() + "'") != std::string::npos);
    }

    void boundInputsBecomeConstants()
    {
        GraphBuilder builder;
        const ValueId shape = builder.input("shape", { 2 }, DType::Int64);
        const ValueId y = builder.node("Reshape", { builder.input("x", { 6 }), shape }, "y");
        InferenceOptions options;
        options.boundInputs["shape"] = std::make_shared<const Tensor>(ints({ 2, -1 }));
        QVERIFY(graph::inferShapes(builder.graph(), options));
        QVERIFY(builder.graph().isConstant(shape) && !builder.graph().isInput(shape));
        QCOMPARE(builder.graph().value(y).type.toString(), std::string("float32[2, 3]"));
    }

    void boundInputsMustFitTheirType_data()
    {
        QTest::addColumn<QString>("kind");
        for (const char* kind : { "type", "extent", "name" })
            QTest::newRow(kind) << kind;
    }

    void boundInputsMustFitTheirType()
    {
        QFETCH(QString, kind);
        GraphBuilder builder;
        builder.node("Relu", { builder.input("x", { 2 }) }, "y");
        InferenceOptions options;
        options.boundInputs[kind == "name" ? "z" : "x"] = std::make_shared<const Tensor>(
            kind == "type" ? Tensor(DType::Int64, { 2 }) : Tensor(DType::Float32, { kind == "extent" ? 3 : 2 }));
        const auto inferred = graph::inferShapes(builder.graph(), options);
        QVERIFY(!inferred);
        QCOMPARE(inferred.error().code, kind == "name" ? ErrorCode::NotFound : ErrorCode::InvalidInput);
    }

    void operatorsWithoutASchemaKeepWhatIsDeclared()
    {
        GraphBuilder builder;
        const ValueId odd = builder.node("Custom", { builder.input("x", { N }) }, "odd");
        builder.graph().value(odd).type = { DType::Float32, Dims { 5, 6 } };
        const ValueId y = builder.node("Flatten", { odd }, "y", one("axis", 0));
        QVERIFY(graph::inferShapes(builder.graph()));
        QCOMPARE(builder.graph().value(y).type.toString(), std::string("float32[1, 30]"));
    }

    void hostileDeclarationsAreFound_data()
    {
        QTest::addColumn<QString>("op");
        QTest::newRow("without a schema") << "Custom";
        QTest::newRow("of a known operator") << "Resize";
    }

    void hostileDeclarationsAreFound()
    {
        QFETCH(QString, op);
        GraphBuilder builder;
        const ValueId x = builder.input("x", { N });
        const ValueId big = builder.node(op.toStdString(), { x, {}, builder.input("scales", { 1 }) }, "big");
        builder.graph().value(big).type = { DType::Float32, Dims { most } };
        builder.node("Concat", { big, big }, "y", one("axis", 0));
        const auto inferred = graph::inferShapes(builder.graph());
        QVERIFY(!inferred);
        QVERIFY2(inferred.error().message().find("2^40") != std::string::npos, inferred.error().message().c_str());
        QVERIFY(inferred.error().where.find("big_node") != std::string::npos);
    }

    void hugeInputsAreFound()
    {
        GraphBuilder builder;
        builder.node("Relu", { builder.input("x", { N, 1 << 20, 1 << 21 }) }, "y");
        const auto inferred = graph::inferShapes(builder.graph());
        QVERIFY(!inferred && inferred.error().where == "input 'x'");
    }

    void aCycleIsAnError()
    {
        GraphBuilder builder;
        const ValueId back = builder.graph().addValue("back");
        const ValueId a = builder.node("Relu", { back }, "a");
        builder.graph().setOutput(builder.add("Relu", { a }, { "b" }), 0, back);
        const auto inferred = graph::inferShapes(builder.graph());
        QVERIFY(!inferred && inferred.error().code == ErrorCode::InvalidInput);
    }

    void schemasAreSortedAndSound()
    {
        const auto schemas = graph::opSchemas();
        QVERIFY(schemas.size() > 100);
        for (std::size_t i = 0; i < schemas.size(); ++i) {
            const auto& schema = schemas[i];
            QVERIFY(i == 0 || schemas[i - 1].opType < schema.opType);
            QVERIFY(schema.infer && !schema.category.empty() && schema.minInputs >= 0);
            QVERIFY(schema.maxInputs == -1 || schema.maxInputs >= schema.minInputs);
            QVERIFY(schema.untilOpset == 0 || schema.untilOpset >= schema.sinceOpset);
            graph::Node node;
            node.opType = schema.opType;
            QCOMPARE(graph::findSchema(node), &schema);
            node.domain = "com.example";
            QVERIFY(!graph::findSchema(node));
        }
    }

    /// Whatever the arity, a node whose operands are of unknown type must not crash.
    void nothingKnownIsNoCrash()
    {
        for (const auto& schema : graph::opSchemas()) {
            GraphBuilder builder(std::max(schema.sinceOpset, schema.untilOpset > 0 ? schema.untilOpset : 18));
            std::vector<ValueId> inputs;
            const int count = schema.maxInputs < 0 ? std::max(1, schema.minInputs) : schema.maxInputs;
            for (int i = 0; i < count; ++i)
                inputs.push_back(builder.graph().addInput("in" + std::to_string(i), {}));
            builder.add(std::string(schema.opType), inputs, { "a" });
            builder.add(std::string(schema.opType), inputs, {});
            // An error is allowed (Cast without `to`), a crash is not.
            [[maybe_unused]] const auto inferred = graph::inferShapes(builder.graph());
        }
    }
};

QTEST_APPLESS_MAIN(TestShapeInference)
#include "tst_shape_inference.moc"
