// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>

#include "core/onnx_io/reader.h"
#include "tests/support/onnx_bytes.h"

using namespace quantoscope;
using namespace quantoscope::test;
namespace fs = std::filesystem;
namespace field = quantoscope::test::onnx_field;

namespace {

Wire entry(const std::string& key, const std::string& value) { return Wire().text(1, key).text(2, value); }

/// A model whose weight w, float32[2], lies at `location`.
Wire modelWith(const std::string& location, const std::string& offset = {}, const std::string& length = {})
{
    Wire tensor = wireTensor("w", 1, { 2 }).number(field::DataLocation, 1);
    if (!location.empty())
        tensor.message(field::ExternalEntries, entry("location", location));
    if (!offset.empty())
        tensor.message(field::ExternalEntries, entry("offset", offset));
    if (!length.empty())
        tensor.message(field::ExternalEntries, entry("length", length));
    tensor.message(field::ExternalEntries, entry("checksum", "not looked at"));
    return wireModel(wireAddGraph(tensor));
}

} // namespace

class TstExternalData : public QObject {
    Q_OBJECT

private slots:
    void init();
    void reads_data();
    void reads();
    void refuses_data();
    void refuses();

private:
    Result<graph::Model> read(const Wire& model) const
    {
        std::ofstream(m_folder / "model.onnx", std::ios::binary) << model.string();
        return onnx_io::readModel(m_folder / "model.onnx");
    }

    std::unique_ptr<QTemporaryDir> m_temporary;
    fs::path m_folder; ///< of the model; has weights.bin, sub/weights.bin and links
};

void TstExternalData::init()
{
    m_temporary = std::make_unique<QTemporaryDir>();
    const fs::path root = m_temporary->path().toStdString();
    m_folder = root / "model";
    fs::create_directories(m_folder / "sub");
    const std::vector<float> values { 0, 3, 4, 5 };
    for (const auto& path : { m_folder / "weights.bin", m_folder / "sub/weights.bin", root / "outside.bin" })
        std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(values.data()), 16);
    fs::create_symlink("weights.bin", m_folder / "inner_link.bin");
    fs::create_symlink("../outside.bin", m_folder / "outer_link.bin");
    fs::create_directory_symlink("..", m_folder / "up");
}

void TstExternalData::reads_data()
{
    QTest::addColumn<std::string>("location");
    QTest::addColumn<std::string>("offset");
    QTest::addColumn<std::string>("length");
    QTest::addColumn<float>("first");
    QTest::newRow("beside the model") << std::string("weights.bin") << std::string("4") << std::string("8") << 3.0F;
    QTest::newRow("no offset, no length") << std::string("weights.bin") << std::string() << std::string() << 0.0F;
    QTest::newRow("up to the end") << std::string("weights.bin") << std::string("8") << std::string("8") << 4.0F;
    QTest::newRow("sub-folder") << std::string("sub/weights.bin") << std::string("4") << std::string() << 3.0F;
    QTest::newRow("dot") << std::string("./weights.bin") << std::string("4") << std::string() << 3.0F;
    QTest::newRow("link inside") << std::string("inner_link.bin") << std::string("4") << std::string() << 3.0F;
}

void TstExternalData::reads()
{
    QFETCH(std::string, location);
    QFETCH(std::string, offset);
    QFETCH(std::string, length);
    QFETCH(float, first);
    const auto model = read(modelWith(location, offset, length));
    QVERIFY2(model.has_value(), model ? "" : model.error().message().c_str());
    QCOMPARE(model->graph.value(*model->graph.find("w")).constant->as<float>()[0], first);
}

void TstExternalData::refuses_data()
{
    QTest::addColumn<std::string>("location");
    QTest::addColumn<std::string>("offset");
    QTest::addColumn<std::string>("length");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("part");
    const auto row = [](const char* name, const std::string& location, const std::string& offset,
                         const std::string& length, const char* part, ErrorCode code = ErrorCode::InvalidInput) {
        QTest::newRow(name) << location << offset << length << static_cast<int>(code) << QString(part);
    };
    row("missing file", "nowhere.bin", "", "", "'nowhere.bin' is missing", ErrorCode::NotFound);
    row("absolute path", "/etc/passwd", "", "", "absolute path");
    row("parent folder", "../outside.bin", "", "", "'..'");
    row("parent in the middle", "sub/../../outside.bin", "", "", "'..'");
    row("link that leads out", "outer_link.bin", "", "", "link that leads out");
    row("folder link that leads out", "up/outside.bin", "", "", "link that leads out");
    row("folder", "sub", "", "", "not a file");
    row("no location", "", "", "", "without a usable file name");
    row("embedded zero", std::string("weights.bin\0x", 13), "", "", "without a usable file name");
    row("too short", "weights.bin", "12", "", "has 16");
    row("offset past the end", "weights.bin", "17", "", "offset 17");
    row("huge offset", "weights.bin", "9223372036854775807", "", "offset 9223372036854775807");
    row("offset beyond 64 bits", "weights.bin", "99999999999999999999", "", "offset '99999999999999999999'");
    row("negative offset", "weights.bin", "-4", "", "offset '-4'");
    row("offset no number", "weights.bin", "4x", "", "offset '4x'");
    row("length contradicts the shape", "weights.bin", "0", "12", "claims 12 bytes");
}

void TstExternalData::refuses()
{
    QFETCH(std::string, location);
    QFETCH(std::string, offset);
    QFETCH(std::string, length);
    QFETCH(int, code);
    QFETCH(QString, part);
    const auto model = read(modelWith(location, offset, length));
    QVERIFY(!model);
    const auto message = QString::fromStdString(model.error().message());
    QVERIFY2(message.contains(part), qPrintable(message));
    QVERIFY2(message.contains("tensor 'w'"), qPrintable(message));
    QVERIFY2(model.error().code == static_cast<ErrorCode>(code), qPrintable(message));
}

QTEST_APPLESS_MAIN(TstExternalData)
#include "tst_external_data.moc"
