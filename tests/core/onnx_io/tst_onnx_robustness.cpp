// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryFile>
#include <QTest>

#include <chrono>
#include <cstdio>

#include <unistd.h>

#include "core/base/random.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "tests/support/mutation.h"
#include "tests/support/onnx_bytes.h"

using namespace quantoscope;
using namespace quantoscope::test;
namespace field = quantoscope::test::onnx_field;

namespace {

/// Small, but with something of everything the reader takes apart.
std::vector<std::uint8_t> sampleModel()
{
    const Wire axes = Wire().text(1, "axes").number(20, 7).number(8, 0).number(8, 1);
    const Wire value = Wire().text(1, "value").number(20, 4).message(5, floatTensor("", { 1, 2 }));
    const Wire alpha = Wire().text(1, "alpha").number(20, 1).fixed32(2, 0.5F);
    const Wire mode = Wire().text(1, "mode").number(20, 3).text(4, "nearest");
    const Wire packed = wireTensor("p", 22, { 3 }).packedNumbers(field::Int32Data, { 0x21, 0x03 });
    const Wire graph
        = wireAddGraph(floatTensor("w", { 1, 2 }))
              .message(field::Initializers, packed)
              .message(field::Initializers, wireTensor("h", 10, { 2 }).packedNumbers(field::Int32Data, { 1, 2 }))
              .message(field::Nodes, wireNode("Constant", {}, { "c" }, { value }, "c"))
              .message(field::Nodes, wireNode("LeakyRelu", { "y" }, { "l" }, { alpha, mode }, "l"))
              .message(field::Nodes, wireNode("ReduceMean", { "l" }, { "r" }, { axes }, "r"))
              .message(field::Outputs, wireValue("r", 1, { -1 }))
              .message(field::ValueInfos, wireValue("l", 1, { 2 }));
    return wireModel(graph).message(field::Metadata, Wire().text(1, "k").text(2, "v")).bytes();
}

/// Whatever was read must also be writable again, or refused in words.
bool survives(const std::vector<std::uint8_t>& bytes)
{
    const auto model = onnx_io::parseModel(bytes, {}, { .memoryLimit = std::uint64_t { 1 } << 24 });
    if (!model)
        return !model.error().what.empty();
    const auto written = onnx_io::serializeModel(*model);
    return written ? onnx_io::parseModel(*written).has_value() : !written.error().what.empty();
}

} // namespace

class TstOnnxRobustness : public QObject {
    Q_OBJECT

private slots:
    void sampleIsValid();
    void truncatedAtEveryByte();
    void everyByteChanged();
    void randomMutations();
    void randomBytes();
    void silentOnStderr();
};

void TstOnnxRobustness::sampleIsValid()
{
    const auto model = onnx_io::parseModel(sampleModel());
    QVERIFY2(model.has_value(), model ? "" : model.error().message().c_str());
    QVERIFY(survives(sampleModel()));
}

void TstOnnxRobustness::truncatedAtEveryByte()
{
    const auto bytes = sampleModel();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        QVERIFY2(survives({ bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size) }),
            std::to_string(size).c_str());
}

void TstOnnxRobustness::everyByteChanged()
{
    const auto bytes = sampleModel();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int flip : { 0x01, 0x80, 0xFF, 0x07 }) {
            auto changed = bytes;
            changed[i] = static_cast<std::uint8_t>(changed[i] ^ flip);
            QVERIFY2(survives(changed), std::to_string(i).c_str());
        }
    }
}

void TstOnnxRobustness::randomMutations()
{
    constexpr int rounds = 20000;
    const auto bytes = sampleModel();
    base::Random random(20260);
    const auto start = std::chrono::steady_clock::now();
    int read = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto changed = mutated(bytes, random);
        QVERIFY2(survives(changed), std::to_string(i).c_str());
        read += onnx_io::parseModel(changed, {}, { .memoryLimit = std::uint64_t { 1 } << 24 }).has_value();
    }
    // A test that only ever met the first check would prove little.
    QVERIFY2(read > rounds / 50, std::to_string(read).c_str());
    QVERIFY2(read < rounds * 9 / 10, std::to_string(read).c_str());
    QVERIFY(std::chrono::steady_clock::now() - start < std::chrono::seconds(120));
}

void TstOnnxRobustness::randomBytes()
{
    base::Random random(7);
    for (int i = 0; i < 2000; ++i) {
        std::vector<std::uint8_t> bytes(random.below(200));
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random());
        const auto model = onnx_io::parseModel(bytes);
        QVERIFY(!model);
        QVERIFY(!model.error().what.empty());
    }
}

/// protobuf likes to log what it cannot parse; programs that read our stderr must not see that.
void TstOnnxRobustness::silentOnStderr()
{
    QTemporaryFile capture;
    QVERIFY(capture.open());
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(capture.handle(), STDERR_FILENO);
    const auto bytes = sampleModel();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        (void)onnx_io::parseModel(std::span(bytes).first(size));
    std::fflush(stderr);
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    capture.seek(0);
    QCOMPARE(capture.readAll(), QByteArray());
}

QTEST_APPLESS_MAIN(TstOnnxRobustness)
#include "tst_onnx_robustness.moc"
