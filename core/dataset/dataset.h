// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"

namespace quantoscope::dataset {

/// An image of 8-bit samples, channels interleaved (HWC), R before G before B.
struct Image {
    int height = 0;
    int width = 0;
    int channels = 0; ///< 1 or 3
    std::vector<std::uint8_t> pixels; ///< height * width * channels
};

/// Labelled images on disk or in memory, in a fixed order. Thread safe to read.
class Dataset {
public:
    virtual ~Dataset() = default;

    virtual std::int64_t size() const = 0;
    /// Decodes image `index` in [0, size()). Errors name the file.
    virtual Result<Image> image(std::int64_t index) const = 0;
    virtual int label(std::int64_t index) const = 0; ///< -1: not labelled
    virtual std::string name(std::int64_t index) const = 0; ///< file name, or "#17"
    /// Class names in label order; empty where the data do not tell.
    virtual const std::vector<std::string>& classNames() const = 0;
    /// What it is in a few words: "CIFAR-10 binary, 1,000 images, test_1000.bin".
    virtual std::string description() const = 0;
    virtual std::filesystem::path path() const = 0;
};
using DatasetPtr = std::shared_ptr<const Dataset>;

/// Arrays that are not 8-bit images: NumPy float data go to the network as they are, without resize or scaling.
/// A dataset that also is a FloatDataset delivers its samples here ([C, H, W] each), and image() is an error.
class FloatDataset {
public:
    virtual ~FloatDataset() = default;
    virtual std::vector<std::int64_t> sampleShape() const = 0;
    virtual Result<void> sample(std::int64_t index, std::span<float> out) const = 0;
};

enum class Kind { Auto, Cifar10, Cifar100, Idx, Folder, Npz };

struct OpenOptions {
    Kind kind = Kind::Auto; ///< Auto recognises by name, magic number and record size
    std::filesystem::path labels; ///< IDX labels or a list; found beside the images if empty
    std::filesystem::path classNames = {}; ///< one name a line, in label order; found beside the images if empty
};

/// Opens a CIFAR binary file, an IDX image file (.gz or not; labels beside it), .npz with x and y (or .npy with a
/// neighbouring *_y / *_labels / labels .npy), or a folder: of CIFAR or IDX files (the test set where there is one, as
/// accuracy is stated on it), of class sub-folders, or of images with labels.txt (`name label`, CSV or one label a line
/// in name order). uint8 arrays are images ([N,H,W], [N,H,W,C], [N,C,H,W]), other arrays a FloatDataset. Images for
/// which no labels are found have label -1; description() says so.
/// Class names come from the file that is named (its lines also number class sub-folders and words of a list that it
/// has), else from the data themselves (CIFAR, sub-folders, words); for arrays that name none from classes.txt,
/// class_names.txt or synset_words.txt (ids are dropped) beside the file, where that has a name for every label.
/// Errors: NotFound (also a labels line that names a missing image); InvalidInput with what was expected (wrong size,
/// label out of 0..65535, count mismatch, no images, a named file of class names that is none or too short);
/// Unsupported (zip64, Fortran order, odd element types). Reading a folder lists and checks files, it does not decode
/// them.
Result<DatasetPtr> openDataset(const std::filesystem::path& path, const OpenOptions& options = {});

/// Parses "cifar10", "cifar100", "idx", "folder", "npz", "auto".
Result<Kind> parseKind(const std::string& text);

/// `count` indices of `size`: the first ones, or for a seed a random sample in ascending order (the same for the same
/// seed). count <= 0 or >= size means all.
std::vector<std::int64_t> firstIndices(std::int64_t size, std::int64_t count);
std::vector<std::int64_t> sampleIndices(std::int64_t size, std::int64_t count, std::uint64_t seed);

} // namespace quantoscope::dataset
