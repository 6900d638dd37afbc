// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
#include <filesystem>
#include <map>
#include <set>

#include <QtTest>

#include "core/engine/engine.h"
#include "core/graph/layers.h"
#include "core/graph/shape_inference.h"
#include "core/onnx_io/reader.h"

using namespace quantoscope;
namespace fs = std::filesystem;

namespace {

const fs::path dataFolder = "/usr/share/libonnx-testdata/data";

struct Case {
    graph::Model model;
    graph::InferenceOptions options; ///< every input bound to the case's data
};

/// Type and shape that the case's reference output has.
struct Expected {
    std::string name;
    graph::ValueType type;
};

std::optional<Case> readCase(const fs::path& folder)
{
    auto model = onnx_io::readModel(folder / "model.onnx");
    if (!model || !graph::findUnsupported(model->graph).empty())
        return std::nullopt;
    // The cases store bfloat16 data as uint16, under which name nothing can agree with the model.
    if (folder.filename().string().find("BFLOAT16") != std::string::npos)
        return std::nullopt;
    Case result { *std::move(model), {} };
    result.options.evaluator = engine::constantEvaluator();
    const auto& inputs = result.model.graph.inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        auto tensor = onnx_io::readTensor(folder / "test_data_set_0" / ("input_" + std::to_string(i) + ".pb"));
        if (!tensor)
            return std::nullopt;
        result.options.boundInputs.emplace(
            result.model.graph.value(inputs[i]).name, std::make_shared<const Tensor>(*std::move(tensor)));
    }
    return result;
}

/// Forgets what the file says of everything but the inputs, so that it must be inferred.
void forgetDeclarations(graph::Graph& graph)
{
    for (const auto id : graph.values()) {
        if (!graph.isInput(id) && !graph.isConstant(id))
            graph.value(id).type = {};
    }
}

} // namespace

/// Shape inference against the reference outputs of the ONNX project's own operator cases.
class TestShapeConformance : public QObject {
    Q_OBJECT

private slots:
    void inferredTypesAreThoseOfTheReferenceOutputs_data()
    {
        QTest::addColumn<QString>("group");
        QTest::addColumn<int>("atLeast");
        QTest::newRow("node") << "node" << 600;
        // Most of the others are of opset 6 and older, which the reader refuses.
        QTest::newRow("simple") << "simple" << 7;
        QTest::newRow("pytorch-converted") << "pytorch-converted" << 2;
    }

    void inferredTypesAreThoseOfTheReferenceOutputs()
    {
        QFETCH(QString, group);
        QFETCH(int, atLeast);
        const fs::path folder = dataFolder / group.toStdString();
        if (!fs::is_directory(folder))
            QSKIP("libonnx-testdata is not installed");
        std::set<fs::path> folders(fs::directory_iterator(folder), {});
        int passed = 0;
        int skipped = 0;
        QStringList wrong;
        for (const auto& path : folders) {
            auto read = readCase(path);
            if (!read) {
                ++skipped;
                continue;
            }
            const QString problem = check(path, std::move(*read));
            if (problem.isEmpty())
                ++passed;
            else
                wrong << QString::fromStdString(path.filename().string()) + ": " + problem;
        }
        qInfo("%s: %d cases inferred, %d not readable or not known", qPrintable(group), passed, skipped);
        for (const QString& line : wrong)
            qWarning("%s", qPrintable(line));
        QCOMPARE(wrong.size(), 0);
        QVERIFY(passed >= atLeast);
    }

private:
    static QString check(const fs::path& folder, Case test)
    {
        graph::Graph& graph = test.model.graph;
        forgetDeclarations(graph);
        const auto outputs = graph.outputs();
        if (const auto inferred = graph::inferShapes(graph, test.options); !inferred)
            return QString::fromStdString(inferred.error().message());
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const auto expected
                = onnx_io::readTensor(folder / "test_data_set_0" / ("output_" + std::to_string(i) + ".pb"));
            if (!expected)
                continue;
            const auto& type = graph.value(outputs[i]).type;
            const graph::ValueType wanted { expected->dtype(), graph::toDims(expected->shape()) };
            if (type.dtype != wanted.dtype || type.shape() != expected->shape())
                return QString::fromStdString(
                    "output " + std::to_string(i) + " is " + wanted.toString() + ", inferred " + type.toString());
        }
        return {};
    }
};

QTEST_APPLESS_MAIN(TestShapeConformance)
#include "tst_shape_conformance.moc"
