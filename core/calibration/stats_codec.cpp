// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/stats_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/sha256.h"

namespace quantoscope::calibration::detail {

namespace {

constexpr std::string_view magic = "QSSTATS\n";
constexpr std::size_t momentsSize = 1 + 2 * sizeof(float) + 3 * sizeof(double); ///< at least
constexpr std::size_t histogramSize = 5; ///< at least

base::Sha256::Digest digestOf(std::span<const std::uint8_t> bytes)
{
    base::Sha256 hash;
    hash.update(bytes);
    return hash.digest();
}

class Writer {
public:
    /// Seven bits a byte, lowest first; the highest bit says that more follow (LEB128).
    void number(std::uint64_t value)
    {
        for (; value >= 0x80; value >>= 7)
            m_bytes.push_back(static_cast<std::uint8_t>(value | 0x80));
        m_bytes.push_back(static_cast<std::uint8_t>(value));
    }
    /// Small ones of either sign stay short.
    void signedNumber(std::int64_t value)
    {
        number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
    }
    void real(float value) { fixed(std::bit_cast<std::uint32_t>(value)); }
    void real(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
    void text(std::string_view value)
    {
        number(value.size());
        raw(value);
    }
    void raw(std::string_view value) { m_bytes.insert(m_bytes.end(), value.begin(), value.end()); }
    std::vector<std::uint8_t>& bytes() { return m_bytes; }

private:
    template <typename Bits> void fixed(Bits bits)
    {
        for (std::size_t i = 0; i < sizeof(bits); ++i)
            m_bytes.push_back(static_cast<std::uint8_t>(bits >> 8 * i));
    }

    std::vector<std::uint8_t> m_bytes;
};

/// Once something is missing or impossible, everything further reads as zero and sound() is false.
class Reader {
public:
    explicit Reader(std::span<const std::uint8_t> bytes)
        : m_rest(bytes)
    {
    }

    std::uint64_t number()
    {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const auto byte = next();
            value |= std::uint64_t { byte & 0x7FU } << shift;
            if (byte < 0x80)
                return value;
        }
        reject();
        return 0;
    }
    std::int64_t signedNumber()
    {
        const std::uint64_t bits = number();
        return static_cast<std::int64_t>(bits >> 1 ^ (0 - (bits & 1)));
    }
    /// A number from 0 to `most`.
    std::uint64_t numberUpTo(std::uint64_t most)
    {
        const std::uint64_t value = number();
        if (value <= most)
            return value;
        reject();
        return 0;
    }
    /// How many things follow that take at least `each` bytes.
    std::size_t count(std::size_t each = 1) { return static_cast<std::size_t>(numberUpTo(m_rest.size() / each)); }
    float realFloat() { return std::bit_cast<float>(fixed<std::uint32_t>()); }
    double realDouble() { return std::bit_cast<double>(fixed<std::uint64_t>()); }
    std::string text()
    {
        const std::size_t size = count();
        const std::string value(m_rest.begin(), m_rest.begin() + static_cast<std::ptrdiff_t>(size));
        m_rest = m_rest.subspan(size);
        return value;
    }
    void reject()
    {
        m_sound = false;
        m_rest = {};
    }
    bool sound() const { return m_sound; }
    bool atEnd() const { return m_rest.empty(); }

private:
    std::uint8_t next()
    {
        if (m_rest.empty()) {
            reject();
            return 0;
        }
        const auto byte = m_rest.front();
        m_rest = m_rest.subspan(1);
        return byte;
    }
    template <typename Bits> Bits fixed()
    {
        Bits bits = 0;
        for (std::size_t i = 0; i < sizeof(bits); ++i)
            bits |= static_cast<Bits>(next()) << 8 * i;
        return bits;
    }

    std::span<const std::uint8_t> m_rest;
    bool m_sound = true;
};

void write(Writer& out, const Histogram& histogram)
{
    out.number(static_cast<std::uint64_t>(histogram.bins()));
    out.signedNumber(histogram.exponent());
    out.signedNumber(histogram.firstBin());
    out.number(histogram.zeros());
    out.number(histogram.counts().size());
    for (const auto count : histogram.counts())
        out.number(count);
}

Histogram readHistogram(Reader& in)
{
    const auto bins = static_cast<int>(in.numberUpTo(Histogram::targetBins));
    const std::int64_t exponent = in.signedNumber();
    const std::int64_t first = in.signedNumber();
    const std::uint64_t zeros = in.number();
    std::vector<std::uint64_t> counts(in.count());
    for (auto& count : counts)
        count = in.number();
    constexpr std::int64_t mostExponent = 1000;
    auto histogram
        = Histogram::fromCounts(bins, static_cast<int>(std::clamp<std::int64_t>(exponent, -mostExponent, mostExponent)),
            first, std::move(counts), zeros);
    if (histogram)
        return *std::move(histogram);
    in.reject();
    return Histogram();
}

void write(Writer& out, const Moments& moments)
{
    out.number(moments.count);
    out.real(moments.min);
    out.real(moments.max);
    out.real(moments.mean);
    out.real(moments.squaredDeviations);
    out.real(moments.absolute);
}

Moments readMoments(Reader& in)
{
    Moments moments;
    moments.count = in.number();
    moments.min = in.realFloat();
    moments.max = in.realFloat();
    moments.mean = in.realDouble();
    moments.squaredDeviations = in.realDouble();
    moments.absolute = in.realDouble();
    return moments;
}

void write(Writer& out, const std::vector<float>& values)
{
    out.number(values.size());
    for (const float value : values)
        out.real(value);
}

template <typename Order> std::vector<float> readTail(Reader& in, Order order)
{
    std::vector<float> values(in.numberUpTo(Tails::capacity));
    for (float& value : values)
        value = in.realFloat();
    if (!std::ranges::is_sorted(values, order))
        in.reject();
    return in.sound() ? values : std::vector<float> {};
}

void write(Writer& out, const ImageBlocks& blocks)
{
    out.number(static_cast<std::uint64_t>(blocks.exponent()));
    out.number(blocks.blocks().size());
    for (const auto& block : blocks.blocks()) {
        out.real(block.min);
        out.real(block.max);
        write(out, block.histogram);
    }
}

ImageBlocks readBlocks(Reader& in)
{
    const auto exponent = static_cast<int>(in.numberUpTo(ImageBlocks::mostExponent));
    std::vector<ImageBlock> blocks(in.numberUpTo(ImageBlocks::most));
    for (auto& block : blocks) {
        block.min = in.realFloat();
        block.max = in.realFloat();
        block.histogram = readHistogram(in);
        if (block.histogram.bins() != ImageBlock::bins)
            in.reject();
    }
    return in.sound() ? ImageBlocks::fromBlocks(exponent, std::move(blocks)) : ImageBlocks();
}

void write(Writer& out, const TensorStats& stats)
{
    const auto& moments = stats.moments();
    out.number(moments.nonFinite);
    write(out, moments.tensor);
    out.number(moments.channels.size());
    for (const auto& channel : moments.channels)
        write(out, channel);
    write(out, stats.histogram());
    write(out, stats.tails().lowest());
    write(out, stats.tails().highest());
    write(out, stats.blocks());
    out.number(stats.channelHistograms().size());
    for (const auto& histogram : stats.channelHistograms())
        write(out, histogram);
}

TensorStats readTensor(Reader& in)
{
    TensorMoments moments;
    moments.nonFinite = in.number();
    moments.tensor = readMoments(in);
    moments.channels.resize(in.count(momentsSize));
    for (auto& channel : moments.channels)
        channel = readMoments(in);
    Distribution::Parts parts;
    parts.histogram = readHistogram(in);
    auto lowest = readTail(in, std::less<> {});
    auto highest = readTail(in, std::greater<> {});
    parts.tails = Tails::fromValues(std::move(lowest), std::move(highest));
    parts.blocks = readBlocks(in);
    parts.channels.resize(in.count(histogramSize), Histogram());
    for (auto& histogram : parts.channels)
        histogram = readHistogram(in);
    std::uint64_t inBlocks = 0;
    for (const auto& block : parts.blocks.blocks())
        inBlocks += block.histogram.total();
    const bool agree = parts.histogram.total() == moments.tensor.count && inBlocks == moments.tensor.count
        && (parts.channels.empty() || parts.channels.size() == moments.channels.size());
    if (!agree)
        in.reject();
    const std::size_t channels = moments.channels.size();
    return { Distribution(std::move(parts), channels), std::move(moments) };
}

} // namespace

std::vector<std::uint8_t> encodeStats(const CalibrationStats& stats)
{
    Writer out;
    out.raw(magic);
    out.number(statsFormatVersion);
    out.number(static_cast<std::uint64_t>(stats.images));
    out.text(stats.description);
    out.number(stats.tensors.size());
    for (const auto& [name, tensor] : stats.tensors) {
        out.text(name);
        write(out, tensor);
    }
    const auto digest = digestOf(out.bytes());
    out.bytes().insert(out.bytes().end(), digest.begin(), digest.end());
    return std::move(out.bytes());
}

Result<CalibrationStatsPtr> decodeStats(std::span<const std::uint8_t> bytes)
{
    constexpr std::size_t digestSize = sizeof(base::Sha256::Digest);
    const auto damaged
        = [](const std::string& what) { return fail(ErrorCode::InvalidInput, what, {}, "calibrate again"); };
    if (bytes.size() < magic.size() + digestSize || !std::ranges::equal(bytes.first(magic.size()), magic))
        return damaged("these are no statistics of Quantoscope");
    const auto content = bytes.first(bytes.size() - digestSize);
    if (!std::ranges::equal(digestOf(content), bytes.last(digestSize)))
        return damaged("the statistics are damaged, their check sum is another");
    Reader in(content.subspan(magic.size()));
    if (const auto version = in.number(); version != statsFormatVersion)
        return damaged("the statistics have format " + std::to_string(version) + ", expected "
            + std::to_string(statsFormatVersion));
    auto stats = std::make_shared<CalibrationStats>();
    stats->images = static_cast<std::int64_t>(in.numberUpTo(std::numeric_limits<std::int64_t>::max()));
    stats->description = in.text();
    const std::size_t tensors = in.count();
    for (std::size_t i = 0; i < tensors && in.sound(); ++i) {
        std::string name = in.text();
        stats->tensors.insert_or_assign(std::move(name), readTensor(in));
    }
    if (!in.sound() || !in.atEnd() || stats->tensors.size() != tensors)
        return damaged("the statistics contradict themselves");
    return CalibrationStatsPtr(std::move(stats));
}

} // namespace quantoscope::calibration::detail
