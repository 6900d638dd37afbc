// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace quantoscope::dataset {

/// One NumPy array, row-major and little-endian.
struct NpyArray {
    enum class Type { U8, I8, I16, I32, I64, F32, F64 };

    Type type = Type::U8;
    std::vector<std::int64_t> shape;
    std::vector<std::uint8_t> bytes; ///< the elements; may begin with `first` bytes of header
    std::size_t first = 0;

    std::int64_t size() const;
    std::span<const std::uint8_t> data() const { return std::span(bytes).subspan(first); }
    bool isFloating() const { return type == Type::F32 || type == Type::F64; }
    double value(std::int64_t index) const;
    /// Elements from..from+out.size()-1 as float32.
    void copyTo(std::int64_t from, std::span<float> out) const;
    std::string describe() const; ///< "float32 [1000, 28, 28]"
};

/// Reads the .npy format, versions 1 to 3. Fortran order, big endian and element types other than Type are Unsupported.
Result<NpyArray> parseNpy(std::vector<std::uint8_t> bytes, const std::string& where);

} // namespace quantoscope::dataset
