// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/array_dataset.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace quantoscope::dataset {

namespace {

class ArrayDataset final : public Dataset {
public:
    ArrayDataset(ArrayInfo info, ImageLayout layout, std::vector<std::uint8_t> bytes)
        : m_info(std::move(info))
        , m_layout(layout)
        , m_bytes(std::move(bytes))
    {
        assert(m_info.labels.empty()
            || m_layout.first + (m_info.labels.size() - 1) * m_layout.stride + m_layout.imageBytes() <= m_bytes.size());
    }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_info.labels.size()); }
    int label(std::int64_t index) const override { return m_info.labels[static_cast<std::size_t>(index)]; }
    std::string name(std::int64_t index) const override { return "#" + std::to_string(index); }
    const std::vector<std::string>& classNames() const override { return m_info.classNames; }
    std::string description() const override { return m_info.description; }
    std::filesystem::path path() const override { return m_info.path; }

    Result<Image> image(std::int64_t index) const override
    {
        assert(index >= 0 && index < size());
        const std::uint8_t* from = m_bytes.data() + m_layout.first + static_cast<std::size_t>(index) * m_layout.stride;
        Image result { m_layout.height, m_layout.width, m_layout.channels, {} };
        if (!m_layout.planar || m_layout.channels == 1) {
            result.pixels.assign(from, from + m_layout.imageBytes());
            return result;
        }
        result.pixels.resize(m_layout.imageBytes());
        const auto channels = static_cast<std::size_t>(m_layout.channels);
        const std::size_t plane = m_layout.imageBytes() / channels;
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t i = 0; i < plane; ++i)
                result.pixels[i * channels + c] = from[c * plane + i];
        return result;
    }

private:
    ArrayInfo m_info;
    ImageLayout m_layout;
    std::vector<std::uint8_t> m_bytes;
};

} // namespace

DatasetPtr makeArrayDataset(ArrayInfo info, ImageLayout layout, std::vector<std::uint8_t> bytes)
{
    return std::make_shared<ArrayDataset>(std::move(info), layout, std::move(bytes));
}

} // namespace quantoscope::dataset
