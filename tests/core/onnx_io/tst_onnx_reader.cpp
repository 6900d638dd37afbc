// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/onnx_io/reader.h"
#include "tests/support/onnx_bytes.h"

using namespace quantoscope;
using namespace quantoscope::test;
namespace fs = std::filesystem;
namespace field = quantoscope::test::onnx_field;

Q_DECLARE_METATYPE(quantoscope::test::Wire)

namespace {

Result<graph::Model> parse(const Wire& model) { return onnx_io::parseModel(model.bytes()); }

std::string messageOf(const Result<graph::Model>& model) { return model ? "no error" : model.error().message(); }

#define VERIFY_OK(result) QVERIFY2(result.has_value(), messageOf(result).c_str())

const Wire goodTensor = floatTensor("w", { 1, 2 });

/// Wraps a one-node graph around an attribute and hands back what was read.
Result<graph::Model> withAttribute(const Wire& attribute)
{
    return parse(wireModel(Wire()
                               .message(field::Nodes, wireNode("Relu", { "x" }, { "y" }, { attribute }, "n"))
                               .message(field::Inputs, wireValue("x", 1, { 2 }))
                               .message(field::Outputs, wireValue("y", 1, { 2 }))));
}

Wire attribute(const std::string& name, int kind) { return Wire().text(1, name).number(20, kind); }

} // namespace

class TstOnnxReader : public QObject {
    Q_OBJECT

private slots:
    void readsNamesAndTypes();
    void elementTypes_data();
    void elementTypes();
    void attributes();
    void attributeKindIsDeduced();
    void opaqueAttributesAreListed();
    void initializersAmongInputsAreConstants();
    void nodesOutOfOrder();
    void unreadStringsAreSkipped();
    void hintsOfOtherKindsAreIgnored();
    void functionsThatNobodyCallsAreIgnored();
    void nonFiniteWeightsAreRead();
    void memoryLimit();
    void broken_data();
    void broken();
    void namesTheFile();
    void readsSingleTensors();
};

void TstOnnxReader::readsNamesAndTypes()
{
    Wire shape = Wire().message(1, Wire().text(2, "batch")).message(1, Wire().number(1, 3)).message(1, Wire());
    shape.message(1, Wire().number(1, -1));
    const Wire input = Wire().text(1, "image").message(2, Wire().message(1, Wire().number(1, 1).message(2, shape)));
    const Wire unranked = Wire().text(1, "out").message(2, Wire().message(1, Wire().number(1, 1)));
    const Wire graph = Wire()
                           .message(field::Nodes, wireNode("Relu", { "image" }, { "mid" }, {}, "act"))
                           .message(field::Nodes, wireNode("Sigmoid", { "mid" }, { "out" }).text(7, "ai.onnx"))
                           .text(field::GraphName, "net")
                           .text(10, "graph words")
                           .message(field::Inputs, input)
                           .message(field::Outputs, unranked)
                           .message(field::ValueInfos, wireValue("mid", 1, { -1, 3 }));
    const Wire model = wireModel(graph, 17, 8)
                           .message(field::OpsetImport, Wire().text(1, "com.example").number(2, 4))
                           .text(field::ProducerName, "maker")
                           .text(3, "1.2")
                           .text(4, "org.example")
                           .number(5, 42)
                           .text(field::DocString, "model words")
                           .message(field::Metadata, Wire().text(1, "key").text(2, "value"));
    const auto read = parse(model);
    VERIFY_OK(read);
    QCOMPARE(read->irVersion, 8);
    QCOMPARE(read->producerName, std::string("maker"));
    QCOMPARE(read->producerVersion, std::string("1.2"));
    QCOMPARE(read->domain, std::string("org.example"));
    QCOMPARE(read->modelVersion, std::int64_t { 42 });
    QCOMPARE(read->docString, std::string("model words"));
    QCOMPARE(read->metadata.at("key"), std::string("value"));
    const auto& g = read->graph;
    QCOMPARE(g.name, std::string("net"));
    QCOMPARE(g.docString, std::string("graph words"));
    QCOMPARE(g.opset(), 17);
    QCOMPARE(g.opsets.at("com.example"), 4);
    QCOMPARE(g.inputs().size(), 1U);
    QCOMPARE(g.value(g.inputs()[0]).type.toString(), std::string("float32[batch, 3, ?, ?]"));
    QCOMPARE(g.value(*g.find("mid")).type.toString(), std::string("float32[?, 3]"));
    QVERIFY(!g.value(*g.find("out")).type.dims);
    QCOMPARE(g.nodes().size(), 2U);
    QCOMPARE(g.node(g.nodes()[0]).name, std::string("act"));
    QCOMPARE(g.node(g.nodes()[1]).domain, std::string());
}

void TstOnnxReader::elementTypes_data()
{
    QTest::addColumn<int>("number");
    QTest::addColumn<int>("dtype");
    QTest::addColumn<QByteArray>("raw");
    QTest::addColumn<Wire>("typed");
    QTest::addColumn<QList<double>>("expected");
    const auto bytes = []<typename T>(const std::vector<T>& values) {
        return QByteArray(
            reinterpret_cast<const char*>(values.data()), static_cast<qsizetype>(values.size() * sizeof(T)));
    };
    const auto row = [&](const char* name, int number, DType dtype, const QByteArray& raw, const Wire& typed,
                         const QList<double>& expected) {
        QTest::newRow(name) << number << static_cast<int>(dtype) << raw << typed << expected;
    };
    const auto int32Data = [](const std::vector<std::int64_t>& v) { return Wire().packedNumbers(field::Int32Data, v); };
    const auto uint64Data
        = [](const std::vector<std::int64_t>& v) { return Wire().packedNumbers(field::Uint64Data, v); };
    row("float32", 1, DType::Float32, bytes(std::vector<float> { -1.5F, 0.25F, 3e30F }),
        Wire().packed(field::FloatData, std::vector<float> { -1.5F, 0.25F, 3e30F }), { -1.5, 0.25, 3e30F });
    row("float64", 11, DType::Float64, bytes(std::vector<double> { -1.5, 0.1, 1e300 }),
        Wire().packed(field::DoubleData, std::vector<double> { -1.5, 0.1, 1e300 }), { -1.5, 0.1, 1e300 });
    row("float16", 10, DType::Float16, bytes(std::vector<std::uint16_t> { 0x3C00, 0xC000, 0x3555 }),
        int32Data({ 0x3C00, 0xC000, 0x3555 }), { 1, -2, 0.333251953125 });
    row("bfloat16", 16, DType::BFloat16, bytes(std::vector<std::uint16_t> { 0x3F80, 0xC000, 0x3EAB }),
        int32Data({ 0x3F80, 0xC000, 0x3EAB }), { 1, -2, 0.333984375 });
    row("int8", 3, DType::Int8, bytes(std::vector<std::int8_t> { -128, 0, 127 }), int32Data({ -128, 0, 127 }),
        { -128, 0, 127 });
    row("uint8", 2, DType::UInt8, bytes(std::vector<std::uint8_t> { 0, 128, 255 }), int32Data({ 0, 128, 255 }),
        { 0, 128, 255 });
    row("int16", 5, DType::Int16, bytes(std::vector<std::int16_t> { -32768, 1, 32767 }),
        int32Data({ -32768, 1, 32767 }), { -32768, 1, 32767 });
    row("uint16", 4, DType::UInt16, bytes(std::vector<std::uint16_t> { 0, 1, 65535 }), int32Data({ 0, 1, 65535 }),
        { 0, 1, 65535 });
    row("int32", 6, DType::Int32, bytes(std::vector<std::int32_t> { std::numeric_limits<std::int32_t>::min(), 0, 7 }),
        int32Data({ std::numeric_limits<std::int32_t>::min(), 0, 7 }), { -2147483648.0, 0, 7 });
    row("uint32", 12, DType::UInt32, bytes(std::vector<std::uint32_t> { 0, 5, 4294967295U }),
        uint64Data({ 0, 5, 4294967295 }), { 0, 5, 4294967295.0 });
    row("int64", 7, DType::Int64, bytes(std::vector<std::int64_t> { -5000000000, 0, 1 }),
        Wire().packedNumbers(field::Int64Data, { -5000000000, 0, 1 }), { -5000000000.0, 0, 1 });
    row("uint64", 13, DType::UInt64, bytes(std::vector<std::uint64_t> { 0, 1, 5000000000 }),
        uint64Data({ 0, 1, 5000000000 }), { 0, 1, 5000000000.0 });
    row("bool", 9, DType::Bool, bytes(std::vector<std::uint8_t> { 0, 1, 7 }), int32Data({ 0, 1, 1 }), { 0, 1, 1 });
    row("uint4", 21, DType::UInt4, bytes(std::vector<std::uint8_t> { 0xF1, 0x08 }), int32Data({ 0xF1, 0x08 }),
        { 1, 15, 8 });
    row("int4", 22, DType::Int4, bytes(std::vector<std::uint8_t> { 0xF1, 0x08 }), int32Data({ 0xF1, 0x08 }),
        { 1, -1, -8 });
    row("uint2", 25, DType::UInt2, bytes(std::vector<std::uint8_t> { 0b00110110 }), int32Data({ 0b00110110 }),
        { 2, 1, 3 });
    row("int2", 26, DType::Int2, bytes(std::vector<std::uint8_t> { 0b00110110 }), int32Data({ 0b00110110 }),
        { -2, 1, -1 });
}

void TstOnnxReader::elementTypes()
{
    QFETCH(int, number);
    QFETCH(int, dtype);
    QFETCH(QByteArray, raw);
    QFETCH(Wire, typed);
    QFETCH(QList<double>, expected);
    QTemporaryDir folder;
    const fs::path path = folder.filePath("t.pb").toStdString();
    std::ofstream(folder.filePath("t.bin").toStdString(), std::ios::binary) << "xxx" << raw.toStdString();
    Wire inRaw = wireTensor("t", number, { 3 }).text(field::RawData, raw.toStdString());
    Wire inField = wireTensor("t", number, { 3 });
    const Wire external
        = wireTensor("t", number, { 3 })
              .number(field::DataLocation, 1)
              .message(field::ExternalEntries, Wire().text(1, "location").text(2, "t.bin"))
              .message(field::ExternalEntries, Wire().text(1, "offset").text(2, "3"))
              .message(field::ExternalEntries, Wire().text(1, "length").text(2, std::to_string(raw.size())));
    for (const auto& bytes : { inRaw.string(), inField.string() + typed.string(), external.string() }) {
        std::ofstream(path, std::ios::binary) << bytes;
        const auto tensor = onnx_io::readTensor(path);
        QVERIFY2(tensor.has_value(), tensor ? "" : tensor.error().message().c_str());
        QCOMPARE(tensor->dtype(), static_cast<DType>(dtype));
        QCOMPARE(tensor->shape(), (Shape { 3 }));
        const auto values = tensor::toDoubles(tensor->view());
        QCOMPARE(QList<double>(values.begin(), values.end()), expected);
    }
}

void TstOnnxReader::attributes()
{
    const auto ints = withAttribute(attribute("a", 7).number(8, -3).number(8, 5));
    VERIFY_OK(ints);
    const auto nodeOf
        = [](const Result<graph::Model>& m) -> const graph::Node& { return m->graph.node(m->graph.nodes()[0]); };
    QCOMPARE(nodeOf(ints).intsAttribute("a"), (std::vector<std::int64_t> { -3, 5 }));
    const auto floats = withAttribute(attribute("a", 6).fixed32(7, 0.5F).fixed32(7, -2));
    VERIFY_OK(floats);
    QCOMPARE(nodeOf(floats).floatsAttribute("a"), (std::vector<float> { 0.5F, -2 }));
    const auto strings = withAttribute(attribute("a", 8).text(9, "p").text(9, ""));
    VERIFY_OK(strings);
    QCOMPARE(
        std::get<std::vector<std::string>>(nodeOf(strings).attributes.at("a")), (std::vector<std::string> { "p", "" }));
    const auto number = withAttribute(attribute("a", 1).fixed32(2, 0.25F));
    VERIFY_OK(number);
    QCOMPARE(nodeOf(number).floatAttribute("a", 0), 0.25F);
    const auto whole = withAttribute(attribute("a", 2).number(3, -9));
    VERIFY_OK(whole);
    QCOMPARE(nodeOf(whole).intAttribute("a", 0), std::int64_t { -9 });
    const auto text = withAttribute(attribute("a", 3).text(4, "SAME_UPPER"));
    VERIFY_OK(text);
    QCOMPARE(nodeOf(text).stringAttribute("a", ""), std::string("SAME_UPPER"));
    const auto tensor = withAttribute(attribute("a", 4).message(5, goodTensor));
    VERIFY_OK(tensor);
    QCOMPARE(tensor::toDoubles(nodeOf(tensor).tensorAttribute("a")->view()), (std::vector<double> { 1, 2 }));
    const auto empty = withAttribute(attribute("a", 7));
    VERIFY_OK(empty);
    QVERIFY(std::get<std::vector<std::int64_t>>(nodeOf(empty).attributes.at("a")).empty());
}

void TstOnnxReader::attributeKindIsDeduced()
{
    const auto read = withAttribute(Wire().text(1, "a").number(8, 4));
    VERIFY_OK(read);
    QCOMPARE(read->graph.node(read->graph.nodes()[0]).intsAttribute("a"), (std::vector<std::int64_t> { 4 }));
}

void TstOnnxReader::opaqueAttributesAreListed()
{
    const auto read = withAttribute(attribute("body", 5).message(6, Wire().text(field::GraphName, "inner")));
    VERIFY_OK(read);
    const auto& value = read->graph.node(read->graph.nodes()[0]).attributes.at("body");
    QCOMPARE(std::get<graph::Opaque>(value).kind, std::string("graph"));
}

void TstOnnxReader::initializersAmongInputsAreConstants()
{
    const auto read = parse(wireModel(wireAddGraph(goodTensor).message(field::Inputs, wireValue("w", 1, { 2 })), 8, 3));
    VERIFY_OK(read);
    QCOMPARE(read->graph.inputs().size(), 1U);
    QVERIFY(read->graph.isConstant(*read->graph.find("w")));
}

void TstOnnxReader::nodesOutOfOrder()
{
    const auto read = parse(wireModel(Wire()
                                          .message(field::Nodes, wireNode("Relu", { "a" }, { "y" }, {}, "second"))
                                          .message(field::Nodes, wireNode("Relu", { "x" }, { "a" }, {}, "first"))
                                          .message(field::Inputs, wireValue("x", 1, { 2 }))
                                          .message(field::Outputs, wireValue("y", 1, { 2 }))));
    VERIFY_OK(read);
    const auto order = read->graph.topologicalOrder();
    QVERIFY(order.has_value());
    QCOMPARE(read->graph.node(order->front()).name, std::string("first"));
}

void TstOnnxReader::unreadStringsAreSkipped()
{
    const Wire names = wireTensor("labels", 8, { 1 }).text(field::StringData, "cat");
    const auto read = parse(wireModel(wireAddGraph(goodTensor).message(field::Initializers, names)));
    VERIFY_OK(read);
    QVERIFY(!read->graph.find("labels"));
}

void TstOnnxReader::hintsOfOtherKindsAreIgnored()
{
    const Wire sequence = Wire().text(1, "y").message(2, Wire().message(4, Wire()));
    const Wire unknownValue = wireValue("nobody", 1, { 1 });
    const auto read = parse(wireModel(
        wireAddGraph(goodTensor).message(field::ValueInfos, sequence).message(field::ValueInfos, unknownValue)));
    VERIFY_OK(read);
    QCOMPARE(read->graph.value(*read->graph.find("y")).type.toString(), std::string("float32[2]"));
}

void TstOnnxReader::functionsThatNobodyCallsAreIgnored()
{
    const auto read
        = parse(wireModel(wireAddGraph(goodTensor)).message(field::Functions, Wire().text(1, "F").text(10, "d")));
    VERIFY_OK(read);
}

void TstOnnxReader::nonFiniteWeightsAreRead()
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto read = parse(wireModel(wireAddGraph(floatTensor("w", { nan, 1 }))));
    VERIFY_OK(read);
    QVERIFY(std::isnan(read->graph.value(*read->graph.find("w")).constant->as<float>()[0]));
}

void TstOnnxReader::memoryLimit()
{
    const auto model = wireModel(wireAddGraph(goodTensor)).bytes();
    QVERIFY(onnx_io::parseModel(model, {}, { .memoryLimit = 8 }).has_value());
    const auto refused = onnx_io::parseModel(model, {}, { .memoryLimit = 7 });
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::OutOfMemory);
}

void TstOnnxReader::broken_data()
{
    QTest::addColumn<std::string>("bytes");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("part");
    const auto row = [](const char* name, const std::string& bytes, ErrorCode code, const char* part) {
        QTest::newRow(name) << bytes << static_cast<int>(code) << QString(part);
    };
    const auto model = [&](const char* name, const Wire& wire, const char* part,
                           ErrorCode code = ErrorCode::InvalidInput) { row(name, wire.string(), code, part); };
    const auto tensor
        = [&](const char* name, const Wire& wire, const char* part, ErrorCode code = ErrorCode::InvalidInput) {
              row(name, wireModel(wireAddGraph(wire)).string(), code, part);
          };
    const auto bad = ErrorCode::InvalidInput;
    const std::string good = wireModel(wireAddGraph(goodTensor)).string();
    row("empty", "", bad, "is empty");
    row("text", "hello, this is a note\n", bad, "text file");
    row("json", "  {\"a\": 1}\n", bad, "JSON");
    row("html", "<!DOCTYPE html><html></html>", bad, "web page");
    row("lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", bad, "Git LFS");
    row("zip", std::string("PK\x03\x04") + std::string(40, '\0'), bad, "zip");
    row("gzip", std::string("\x1f\x8b\x08\x00", 4) + std::string(40, '\0'), bad, "gzip");
    row("random", std::string("\xf3\x81\x00\x9c\x44\xfe\x17", 7), bad, "is not an ONNX model");
    row("zeros", std::string(64, '\0'), bad, "is not an ONNX model");
    row("truncated", good.substr(0, good.size() / 2), bad, "ends after");
    model("no graph", Wire().number(field::IrVersion, 7), "without a graph");
    model("opset 6", wireModel(wireAddGraph(goodTensor), 6), "opset 6", ErrorCode::Unsupported);
    model("no opset", Wire().number(1, 2).message(field::Graph, wireAddGraph(goodTensor)), "opset 1",
        ErrorCode::Unsupported);
    model("negative opset", wireModel(wireAddGraph(goodTensor), -4), "opset -4");
    model("training", wireModel(wireAddGraph(goodTensor)).message(field::Training, Wire()), "training",
        ErrorCode::Unsupported);
    model("function", wireModel(wireAddGraph(goodTensor)).message(field::Functions, Wire().text(1, "Add")),
        "function 'Add'", ErrorCode::Unsupported);
    model("sparse initializer", wireModel(wireAddGraph(goodTensor).message(field::SparseInitializers, Wire())),
        "sparse", ErrorCode::Unsupported);
    model("duplicate initializer", wireModel(wireAddGraph(goodTensor).message(field::Initializers, goodTensor)), "'w'");
    model("unnamed initializer",
        wireModel(wireAddGraph(goodTensor).message(field::Initializers, floatTensor("", { 1 }))), "without name");
    model(
        "duplicate input", wireModel(wireAddGraph(goodTensor).message(field::Inputs, wireValue("x", 1, { 2 }))), "'x'");
    model("duplicate output name",
        wireModel(wireAddGraph(goodTensor).message(field::Nodes, wireNode("Relu", { "x" }, { "y" }, {}, "twin"))),
        "'twin'");
    model("output takes an input's name",
        wireModel(wireAddGraph(goodTensor).message(field::Nodes, wireNode("Relu", { "y" }, { "x" }))), "'x'");
    model(
        "listed twice", wireModel(wireAddGraph(goodTensor).message(field::Outputs, wireValue("y", 1, { 2 }))), "twice");
    model("missing initializer", wireModel(wireAddGraph(floatTensor("v", { 1, 2 }))), "reads 'w'");
    model(
        "missing output", wireModel(wireAddGraph(goodTensor).message(field::Outputs, wireValue("z", 1, { 2 }))), "'z'");
    model("cycle",
        wireModel(wireAddGraph(goodTensor)
                      .message(field::Nodes, wireNode("Relu", { "b" }, { "a" }, {}, "one"))
                      .message(field::Nodes, wireNode("Relu", { "a" }, { "b" }, {}, "two"))
                      .message(field::Outputs, wireValue("b", 1, { 2 }))),
        "cycle");
    model("no operator", wireModel(wireAddGraph(goodTensor).message(field::Nodes, wireNode("", { "x" }, { "q" }))),
        "no operator");
    model("sequence input",
        wireModel(
            wireAddGraph(goodTensor).message(field::Inputs, Wire().text(1, "s").message(2, Wire().message(4, Wire())))),
        "sequence", ErrorCode::Unsupported);
    model("map output",
        wireModel(wireAddGraph(goodTensor)
                      .message(field::Nodes, wireNode("Relu", { "x" }, { "m" }))
                      .message(field::Outputs, Wire().text(1, "m").message(2, Wire().message(5, Wire())))),
        "map", ErrorCode::Unsupported);
    model("string input", wireModel(wireAddGraph(goodTensor).message(field::Inputs, wireValue("s", 8, { 1 }))),
        "string", ErrorCode::Unsupported);
    tensor("string weights", wireTensor("w", 8, { 1 }).text(field::StringData, "a"), "string", ErrorCode::Unsupported);
    tensor("float8 weights", wireTensor("w", 17, { 2 }).text(field::RawData, "ab"), "float8e4m3fn",
        ErrorCode::Unsupported);
    tensor("complex weights", wireTensor("w", 14, { 1 }).text(field::RawData, "12345678"), "complex64",
        ErrorCode::Unsupported);
    tensor("unknown type", wireTensor("w", 99, { 1 }).text(field::RawData, "a"), "number 99", ErrorCode::Unsupported);
    tensor("no type", Wire().number(1, 2).text(8, "w"), "undefined", ErrorCode::Unsupported);
    tensor("segment", wireTensor("w", 1, { 2 }).message(field::Segment, Wire().number(1, 0)), "segments",
        ErrorCode::Unsupported);
    tensor("raw too short", wireTensor("w", 1, { 2 }).text(field::RawData, "1234567"), "7 bytes");
    tensor("raw too long", wireTensor("w", 1, { 2 }).text(field::RawData, "123456789"), "9 bytes");
    tensor("no data", wireTensor("w", 1, { 2 }), "0 entries in float_data");
    tensor(
        "wrong field", wireTensor("w", 1, { 2 }).packedNumbers(field::Int32Data, { 1, 2 }), "0 entries in float_data");
    tensor("int8 out of range", wireTensor("w", 3, { 2 }).packedNumbers(field::Int32Data, { 1, 128 }), "entry 128");
    tensor(
        "float16 out of range", wireTensor("w", 10, { 1 }).packedNumbers(field::Int32Data, { 65536 }), "entry 65536");
    tensor("uint32 out of range", wireTensor("w", 12, { 1 }).packedNumbers(field::Uint64Data, { 4294967296 }),
        "entry 4294967296");
    tensor("int4 needs a byte for two", wireTensor("w", 22, { 3 }).packedNumbers(field::Int32Data, { 1, 2, 3 }),
        "needs 2");
    tensor("terabytes", wireTensor("w", 1, { 1 << 20, 1 << 18 }).text(field::RawData, "1234"), "1099511627776");
    tensor("more than 2^40 elements", wireTensor("w", 1, { std::int64_t { 1 } << 62, 8 }).text(field::RawData, "1234"),
        "2^40");
    tensor("overflowing extents", wireTensor("w", 1, { std::int64_t { 1 } << 33, std::int64_t { 1 } << 33 }), "2^40");
    tensor("negative extent", wireTensor("w", 1, { -2 }).text(field::RawData, "12345678"), "negative");
    tensor("external without folder",
        wireTensor("w", 1, { 2 })
            .number(field::DataLocation, 1)
            .message(field::ExternalEntries, Wire().text(1, "location").text(2, "w.bin")),
        "'w.bin'");
    row("attribute twice",
        wireModel(Wire()
                      .message(field::Nodes,
                          wireNode("Relu", { "x" }, { "y" },
                              { attribute("a", 2).number(3, 1), attribute("a", 2).number(3, 2) }, "n"))
                      .message(field::Inputs, wireValue("x", 1, { 2 }))
                      .message(field::Outputs, wireValue("y", 1, { 2 })))
            .string(),
        bad, "attribute 'a'");
    row("string constant",
        wireModel(
            wireAddGraph(goodTensor)
                .message(field::Nodes,
                    wireNode("Constant", {}, { "c" },
                        { attribute("value", 4).message(5, wireTensor("", 8, { 1 }).text(field::StringData, "s")) },
                        "words")))
            .string(),
        ErrorCode::Unsupported, "'words'");
    row("attribute of a function",
        wireModel(wireAddGraph(goodTensor)
                      .message(field::Nodes,
                          wireNode("Relu", { "x" }, { "c" }, { attribute("a", 2).text(21, "outer") }, "ref")))
            .string(),
        ErrorCode::Unsupported, "'ref'");
}

void TstOnnxReader::broken()
{
    QFETCH(std::string, bytes);
    QFETCH(int, code);
    QFETCH(QString, part);
    const auto read = onnx_io::parseModel({ reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size() });
    QVERIFY(!read);
    const auto message = QString::fromStdString(read.error().message());
    QVERIFY2(message.contains(part), qPrintable(message));
    QVERIFY2(read.error().code == static_cast<ErrorCode>(code), qPrintable(message));
}

void TstOnnxReader::namesTheFile()
{
    QTemporaryDir folder;
    const fs::path path = folder.filePath("broken.onnx").toStdString();
    const auto missing = onnx_io::readModel(path);
    QVERIFY(!missing);
    QCOMPARE(missing.error().code, ErrorCode::NotFound);
    std::ofstream(path, std::ios::binary) << wireModel(wireAddGraph(floatTensor("v", { 1, 2 }))).string();
    const auto broken = onnx_io::readModel(path);
    QVERIFY(!broken);
    QCOMPARE(
        QString::fromStdString(broken.error().where), QString::fromStdString(path.string() + ", node 'add' (Add)"));
    std::ofstream(path, std::ios::binary | std::ios::trunc);
    QCOMPARE(QString::fromStdString(onnx_io::readModel(path).error().where), QString::fromStdString(path.string()));
    const auto isFolder = onnx_io::readModel(folder.path().toStdString());
    QVERIFY(!isFolder);
    QCOMPARE(isFolder.error().code, ErrorCode::Io);
    std::ofstream(path, std::ios::binary) << wireModel(wireAddGraph(goodTensor)).string();
    const auto good = onnx_io::readModel(path);
    VERIFY_OK(good);
    QCOMPARE(good->path.string(), path.string());
}

void TstOnnxReader::readsSingleTensors()
{
    QTemporaryDir folder;
    const fs::path path = folder.filePath("t.pb").toStdString();
    QCOMPARE(onnx_io::readTensor(path).error().code, ErrorCode::NotFound);
    std::ofstream(path, std::ios::binary)
        << wireTensor("", 1, {}).packed(field::FloatData, std::vector<float> { 3 }).string();
    const auto scalar = onnx_io::readTensor(path);
    QVERIFY(scalar.has_value());
    QCOMPARE(scalar->shape().rank(), 0);
    QCOMPARE(scalar->as<float>()[0], 3.0F);
    std::ofstream(path, std::ios::binary) << wireTensor("", 1, { 0, 4 }).string();
    const auto empty = onnx_io::readTensor(path);
    QVERIFY(empty.has_value());
    QCOMPARE(empty->size(), std::int64_t { 0 });
    std::ofstream(path, std::ios::binary) << "not a tensor at all";
    QCOMPARE(onnx_io::readTensor(path).error().code, ErrorCode::InvalidInput);
}

QTEST_APPLESS_MAIN(TstOnnxReader)
#include "tst_onnx_reader.moc"
