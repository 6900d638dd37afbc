// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/dataset/dataset.h"
#include "core/dataset/image_size.h"

namespace quantoscope::dataset {

enum class Channels { Rgb, Bgr, Gray };
enum class MemoryLayout { Nchw, Nhwc };

/// From decoded image to network input: channels, resize, crop, then (x * scale - mean) / std per channel.
struct Preprocessing {
    std::string name = "unit"; ///< "imagenet", "unit", "raw" or "custom"
    Channels channels = Channels::Rgb;
    Resize resize;
    Extent crop; ///< centre crop; pads with zeros where the image is smaller
    float scale = 1.0F / 255;
    std::array<float, 3> mean { 0, 0, 0 }; ///< in the order of `channels`; gray uses the first
    std::array<float, 3> std { 1, 1, 1 };
    MemoryLayout layout = MemoryLayout::Nchw;

    /// "imagenet" (x/255 - mean) / std with mean 0.485 0.456 0.406 and std 0.229 0.224 0.225; "unit" x/255; "raw"
    /// 0..255.
    static Result<Preprocessing> named(const std::string& name);
    std::string describe() const; ///< one line, shown beside every result
    Result<void> validate() const; ///< InvalidInput for a negative or huge side, two ways to resize at once, a zero
                                   ///< scale or std, NaN
    Json toJson() const;
    static Result<Preprocessing> fromJson(const Json& json);
    friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// Bilinear resize with antialiasing, bit for bit what Pillow's Image.resize(BILINEAR) gives for 8-bit images:
/// separable triangle filter widened by the scale, 22-bit fixed-point coefficients, horizontal pass first.
Image resizeBilinear(const Image& image, int height, int width);
/// Centre crop as torchvision's CenterCrop: offset round((extent - size) / 2) half to even; zero padding where smaller.
/// `size` asks for something.
Image centerCrop(const Image& image, const Extent& size);
/// Pillow's "L" conversion for gray (ITU-R 601-2 in 16-bit fixed point), replication for rgb.
Image toChannels(const Image& image, Channels channels);

/// Channels, resize and crop in this order, computing only what the crop keeps. `settings` must be valid. Unsupported
/// where the resized image would not fit memory.
Result<Image> preprocess(const Image& decoded, const Preprocessing& settings);

/// Decodes JPEG (libjpeg-turbo, as Pillow and torchvision see it: ISLOW, fancy upsampling; CMYK refused) or PNG (8-bit;
/// alpha dropped, palette expanded, 16 bit reduced) by content, not by name. Error names `where`.
Result<Image> decodeImage(std::span<const std::uint8_t> bytes, const std::string& where);
Result<Image> readImage(const std::filesystem::path& path);

/// A chosen part of a dataset, decoded, resized and cropped once and kept as u8 (float samples as float), ready to be
/// fed to the network any number of times. Immutable, thread safe.
class SampleSet {
public:
    struct Options {
        Preprocessing preprocessing;
        std::vector<std::int64_t> indices; ///< which images, in which order; empty: all
        std::uint64_t memoryLimit = std::uint64_t { 4 } << 30; ///< bytes of decoded data; more is OutOfMemory
        int threads = 0;
    };

    /// Every image must come out with the same size; an error names the first that does not, and says which resize or
    /// crop would help. Decoding runs on `threads` workers, reports images to `job` and stops when asked.
    static Result<std::shared_ptr<const SampleSet>> load(
        const DatasetPtr& dataset, const Options& options, const base::Job& job = {});
    /// The samples at these positions (each in [0, size()), at least one), copied.
    std::shared_ptr<const SampleSet> subset(std::span<const std::int64_t> positions) const;

    std::int64_t size() const { return static_cast<std::int64_t>(m_labels.size()); }
    const std::vector<int>& labels() const { return m_labels; }
    int maxLabel() const; ///< -1 if nothing is labelled
    std::int64_t originalIndex(std::int64_t i) const { return m_indices[static_cast<std::size_t>(i)]; }
    const DatasetPtr& dataset() const { return m_dataset; }
    const Preprocessing& preprocessing() const { return m_preprocessing; }
    std::uint64_t bytes() const;
    /// The data set in a few words, and how much of it: "500 of CIFAR-10 binary, 1,000 images, test_1000.bin".
    std::string description() const;
    /// SHA-256, as 64 digits, of what a network sees (the samples scaled and normalised, in their order) and of the
    /// labels; not of file names. Computed once: about 2 GB/s.
    const std::string& fingerprint() const;

    /// A sample as the network sees it before scaling: resized, cropped, gray or RGB whatever the order of the input's
    /// channels; empty for samples that are not 8-bit images.
    std::optional<Image> picture(std::int64_t position) const;
    /// One sample's input shape without the batch extent: [C, H, W] or [H, W, C].
    std::vector<std::int64_t> sampleShape() const;
    std::int64_t sampleSize() const; ///< elements of a sample

    /// Writes samples first..first+count-1 as float32, already scaled and normalised, into `out` (count *
    /// sampleSize()).
    void fill(std::int64_t first, std::int64_t count, std::span<float> out) const;
    /// The same for any list of positions.
    void gather(std::span<const std::int64_t> positions, std::span<float> out) const;

private:
    SampleSet() = default;
    Result<void> loadImages(const Options& options, const base::Job& job);
    Result<void> loadFloats(const FloatDataset& dataset, const Options& options, const base::Job& job);
    Result<void> checkMemory(std::uint64_t limit) const;
    void buildLookup();
    void writeSample(std::int64_t position, float* out) const;

    DatasetPtr m_dataset;
    Preprocessing m_preprocessing;
    std::vector<std::int64_t> m_indices;
    std::vector<int> m_labels;
    int m_channels = 0;
    int m_height = 0;
    int m_width = 0;
    std::vector<std::uint8_t> m_pixels;
    std::vector<float> m_floats;
    std::vector<std::int64_t> m_floatShape;
    std::array<std::array<float, 256>, 3> m_lookup {}; ///< u8 sample -> normalised float, per channel
    mutable std::once_flag m_fingerprinted;
    mutable std::string m_fingerprint;
};
using SampleSetPtr = std::shared_ptr<const SampleSet>;

} // namespace quantoscope::dataset
