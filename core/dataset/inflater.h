// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/error.h"

namespace quantoscope::dataset {

/// Unpacks a deflate stream piece by piece, so that the reader decides how much memory it may take.
/// `compressed` must outlive it. Not thread safe.
class Inflater {
public:
    enum class Format { Gzip, Raw };

    Inflater(std::span<const std::uint8_t> compressed, Format format, std::string where);
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    /// Unpacks up to out.size() bytes; fewer only at the end of the data. InvalidInput where the data are damaged or
    /// end early.
    Result<std::size_t> read(std::span<std::uint8_t> out);

    /// The most bytes that deflate can make of `compressed` ones: 258 bytes cost 2 bits at least.
    static std::uint64_t largestOutput(std::uint64_t compressed) { return compressed * 1032 + 1032; }

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace quantoscope::dataset
