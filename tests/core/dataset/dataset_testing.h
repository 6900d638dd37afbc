// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <QByteArray>
#include <QTemporaryDir>
#include <QTest>

#include <zlib.h>

#include "core/dataset/dataset.h"

/// Fails the test unless `result` is an error of this code whose message holds `text`.
#define QS_VERIFY_ERROR(result, expectedCode, text)                                                                    \
    do {                                                                                                               \
        const auto& qsResult = (result);                                                                               \
        if (qsResult)                                                                                                  \
            QFAIL("an error was expected");                                                                            \
        const std::string qsMessage = qsResult.error().message();                                                      \
        QVERIFY2(qsResult.error().code == (expectedCode), qsMessage.c_str());                                          \
        QVERIFY2(qsMessage.find(text) != std::string::npos, qsMessage.c_str());                                        \
    } while (false)

#define QS_VERIFY_OK(result)                                                                                           \
    do {                                                                                                               \
        if (const auto& qsResult = (result); !qsResult)                                                                \
            QFAIL(qsResult.error().message().c_str());                                                                 \
    } while (false)

namespace quantoscope::dataset::testing {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

inline fs::path referenceFolder() { return fs::path(QS_SOURCE_DIR) / "tests/core/dataset/references"; }

/// A folder that is gone after the test.
class ScratchFolder {
public:
    fs::path path() const { return m_folder.path().toStdString(); }
    fs::path operator/(const std::string& name) const { return path() / name; }

    fs::path write(const std::string& name, const Bytes& bytes) const
    {
        const fs::path file = path() / name;
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return file;
    }
    fs::path write(const std::string& name, const std::string& text) const
    {
        return write(name, Bytes(text.begin(), text.end()));
    }
    fs::path writeGzip(const std::string& name, const Bytes& bytes) const
    {
        const fs::path file = path() / name;
        gzFile out = gzopen(file.c_str(), "wb");
        gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
        gzclose(out);
        return file;
    }
    /// A reference image under another name.
    fs::path copyImage(const std::string& name, const std::string& reference = "source_gray.png") const
    {
        const fs::path file = path() / name;
        fs::create_directories(file.parent_path());
        fs::copy_file(referenceFolder() / reference, file);
        return file;
    }

private:
    QTemporaryDir m_folder;
};

inline Bytes readBytes(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
}

/// Bytes that tell where they are.
inline Bytes counting(std::size_t count)
{
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 7 % 251);
    return bytes;
}

inline Bytes operator+(Bytes first, const Bytes& second)
{
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

/// A dataset made of functions, to see what its users do with it.
class FunctionDataset : public Dataset {
public:
    FunctionDataset(std::int64_t size, std::function<Result<Image>(std::int64_t)> make)
        : m_size(size)
        , m_make(std::move(make))
    {
    }

    std::int64_t size() const override { return m_size; }
    Result<Image> image(std::int64_t index) const override { return m_make(index); }
    int label(std::int64_t index) const override { return static_cast<int>(index % 7); }
    std::string name(std::int64_t index) const override { return "picture" + std::to_string(index) + ".png"; }
    const std::vector<std::string>& classNames() const override { return m_names; }
    std::string description() const override { return "made in a test"; }
    fs::path path() const override { return "/data"; }

private:
    std::int64_t m_size;
    std::function<Result<Image>(std::int64_t)> m_make;
    std::vector<std::string> m_names;
};

/// An image whose every sample tells where it is.
inline Image countingImage(int height, int width, int channels, int start = 0)
{
    Image image { height, width, channels, {} };
    for (int i = 0; i < height * width * channels; ++i)
        image.pixels.push_back(static_cast<std::uint8_t>((start + i * 7) % 251));
    return image;
}

} // namespace quantoscope::dataset::testing
