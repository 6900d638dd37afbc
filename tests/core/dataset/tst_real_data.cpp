// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real
#include <QTest>

#include <algorithm>

#include "core/dataset/preprocessing.h"
#include "tests/core/dataset/dataset_testing.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

/// Real files in full; what they are is told in their README, the label counts by their makers.
class TestRealData : public QObject {
    Q_OBJECT

private slots:
    void files_data();
    void files();
    void decodes_data();
    void decodes();
};

void TestRealData::files_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("firstLabel");
    QTest::addColumn<int>("maxLabel");
    QTest::addColumn<int>("classNames");
    const auto row = [](const char* name, const fs::path& path, int size, int first, int max, int names) {
        QTest::newRow(name) << QString::fromStdString(path.string()) << size << first << max << names;
    };
    const fs::path data = test::sharedFolder() / "data";
    row("CIFAR-10 test", data / "cifar10/test_1000.bin", 1000, 3, 9, 10);
    row("CIFAR-10 calibration", data / "cifar10/calib_2000.bin", 2000, 6, 9, 10);
    row("ImageNet val650", data / "imagenet/val650", 650, 472, 999, 1000);
    row("ImageNet calib300", data / "imagenet/calib300", 300, 0, 999, 1000);
    row("MNIST test", data / "mnist/t10k-images-idx3-ubyte.gz", 10000, 7, 9, 0);
    row("MNIST folder", data / "mnist", 10000, 7, 9, 0);
    row("Fashion-MNIST test", "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", 10000, 9, 9, 0);
    row("Fashion-MNIST training", "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", 60000, 9, 9, 0);
    row("Fashion-MNIST folder", "/usr/share/datasets/fashion-mnist", 10000, 9, 9, 0);
}

void TestRealData::files()
{
    QFETCH(QString, path);
    if (!fs::exists(path.toStdString()))
        QSKIP(qPrintable("not here: " + path));
    const auto data = openDataset(path.toStdString());
    QS_VERIFY_OK(data);
    QTEST(static_cast<int>((*data)->size()), "size");
    QTEST((*data)->label(0), "firstLabel");
    QTEST(static_cast<int>((*data)->classNames().size()), "classNames");
    int max = -1;
    for (std::int64_t i = 0; i < (*data)->size(); ++i)
        max = std::max(max, (*data)->label(i));
    QVERIFY(max >= 0);
    QFETCH(int, maxLabel);
    QVERIFY(max <= maxLabel);
}

void TestRealData::decodes_data()
{
    QTest::addColumn<QString>("folder");
    QTest::addColumn<int>("resize");
    QTest::newRow("val650, cropped") << "imagenet/val650" << 0;
    QTest::newRow("calib300, resized and cropped") << "imagenet/calib300" << 256;
}

void TestRealData::decodes()
{
    QFETCH(QString, folder);
    QFETCH(int, resize);
    const fs::path path = test::sharedFolder() / "data" / folder.toStdString();
    if (!fs::exists(path))
        QSKIP(qPrintable("not here: " + QString::fromStdString(path.string())));
    SampleSet::Options options;
    options.preprocessing.resize = resize;
    options.preprocessing.crop = { 224, 224 };
    const auto data = openDataset(path).value();
    const auto set = SampleSet::load(data, options);
    QS_VERIFY_OK(set);
    QCOMPARE((*set)->size(), data->size());
    QCOMPARE((*set)->sampleShape(), (std::vector<std::int64_t> { 3, 224, 224 }));
}

QTEST_APPLESS_MAIN(TestRealData)
#include "tst_real_data.moc"
