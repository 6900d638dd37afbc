// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/dataset/class_names.h"
#include "core/dataset/dataset.h"
#include "core/dataset/text.h"
#include "tests/core/dataset/dataset_testing.h"

using namespace quantoscope;
using namespace quantoscope::dataset;
using namespace quantoscope::dataset::testing;

namespace {

Bytes idx(const std::vector<std::uint8_t>& extents, const Bytes& content)
{
    Bytes bytes { 0, 0, 8, static_cast<std::uint8_t>(extents.size()) };
    for (const auto extent : extents)
        for (const std::uint8_t byte : { std::uint8_t { 0 }, std::uint8_t { 0 }, std::uint8_t { 0 }, extent })
            bytes.push_back(byte);
    return bytes + content;
}

/// Images of one pixel with these labels.
fs::path writeIdx(const ScratchFolder& folder, const Bytes& labels)
{
    const auto count = static_cast<std::uint8_t>(labels.size());
    folder.write("a-labels-idx1-ubyte", idx({ count }, labels));
    return folder.write("a-images-idx3-ubyte", idx({ count, 1, 1 }, Bytes(count)));
}

OpenOptions named(const fs::path& classes, const fs::path& labels = {}, Kind kind = Kind::Auto)
{
    return { kind, labels, classes };
}

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : "|") + name;
    return text;
}

std::string contents(const Dataset& data)
{
    std::string text;
    for (std::int64_t i = 0; i < data.size(); ++i)
        text += (i ? " " : "") + data.name(i) + ":" + std::to_string(data.label(i));
    return text;
}

void rowsOfWrongLists()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("message");
    QTest::newRow("empty") << QByteArray() << "names no classes";
    QTest::newRow("only remarks") << QByteArray("# a\n# b\n\n") << "names no classes";
    QTest::newRow("too few, one") << QByteArray("cat\n") << "names 1 class (the first is class 0), so label 1 of";
    QTest::newRow("too few") << QByteArray("cat\ndog") << "names 2 classes (the first is class 0), so label 2 of";
    QTest::newRow("empty line between") << QByteArray("cat\n\ndog\n") << "line 2: write the class's name there";
    QTest::newRow("binary") << QByteArray("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16)
                            << "is not a text file: it holds zero bytes";
    QTest::newRow("a terminal's commands") << QByteArray("cat\n\x1B[2Jdog\nbird\n") << "holds control characters";
    QTest::newRow("UTF-16") << QByteArray("\xFF\xFE"
                                          "c\0a\0t\0\n\0",
        10) << "give a text file in UTF-8";
    QTest::newRow("Latin-1") << QByteArray("cat\nK\xE4"
                                           "fer\ndog\n")
                             << "line 2: save the file as UTF-8";
    QTest::newRow("a line of megabytes") << QByteArray(3 << 20, 'x') << "has 3,145,728 bytes, a class name has at most";
    QTest::newRow("too large") << QByteArray((16 << 20) + 1, 'x') << "has more than 16,777,216 bytes";
    QTest::newRow("too many lines") << QByteArray("x\n").repeated(65'537) << "has more than 65,536 lines";
    QTest::newRow("millions of empty lines") << QByteArray(10 << 20, '\n') << "has more than 65,536 lines";
}

} // namespace

class TestClassNames : public QObject {
    Q_OBJECT

private slots:
    void lists_data();
    void lists();
    void wrongLists_data() { rowsOfWrongLists(); }
    void wrongLists();
    void wrongListsBesideTheImages_data() { rowsOfWrongLists(); }
    void wrongListsBesideTheImages();
    void missingList();
    void besideTheImages_data();
    void besideTheImages();
    void besideNumpy_data();
    void besideNumpy();
    void everyKind_data();
    void everyKind();
    void cifar();
    void foldersKeepTheirNames();
    void classFolders_data();
    void classFolders();
    void emptyFoldersNeedNoName();
    void words_data();
    void words();
    void listInTheFolderIsNoOtherFile();
    void asManyAsThereMayBe();
    void utf8_data();
    void utf8();
};

void TestClassNames::lists_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("names");
    QTest::newRow("plain") << QByteArray("cat\ndog\nbird\n") << "cat|dog|bird";
    QTest::newRow("no newline at the end") << QByteArray("cat\ndog\nbird") << "cat|dog|bird";
    QTest::newRow("empty lines at the end") << QByteArray("cat\ndog\nbird\n\n \n\t\n") << "cat|dog|bird";
    QTest::newRow("remarks are no classes") << QByteArray("# animals\ncat\n#dog\ndog\nbird\n# end\n") << "cat|dog|bird";
    QTest::newRow("Windows, byte order mark") << QByteArray("\xEF\xBB\xBF"
                                                            "cat\r\ndog\r\nbird\r\n")
                                              << "cat|dog|bird";
    QTest::newRow("blanks around") << QByteArray("  cat \n\tdog\nbird\n") << "cat|dog|bird";
    QTest::newRow("synset ids") << QByteArray("n01440764 tench, Tinca tinca\nn01443537\tgoldfish\nn01484850 shark\n")
                                << "tench, Tinca tinca|goldfish|shark";
    QTest::newRow("ids alone are names") << QByteArray("n01440764\nn01443537\nn01484850\n")
                                         << "n01440764|n01443537|n01484850";
    QTest::newRow("nearly an id") << QByteArray("n0144076 a\nn014407645 b\nN01440764 c\n")
                                  << "n0144076 a|n014407645 b|N01440764 c";
    QTest::newRow("more than labels") << QByteArray("cat\ndog\nbird\nfish\n") << "cat|dog|bird|fish";
    QTest::newRow("alike") << QByteArray("crane\ncrane\nbird\n") << "crane|crane|bird";
    QTest::newRow("other scripts") << QByteArray("Katze\nKäfer\n鳥\n") << "Katze|Käfer|鳥";
    QTest::newRow("tabs") << QByteArray("cat\tCatus\ndog\nbird\n") << "cat Catus|dog|bird";
    QTest::newRow("numbers") << QByteArray("0\n1\n2\n") << "0|1|2";
}

void TestClassNames::lists()
{
    QFETCH(QByteArray, content);
    QFETCH(QString, names);
    const ScratchFolder folder;
    const ScratchFolder elsewhere;
    const auto images = writeIdx(folder, { 0, 2, 1 });
    const auto list = elsewhere.write("names", content.toStdString());
    const auto data = openDataset(images, named(list));
    QS_VERIFY_OK(data);
    QCOMPARE(joined((*data)->classNames()), names.toStdString());
    QCOMPARE((*data)->label(1), 2);
}

void TestClassNames::wrongLists()
{
    QFETCH(QByteArray, content);
    QFETCH(QString, message);
    const ScratchFolder folder;
    const ScratchFolder elsewhere;
    const auto images = writeIdx(folder, { 0, 4, 3, 2, 1 });
    folder.write("classes.txt", std::string("a\nb\nc\nd\ne\n")); // does not stand in for the one that was named
    const auto list = elsewhere.write("names", content.toStdString());
    const auto data = openDataset(images, named(list));
    QS_VERIFY_ERROR(data, ErrorCode::InvalidInput, message.toStdString());
    QVERIFY2(data.error().where.starts_with(list.string()), data.error().where.c_str());
    QVERIFY2(!data.error().hint.empty(), "says nothing of what to do");
}

void TestClassNames::wrongListsBesideTheImages()
{
    QFETCH(QByteArray, content);
    const ScratchFolder folder;
    const auto images = writeIdx(folder, { 0, 4, 3, 2, 1 });
    folder.write("classes.txt", content.toStdString());
    const auto data = openDataset(images);
    QS_VERIFY_OK(data);
    QCOMPARE(joined((*data)->classNames()), std::string());
    folder.write("class_names.txt", std::string("a\nb\nc\nd\ne\n"));
    QCOMPARE(joined(openDataset(images).value()->classNames()), std::string("a|b|c|d|e"));
}

void TestClassNames::missingList()
{
    const ScratchFolder folder;
    const auto images = writeIdx(folder, { 0 });
    QS_VERIFY_ERROR(openDataset(images, named(folder / "none")), ErrorCode::NotFound, "no such file of class names");
    QS_VERIFY_ERROR(openDataset(images, named(folder.path())), ErrorCode::Io, "is a folder, not a file");
}

void TestClassNames::besideTheImages_data()
{
    QTest::addColumn<QStringList>("files"); // name=content
    QTest::addColumn<QString>("names");
    QTest::newRow("none") << QStringList() << "";
    QTest::newRow("classes.txt") << QStringList { "classes.txt=cat\ndog" } << "cat|dog";
    QTest::newRow("class_names.txt") << QStringList { "class_names.txt=cat\ndog" } << "cat|dog";
    QTest::newRow("synset_words.txt") << QStringList { "synset_words.txt=n01440764 tench\nn01443537 goldfish" }
                                      << "tench|goldfish";
    QTest::newRow("the first of them") << QStringList { "class_names.txt=c\nd", "classes.txt=a\nb",
        "synset_words.txt=e\nf" } << "a|b";
    QTest::newRow("one with too few names is passed over")
        << QStringList { "classes.txt=a", "class_names.txt=c\nd" } << "c|d";
    QTest::newRow("other names are not looked at") << QStringList { "labels.txt=a\nb", "names.txt=a\nb" } << "";
}

void TestClassNames::besideTheImages()
{
    QFETCH(QStringList, files);
    QFETCH(QString, names);
    const ScratchFolder folder;
    const auto images = writeIdx(folder, { 1, 0 });
    for (const auto& file : files)
        folder.write(file.section('=', 0, 0).toStdString(), file.section('=', 1).toStdString());
    for (const auto& path : { images, folder.path() }) {
        const auto data = openDataset(path);
        QS_VERIFY_OK(data);
        QCOMPARE(joined((*data)->classNames()), names.toStdString());
        QCOMPARE((*data)->description(), std::string("IDX, 2 images, a-images-idx3-ubyte"));
    }
    fs::remove(folder / "classes.txt");
    fs::create_directory(folder / "classes.txt"); // no file at all
    QS_VERIFY_OK(openDataset(images));
}

void TestClassNames::besideNumpy_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("classes");
    for (const auto* file : { "u8_nhw.npz", "f4.npz", "small_x.npy" })
        QTest::newRow(file) << file << 65'536; // the largest label is 65535
    QTest::newRow("without labels") << "x_only.npz" << 1;
}

void TestClassNames::besideNumpy()
{
    QFETCH(QString, file);
    QFETCH(int, classes);
    const ScratchFolder folder;
    const auto data = folder.write(file.toStdString(), readBytes(referenceFolder() / file.toStdString()));
    folder.write("small_y.npy", readBytes(referenceFolder() / "small_y.npy"));
    QVERIFY(openDataset(data).value()->classNames().empty());
    std::string list;
    for (int i = 0; i < classes; ++i)
        list += "class " + std::to_string(i) + '\n';
    folder.write("classes.txt", list);
    const auto names = openDataset(data).value()->classNames();
    QCOMPARE(names.size(), static_cast<std::size_t>(classes));
    QCOMPARE(names.back(), "class " + std::to_string(classes - 1));
    if (classes == 1)
        return;
    folder.write("classes.txt", list.substr(0, list.rfind("class")));
    QVERIFY(openDataset(data).value()->classNames().empty());
    QS_VERIFY_ERROR(openDataset(data, named(folder / "classes.txt")), ErrorCode::InvalidInput,
        "names 65,535 classes (the first is class 0), so label 65535 of the images has no name");
}

void TestClassNames::everyKind_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("labels");
    QTest::newRow("CIFAR-10") << "ten.bin" << Kind::Cifar10 << "";
    QTest::newRow("CIFAR-10, recognised") << "ten.bin" << Kind::Auto << "";
    QTest::newRow("CIFAR-100") << "hundred.bin" << Kind::Cifar100 << "";
    QTest::newRow("CIFAR-100, recognised") << "hundred.bin" << Kind::Auto << "";
    QTest::newRow("IDX") << "a-images-idx3-ubyte" << Kind::Idx << "";
    QTest::newRow("IDX, recognised") << "a-images-idx3-ubyte" << Kind::Auto << "";
    QTest::newRow("IDX without labels") << "b" << Kind::Auto << "";
    QTest::newRow("npy") << "x.npy" << Kind::Npz << "";
    QTest::newRow("npy, recognised") << "x.npy" << Kind::Auto << "";
    QTest::newRow("list of numbers") << "listed" << Kind::Folder << "";
    QTest::newRow("list of numbers, recognised") << "listed" << Kind::Auto << "";
    QTest::newRow("list that was named") << "plain" << Kind::Auto << "listed/labels.txt";
    QTest::newRow("folder without labels") << "plain" << Kind::Auto << "";
    QTest::newRow("class folders") << "folders" << Kind::Auto << "";
}

void TestClassNames::everyKind()
{
    QFETCH(QString, path);
    QFETCH(Kind, kind);
    QFETCH(QString, labels);
    const ScratchFolder folder;
    folder.write("ten.bin", Bytes { 3 } + Bytes(3072));
    folder.write("hundred.bin", Bytes { 1, 3 } + Bytes(3072));
    folder.write("b", idx({ 1, 1, 1 }, { 7 }));
    writeIdx(folder, { 1, 0 });
    folder.write("x.npy", readBytes(referenceFolder() / "small_x.npy"));
    for (const auto* image : { "plain/a.png", "listed/a.png", "folders/0/a.png", "folders/1/a.png" })
        folder.copyImage(image);
    folder.write("listed/labels.txt", std::string("a.png 2\n"));
    std::string list;
    for (int i = 0; i < 100; ++i)
        list += "class " + std::to_string(i) + '\n';
    const auto options
        = named(folder.write("words", list), labels.isEmpty() ? fs::path() : folder / labels.toStdString(), kind);
    const auto data = openDataset(folder / path.toStdString(), options);
    QS_VERIFY_OK(data);
    QCOMPARE((*data)->classNames().size(), std::size_t { 100 });
    QCOMPARE((*data)->classNames().at(3), std::string("class 3"));
    auto without = options;
    without.classNames.clear();
    const auto plain = openDataset(folder / path.toStdString(), without);
    QS_VERIFY_OK(plain);
    QCOMPARE(contents(**data), contents(**plain));
    QCOMPARE((*data)->description(), (*plain)->description());
}

void TestClassNames::cifar()
{
    const ScratchFolder folder;
    const auto ten = folder.write("ten.bin", Bytes { 3 } + Bytes(3072));
    const auto hundred = folder.write("hundred.bin", Bytes { 1, 3 } + Bytes(3072));
    folder.write("classes.txt", std::string("a\nb\nc\nd\n"));
    QCOMPARE(openDataset(ten).value()->classNames().at(3), std::string("cat")); // part of the data
    QCOMPARE(openDataset(hundred).value()->classNames().at(3), std::string("d")); // has none of its own
    QCOMPARE(openDataset(ten, named(folder / "classes.txt")).value()->classNames().at(3), std::string("d"));
}

void TestClassNames::foldersKeepTheirNames()
{
    const ScratchFolder folder;
    folder.copyImage("dog/a.png");
    folder.copyImage("cat/b.png");
    folder.write("classes.txt", std::string("dog\ncat\n"));
    const auto data = openDataset(folder.path()).value();
    QCOMPARE(contents(*data), std::string("cat/b.png:0 dog/a.png:1"));
    QCOMPARE(joined(data->classNames()), std::string("cat|dog"));
}

void TestClassNames::classFolders_data()
{
    QTest::addColumn<QString>("list");
    QTest::addColumn<QString>("contents");
    QTest::addColumn<QString>("names");
    QTest::addColumn<QString>("error");
    const QString folders = "cat n01440764 tench"; // as they are ordered
    const auto row = [](const char* name, const char* list, const char* contents, const char* names) {
        QTest::newRow(name) << list << contents << names << "";
    };
    const auto wrong = [](const char* name, const char* list, const char* error) {
        QTest::newRow(name) << list << ""
                            << "" << error;
    };
    row("another order", "tench\nn01440764\ncat\n", "cat/a.png:2 n01440764/a.png:1 tench/a.png:0",
        "tench|n01440764|cat");
    row("with others between", "x\ntench\ny\ncat\nn01440764 z\n", "cat/a.png:3 n01440764/a.png:4 tench/a.png:1",
        "x|tench|y|cat|z");
    row("an id has its name's number", "n01440764 first\ncat\ntench\n", "cat/a.png:1 n01440764/a.png:0 tench/a.png:2",
        "first|cat|tench");
    row("none of them: as without the list", "A\nB\nC\n", "cat/a.png:0 n01440764/a.png:1 tench/a.png:2", "A|B|C");
    wrong("some of them", "cat\ntench\nfish\n", "has class 'tench' of the images, and not 'n01440764'");
    wrong("twice", "cat\ntench\nn01440764\ncat\n", "names class 'cat' on several lines");
    wrong("none of them, too few", "A\nB\n", "so label 2 of the images has no name");
}

void TestClassNames::classFolders()
{
    QFETCH(QString, list);
    QFETCH(QString, error);
    const ScratchFolder folder;
    for (const auto* name : { "tench", "cat", "n01440764" })
        folder.copyImage(std::string("images/") + name + "/a.png");
    const auto file = folder.write("list", list.toStdString());
    const auto data = openDataset(folder / "images", named(file));
    if (!error.isEmpty()) {
        QS_VERIFY_ERROR(data, ErrorCode::InvalidInput, error.toStdString());
        QCOMPARE(data.error().where, file.string());
        return;
    }
    QS_VERIFY_OK(data);
    QTEST(QString::fromStdString(contents(**data)), "contents");
    QTEST(QString::fromStdString(joined((*data)->classNames())), "names");
}

void TestClassNames::emptyFoldersNeedNoName()
{
    const ScratchFolder folder;
    folder.copyImage("images/dog/a.png");
    folder.copyImage("images/cat/a.png");
    fs::create_directories(folder / "images/a notebook");
    const auto data = openDataset(folder / "images", named(folder.write("list", std::string("dog\ncat\n"))));
    QS_VERIFY_OK(data);
    QCOMPARE(contents(**data), std::string("cat/a.png:1 dog/a.png:0"));
}

void TestClassNames::words_data()
{
    QTest::addColumn<QString>("labels");
    QTest::addColumn<QString>("list");
    QTest::addColumn<QString>("contents");
    QTest::addColumn<QString>("names");
    QTest::addColumn<QString>("error");
    const auto row = [](const char* name, const char* labels, const char* list, const char* contents,
                         const char* names) { QTest::newRow(name) << labels << list << contents << names << ""; };
    row("words", "a.png dog\nb.png cat\n", "dog\nfish\ncat\n", "a.png:0 b.png:2", "dog|fish|cat");
    row("words it has not", "a.png dog\nb.png cat\n", "A\nB\n", "a.png:1 b.png:0", "A|B");
    row("ids", "a.png n01443537\nb.png n01440764\n", "x\nn01440764 tench\nn01443537 goldfish\n", "a.png:2 b.png:1",
        "x|tench|goldfish");
    row("numbers stay", "a.png 1\nb.png 0\n", "1\n0\n", "a.png:1 b.png:0", "1|0");
    QTest::newRow("some") << "a.png dog\nb.png cat\n"
                          << "dog\n"
                          << ""
                          << ""
                          << "has class 'dog' of the images, and not 'cat'";
    QTest::newRow("numbers, too few") << "a.png 1\nb.png 0\n"
                                      << "A\n"
                                      << ""
                                      << ""
                                      << "so label 1 of the images has no name";
}

void TestClassNames::words()
{
    QFETCH(QString, labels);
    QFETCH(QString, list);
    QFETCH(QString, error);
    const ScratchFolder folder;
    folder.copyImage("images/a.png");
    folder.copyImage("images/b.png");
    folder.write("images/labels.txt", labels.toStdString());
    folder.write("synset_words.txt", std::string("n01440764 TENCH\nn01443537 GOLDFISH\n")); // the one named counts
    const auto data = openDataset(folder / "images", named(folder.write("list", list.toStdString())));
    if (!error.isEmpty()) {
        QS_VERIFY_ERROR(data, ErrorCode::InvalidInput, error.toStdString());
        return;
    }
    QS_VERIFY_OK(data);
    QTEST(QString::fromStdString(contents(**data)), "contents");
    QTEST(QString::fromStdString(joined((*data)->classNames())), "names");
}

void TestClassNames::listInTheFolderIsNoOtherFile()
{
    const ScratchFolder folder;
    folder.copyImage("dog/a.png");
    folder.write("readme", std::string("x"));
    const auto list = folder.write("list", std::string("dog\n"));
    const auto text = openDataset(folder.path(), named(list)).value()->description();
    QVERIFY2(text.ends_with(", 1 other file ignored"), text.c_str());
    const auto without = openDataset(folder.path()).value()->description();
    QVERIFY2(without.ends_with(", 2 other files ignored"), without.c_str());
}

void TestClassNames::asManyAsThereMayBe()
{
    const ScratchFolder folder;
    std::string list;
    for (int i = 0; i < 65'536; ++i)
        list += std::to_string(i) + '\n';
    const auto file = folder.write("list", list);
    QCOMPARE(readClassNames(file).value().names.size(), std::size_t { 65'536 });
    QS_VERIFY_ERROR(readClassNames(folder.write("more", list + "x")), ErrorCode::InvalidInput, "names 65,537 classes");
    QCOMPARE(readClassNames(folder.write("long", std::string(1000, 'x'))).value().names.size(), std::size_t { 1 });
    QS_VERIFY_ERROR(readClassNames(folder.write("longer", std::string(1001, 'x'))), ErrorCode::InvalidInput, "1,001");
}

void TestClassNames::utf8_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<bool>("good");
    const auto row
        = [](const char* name, const char* bytes, bool good) { QTest::newRow(name) << QByteArray(bytes) << good; };
    row("nothing", "", true);
    row("ASCII", "cat", true);
    row("two bytes", "\xC2\x80", true);
    row("three bytes", "\xE0\xA0\x80", true);
    row("before the surrogates", "\xED\x9F\xBF", true);
    row("after the surrogates", "\xEE\x80\x80", true);
    row("four bytes", "\xF0\x90\x80\x80", true);
    row("the last", "\xF4\x8F\xBF\xBF", true);
    row("one byte too far", "\xF4\x90\x80\x80", false);
    row("overlong, two", "\xC1\xBF", false);
    row("overlong, three", "\xE0\x9F\xBF", false);
    row("overlong, four", "\xF0\x8F\xBF\xBF", false);
    row("surrogate", "\xED\xA0\x80", false);
    row("five bytes", "\xF8\x88\x80\x80\x80", false);
    row("ends early", "a\xE2\x82", false);
    row("alone", "\x80", false);
    row("no continuation", "\xC3(", false);
}

void TestClassNames::utf8()
{
    QFETCH(QByteArray, bytes);
    QTEST(isUtf8({ bytes.constData(), static_cast<std::size_t>(bytes.size()) }), "good");
}

QTEST_APPLESS_MAIN(TestClassNames)
#include "tst_class_names.moc"
