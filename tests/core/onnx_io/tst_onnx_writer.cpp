// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/file.h"
#include "core/base/random.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "tests/support/model_equality.h"

using namespace quantoscope;
using graph::Graph;
using graph::Model;
using graph::Node;
using graph::TensorPtr;
using graph::ValueType;
namespace fs = std::filesystem;

Q_DECLARE_METATYPE(quantoscope::graph::Attribute)

namespace {

const ValueType floats2 { DType::Float32, graph::Dims { 2 } };

TensorPtr constant(std::vector<float> values)
{
    const auto count = static_cast<std::int64_t>(values.size());
    return std::make_shared<const Tensor>(Tensor::from<float>(Shape { count }, values));
}

/// y = relu(x) + w, with the nodes added last first.
Model smallModel()
{
    Model model;
    auto& g = model.graph;
    g.name = "small";
    g.opsets[""] = 13;
    const auto x = g.addInput("x", floats2);
    const auto w = g.addConstant("w", constant({ 1, 2 }));
    const auto mid = g.addValue("mid", floats2);
    const auto y = g.addValue("y", floats2);
    g.addNode(Node { "add", "Add", "", { mid, w }, { y }, {}, "" });
    g.addNode(Node { "relu", "Relu", "", { x }, { mid }, {}, "" });
    g.markOutput(y);
    return model;
}

Result<Model> roundTrip(const Model& model)
{
    QS_TRY(const auto bytes, onnx_io::serializeModel(model));
    return onnx_io::parseModel(bytes);
}

std::string contentOf(const fs::path& path)
{
    std::ifstream in(path, std::ios::binary);
    return { std::istreambuf_iterator<char>(in), {} };
}

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

} // namespace

class TstOnnxWriter : public QObject {
    Q_OBJECT

private slots:
    void everythingSurvives();
    void elementTypes_data();
    void elementTypes();
    void attributes_data();
    void attributes();
    void sameBytesEveryTime();
    void nodesAreInTopologicalOrder();
    void oldFilesListConstantsAsInputs();
    void irVersionFollowsOpset_data();
    void irVersionFollowsOpset();
    void externalData();
    void smallModelsStayInOneFile();
    void failureLeavesTheOldFile();
    void refusesWhatWasNotKept();
    void refusesCycles();
    void refusesFoldersThatAreNot();
};

void TstOnnxWriter::everythingSurvives()
{
    Model model = smallModel();
    model.irVersion = 7;
    model.producerName = "maker";
    model.producerVersion = "3";
    model.domain = "org.example";
    model.modelVersion = 5;
    model.docString = "words \xC3\xA4";
    model.metadata = { { "a", "1" }, { "b", "" } };
    auto& g = model.graph;
    g.docString = "graph words";
    g.opsets["com.example"] = 2;
    const auto image
        = g.addInput("image", { DType::UInt8, graph::Dims { graph::Dim::named("batch"), 3, graph::Dim() } });
    const auto out = g.addValue("out");
    g.addNode(Node { "", "Custom", "com.example", { image, graph::ValueId {}, image }, { graph::ValueId {}, out },
        { { "axis", std::int64_t { -1 } } }, "node words" });
    g.markOutput(out);
    const auto reread = roundTrip(model);
    VERIFY_OK(reread);
    QCOMPARE(test::difference(model, *reread), std::string());
}

void TstOnnxWriter::elementTypes_data()
{
    QTest::addColumn<int>("dtype");
    for (int i = 0; i <= static_cast<int>(DType::UInt2); ++i)
        QTest::newRow(std::string(tensor::name(static_cast<DType>(i))).c_str()) << i;
}

void TstOnnxWriter::elementTypes()
{
    QFETCH(int, dtype);
    base::Random random(1);
    for (const Shape& shape : { Shape { 3, 5 }, Shape {}, Shape { 0, 2 }, Shape { 1 } }) {
        Tensor tensor(static_cast<DType>(dtype), shape);
        auto* bytes = static_cast<std::uint8_t*>(tensor.data());
        for (std::size_t i = 0; i < tensor.bytes(); ++i)
            bytes[i] = static_cast<std::uint8_t>(tensor.dtype() == DType::Bool ? random() & 1 : random());
        Model model = smallModel();
        const auto c = model.graph.addConstant("c", std::make_shared<const Tensor>(tensor));
        model.graph.markOutput(c);
        const auto reread = roundTrip(model);
        VERIFY_OK(reread);
        QCOMPARE(test::difference(model, *reread), std::string());
    }
}

void TstOnnxWriter::attributes_data()
{
    QTest::addColumn<graph::Attribute>("value");
    QTest::newRow("int") << graph::Attribute(std::int64_t { -7 });
    QTest::newRow("zero") << graph::Attribute(std::int64_t { 0 });
    QTest::newRow("float") << graph::Attribute(0.1F);
    QTest::newRow("string") << graph::Attribute(std::string("half_pixel"));
    QTest::newRow("empty string") << graph::Attribute(std::string());
    QTest::newRow("tensor") << graph::Attribute(constant({ 3, 4, 5 }));
    QTest::newRow("ints") << graph::Attribute(std::vector<std::int64_t> { 1, -2, std::int64_t { 1 } << 40 });
    QTest::newRow("no ints") << graph::Attribute(std::vector<std::int64_t> {});
    QTest::newRow("floats") << graph::Attribute(std::vector<float> { 0.5F, -1 });
    QTest::newRow("no floats") << graph::Attribute(std::vector<float> {});
    QTest::newRow("strings") << graph::Attribute(std::vector<std::string> { "a", "" });
}

void TstOnnxWriter::attributes()
{
    QFETCH(graph::Attribute, value);
    Model model = smallModel();
    model.graph.node(model.graph.nodes()[0]).attributes["key"] = value;
    const auto reread = roundTrip(model);
    VERIFY_OK(reread);
    QCOMPARE(test::difference(model, *reread), std::string());
}

void TstOnnxWriter::sameBytesEveryTime()
{
    const auto first = onnx_io::serializeModel(smallModel());
    const auto second = onnx_io::serializeModel(smallModel());
    VERIFY_OK(first);
    QVERIFY(*first == *second);
    const auto reread = onnx_io::parseModel(*first);
    VERIFY_OK(reread);
    QVERIFY(*onnx_io::serializeModel(*reread) == *first);
}

void TstOnnxWriter::nodesAreInTopologicalOrder()
{
    const auto reread = roundTrip(smallModel());
    VERIFY_OK(reread);
    const auto& g = reread->graph;
    QCOMPARE(g.node(g.nodes()[0]).name, std::string("relu"));
    QCOMPARE(g.node(g.nodes()[1]).name, std::string("add"));
}

/// Other runtimes insist on it; reading the file back cannot tell, so the bytes are searched for the second mention.
void TstOnnxWriter::oldFilesListConstantsAsInputs()
{
    const auto mentions = [](int irVersion) {
        Model model = smallModel();
        model.irVersion = irVersion;
        auto& g = model.graph;
        g.rename(*g.find("w"), "needle");
        const auto bytes = onnx_io::serializeModel(model);
        const std::string text(bytes->begin(), bytes->end());
        int count = 0;
        for (auto at = text.find("needle"); at != std::string::npos; at = text.find("needle", at + 1))
            ++count;
        return count;
    };
    QCOMPARE(mentions(3), 3);
    QCOMPARE(mentions(4), 2);
}

void TstOnnxWriter::irVersionFollowsOpset_data()
{
    QTest::addColumn<int>("opset");
    QTest::addColumn<int>("irVersion");
    const std::pair<int, int> rows[] = { { 7, 3 }, { 8, 3 }, { 9, 4 }, { 10, 5 }, { 11, 6 }, { 13, 7 }, { 17, 8 },
        { 19, 9 }, { 21, 10 }, { 25, 13 } };
    for (const auto& [opset, irVersion] : rows)
        QTest::addRow("opset %d", opset) << opset << irVersion;
}

void TstOnnxWriter::irVersionFollowsOpset()
{
    QFETCH(int, opset);
    QFETCH(int, irVersion);
    Model model = smallModel();
    model.graph.opsets[""] = opset;
    const auto made = roundTrip(model);
    VERIFY_OK(made);
    QCOMPARE(made->irVersion, irVersion);
    model.irVersion = 8;
    const auto kept = roundTrip(model);
    VERIFY_OK(kept);
    QCOMPARE(kept->irVersion, 8);
}

void TstOnnxWriter::externalData()
{
    QTemporaryDir folder;
    const fs::path path = folder.filePath("big.onnx").toStdString();
    Model model = smallModel();
    const auto big = std::vector<float>(1000, 1.5F);
    model.graph.markOutput(model.graph.addConstant("first", constant(big)));
    model.graph.markOutput(model.graph.addConstant("second", constant({ 9, 8 })));
    model.graph.markOutput(model.graph.addConstant("third", constant(std::vector<float>(300, -2))));
    const auto written = onnx_io::writeModel(model, path, { .externalThreshold = 5000 });
    VERIFY_OK(written);
    const auto data = fs::path(path.string() + ".data");
    QCOMPARE(fs::file_size(data), 4096U + 1200U); // the second part begins on a page; the small ones are in the model
    QCOMPARE(*written, fs::file_size(path) + fs::file_size(data));
    QVERIFY(fs::file_size(path) < 1000);
    const auto reread = onnx_io::readModel(path);
    VERIFY_OK(reread);
    QCOMPARE(test::difference(model, *reread), std::string());
    fs::resize_file(data, 5000);
    QVERIFY(!onnx_io::readModel(path));
}

void TstOnnxWriter::smallModelsStayInOneFile()
{
    QTemporaryDir folder;
    const fs::path path = folder.filePath("small.onnx").toStdString();
    const auto written = onnx_io::writeModel(smallModel(), path);
    VERIFY_OK(written);
    QCOMPARE(std::distance(fs::directory_iterator(folder.path().toStdString()), {}), 1);
    QCOMPARE(*written, fs::file_size(path));
}

void TstOnnxWriter::failureLeavesTheOldFile()
{
    QTemporaryDir folder;
    const fs::path path = folder.filePath("model.onnx").toStdString();
    std::ofstream(path) << "old";
    Model model = smallModel();
    model.graph.node(model.graph.nodes()[0]).attributes["body"] = graph::Opaque { "graph" };
    QVERIFY(!onnx_io::writeModel(model, path));
    QCOMPARE(contentOf(path), std::string("old"));
    std::stop_source stop;
    stop.request_stop();
    const auto stopped = onnx_io::writeModel(smallModel(), path, { .stop = stop.get_token() });
    QVERIFY(!stopped);
    QCOMPARE(stopped.error().code, ErrorCode::Cancelled);
    QCOMPARE(contentOf(path), std::string("old"));
    // The data file's place is taken by a folder: the model, already written beside, must not replace the old one.
    fs::create_directory(path.string() + ".data");
    Model big = smallModel();
    big.graph.markOutput(big.graph.addConstant("big", constant(std::vector<float>(1000, 1))));
    const auto refused = onnx_io::writeModel(big, path, { .externalThreshold = 0 });
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::Io);
    QCOMPARE(contentOf(path), std::string("old"));
    QCOMPARE(std::distance(fs::directory_iterator(folder.path().toStdString()), {}), 2);
}

void TstOnnxWriter::refusesWhatWasNotKept()
{
    Model model = smallModel();
    model.graph.node(model.graph.nodes()[0]).attributes["body"] = graph::Opaque { "graph" };
    const auto refused = onnx_io::serializeModel(model);
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::Unsupported);
    QVERIFY(refused.error().message().find("'body' is a graph") != std::string::npos);
}

void TstOnnxWriter::refusesCycles()
{
    Model model = smallModel();
    auto& g = model.graph;
    const auto a = g.addValue("a", floats2);
    const auto b = g.addValue("b", floats2);
    g.addNode(Node { "one", "Relu", "", { b }, { a }, {}, "" });
    g.addNode(Node { "two", "Relu", "", { a }, { b }, {}, "" });
    const auto refused = onnx_io::serializeModel(model);
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::InvalidInput);
}

void TstOnnxWriter::refusesFoldersThatAreNot()
{
    QTemporaryDir folder;
    const auto refused = onnx_io::writeModel(smallModel(), fs::path(folder.filePath("no/model.onnx").toStdString()));
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::NotFound);
    QVERIFY(!onnx_io::writeModel(smallModel(), fs::path(folder.path().toStdString())));
}

QTEST_APPLESS_MAIN(TstOnnxWriter)
#include "tst_onnx_writer.moc"
