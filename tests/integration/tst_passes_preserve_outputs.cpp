// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration numeric
#include <cmath>
#include <filesystem>

#include <QtTest>

#include "core/engine/engine.h"
#include "core/graph/passes/passes.h"
#include "core/graph/verifier.h"
#include "core/onnx_io/reader.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

using namespace quantoscope;
using test::GraphBuilder;
using test::Ints;
using test::normalTensor;

namespace {

/// Appends random nodes, among them everything the passes rewrite.
class RandomNetwork {
public:
    explicit RandomNetwork(std::uint64_t seed)
        : m_random(seed)
    {
        m_last = m_builder.input("x", { 2, m_channels, 9, 9 });
        m_earlier = m_last;
        for (int i = 0; i < 12; ++i)
            step();
        // A last fold and an identity that carries the output's name.
        normalize();
        m_builder.output(m_builder.node("Identity", { m_last }, "result"));
    }

    graph::Graph& graph() { return m_builder.graph(); }

private:
    graph::ValueId constant(const Shape& shape, double deviation = 1)
    {
        return m_builder.constant("", normalTensor(shape, m_random(), deviation));
    }
    std::string fresh() { return "v" + std::to_string(++m_count); }
    void append(const std::string& op, std::vector<graph::ValueId> more, test::Attributes attributes = {})
    {
        more.insert(more.begin(), m_last);
        m_last = m_builder.node(op, std::move(more), fresh(), std::move(attributes));
    }

    void convolve()
    {
        const bool depthwise = m_random.below(3) == 0;
        const std::int64_t features = depthwise ? m_channels : 1 + static_cast<std::int64_t>(m_random.below(6));
        const std::int64_t width = depthwise ? 1 : m_channels;
        std::vector<graph::ValueId> operands { constant({ features, width, 3, 3 }, 0.4) };
        if (m_random.below(2))
            operands.push_back(constant({ features }));
        const Ints pads { 1, 1, 1, 1 };
        append("Conv", operands, { { "pads", pads }, { "group", depthwise ? m_channels : std::int64_t { 1 } } });
        m_channels = features;
    }
    void transposed()
    {
        const bool grouped = m_channels % 2 == 0;
        const std::int64_t each = 1 + static_cast<std::int64_t>(m_random.below(3));
        const Ints pads { 1, 1, 1, 1 };
        append("ConvTranspose", { constant({ m_channels, each, 3, 3 }, 0.4) },
            { { "pads", pads }, { "group", std::int64_t { grouped ? 2 : 1 } } });
        m_channels = grouped ? 2 * each : each;
    }
    void normalize()
    {
        base::Random random(m_random());
        Tensor variance = normalTensor({ m_channels }, random());
        for (float& value : variance.as<float>())
            value = 0.1f + std::abs(value);
        append("BatchNormalization",
            { constant({ m_channels }), constant({ m_channels }), constant({ m_channels }),
                m_builder.constant("", std::move(variance)) });
    }
    void identity()
    {
        switch (m_random.below(4)) {
        case 0:
            return append("Identity", {});
        case 1:
            return append("Pad", { m_builder.constant("", test::ints(Ints(8))) });
        case 2:
            return append("Reshape", { m_builder.constant("", test::ints({ 0, 0, -1, 9 })) });
        default:
            return append("Dropout", {});
        }
    }
    void step()
    {
        switch (m_random.below(8)) {
        case 0:
        case 1:
            return convolve();
        case 2:
            return transposed();
        case 3:
            return normalize();
        case 4:
            return identity();
        case 5:
            return append(m_random.below(2) ? "Add" : "Mul", { constant({ m_channels, 1, 1 }) });
        case 6: // constant arithmetic to be folded, and a second reader of what came before
            m_last = m_builder.node("Sub", { m_last, m_builder.node("Neg", { constant({}) }, fresh()) }, fresh());
            m_earlier = m_last;
            return convolve();
        default:
            m_builder.output(m_builder.node("GlobalAveragePool", { m_earlier }, fresh()));
            return append("Relu", {});
        }
    }

    GraphBuilder m_builder;
    base::Random m_random;
    std::int64_t m_channels = 4;
    graph::ValueId m_last;
    graph::ValueId m_earlier;
    int m_count = 0;
};

/// Empty if both give the same up to rounding, relative to the largest element.
QString difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b)
{
    if (a.size() != b.size())
        return "another number of outputs";
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].shape() != b[i].shape() || a[i].dtype() != b[i].dtype())
            return QString("output %1 has another type").arg(i);
        const auto x = tensor::toDoubles(a[i].view());
        const auto y = tensor::toDoubles(b[i].view());
        double largest = 1e-30;
        double error = 0;
        for (std::size_t k = 0; k < x.size(); ++k) {
            largest = std::max(largest, std::abs(x[k]));
            error = std::isnan(x[k] - y[k]) ? INFINITY : std::max(error, std::abs(x[k] - y[k]));
        }
        if (error > 2e-5 * largest)
            return QString("output %1 differs by %2 of %3").arg(i).arg(error).arg(largest);
    }
    return {};
}

QStringList outputNames(const graph::Graph& graph)
{
    QStringList names;
    for (const auto id : graph.outputs())
        names << QString::fromStdString(graph.value(id).name);
    return names;
}

} // namespace

/// What the passes make of a graph computes what the graph did.
class TestPassesPreserveOutputs : public QObject {
    Q_OBJECT

private:
    static void compare(const graph::Graph& original, const std::vector<Tensor>& inputs, int* removed)
    {
        graph::InferenceOptions inference;
        inference.evaluator = engine::constantEvaluator();
        const auto before = test::runGraph(original, inputs);
        QVERIFY2(before, before ? "" : before.error().message().c_str());
        for (const auto& passes : { graph::PassOptions {}, graph::PassOptions { false, true, false },
                 graph::PassOptions { false, false, true }, graph::PassOptions { true, false, false } }) {
            graph::Graph prepared(original);
            const auto done = graph::prepare(prepared, passes, inference);
            QVERIFY2(done, done ? "" : done.error().message().c_str());
            const auto sound = graph::verify(prepared);
            QVERIFY2(sound, sound ? "" : sound.error().message().c_str());
            QCOMPARE(outputNames(prepared), outputNames(original));
            *removed += static_cast<int>(original.nodes().size() - prepared.nodes().size());
            const auto after = test::runGraph(prepared, inputs);
            QVERIFY2(after, after ? "" : after.error().message().c_str());
            const QString wrong = difference(*before, *after);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        }
    }

private slots:
    void randomNetworks_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 1; seed <= 60; ++seed)
            QTest::addRow("seed %d", seed) << seed;
    }

    void randomNetworks()
    {
        QFETCH(int, seed);
        RandomNetwork network(static_cast<std::uint64_t>(seed));
        int removed = 0;
        compare(network.graph(), { normalTensor({ 2, 4, 9, 9 }, 1000 + static_cast<std::uint64_t>(seed)) }, &removed);
        if (!QTest::currentTestFailed())
            QVERIFY(removed > 0);
    }

    void theBundledSample()
    {
        const auto path = std::filesystem::path(QS_SOURCE_DIR) / "resources/samples/fashion_resnet20.onnx";
        const auto model = onnx_io::readModel(path);
        QVERIFY2(model, model ? "" : model.error().message().c_str());
        const auto& dims = *model->graph.value(model->graph.inputs()[0]).type.dims;
        Ints extents { 3 };
        for (std::size_t i = 1; i < dims.size(); ++i)
            extents.push_back(dims[i].value);
        const Shape shape(extents);
        int removed = 0;
        compare(model->graph, { normalTensor(shape, 77) }, &removed);
    }
};

QTEST_APPLESS_MAIN(TestPassesPreserveOutputs)
#include "tst_passes_preserve_outputs.moc"
