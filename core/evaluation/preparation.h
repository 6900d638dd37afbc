// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"

/// What images on disk tell of how they are to be prepared for a network.
namespace quantoscope::evaluation {

/// Images as they are on disk, from a look at a few of them spread over the data set.
struct ImagesSeen {
    std::string name; ///< file name of the data set
    std::vector<dataset::Extent> sides; ///< of each that was looked at
    int channels = 0; ///< of the first
    std::vector<std::int64_t> array; ///< extents of samples that are arrays; empty: they are images

    bool oneSize() const; ///< all that were looked at have the same sides
};

/// Errors: those of Dataset::image(). Decodes at most six images.
Result<ImagesSeen> lookAt(const dataset::Dataset& data);

/// Extents of a graph's four-dimensional first input without the batch, -1 where they are open; empty for other inputs.
std::vector<std::int64_t> imageInput(const graph::Graph& graph);

/// Resize and crop that bring these images to `input` (imageInput(), its axes in the order `layout` says): nothing
/// where they have its sides already; for a square input the shorter side and a centre crop, with a margin of one
/// eighth around it for photos, as is usual (256 for 224); both sides at once for any other. Where the input leaves its
/// sides open, images of many sizes become 256 and 224, others stay as they are.
void fitSize(dataset::Preprocessing& preparation, const ImagesSeen& images, const std::vector<std::int64_t>& input);

/// Whether the crop reaches beyond the images that it is cut from, so that their edges are filled with zeros.
bool isPadded(const ImagesSeen& images, const dataset::Resize& resize, const dataset::Extent& crop);

} // namespace quantoscope::evaluation
