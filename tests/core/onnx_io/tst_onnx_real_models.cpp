// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "tests/support/model_equality.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;
namespace fs = std::filesystem;

/// Files that real exporters wrote, of several ages, through reader and writer.
class TstOnnxRealModels : public QObject {
    Q_OBJECT

private slots:
    void roundTrip_data();
    void roundTrip();
};

void TstOnnxRealModels::roundTrip_data()
{
    QTest::addColumn<QString>("file");
    const auto row
        = [](const fs::path& path) { QTest::newRow(path.filename().c_str()) << QString::fromStdString(path.string()); };
    row(fs::path(QS_SOURCE_DIR) / "resources/samples/fashion_resnet20.onnx");
    for (const auto& path : test::sharedModels())
        row(path);
}

void TstOnnxRealModels::roundTrip()
{
    QFETCH(QString, file);
    const auto model = onnx_io::readModel(file.toStdString());
    QVERIFY2(model.has_value(), model ? "" : model.error().message().c_str());
    QVERIFY(!model->graph.nodes().empty());
    QVERIFY(!model->graph.inputs().empty());
    QVERIFY(!model->graph.outputs().empty());
    QTemporaryDir folder;
    const fs::path copy = folder.filePath("copy.onnx").toStdString();
    for (const std::uint64_t threshold : { std::uint64_t { 1 } << 40, std::uint64_t { 0 } }) {
        const auto written = onnx_io::writeModel(*model, copy, { .externalThreshold = threshold });
        QVERIFY2(written.has_value(), written ? "" : written.error().message().c_str());
        const auto reread = onnx_io::readModel(copy);
        QVERIFY2(reread.has_value(), reread ? "" : reread.error().message().c_str());
        QCOMPARE(test::difference(*model, *reread), std::string());
    }
}

QTEST_APPLESS_MAIN(TstOnnxRealModels)
#include "tst_onnx_real_models.moc"
