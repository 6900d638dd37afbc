// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/zip_archive.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include <zlib.h>

#include "core/base/file.h"
#include "core/dataset/array_dataset.h"
#include "core/dataset/inflater.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace {

// Signatures and field offsets: PKWARE's APPNOTE.TXT, 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its
// end).
constexpr std::uint32_t localSignature = 0x04034B50;
constexpr std::uint32_t centralSignature = 0x02014B50;
constexpr std::uint32_t endSignature = 0x06054B50;
constexpr std::size_t localBytes = 30;
constexpr std::size_t centralBytes = 46;
constexpr std::size_t endBytes = 22;
constexpr int stored = 0;
constexpr int deflated = 8;

std::uint32_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count)
{
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value |= std::uint32_t { bytes[at + i] } << (8 * i);
    return value;
}

/// The end record stands last, before a comment of at most 65,535 bytes.
std::optional<std::size_t> findEnd(std::span<const std::uint8_t> bytes)
{
    if (bytes.size() < endBytes)
        return std::nullopt;
    const std::size_t last = bytes.size() - endBytes;
    const std::size_t first = last - std::min<std::size_t>(last, std::numeric_limits<std::uint16_t>::max());
    for (std::size_t at = last + 1; at-- > first;)
        if (little(bytes, at, 4) == endSignature)
            return at;
    return std::nullopt;
}

std::uint32_t checksum(std::span<const std::uint8_t> bytes)
{
    return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), bytes.data(), bytes.size()));
}

} // namespace

Result<ZipArchive> ZipArchive::open(const std::filesystem::path& path)
{
    ZipArchive archive;
    archive.m_path = path;
    QS_TRY(archive.m_bytes, base::readFile(path, maximumFileBytes));
    QS_CHECK(archive.readDirectory());
    return archive;
}

Result<void> ZipArchive::readDirectory()
{
    const auto damaged = [&](const char* what) {
        return fail(ErrorCode::InvalidInput, what, m_path.string(), "save or fetch the file again");
    };
    const auto end = findEnd(m_bytes);
    if (!end)
        return damaged("is not a zip file, or ends early: it has no directory at its end");
    const std::uint32_t count = little(m_bytes, *end + 10, 2);
    std::uint64_t at = little(m_bytes, *end + 16, 4);
    if (count == 0xFFFF || at == 0xFFFFFFFF)
        return fail(ErrorCode::Unsupported, "is a zip64 file (over 4 GiB or 65,534 entries), which is not read",
            m_path.string(), "save fewer images");
    for (std::uint32_t i = 0; i < count; ++i) {
        if (at + centralBytes > m_bytes.size() || little(m_bytes, at, 4) != centralSignature)
            return damaged("its zip directory is damaged");
        const std::size_t nameBytes = little(m_bytes, at + 28, 2);
        if (at + centralBytes + nameBytes > m_bytes.size())
            return damaged("its zip directory is damaged");
        Entry entry;
        entry.name.assign(reinterpret_cast<const char*>(m_bytes.data()) + at + centralBytes, nameBytes);
        entry.method = static_cast<int>(little(m_bytes, at + 10, 2));
        entry.crc = little(m_bytes, at + 16, 4);
        entry.packed = little(m_bytes, at + 20, 4);
        entry.size = little(m_bytes, at + 24, 4);
        entry.headerOffset = little(m_bytes, at + 42, 4);
        constexpr std::uint32_t encryptedFlag = 1;
        if (little(m_bytes, at + 8, 2) & encryptedFlag)
            return fail(ErrorCode::Unsupported, "entry '" + entry.name + "' is encrypted", m_path.string());
        constexpr std::uint64_t zip64 = 0xFFFFFFFF;
        if (entry.packed == zip64 || entry.size == zip64 || entry.headerOffset == zip64)
            return fail(ErrorCode::Unsupported,
                "entry '" + entry.name + "' needs zip64 (over 4 GiB), which is not read", m_path.string(),
                "save fewer images");
        m_entries.push_back(std::move(entry));
        at += centralBytes + nameBytes + little(m_bytes, at + 30, 2) + little(m_bytes, at + 32, 2);
    }
    return {};
}

Result<std::vector<std::uint8_t>> ZipArchive::read(const Entry& entry) const
{
    const std::string where = m_path.string() + ", entry '" + entry.name + "'";
    const auto damaged = [&](const std::string& what) {
        return fail(ErrorCode::InvalidInput, what, where, "save or fetch the file again");
    };
    if (entry.method != stored && entry.method != deflated)
        return fail(ErrorCode::Unsupported,
            "is packed with zip method " + std::to_string(entry.method) + ", only stored (0) and deflated (8) are read",
            where, "save it with numpy.savez or numpy.savez_compressed");
    if (entry.headerOffset + localBytes > m_bytes.size() || little(m_bytes, entry.headerOffset, 4) != localSignature)
        return damaged("its zip entry is damaged");
    const std::uint64_t from = entry.headerOffset + localBytes + little(m_bytes, entry.headerOffset + 26, 2)
        + little(m_bytes, entry.headerOffset + 28, 2);
    if (from > m_bytes.size() || entry.packed > m_bytes.size() - from)
        return damaged("its zip entry ends early");
    const bool possible
        = entry.method == stored ? entry.size == entry.packed : entry.size <= Inflater::largestOutput(entry.packed);
    if (!possible)
        return damaged(
            "promises " + grouped(entry.size) + " bytes, which " + grouped(entry.packed) + " packed ones cannot hold");
    const std::span<const std::uint8_t> packed(m_bytes.data() + from, static_cast<std::size_t>(entry.packed));
    std::vector<std::uint8_t> content(static_cast<std::size_t>(entry.size));
    if (entry.method == stored) {
        std::ranges::copy(packed, content.begin());
    } else {
        Inflater inflater(packed, Inflater::Format::Raw, where);
        QS_TRY(const std::size_t got, inflater.read(content));
        if (got < content.size())
            return damaged("ends after " + grouped(got) + " of " + grouped(content.size()) + " bytes");
    }
    if (checksum(content) != entry.crc)
        return damaged("its check sum is wrong");
    return content;
}

} // namespace quantoscope::dataset
