// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>

#include "core/base/file.h"
#include "tests/support/ordinary_user.h"
#include "tests/support/sanitized.h"

using namespace quantoscope;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& path)
{
    const auto bytes = base::readFile(path);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "<" + bytes.error().message() + ">";
}

/// Lowers a limit of this process while it lives: RLIMIT_FSIZE makes writing fail as on a full disk.
class Limit {
public:
    Limit(int resource, rlim_t bytes)
        : m_resource(resource)
        , m_signal(std::signal(SIGXFSZ, SIG_IGN))
    {
        getrlimit(m_resource, &m_before);
        const rlimit lower { bytes, m_before.rlim_max };
        setrlimit(m_resource, &lower);
    }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit()
    {
        setrlimit(m_resource, &m_before);
        std::signal(SIGXFSZ, m_signal);
    }

private:
    int m_resource;
    void (*m_signal)(int);
    rlimit m_before {};
};

} // namespace

class TestFile : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    fs::path at(const std::string& name) const { return fs::path(m_folder.path().toStdString()) / name; }
    std::size_t files() const
    {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(m_folder.path().toStdString()), fs::directory_iterator {}));
    }

private slots:
    void cleanup()
    {
        for (const auto& entry : fs::directory_iterator(m_folder.path().toStdString()))
            fs::remove_all(entry.path());
    }

    void whatIsWrittenIsRead_data()
    {
        QTest::addColumn<int>("size");
        for (const int size : { 0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20 })
            QTest::addRow("%d bytes", size) << size;
    }

    void whatIsWrittenIsRead()
    {
        QFETCH(int, size);
        std::string text(static_cast<std::size_t>(size), '\0');
        std::iota(text.begin(), text.end(), '\0');
        QVERIFY(base::writeFileAtomically(at("f"), text));
        QVERIFY(contents(at("f")) == text);
        QCOMPARE(files(), 1u);
        QVERIFY(base::readFile(at("f"), static_cast<std::uint64_t>(size)));
        if (size > 0) {
            const auto read = base::readFile(at("f"), static_cast<std::uint64_t>(size) - 1);
            QVERIFY(!read && read.error().code == ErrorCode::OutOfMemory);
            QVERIFY(read.error().what.find(std::to_string(size)) != std::string::npos);
        }
    }

    void readingErrors_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("absent") << "absent" << ErrorCode::NotFound;
        QTest::newRow("below a file") << "file/below" << ErrorCode::Io;
        QTest::newRow("a folder") << "." << ErrorCode::Io;
        QTest::newRow("an empty name") << "" << ErrorCode::Io;
    }

    void readingErrors()
    {
        QFETCH(QString, path);
        QFETCH(ErrorCode, code);
        std::ofstream(at("file")) << "text";
        const auto read = base::readFile(at(path.toStdString()));
        QVERIFY(!read);
        if (path != "file/below") // ENOTDIR counts as either
            QCOMPARE(read.error().code, code);
        QVERIFY(read.error().where.find(path.toStdString()) != std::string::npos);
    }

    void theLimitHoldsForFilesThatDoNotTellTheirSize()
    {
        // Files below /proc claim 0 bytes, devices and pipes have none.
        const auto status = base::readFile("/proc/self/status", 10);
        QVERIFY(!status && status.error().code == ErrorCode::OutOfMemory);
        const auto zeros = base::readFile("/dev/zero", 1 << 16);
        QVERIFY(!zeros && zeros.error().code == ErrorCode::OutOfMemory);
        QVERIFY(base::readFile("/dev/null", 0));
    }

    void aFileLargerThanMemoryIsAnError()
    {
        if (test::sanitized)
            QSKIP("a sanitizer takes more than the address space left here");
        std::ofstream(at("sparse")) << "x";
        std::error_code ec;
        fs::resize_file(at("sparse"), std::uintmax_t { 1 } << 33, ec);
        if (ec)
            QSKIP("this file system has no sparse files of 8 GiB");
        const Limit memory(RLIMIT_AS, rlim_t { 1 } << 32);
        const auto read = base::readFile(at("sparse"));
        QVERIFY(!read);
        QCOMPARE(read.error().code, ErrorCode::OutOfMemory);
    }

    void aFailureLeavesTheOldFileAndNothingElse_data()
    {
        QTest::addColumn<QString>("how");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("the writer fails") << "error" << ErrorCode::Unsupported;
        QTest::newRow("the stream fails") << "stream" << ErrorCode::Io;
        QTest::newRow("the disk is full") << "full" << ErrorCode::Io;
        QTest::newRow("the writer throws") << "throw" << ErrorCode::Internal;
    }

    void aFailureLeavesTheOldFileAndNothingElse()
    {
        QFETCH(QString, how);
        QFETCH(ErrorCode, code);
        for (const bool existing : { true, false }) {
            cleanup();
            if (existing)
                QVERIFY(base::writeFileAtomically(at("f"), "old"));
            const auto write = [&](std::ostream& out) -> Result<void> {
                out << std::string(100000, 'n');
                if (how == "error")
                    return fail(ErrorCode::Unsupported, "no");
                if (how == "stream")
                    out.setstate(std::ios::badbit);
                if (how == "throw")
                    throw std::runtime_error("no");
                return {};
            };
            Result<void> written;
            {
                const Limit disk(RLIMIT_FSIZE, how == "full" ? 5000 : RLIM_INFINITY);
                try {
                    written = base::writeFileAtomically(at("f"), write);
                } catch (const std::runtime_error&) {
                    written = fail(ErrorCode::Internal, "thrown");
                }
            }
            QVERIFY(!written);
            QCOMPARE(written.error().code, code);
            QCOMPARE(files(), existing ? 1u : 0u);
            if (existing)
                QCOMPARE(contents(at("f")), std::string("old"));
        }
    }

    void writingErrors_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<ErrorCode>("code");
        QTest::newRow("no such folder") << "absent/f" << ErrorCode::NotFound;
        QTest::newRow("the folder is a file") << "file/f" << ErrorCode::NotFound;
        QTest::newRow("a folder") << "folder" << ErrorCode::Io;
        QTest::newRow("too long a name") << QString(300, 'n') << ErrorCode::Io;
    }

    void writingErrors()
    {
        QFETCH(QString, path);
        QFETCH(ErrorCode, code);
        std::ofstream(at("file")) << "text";
        fs::create_directory(at("folder"));
        const auto written = base::writeFileAtomically(at(path.toStdString()), "new");
        QVERIFY(!written);
        QCOMPARE(written.error().code, code);
        QCOMPARE(files(), 2u);
        QCOMPARE(contents(at("file")), std::string("text"));
    }

    void noPermission_data()
    {
        QTest::addColumn<bool>("existing");
        QTest::newRow("a new file") << false;
        QTest::newRow("an existing file") << true;
    }

    void noPermission()
    {
        QFETCH(bool, existing);
        const fs::path closed = at("closed");
        fs::create_directory(closed);
        if (existing)
            std::ofstream(closed / "f") << "old";
        fs::permissions(at(""), fs::perms(0755)); // others may come in
        fs::permissions(closed, fs::perms(0555));
        test::AsOrdinaryUser user;
        const auto written = base::writeFileAtomically(closed / "f", "new");
        user.done();
        fs::permissions(closed, fs::perms(0755));
        QVERIFY(!written);
        QCOMPARE(written.error().code, ErrorCode::Io);
        QVERIFY(written.error().what.find("Permission denied") != std::string::npos);
        QCOMPARE(written.error().where, (closed / "f").string());
        QVERIFY(!written.error().hint.empty());
        QCOMPARE(std::distance(fs::directory_iterator(closed), fs::directory_iterator()), existing ? 1 : 0);
        if (existing)
            QCOMPARE(contents(closed / "f"), std::string("old"));
    }

    /// As in the system's folder for temporary files: all may write there, but replace only what is theirs.
    void noPermissionToReplace()
    {
        if (!test::isRoot())
            QSKIP("SKIPPED: takes two users, so root");
        const fs::path shared = at("shared");
        fs::create_directory(shared);
        std::ofstream(shared / "f") << "old";
        fs::permissions(at(""), fs::perms(0755));
        fs::permissions(shared, fs::perms(01777));
        test::AsOrdinaryUser user;
        const auto written = base::writeFileAtomically(shared / "f", "new");
        user.done();
        QVERIFY(!written);
        QCOMPARE(written.error().code, ErrorCode::Io);
        QCOMPARE(written.error().where, (shared / "f").string());
        QVERIFY(!written.error().hint.empty());
        QCOMPARE(std::distance(fs::directory_iterator(shared), fs::directory_iterator()), 1);
        QCOMPARE(contents(shared / "f"), std::string("old"));
    }

    void aDeviceIsWrittenToAndStaysADevice_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<uint>("minor");
        QTest::addColumn<bool>("works");
        QTest::newRow("/dev/null") << "null" << 3U << true;
        QTest::newRow("/dev/full") << "full" << 7U << false;
    }

    void aDeviceIsWrittenToAndStaysADevice()
    {
        QFETCH(QString, name);
        QFETCH(uint, minor);
        QFETCH(bool, works);
        // Root could put a file in the place of the system's own, so it gets a device that may be lost.
        fs::path device = fs::path("/dev") / name.toStdString();
        if (::geteuid() == 0) {
            device = at(name.toStdString());
            if (::mknod(device.c_str(), S_IFCHR | 0600, makedev(1, minor)) != 0)
                QSKIP("devices cannot be made here");
        }
        if (!fs::is_character_file(device))
            QSKIP("this system has no such device");
        const auto written = base::writeFileAtomically(device, "text");
        QVERIFY(fs::is_character_file(device));
        if (written.has_value() != works && ::geteuid() == 0 && !std::ofstream(device))
            QSKIP("devices made here cannot be opened");
        QCOMPARE(written.has_value(), works);
        QVERIFY(works || written.error().code == ErrorCode::Io);
    }

    void aPipeIsWrittenTo()
    {
        QCOMPARE(mkfifo(at("pipe").c_str(), 0600), 0);
        // Both ends in one: neither side waits for the other.
        const int reader = ::open(at("pipe").c_str(), O_RDWR | O_NONBLOCK);
        const auto written = base::writeFileAtomically(at("pipe"), "through the pipe");
        std::string got(100, '\0');
        got.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(reader, got.data(), got.size()))));
        ::close(reader);
        QVERIFY(written);
        QCOMPARE(got, std::string("through the pipe"));
        QVERIFY(fs::is_fifo(at("pipe")));
    }

    void aLinkStaysALink()
    {
        fs::create_directory(at("elsewhere"));
        std::ofstream(at("elsewhere/target")) << "old";
        fs::create_symlink(at("elsewhere/target"), at("link"));
        QVERIFY(base::writeFileAtomically(at("link"), "new"));
        QVERIFY(fs::is_symlink(at("link")));
        QCOMPARE(contents(at("elsewhere/target")), std::string("new"));
    }

    void aBareNameIsInTheCurrentFolder()
    {
        const fs::path before = fs::current_path();
        fs::current_path(m_folder.path().toStdString());
        const auto written = base::writeFileAtomically("bare", "text");
        fs::current_path(before);
        QVERIFY(written);
        QCOMPARE(contents(at("bare")), std::string("text"));
    }

    void severalThreadsMayReplaceOneFile()
    {
        std::vector<std::thread> threads;
        std::atomic<int> failed = 0;
        for (char c = 'a'; c < 'e'; ++c) {
            threads.emplace_back([&, c] {
                for (int i = 0; i < 25; ++i)
                    failed += !base::writeFileAtomically(at("f"), std::string(50000, c));
            });
        }
        for (auto& thread : threads)
            thread.join();
        QCOMPARE(failed.load(), 0);
        const std::string last = contents(at("f"));
        QVERIFY(last == std::string(50000, last[0]));
        QCOMPARE(files(), 1u);
    }
};

QTEST_APPLESS_MAIN(TestFile)
#include "tst_file.moc"
