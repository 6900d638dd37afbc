// SPDX-License-Identifier: GPL-3.0-or-later
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/importing/encodings_file.h"

using namespace quantoscope;
using importing::EncodingEntry;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

Json parsed(const char* text) { return Json::parse(text, nullptr, false); }

constexpr const char* version100 = R"({"version": "1.0.0",
    "activation_encodings": [
        {"name": "x", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 8, "is_sym": false, "scale": [0.5], "offset": [-3]},
        {"name": "y", "enc_type": "PER_TENSOR", "dtype": "FLOAT", "bw": 16},
        {"name": "z", "enc_type": "PER_BLOCK", "dtype": "INT", "bw": 4, "is_sym": true, "scale": [1], "offset": [-8]}],
    "param_encodings": [
        {"name": "w", "enc_type": "PER_CHANNEL", "dtype": "INT", "bw": 4, "is_sym": true, "scale": [0.1, 0.2],
         "offset": [-8, -8]},
        {"name": "v", "enc_type": "PER_CHANNEL", "dtype": "INT", "bw": 4, "is_sym": true, "scale": [0.1, 0.2],
         "offset": [-8]},
        {"name": "u", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 4, "is_sym": true, "scale": [0], "offset": [-8]}]})";

constexpr const char* version061 = R"({"version": "0.6.1", "quantizer_args": {"param_bitwidth": 4},
    "activation_encodings": {"x": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "False", "max": 126.0, "min": -1.5,
        "offset": -3, "scale": 0.5}]},
    "param_encodings": {"w": [
        {"bitwidth": 4, "dtype": "int", "is_symmetric": "True", "max": 0.7, "min": -0.7, "offset": -8, "scale": 0.1},
        {"bitwidth": 4, "dtype": "int", "is_symmetric": "True", "max": 1.4, "min": -1.4, "offset": -8, "scale": 0.2}],
        "v": "nonsense"}})";

constexpr const char* version200 = R"({"version": "2.0.0", "encodings": [
    {"name": "x", "y_scale": 0.5, "y_zero_point": 3, "output_dtype": "uint8"},
    {"name": "w", "y_scale": [0.1, 0.2], "y_zero_point": [0, 0], "axis": 0, "output_dtype": "int4"},
    {"name": "v", "y_scale": [0.1, 0.2], "axis": -1, "output_dtype": "int16"},
    {"name": "lifted", "y_scale": 0.5, "y_zero_point": -128, "output_dtype": "int8"},
    {"name": "b", "y_scale": [0.1, 0.2], "axis": 0, "output_dtype": "int32"},
    {"name": "y", "output_dtype": "float16"},
    {"name": "blocks", "y_scale": [[0.1, 0.2]], "axis": 1, "block_size": 32, "output_dtype": "int4"},
    {"name": "lpbq", "per_channel_float_scale": [[0.1]], "per_block_int_scale": [[1, 2]], "axis": 1, "block_size": 32,
     "output_dtype": "int4"},
    {"name": "shifted", "y_scale": 0.5, "y_zero_point": -0.5, "output_dtype": "int2"},
    {"name": "odd", "y_scale": 0.5, "output_dtype": "int4x"},
    {"name": "no axis", "y_scale": [0.1, 0.2], "output_dtype": "int8"},
    {"name": "negative", "y_scale": -1, "output_dtype": "int8"}]})";

} // namespace

class TestEncodingsFile : public QObject {
    Q_OBJECT

private slots:
    void readsVersion100()
    {
        const auto file = importing::parseEncodings(parsed(version100));
        VERIFY_OK(file);
        QCOMPARE(file->kind, std::string("AIMET encodings 1.0.0"));
        QCOMPARE(file->entries.size(), std::size_t { 6 });
        const auto& x = file->entries[0];
        QCOMPARE(x.tensor, std::string("x"));
        QVERIFY(!x.isParameter && !x.isSymmetric && !x.isPerChannel && x.unusable.empty());
        QCOMPARE(x.bits, 8);
        QCOMPARE(x.scale, std::vector<float> { 0.5F });
        QCOMPARE(x.offset, std::vector<std::int64_t> { -3 });
        QVERIFY(file->entries[1].isFloat);
        QVERIFY(file->entries[2].unusable.find("PER_BLOCK") != std::string::npos);
        const auto& w = file->entries[3];
        QVERIFY(w.isParameter && w.isSymmetric && w.isPerChannel && w.unusable.empty());
        QCOMPARE(w.scale, (std::vector<float> { 0.1F, 0.2F }));
        QVERIFY(file->entries[4].unusable.find("2 scales and 1 offsets") != std::string::npos);
        QVERIFY(file->entries[5].unusable.find("not a positive number") != std::string::npos);
    }

    void readsVersion061()
    {
        const auto file = importing::parseEncodings(parsed(version061));
        VERIFY_OK(file);
        QCOMPARE(file->kind, std::string("AIMET encodings 0.6.1"));
        QCOMPARE(file->entries.size(), std::size_t { 3 });
        QCOMPARE(file->entries[0].offset, std::vector<std::int64_t> { -3 });
        QVERIFY(!file->entries[0].isNarrow);
        const auto& w = file->entries[1];
        QVERIFY(w.isParameter && w.isPerChannel && w.isSymmetric && w.isNarrow);
        QCOMPARE(w.scale, (std::vector<float> { 0.1F, 0.2F }));
        QVERIFY(file->entries[2].unusable.find("not a list") != std::string::npos);
    }

    void readsVersion200()
    {
        const auto file = importing::parseEncodings(parsed(version200));
        VERIFY_OK(file);
        QCOMPARE(file->kind, std::string("AIMET encodings 2.0.0"));
        const auto entry = [&](const char* tensor) {
            const auto it = std::ranges::find(file->entries, std::string(tensor), &EncodingEntry::tensor);
            return it == file->entries.end() ? EncodingEntry {} : *it;
        };
        const auto x = entry("x");
        QVERIFY2(x.unusable.empty() && !x.isSymmetric && !x.isPerChannel, x.unusable.c_str());
        QCOMPARE(x.bits, 8);
        QCOMPARE(x.offset, std::vector<std::int64_t> { -3 });
        const auto w = entry("w");
        QVERIFY(w.unusable.empty() && w.isSymmetric && w.isPerChannel && w.axis == 0);
        QCOMPARE(w.bits, 4);
        QCOMPARE(w.offset, (std::vector<std::int64_t> { -8, -8 }));
        const auto v = entry("v");
        QVERIFY(v.unusable.empty() && v.axis == -1);
        QCOMPARE(v.offset, (std::vector<std::int64_t> { -32768, -32768 }));
        QCOMPARE(entry("lifted").offset, std::vector<std::int64_t> { 0 }); // as uint8 with zero point 0
        QCOMPARE(entry("b").bits, 32);
        QVERIFY(entry("y").isFloat && entry("y").unusable.empty());
        for (const auto& [tensor, why] :
            { std::pair("blocks", "each block"), { "lpbq", "each block" }, { "shifted", "not an integer" },
                { "odd", "'int4x'" }, { "no axis", "no axis" }, { "negative", "not a positive number" } })
            QVERIFY2(entry(tensor).unusable.find(why) != std::string::npos, tensor);
    }

    void refusesShiftedLevels()
    {
        const auto file = importing::parseEncodings(parsed(R"({"version": "1.0.0", "param_encodings": [
            {"name": "w", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 2, "is_sym": true, "scale": [1], "offset": [-2],
             "zero_point_shift": [0.5]}]})"));
        VERIFY_OK(file);
        QVERIFY(file->entries.front().unusable.find("zero_point_shift") != std::string::npos);
    }

    void readsCalibrationCaches_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("plain") << QByteArray("a tensor 2.5\nother 1e-3\n");
        QTest::newRow("other line ends, no last one") << QByteArray("a tensor 2.5\r\n\r\nother\t0.001");
        // 2.5 / 127 and 0.001 / 127 as float32
        QTest::newRow("TensorRT's") << QByteArray(
            "TRT-8601-EntropyCalibration2\na tensor: 3ca14285\nother: 37041aa4\n");
    }

    void readsCalibrationCaches()
    {
        QFETCH(QByteArray, text);
        const auto file = readText(text);
        VERIFY_OK(file);
        QCOMPARE(file->kind, std::string("calibration cache"));
        QCOMPARE(file->entries.size(), std::size_t { 2 });
        QCOMPARE(file->entries[0].tensor, std::string("a tensor"));
        QCOMPARE(file->entries[1].tensor, std::string("other"));
        for (const auto& [i, magnitude] : { std::pair(0U, 2.5), { 1U, 0.001 } }) {
            const auto& entry = file->entries[i];
            QVERIFY(entry.isMagnitude && entry.range && entry.unusable.empty());
            QVERIFY(std::abs(entry.range->second / magnitude - 1) < 1e-6);
            QCOMPARE(entry.range->first, -entry.range->second);
        }
    }

    void refusesOtherFiles_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("what");
        QTest::newRow("flatbuffers") << QByteArray("\x0c\0\0\0TRT\0table", 12) << "binary";
        QTest::newRow("prose") << QByteArray("x 1.5\nnothing of the kind\n") << "line 2 ";
        QTest::newRow("TensorRT's, no bytes") << QByteArray("TRT-1-E\nx: 3cz\n") << "line 2 ";
        QTest::newRow("TensorRT's, empty") << QByteArray("TRT-1-E\n") << "no tensor";
    }

    void refusesOtherFiles()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, what);
        const auto file = readText(text);
        QVERIFY(!file);
        QVERIFY2(file.error().what.find(what.toStdString()) != std::string::npos, file.error().what.c_str());
        QVERIFY(file.error().hint.find("calibration.json") != std::string::npos);
        QVERIFY(!file.error().where.empty());
    }

    void readsCalibrationTables_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("pairs") << QByteArray(R"({"x": [-1.5, 6.0]})");
        QTest::newRow("named") << QByteArray(R"({"x": {"lowest": -1.5, "highest": 6}})");
        QTest::newRow("arrays as the encoder writes them") << QByteArray(
            R"({"CLS": "TensorsData", "calibration_method": {"CLS": "CalibrationMethod"}, "data": {"x": {"CLS": "TensorData",
                "lowest": {"data": -1.5, "dtype": "float32", "CLS": "numpy.array"},
                "highest": {"data": [6.0], "dtype": "float32", "CLS": "numpy.array"}}}})");
    }

    void readsCalibrationTables()
    {
        QFETCH(QByteArray, text);
        const auto file = importing::parseEncodings(parsed(text.constData()));
        VERIFY_OK(file);
        QCOMPARE(file->kind, std::string("calibration table"));
        QCOMPARE(file->entries.size(), std::size_t { 1 });
        QCOMPARE(file->entries[0].tensor, std::string("x"));
        QVERIFY(file->entries[0].range == std::pair(-1.5, 6.0));
    }

    void refuses_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("what");
        QTest::newRow("a list") << QByteArray("[1]") << "no JSON object";
        QTest::newRow("something else") << QByteArray(R"({"tensors": {"x": 4}})") << "neither encodings nor";
        QTest::newRow("another version") << QByteArray(R"({"version": "3.0.0", "activation_encodings": []})")
                                         << "3.0.0";
        QTest::newRow("2.0.0 without its list")
            << QByteArray(R"({"version": "2.0.0", "activation_encodings": []})") << "2.0.0";
        QTest::newRow("lists in 0.6.1") << QByteArray(R"({"version": "0.6.1", "activation_encodings": []})")
                                        << "activation_encodings";
    }

    void refuses()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, what);
        const auto file = importing::parseEncodings(parsed(text.constData()));
        QVERIFY(!file);
        QVERIFY2(file.error().what.find(what.toStdString()) != std::string::npos, file.error().what.c_str());
        QVERIFY(!file.error().hint.empty());
    }

    void errorsNameTheFile()
    {
        QTemporaryDir folder;
        const auto path = folder.filePath("e.json");
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("{}") == 2);
        file.close();
        const auto read = importing::readEncodings(path.toStdString());
        QVERIFY(!read);
        QCOMPARE(read.error().where, path.toStdString());
        QVERIFY(!importing::readEncodings("/nowhere/e.json"));
    }

private:
    Result<importing::EncodingsFile> readText(const QByteArray& text) const
    {
        QFile file(m_folder.filePath("calibration.cache"));
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
            qFatal("cannot write");
        file.close();
        return importing::readEncodings(file.fileName().toStdString());
    }

    QTemporaryDir m_folder;
};

QTEST_APPLESS_MAIN(TestEncodingsFile)
#include "tst_encodings_file.moc"
