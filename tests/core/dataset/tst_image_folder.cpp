// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/dataset/dataset.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

namespace {

/// "name:label name:label ..." in order.
std::string contents(const Dataset& data)
{
    std::string text;
    for (std::int64_t i = 0; i < data.size(); ++i)
        text += (i ? " " : "") + data.name(i) + ":" + std::to_string(data.label(i));
    return text;
}

} // namespace

class TestImageFolder : public QObject {
    Q_OBJECT

private slots:
    void classFolders();
    void classFoldersBySynset();
    void unlabelled();
    void lists_data();
    void lists();
    void listErrors_data();
    void listErrors();
    void listBesideFolder();
    void listOfClassNamesIsNotOne();
    void listWithSubfolders();
    void unlistedImagesAreCounted();
    void ilsvrcNumbers();
    void synsetWords();
    void givenList();
    void emptyFolders();
    void brokenImageIsNamed();
    void trailingSlash();
};

void TestImageFolder::classFolders()
{
    const ScratchFolder folder;
    folder.copyImage("dog/b.png");
    folder.copyImage("dog/a.PNG");
    folder.copyImage("cat/deep/x.jpeg", "decode_gray.jpg");
    folder.copyImage("cat/.hidden.png");
    folder.copyImage(".trash/t.png");
    folder.copyImage("stray.png");
    folder.write("dog/notes.txt", std::string("hello"));
    folder.write("thumbs.db", std::string("x"));
    const auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QCOMPARE(contents(**data), std::string("cat/deep/x.jpeg:0 dog/a.PNG:1 dog/b.png:1"));
    QCOMPARE((*data)->classNames(), (std::vector<std::string> { "cat", "dog" }));
    const std::string text = (*data)->description();
    QVERIFY2(text.find("3 images in 2 class folders") != std::string::npos, text.c_str());
    QVERIFY2(text.find("3 other files ignored") != std::string::npos, text.c_str());
    for (std::int64_t i = 0; i < 3; ++i)
        QS_VERIFY_OK((*data)->image(i));
}

void TestImageFolder::classFoldersBySynset()
{
    const ScratchFolder folder;
    folder.write(
        "synset_words.txt", std::string("n01440764 tench\nn01443537 goldfish\nn01484850 shark, great white\n"));
    folder.copyImage("val/n01484850/a.png");
    folder.copyImage("val/n01440764/a.png");
    auto data = openDataset(folder / "val");
    QS_VERIFY_OK(data);
    QCOMPARE(contents(**data), std::string("n01440764/a.png:0 n01484850/a.png:2"));
    QCOMPARE((*data)->classNames().at(2), std::string("shark, great white"));
    folder.copyImage("val/other/a.png"); // not a synset: numbered in name order
    data = openDataset(folder / "val");
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->label(1), 1);
    QCOMPARE((*data)->classNames().size(), std::size_t { 3 });
}

void TestImageFolder::unlabelled()
{
    const ScratchFolder folder;
    folder.copyImage("b.png");
    folder.copyImage("a.png");
    const auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QCOMPARE(contents(**data), std::string("a.png:-1 b.png:-1"));
    QVERIFY((*data)->description().find("without labels") != std::string::npos);
}

void TestImageFolder::lists_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("list");
    QTest::addColumn<QString>("contents");
    QTest::addColumn<QString>("names");
    QTest::newRow("name label, in the list's order") << "labels.txt"
                                                     << "c d.png 5\na.png\t7\r\n\n# a remark\nb.png 0\n"
                                                     << "c d.png:5 a.png:7 b.png:0"
                                                     << "";
    QTest::newRow("one label a line") << "labels.txt"
                                      << "4\n5\n6\n"
                                      << "a.png:4 b.png:5 c d.png:6"
                                      << "";
    QTest::newRow("byte order mark") << "labels.txt"
                                     << "\uFEFF4\n5\n6"
                                     << "a.png:4 b.png:5 c d.png:6"
                                     << "";
    QTest::newRow("csv with header") << "labels.csv"
                                     << "filename,label\n\"c d.png\",2\na.png, 1\n"
                                     << "c d.png:2 a.png:1"
                                     << "";
    QTest::newRow("csv of words, no extension") << "labels.csv"
                                                << "a,night heron\nb,cat\n"
                                                << "a.png:1 b.png:0"
                                                << "cat|night heron";
    QTest::newRow("words") << "labels.txt"
                           << "a.png dog\nb.png cat\n"
                           << "a.png:1 b.png:0"
                           << "cat|dog";
    QTest::newRow("largest label") << "val.txt"
                                   << "a.png 65535\n"
                                   << "a.png:65535"
                                   << "";
    QTest::newRow("the same image twice") << "val.txt"
                                          << "a.png 1\na.png 1\n"
                                          << "a.png:1 a.png:1"
                                          << "";
}

void TestImageFolder::lists()
{
    QFETCH(QString, file);
    QFETCH(QString, list);
    QFETCH(QString, names);
    const ScratchFolder folder;
    for (const auto* name : { "a.png", "b.png", "c d.png" })
        folder.copyImage(name);
    folder.write(file.toStdString(), list.toStdString());
    const auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QTEST(QString::fromStdString(contents(**data)), "contents");
    QStringList got;
    for (const auto& name : (*data)->classNames())
        got << QString::fromStdString(name);
    QCOMPARE(got.join('|'), names);
}

void TestImageFolder::listErrors_data()
{
    QTest::addColumn<QString>("list");
    QTest::addColumn<ErrorCode>("code");
    QTest::addColumn<QString>("message");
    QTest::newRow("missing file") << "a.png 1\nz.png 2\n" << ErrorCode::NotFound << "names 'z.png'";
    QTest::newRow("missing file, line") << "a.png 1\nz.png 2\n" << ErrorCode::NotFound << "labels.txt, line 2";
    QTest::newRow("not an image") << "notes.md 1\n" << ErrorCode::NotFound << "no JPEG or PNG file";
    QTest::newRow("too few") << "1\n" << ErrorCode::InvalidInput << "has 1 label for 2 images";
    QTest::newRow("too many") << "1\n2\n3\n" << ErrorCode::InvalidInput << "has 3 labels for 2 images";
    QTest::newRow("negative") << "a.png 0\nb.png -1\n" << ErrorCode::InvalidInput << "label '-1' is not a whole number";
    QTest::newRow("too large") << "a.png 65536\n" << ErrorCode::InvalidInput << "from 0 to 65,535";
    QTest::newRow("huge") << "a.png 1\nb.png 99999999999999999999\n" << ErrorCode::InvalidInput << "line 2";
    QTest::newRow("word among numbers") << "a.png 1\nb.png cat\n" << ErrorCode::InvalidInput << "label 'cat'";
    QTest::newRow("number among words") << "a.png cat\nb.png 1\n" << ErrorCode::InvalidInput << "is a number where";
    QTest::newRow("mixed forms") << "a.png 1\n2\n" << ErrorCode::InvalidInput << "does not have the form";
    QTest::newRow("empty") << "\n\n# nothing\n" << ErrorCode::InvalidInput << "names no labels";
}

void TestImageFolder::listErrors()
{
    QFETCH(QString, list);
    QFETCH(ErrorCode, code);
    QFETCH(QString, message);
    const ScratchFolder folder;
    folder.copyImage("a.png");
    folder.copyImage("b.png");
    folder.write("notes.md", std::string("x"));
    folder.write("labels.txt", list.toStdString());
    QS_VERIFY_ERROR(openDataset(folder.path()), code, message.toStdString());
}

void TestImageFolder::listBesideFolder()
{
    const ScratchFolder folder;
    folder.copyImage("val/a.png");
    folder.write("val.txt", std::string("a.png 3\n"));
    QCOMPARE(contents(*openDataset(folder / "val").value()), std::string("a.png:3"));
}

void TestImageFolder::listOfClassNamesIsNotOne()
{
    const ScratchFolder folder;
    folder.copyImage("0/a.png");
    folder.copyImage("1/b.png");
    folder.write("labels.txt", std::string("night heron\ncat\n"));
    QCOMPARE(contents(*openDataset(folder.path()).value()), std::string("0/a.png:0 1/b.png:1"));
}

void TestImageFolder::listWithSubfolders()
{
    const ScratchFolder folder;
    folder.copyImage("0/a.png");
    folder.copyImage("1/b.png");
    folder.write("labels.txt", std::string("1/b.png 8\n0/a.png 9\n"));
    QCOMPARE(contents(*openDataset(folder.path()).value()), std::string("1/b.png:8 0/a.png:9"));
}

void TestImageFolder::unlistedImagesAreCounted()
{
    const ScratchFolder folder;
    for (const auto* name : { "a.png", "b.png", "c.png" })
        folder.copyImage(name);
    folder.write("readme", std::string("x"));
    folder.write("labels.txt", std::string("b.png 1\n"));
    const auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    const std::string text = (*data)->description();
    QVERIFY2(text.find("1 image labelled by labels.txt") != std::string::npos, text.c_str());
    QVERIFY2(text.find("2 unlabelled images ignored") != std::string::npos, text.c_str());
    QVERIFY2(text.find("1 other file ignored") != std::string::npos, text.c_str());
}

void TestImageFolder::ilsvrcNumbers()
{
    const ScratchFolder folder;
    folder.copyImage("ILSVRC2012_val_00000004.png");
    folder.copyImage("ILSVRC2012_val_00000002.png");
    folder.write("labels.txt", std::string("10\n20\n30\n40\n50\n"));
    QCOMPARE(contents(*openDataset(folder.path()).value()),
        std::string("ILSVRC2012_val_00000002.png:20 ILSVRC2012_val_00000004.png:40"));
    folder.write("labels.txt", std::string("10\n20\n30\n"));
    QS_VERIFY_ERROR(openDataset(folder.path()), ErrorCode::InvalidInput, "has 3 labels for 2 images");
}

void TestImageFolder::synsetWords()
{
    const ScratchFolder folder;
    folder.copyImage("images/a.png");
    folder.copyImage("images/b.png");
    folder.write(
        "images/labels.csv", std::string("ImageId,PredictionString\nb,n01443537 85 1 499 272\na,n01440764 1 2 3 4\n"));
    auto data = openDataset(folder / "images");
    QS_VERIFY_OK(data); // without synset_words.txt: alphabetical
    QCOMPARE(contents(**data), std::string("b.png:1 a.png:0"));
    folder.write(
        "synset_words.txt", std::string("n00000001 nothing\nn01440764 tench, Tinca tinca\nn01443537 goldfish\n"));
    data = openDataset(folder / "images");
    QS_VERIFY_OK(data);
    QCOMPARE(contents(**data), std::string("b.png:2 a.png:1"));
    QCOMPARE((*data)->classNames().at(1), std::string("tench, Tinca tinca"));
    folder.write("images/labels.csv", std::string("a,n01440764\nb,n99999999\n"));
    QS_VERIFY_ERROR(openDataset(folder / "images"), ErrorCode::InvalidInput, "synset 'n99999999' is not in");
    folder.write("images/labels.csv", std::string("a,2\nb,0\n"));
    QCOMPARE(openDataset(folder / "images").value()->classNames().at(2), std::string("goldfish"));
    folder.write("images/labels.csv", std::string("a,3\nb,0\n")); // other classes than those of the list found
    QVERIFY(openDataset(folder / "images").value()->classNames().empty());
}

void TestImageFolder::givenList()
{
    const ScratchFolder folder;
    const ScratchFolder elsewhere;
    folder.copyImage("a.png");
    folder.write("labels.txt", std::string("a.png 1\n"));
    const auto list = elsewhere.write("mine.txt", std::string("a.png 2\n"));
    QCOMPARE(openDataset(folder.path(), { Kind::Folder, list }).value()->label(0), 2);
    QS_VERIFY_ERROR(openDataset(folder.path(), { Kind::Auto, elsewhere / "no.txt" }), ErrorCode::NotFound, "no.txt");
    QS_VERIFY_ERROR(openDataset(folder / "a.png", { Kind::Folder, {} }), ErrorCode::InvalidInput, "expected a folder");
}

void TestImageFolder::emptyFolders()
{
    const ScratchFolder folder;
    QS_VERIFY_ERROR(openDataset(folder.path()), ErrorCode::InvalidInput, "has no JPEG or PNG images");
    folder.write("empty/notes.txt", std::string("x"));
    QS_VERIFY_ERROR(openDataset(folder.path()), ErrorCode::InvalidInput, "and none in its sub-folders");
    folder.write("labels.txt", std::string("1\n2\n"));
    QS_VERIFY_ERROR(openDataset(folder / "empty"), ErrorCode::InvalidInput, "has no JPEG");
}

void TestImageFolder::brokenImageIsNamed()
{
    const ScratchFolder folder;
    folder.copyImage("a.png");
    folder.write("b.jpg", std::string("not an image"));
    const auto data = openDataset(folder.path());
    QS_VERIFY_OK(data);
    QS_VERIFY_OK((*data)->image(0));
    QS_VERIFY_ERROR((*data)->image(1), ErrorCode::InvalidInput, "b.jpg");
}

void TestImageFolder::trailingSlash()
{
    const ScratchFolder folder;
    folder.copyImage("val/a.png");
    const auto data = openDataset(folder.path().string() + "/val/");
    QS_VERIFY_OK(data);
    QVERIFY2((*data)->description().ends_with(", val"), (*data)->description().c_str());
    QS_VERIFY_OK((*data)->image(0));
}

QTEST_APPLESS_MAIN(TestImageFolder)
#include "tst_image_folder.moc"
