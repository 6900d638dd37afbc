// SPDX-License-Identifier: GPL-3.0-or-later
// labels: slow
#include <QTest>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <sys/resource.h>

#include "core/base/file.h"
#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/exporting/qdq_exporter.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "core/planning/plan_builder.h"
#include "tests/support/mutation.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/run_graph.h"
#include "tests/support/sanitized.h"

using namespace quantoscope;
using namespace quantoscope::test;
namespace fs = std::filesystem;
namespace field = quantoscope::test::onnx_field;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint64_t numberFromEnvironment(const char* name, std::uint64_t fallback)
{
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : fallback;
}

Wire ints(const std::string& name, const std::vector<std::int64_t>& values)
{
    Wire attribute = Wire().text(1, name).number(20, 7);
    for (const auto value : values)
        attribute.number(8, value);
    return attribute;
}

/// Every kind of work in few bytes, so that most mutations hit something that matters.
Bytes smallNetwork()
{
    const Wire graph
        = Wire()
              .message(field::Nodes,
                  wireNode("Conv", { "x", "w", "b" }, { "c" },
                      { ints("pads", { 1, 1, 1, 1 }), ints("strides", { 2, 2 }) }, "conv"))
              .message(field::Nodes, wireNode("Relu", { "c" }, { "r" }, {}, "relu"))
              .message(field::Nodes, wireNode("MaxPool", { "r" }, { "p" }, { ints("kernel_shape", { 2, 2 }) }, "pool"))
              .message(field::Nodes, wireNode("Shape", { "p" }, { "s" }, {}, "shape"))
              .message(
                  field::Nodes, wireNode("Transpose", { "p" }, { "t" }, { ints("perm", { 0, 2, 3, 1 }) }, "transpose"))
              .message(field::Nodes, wireNode("Reshape", { "t", "to" }, { "f" }, {}, "reshape"))
              .message(field::Nodes, wireNode("MatMul", { "f", "m" }, { "q" }, {}, "matmul"))
              .message(field::Nodes, wireNode("Softmax", { "q" }, { "y" }, {}, "softmax"))
              .message(field::Initializers,
                  wireTensor("w", 1, { 2, 1, 3, 3 }).packed(field::RawData, std::vector<float>(18, 0.25F)))
              .message(field::Initializers, floatTensor("b", { 0.5F, -0.5F }))
              .message(field::Initializers, wireTensor("to", 7, { 2 }).packedNumbers(field::Int64Data, { 1, 8 }))
              .message(field::Initializers,
                  wireTensor("m", 1, { 8, 3 }).packed(field::RawData, std::vector<float>(24, 0.1F)))
              .message(field::Inputs, wireValue("x", 1, { 1, 1, 5, 5 }))
              .message(field::Outputs, wireValue("y", 1, { 1, 3 }))
              .message(field::Outputs, wireValue("s", 7, { 4 }));
    return wireModel(graph).bytes();
}

/// Plans word-lengths for the weights and writes the result; what cannot be done must be said in words.
bool exports(const graph::Model& model, const graph::Graph& prepared)
{
    for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer }) {
        planning::PlanRequest request;
        request.scope = scope;
        request.activations.bits.reset();
        const auto built = planning::buildPlan(prepared, nullptr, request);
        if (!built)
            return !built.error().what.empty();
        const auto quantized = exporting::buildQdqModel(model, prepared, built->plan);
        if (!quantized)
            return !quantized.error().what.empty();
        const auto written = onnx_io::serializeModel(*quantized);
        if (!written)
            return !written.error().what.empty();
    }
    return true;
}

/// Takes a model as far as it goes; where it stops, it must say why. Returns how many stages it passed.
int stagesPassed(const Bytes& bytes)
{
    constexpr std::int64_t largestInput = 1 << 16;
    const auto model = onnx_io::parseModel(bytes, {}, { .memoryLimit = std::uint64_t { 64 } << 20 });
    if (!model)
        return model.error().what.empty() ? -1 : 0;
    const auto prepared = engine::prepareGraph(*model);
    if (!prepared)
        return prepared.error().what.empty() ? -1 : 1;
    if (!exports(*model, **prepared))
        return -1;
    std::vector<Tensor> inputs;
    for (const auto id : (*prepared)->inputs()) {
        const auto& type = (*prepared)->value(id).type;
        const auto shape = type.shape();
        const auto size = shape ? shape->checkedSize() : Result<std::int64_t>(largestInput + 1);
        if (!size || *size > largestInput || !type.dtype)
            return 2;
        inputs.emplace_back(*type.dtype, *shape);
    }
    const auto outputs = runGraph(**prepared, inputs);
    if (!outputs)
        return outputs.error().what.empty() ? -1 : 2;
    return 3;
}

} // namespace

/// Damaged models through everything that touches a model, from the file to a run. QUANTOSCOPE_FUZZ_SECONDS (default
/// 20) and QUANTOSCOPE_FUZZ_SEED (default 1) make longer and other runs; a failure prints the round to replay.
class TstDamagedModels : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void neverCrash_data();
    void neverCrash();
};

void TstDamagedModels::initTestCase()
{
    // A damaged extent may ask for any amount of memory: refusals are what is tested, not the machine's patience.
    const rlimit limit { rlim_t { 6 } << 30, rlim_t { 6 } << 30 };
    if (!sanitized)
        QCOMPARE(::setrlimit(RLIMIT_AS, &limit), 0);
    QCOMPARE(stagesPassed(smallNetwork()), 3);
}

void TstDamagedModels::neverCrash_data()
{
    QTest::addColumn<QByteArray>("corpus");
    const auto row = [](const char* name, const Bytes& bytes) {
        QTest::newRow(name) << QByteArray(
            reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size()));
    };
    row("small network", smallNetwork());
    const auto sample = base::readFile(fs::path(QS_SOURCE_DIR) / "resources/samples/fashion_resnet20.onnx");
    QVERIFY(sample.has_value());
    row("bundled sample", *sample);
}

void TstDamagedModels::neverCrash()
{
    QFETCH(QByteArray, corpus);
    const Bytes bytes(corpus.begin(), corpus.end());
    const auto seed = numberFromEnvironment("QUANTOSCOPE_FUZZ_SEED", 1);
    const auto seconds = std::chrono::seconds(numberFromEnvironment("QUANTOSCOPE_FUZZ_SECONDS", 20) / 2);
    const auto end = std::chrono::steady_clock::now() + seconds;
    std::map<int, int> reached;
    for (std::uint64_t round = 0; std::chrono::steady_clock::now() < end; ++round) {
        // Each round has a seed of its own, so that one can be replayed alone.
        base::Random random(seed * 1000003 + round);
        const auto started = std::chrono::steady_clock::now();
        const int stages = stagesPassed(mutated(bytes, random));
        const auto words = "seed " + std::to_string(seed) + ", round " + std::to_string(round);
        QVERIFY2(stages >= 0, words.c_str());
        QVERIFY2(std::chrono::steady_clock::now() - started < std::chrono::seconds(30), words.c_str());
        ++reached[stages];
    }
    for (const auto& [stages, count] : reached)
        qInfo("%d models passed %d stages", count, stages);
}

QTEST_APPLESS_MAIN(TstDamagedModels)
#include "tst_damaged_models.moc"
