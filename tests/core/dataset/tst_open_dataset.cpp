// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include <algorithm>
#include <set>

#include "core/dataset/dataset.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

Q_DECLARE_METATYPE(quantoscope::dataset::Kind)

namespace {

/// CIFAR records: labels, then planes filled with 10 * record + plane.
Bytes cifarRecords(const std::vector<Bytes>& labels)
{
    Bytes bytes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        bytes.insert(bytes.end(), labels[i].begin(), labels[i].end());
        for (int plane = 0; plane < 3; ++plane)
            bytes.insert(bytes.end(), 1024, static_cast<std::uint8_t>(10 * static_cast<int>(i) + plane));
    }
    return bytes;
}

Bytes idx(std::uint8_t type, const std::vector<std::uint32_t>& extents, const Bytes& content)
{
    Bytes bytes { 0, 0, type, static_cast<std::uint8_t>(extents.size()) };
    for (const auto extent : extents)
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::uint8_t>(extent >> shift));
    bytes.insert(bytes.end(), content.begin(), content.end());
    return bytes;
}

} // namespace

class TestOpenDataset : public QObject {
    Q_OBJECT

private slots:
    void cifar10();
    void cifar100();
    void cifarFolders();
    void cifarErrors_data();
    void cifarErrors();
    void idxPlainAndPacked_data();
    void idxPlainAndPacked();
    void idxColour();
    void idxWithoutLabels();
    void idxFolder();
    void idxErrors_data();
    void idxErrors();
    void gzipBombIsBounded();
    void gzipDamaged();
    void gzipOfTwoMembers();
    void recognises_data();
    void recognises();
    void unknownFiles_data();
    void unknownFiles();
    void kinds();
    void indices();
};

void TestOpenDataset::cifar10()
{
    const ScratchFolder folder;
    const auto file = folder.write("some.bin", cifarRecords({ { 3 }, { 9 }, { 0 } }));
    const auto data = openDataset(file);
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->size(), 3);
    QCOMPARE((*data)->label(1), 9);
    QCOMPARE((*data)->name(2), std::string("#2"));
    QCOMPARE((*data)->classNames().at(9), std::string("truck"));
    QCOMPARE((*data)->description(), std::string("CIFAR-10 binary, 3 images, some.bin"));
    QCOMPARE((*data)->path(), file);
    const auto image = (*data)->image(1);
    QS_VERIFY_OK(image);
    QCOMPARE(image->height, 32);
    QCOMPARE(image->channels, 3);
    QCOMPARE(Bytes(image->pixels.begin(), image->pixels.begin() + 6), (Bytes { 10, 11, 12, 10, 11, 12 }));
    QCOMPARE(image->pixels.size(), std::size_t { 3072 });
    QS_VERIFY_ERROR(openDataset(file, { Kind::Auto, file }), ErrorCode::InvalidInput, "leave the labels file out");
    QS_VERIFY_ERROR(openDataset(file, { Kind::Cifar10, file }), ErrorCode::InvalidInput, "leave the labels file out");
}

void TestOpenDataset::cifar100()
{
    const ScratchFolder folder;
    const auto file = folder.write("train.bin", cifarRecords({ { 1, 99 }, { 19, 0 } }));
    std::string names;
    for (int i = 0; i < 100; ++i)
        names += "class" + std::to_string(i) + "\r\n";
    folder.write("fine_label_names.txt", names);
    const auto data = openDataset(file);
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->label(0), 99);
    QCOMPARE((*data)->classNames().at(99), std::string("class99"));
    QCOMPARE((*data)->image(0)->pixels.front(), 0);
    QCOMPARE((*data)->image(1)->pixels.back(), 12);
}

void TestOpenDataset::cifarFolders()
{
    const ScratchFolder folder;
    folder.write("data_batch_2.bin", cifarRecords({ { 2 } }));
    folder.write("data_batch_1.bin", cifarRecords({ { 1 }, { 4 } }));
    folder.write("readme.html", std::string("<html>"));
    auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->size(), 3);
    QCOMPARE((*data)->label(0), 1);
    QCOMPARE((*data)->label(2), 2);
    QVERIFY((*data)->description().find("2 files") != std::string::npos);
    folder.write("test_batch.bin", cifarRecords({ { 7 } }));
    data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->size(), 1);
    QCOMPARE((*data)->label(0), 7);
    QVERIFY((*data)->description().find("test_batch.bin") != std::string::npos);
}

void TestOpenDataset::cifarErrors_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("message");
    const auto row = [](const char* name, const Bytes& bytes, Kind kind, const char* message) {
        QTest::newRow(name) << QByteArray(reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size()))
                            << kind << message;
    };
    row("empty", {}, Kind::Auto, "has 0 bytes");
    row("a byte too many", cifarRecords({ { 0 }, { 1 } }) + Bytes { 1 }, Kind::Cifar10,
        "has 6,147 bytes, not a multiple of CIFAR-10's record of 3,073; 2 CIFAR-10 images would be 6,146 bytes");
    row("neither size", Bytes(5000), Kind::Auto, "a multiple neither of CIFAR-10's record (3,073) nor");
    row("other kind", cifarRecords({ { 0 }, { 1 } }), Kind::Cifar100, "not a multiple of CIFAR-100's record");
    row("label 10", cifarRecords({ { 0 }, { 10 } }), Kind::Auto, "record 1 has label 10, expected 0 to 9");
    row("fine label 100", cifarRecords({ { 0, 100 } }), Kind::Auto, "record 0 has label 100, expected 0 to 99");
}

void TestOpenDataset::cifarErrors()
{
    QFETCH(QByteArray, content);
    QFETCH(Kind, kind);
    QFETCH(QString, message);
    const ScratchFolder folder;
    const auto file = folder.write("test.bin", Bytes(content.begin(), content.end()));
    const auto data = openDataset(file, { kind, {} });
    QS_VERIFY_ERROR(data, ErrorCode::InvalidInput, message.toStdString());
    QVERIFY(data.error().where.find("test.bin") != std::string::npos);
}

void TestOpenDataset::idxPlainAndPacked_data()
{
    QTest::addColumn<bool>("packedImages");
    QTest::addColumn<bool>("packedLabels");
    QTest::newRow("both plain") << false << false;
    QTest::newRow("both packed") << true << true;
    QTest::newRow("images packed") << true << false;
    QTest::newRow("labels packed") << false << true;
}

void TestOpenDataset::idxPlainAndPacked()
{
    QFETCH(bool, packedImages);
    QFETCH(bool, packedLabels);
    const ScratchFolder folder;
    const auto write = [&](bool packed, const std::string& name, const Bytes& bytes) {
        return packed ? folder.writeGzip(name + ".gz", bytes) : folder.write(name, bytes);
    };
    const auto file = write(packedImages, "t10k-images-idx3-ubyte", idx(8, { 4, 3, 2 }, counting(24)));
    write(packedLabels, "t10k-labels-idx1-ubyte", idx(8, { 4 }, { 9, 8, 7, 6 }));
    const auto data = openDataset(file);
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->size(), 4);
    QCOMPARE((*data)->label(3), 6);
    const auto image = (*data)->image(2);
    QS_VERIFY_OK(image);
    QCOMPARE(image->height, 3);
    QCOMPARE(image->width, 2);
    QCOMPARE(image->channels, 1);
    const Bytes all = counting(24);
    QCOMPARE(image->pixels, Bytes(all.begin() + 12, all.begin() + 18));
}

void TestOpenDataset::idxColour()
{
    const ScratchFolder folder;
    const auto file = folder.write("x-images-idx4-ubyte", idx(8, { 2, 3, 2, 3 }, counting(36)));
    const auto data = openDataset(file);
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->image(0)->channels, 3);
    const Bytes all = counting(36);
    QCOMPARE((*data)->image(1)->pixels, Bytes(all.begin() + 18, all.end()));
}

void TestOpenDataset::idxWithoutLabels()
{
    const ScratchFolder folder;
    const auto file = folder.write("images.idx", idx(8, { 1, 2, 2 }, counting(4)));
    const auto data = openDataset(file);
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->label(0), -1);
    QVERIFY((*data)->description().find("without labels") != std::string::npos);
    const auto labels = folder.write("other", idx(8, { 1 }, { 5 }));
    QCOMPARE(openDataset(file, { Kind::Auto, labels }).value()->label(0), 5);
    QS_VERIFY_ERROR(openDataset(file, { Kind::Auto, folder / "missing" }), ErrorCode::NotFound, "no such labels file");
}

void TestOpenDataset::idxFolder()
{
    const ScratchFolder folder;
    folder.write("train-images-idx3-ubyte", idx(8, { 2, 1, 1 }, counting(2)));
    folder.write("t10k-images-idx3-ubyte", idx(8, { 1, 1, 1 }, counting(1)));
    const auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QVERIFY((*data)->description().find("t10k-images") != std::string::npos);
}

void TestOpenDataset::idxErrors_data()
{
    QTest::addColumn<QByteArray>("images");
    QTest::addColumn<QByteArray>("labels");
    QTest::addColumn<QString>("message");
    const auto packed = [](const Bytes& bytes) {
        return QByteArray(reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size()));
    };
    const Bytes good = idx(8, { 2, 2, 2 }, counting(8));
    const auto row = [&](const char* name, const Bytes& images, const Bytes& labels, const char* message) {
        QTest::newRow(name) << packed(images) << packed(labels) << message;
    };
    row("empty", {}, {}, "is not an IDX file");
    row("text", Bytes { 'h', 'e', 'l', 'l', 'o' }, {}, "is not an IDX file");
    row("ends in header", Bytes { 0, 0, 8, 3, 0, 0 }, {}, "ends after 2 of the 4 bytes");
    row("ends early", idx(8, { 2, 2, 2 }, counting(7)), {}, "ends after 7 of the 8 bytes");
    row("ends at once", idx(8, { 200, 28, 28 }, counting(3)), {}, "promises more data than the file can hold");
    row("goes on", idx(8, { 2, 2, 2 }, counting(9)), {}, "goes on after the 8 bytes");
    row("claims terabytes", idx(8, { 0xFFFFFFFF, 0xFFFF, 0xFFFF }, {}), {}, "promises more data");
    row("no images", idx(8, { 0, 2, 2 }, {}), {}, "an extent of 0");
    row("float elements", idx(13, { 1, 1, 1 }, counting(4)), {}, "only unsigned bytes");
    row("two dimensions", idx(8, { 2, 2 }, counting(4)), {}, "has 2 dimensions");
    row("labels as images", idx(8, { 2 }, counting(2)), {}, "holds labels, not images");
    row("images as labels", good, good, "has 3 dimensions, labels have 1");
    row("too few labels", good, idx(8, { 1 }, { 1 }), "has 1 labels for the 2 images");
}

void TestOpenDataset::idxErrors()
{
    QFETCH(QByteArray, images);
    QFETCH(QByteArray, labels);
    QFETCH(QString, message);
    const ScratchFolder folder;
    const auto file = folder.write("a-images-idx3-ubyte", images.toStdString());
    if (!labels.isEmpty())
        folder.write("a-labels-idx1-ubyte", labels.toStdString());
    const auto data = openDataset(file, { Kind::Idx, {} });
    QVERIFY(!data);
    const std::string text = data.error().message();
    QVERIFY2(text.find(message.toStdString()) != std::string::npos, text.c_str());
    QVERIFY2(text.find("a-") != std::string::npos, text.c_str());
}

void TestOpenDataset::gzipBombIsBounded()
{
    const ScratchFolder folder;
    const auto bomb = folder.writeGzip("bomb.gz", idx(8, { 1, 2, 2 }, Bytes(64 << 20)));
    QVERIFY(fs::file_size(bomb) < 100000);
    QS_VERIFY_ERROR(openDataset(bomb), ErrorCode::InvalidInput, "goes on after the 4 bytes");
    const auto liar = folder.writeGzip("liar.gz", idx(8, { 1000000, 28, 28 }, Bytes(100)));
    QS_VERIFY_ERROR(openDataset(liar), ErrorCode::InvalidInput, "promises more data than the file can hold");
}

void TestOpenDataset::gzipDamaged()
{
    const ScratchFolder folder;
    const auto file = folder.writeGzip("a.gz", idx(8, { 100, 3, 3 }, counting(900)));
    const Bytes good = readBytes(file);
    folder.write("short.gz", Bytes(good.begin(), good.end() - 20));
    QS_VERIFY_ERROR(openDataset(folder / "short.gz"), ErrorCode::InvalidInput, "end early");
    Bytes wrong = good;
    wrong[wrong.size() - 7] ^= 0x55; // in the check sum
    folder.write("wrong.gz", wrong);
    QS_VERIFY_ERROR(openDataset(folder / "wrong.gz"), ErrorCode::InvalidInput, "damaged");
}

void TestOpenDataset::gzipOfTwoMembers()
{
    const ScratchFolder folder;
    const Bytes whole = idx(8, { 4, 3, 2 }, counting(24));
    const auto first = readBytes(folder.writeGzip("1.gz", Bytes(whole.begin(), whole.begin() + 20)));
    const auto second = readBytes(folder.writeGzip("2.gz", Bytes(whole.begin() + 20, whole.end())));
    const auto data = openDataset(folder.write("both.gz", first + second));
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->image(3)->pixels.back(), counting(24).back());
}

void TestOpenDataset::recognises_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("description");
    const auto row = [](const char* name, const Bytes& bytes, const char* description) {
        QTest::newRow(description) << name
                                   << QByteArray(
                                          reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size()))
                                   << description;
    };
    row("a.bin", cifarRecords({ { 1 } }), "CIFAR-10");
    row("b.bin", cifarRecords({ { 1, 1 } }), "CIFAR-100");
    row("noname", cifarRecords({ { 1 } }), "CIFAR-10 binary, 1 image, noname");
    row("noname", idx(8, { 1, 1, 1 }, { 1 }), "IDX");
    row("noname", readBytes(referenceFolder() / "u8_nhw.npz"), "NumPy archive");
    row("noname.npy", readBytes(referenceFolder() / "small_x.npy"), "NumPy array");
}

void TestOpenDataset::recognises()
{
    QFETCH(QString, name);
    QFETCH(QByteArray, content);
    QFETCH(QString, description);
    const ScratchFolder folder;
    const auto data = openDataset(folder.write(name.toStdString(), content.toStdString()));
    QS_VERIFY_OK(data);
    QVERIFY2((*data)->description().starts_with(description.toStdString()), (*data)->description().c_str());
}

void TestOpenDataset::unknownFiles_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("content");
    QTest::addColumn<QString>("message");
    QTest::newRow("empty") << "data"
                           << ""
                           << "is empty";
    QTest::newRow("text") << "notes.txt"
                          << "hello, this is text"
                          << "is no kind of data that is known";
    QTest::newRow("text as npz") << "a.npz"
                                 << "hello, this is text"
                                 << "is not a zip file";
}

void TestOpenDataset::unknownFiles()
{
    QFETCH(QString, name);
    QFETCH(QString, content);
    QFETCH(QString, message);
    const ScratchFolder folder;
    QS_VERIFY_ERROR(openDataset(folder.write(name.toStdString(), content.toStdString())), ErrorCode::InvalidInput,
        message.toStdString());
    QS_VERIFY_ERROR(openDataset(referenceFolder() / "decode_420.jpg"), ErrorCode::InvalidInput, "is a single image");
    QS_VERIFY_ERROR(openDataset(folder / "missing"), ErrorCode::NotFound, "no such file or folder");
}

void TestOpenDataset::kinds()
{
    for (const auto& [text, kind] :
        { std::pair("auto", Kind::Auto), std::pair("cifar10", Kind::Cifar10), std::pair("cifar100", Kind::Cifar100),
            std::pair("idx", Kind::Idx), std::pair("folder", Kind::Folder), std::pair("npz", Kind::Npz) })
        QCOMPARE(parseKind(text).value(), kind);
    QS_VERIFY_ERROR(parseKind("CIFAR"), ErrorCode::InvalidInput, "choose one of auto, cifar10");
}

void TestOpenDataset::indices()
{
    QCOMPARE(firstIndices(5, 3), (std::vector<std::int64_t> { 0, 1, 2 }));
    QCOMPARE(firstIndices(3, 0).size(), std::size_t { 3 });
    QCOMPARE(firstIndices(3, 9).size(), std::size_t { 3 });
    const auto sample = sampleIndices(1000, 50, 7);
    QCOMPARE(sample.size(), std::size_t { 50 });
    QVERIFY(std::ranges::is_sorted(sample));
    QCOMPARE(std::set(sample.begin(), sample.end()).size(), std::size_t { 50 });
    QVERIFY(sample.front() >= 0 && sample.back() < 1000);
    QCOMPARE(sampleIndices(1000, 50, 7), sample);
    QVERIFY(sampleIndices(1000, 50, 8) != sample);
    QCOMPARE(sampleIndices(4, 0, 1), firstIndices(4, 0));
}

QTEST_APPLESS_MAIN(TestOpenDataset)
#include "tst_open_dataset.moc"
