// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <new>
#include <utility>

#include "core/base/parallel.h"
#include "core/base/sha256.h"
#include "core/dataset/preprocessing.h"
#include "core/dataset/text.h"

namespace quantoscope::dataset {

namespace {

std::string nameAt(const Dataset& dataset, std::int64_t index)
{
    const std::string name = dataset.name(index);
    const bool numbered = name.starts_with('#');
    return numbered ? "image " + name : "image '" + name + "'";
}

std::string extentOf(const Image& image)
{
    return std::to_string(image.width) + " x " + std::to_string(image.height) + (image.channels == 1 ? " gray" : "");
}

Result<Image> loadImage(const Dataset& dataset, std::int64_t index, const Preprocessing& settings)
{
    QS_TRY(const Image decoded, dataset.image(index));
    auto image = preprocess(decoded, settings);
    if (!image && image.error().where.empty())
        image.error().where = dataset.path().string() + ", " + nameAt(dataset, index);
    return image;
}

std::string hintForOneSize(const Preprocessing& settings)
{
    if (!settings.crop.none())
        return "use another crop";
    const std::string side = settings.resize.toString();
    return settings.resize.none() ? "resize the shorter side and crop the centre: --resize 256 --crop 224"
                                  : "also crop the centre: --resize " + side + " --crop " + side;
}

/// Puts an interleaved image into channel planes.
void copyPlanar(const Image& image, std::uint8_t* out)
{
    const auto channels = static_cast<std::size_t>(image.channels);
    const std::size_t plane = image.pixels.size() / channels;
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t i = 0; i < plane; ++i)
            out[c * plane + i] = image.pixels[i * channels + c];
}

template <typename T> Result<void> allocate(std::vector<T>& memory, std::uint64_t count)
{
    try {
        memory.resize(static_cast<std::size_t>(count));
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "no memory for " + grouped(count * sizeof(T)) + " bytes of images", {},
            "use fewer images (--limit)");
    }
    return {};
}

} // namespace

Result<std::shared_ptr<const SampleSet>> SampleSet::load(
    const DatasetPtr& dataset, const Options& options, const base::Job& job)
{
    assert(dataset);
    QS_CHECK(options.preprocessing.validate());
    const std::shared_ptr<SampleSet> set(new SampleSet);
    set->m_dataset = dataset;
    set->m_preprocessing = options.preprocessing;
    set->m_indices = options.indices.empty() ? firstIndices(dataset->size(), 0) : options.indices;
    if (set->m_indices.empty())
        return fail(ErrorCode::InvalidInput, "holds no images", dataset->path().string());
    for (const auto index : set->m_indices) {
        if (index < 0 || index >= dataset->size())
            return fail(ErrorCode::InvalidInput,
                "image " + std::to_string(index) + " is asked for, there are " + counted(dataset->size(), "image"),
                dataset->path().string());
        set->m_labels.push_back(dataset->label(index));
    }
    if (job.stopRequested())
        return base::cancelled();
    job.begin("Loading images", set->size(), "images");
    const auto* floats = dynamic_cast<const FloatDataset*>(dataset.get());
    QS_CHECK(floats ? set->loadFloats(*floats, options, job) : set->loadImages(options, job));
    job.finish();
    return set;
}

std::shared_ptr<const SampleSet> SampleSet::subset(std::span<const std::int64_t> positions) const
{
    assert(!positions.empty());
    const std::shared_ptr<SampleSet> part(new SampleSet);
    part->m_dataset = m_dataset;
    part->m_preprocessing = m_preprocessing;
    part->m_channels = m_channels;
    part->m_height = m_height;
    part->m_width = m_width;
    part->m_floatShape = m_floatShape;
    part->m_lookup = m_lookup;
    for (const auto position : positions) {
        assert(position >= 0 && position < size());
        part->m_indices.push_back(originalIndex(position));
        part->m_labels.push_back(m_labels[static_cast<std::size_t>(position)]);
        const auto copy
            = [begin = position * sampleSize(), end = (position + 1) * sampleSize()](const auto& from, auto& to) {
                  if (!from.empty())
                      to.insert(to.end(), from.begin() + begin, from.begin() + end);
              };
        copy(m_pixels, part->m_pixels);
        copy(m_floats, part->m_floats);
    }
    return part;
}

Result<void> SampleSet::checkMemory(std::uint64_t limit) const
{
    if (bytes() <= limit)
        return {};
    const std::uint64_t each = bytes() / static_cast<std::uint64_t>(size());
    return fail(ErrorCode::OutOfMemory,
        counted(static_cast<std::uint64_t>(size()), "image") + " of " + grouped(each) + " bytes are " + grouped(bytes())
            + " bytes, more than the " + grouped(limit) + " allowed",
        m_dataset->path().string(),
        "use at most " + counted(limit / each, "image") + " (--limit), or make them smaller (--resize, --crop)");
}

Result<void> SampleSet::loadImages(const Options& options, const base::Job& job)
{
    QS_TRY(const Image first, loadImage(*m_dataset, m_indices.front(), m_preprocessing));
    m_channels = first.channels;
    m_height = first.height;
    m_width = first.width;
    buildLookup();
    QS_CHECK(checkMemory(options.memoryLimit));
    QS_CHECK(allocate(m_pixels, bytes()));

    const auto store = [&](const Image& image, std::int64_t item) {
        std::uint8_t* out = m_pixels.data() + static_cast<std::size_t>(item * sampleSize());
        if (m_preprocessing.layout == MemoryLayout::Nchw)
            copyPlanar(image, out);
        else
            std::ranges::copy(image.pixels, out);
        job.advance();
    };
    return base::parallelFor(options.threads, size(), job.stop, [&](int, std::int64_t item) -> Result<void> {
        if (item == 0) {
            store(first, item);
            return {};
        }
        const std::int64_t index = originalIndex(item);
        QS_TRY(const Image image, loadImage(*m_dataset, index, m_preprocessing));
        if (image.height != first.height || image.width != first.width)
            return fail(ErrorCode::InvalidInput,
                nameAt(*m_dataset, index) + " has " + extentOf(image) + " pixels, "
                    + nameAt(*m_dataset, m_indices.front()) + " has " + extentOf(first) + ", expected one size",
                m_dataset->path().string(), hintForOneSize(m_preprocessing));
        store(image, item);
        return {};
    });
}

Result<void> SampleSet::loadFloats(const FloatDataset& dataset, const Options& options, const base::Job& job)
{
    m_floatShape = dataset.sampleShape();
    QS_CHECK(checkMemory(options.memoryLimit));
    QS_CHECK(allocate(m_floats, bytes() / sizeof(float)));
    const auto extent = static_cast<std::size_t>(sampleSize());
    return base::parallelFor(options.threads, size(), job.stop, [&](int, std::int64_t item) -> Result<void> {
        const std::span<float> out(m_floats.data() + static_cast<std::size_t>(item) * extent, extent);
        QS_CHECK(dataset.sample(originalIndex(item), out));
        job.advance();
        return {};
    });
}

/// (x / 255 - mean) / std, each step rounded to float32, as NumPy and PyTorch compute it.
void SampleSet::buildLookup()
{
    const bool by255 = m_preprocessing.scale == 1.0F / 255;
    for (std::size_t c = 0; c < m_lookup.size(); ++c)
        for (std::size_t v = 0; v < m_lookup[c].size(); ++v) {
            const auto x = static_cast<float>(v);
            const float scaled = by255 ? x / 255.0F : x * m_preprocessing.scale;
            m_lookup[c][v] = (scaled - m_preprocessing.mean[c]) / m_preprocessing.std[c];
        }
}

int SampleSet::maxLabel() const { return m_labels.empty() ? -1 : *std::ranges::max_element(m_labels); }

std::uint64_t SampleSet::bytes() const
{
    const std::uint64_t each = m_floatShape.empty() ? 1 : sizeof(float);
    return static_cast<std::uint64_t>(size()) * static_cast<std::uint64_t>(sampleSize()) * each;
}

std::string SampleSet::description() const
{
    const std::string all = m_dataset->description();
    return size() == m_dataset->size() ? all : grouped(static_cast<std::uint64_t>(size())) + " of " + all;
}

const std::string& SampleSet::fingerprint() const
{
    std::call_once(m_fingerprinted, [this] {
        base::Sha256 hash;
        hash.add(size());
        for (const auto extent : sampleShape())
            hash.add(extent);
        hash.add(m_floatShape.empty() ? m_channels : 0); // how many rows of the lookup table count
        for (int c = 0; c < (m_floatShape.empty() ? m_channels : 0); ++c)
            hash.update(std::span<const float>(m_lookup[static_cast<std::size_t>(c)]));
        hash.update(std::span<const std::uint8_t>(m_pixels));
        hash.update(std::span<const float>(m_floats));
        hash.update(std::span<const int>(m_labels));
        m_fingerprint = base::toHex(hash.digest());
    });
    return m_fingerprint;
}

std::vector<std::int64_t> SampleSet::sampleShape() const
{
    if (!m_floatShape.empty())
        return m_floatShape;
    if (m_preprocessing.layout == MemoryLayout::Nchw)
        return { m_channels, m_height, m_width };
    return { m_height, m_width, m_channels };
}

std::int64_t SampleSet::sampleSize() const
{
    if (m_floatShape.empty())
        return std::int64_t { m_channels } * m_height * m_width;
    std::int64_t count = 1;
    for (const auto extent : m_floatShape)
        count *= extent;
    return count;
}

void SampleSet::writeSample(std::int64_t position, float* out) const
{
    assert(position >= 0 && position < size());
    const auto extent = static_cast<std::size_t>(sampleSize());
    const std::size_t from = static_cast<std::size_t>(position) * extent;
    if (!m_floatShape.empty()) {
        std::copy_n(m_floats.data() + from, extent, out);
        return;
    }
    const std::uint8_t* in = m_pixels.data() + from;
    const auto channels = static_cast<std::size_t>(m_channels);
    if (m_preprocessing.layout == MemoryLayout::Nchw) {
        const std::size_t plane = extent / channels;
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t i = 0; i < plane; ++i)
                *out++ = m_lookup[c][*in++];
    } else {
        for (std::size_t i = 0; i < extent; i += channels)
            for (std::size_t c = 0; c < channels; ++c)
                *out++ = m_lookup[c][*in++];
    }
}

std::optional<Image> SampleSet::picture(std::int64_t position) const
{
    assert(position >= 0 && position < size());
    if (!m_floatShape.empty())
        return std::nullopt;
    const auto channels = static_cast<std::size_t>(m_channels);
    const auto extent = static_cast<std::size_t>(sampleSize());
    const std::size_t plane = extent / channels;
    const bool planar = m_preprocessing.layout == MemoryLayout::Nchw;
    const bool reversed = m_preprocessing.channels == Channels::Bgr;
    const std::uint8_t* in = m_pixels.data() + static_cast<std::size_t>(position) * extent;
    Image image { m_height, m_width, m_channels, std::vector<std::uint8_t>(extent) };
    for (std::size_t i = 0; i < plane; ++i)
        for (std::size_t c = 0; c < channels; ++c)
            image.pixels[i * channels + (reversed ? channels - 1 - c : c)]
                = planar ? in[c * plane + i] : in[i * channels + c];
    return image;
}

void SampleSet::fill(std::int64_t first, std::int64_t count, std::span<float> out) const
{
    assert(static_cast<std::int64_t>(out.size()) == count * sampleSize());
    for (std::int64_t i = 0; i < count; ++i)
        writeSample(first + i, out.data() + static_cast<std::size_t>(i * sampleSize()));
}

void SampleSet::gather(std::span<const std::int64_t> positions, std::span<float> out) const
{
    assert(out.size() == positions.size() * static_cast<std::size_t>(sampleSize()));
    for (std::size_t i = 0; i < positions.size(); ++i)
        writeSample(positions[i], out.data() + i * static_cast<std::size_t>(sampleSize()));
}

} // namespace quantoscope::dataset
