// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace quantoscope::base {

/// An index that cannot be mistaken for an index into something else. Default-constructed ids are invalid.
template <typename Tag> struct Id {
    std::int32_t value = -1;

    constexpr bool valid() const { return value >= 0; }
    constexpr std::size_t index() const { return static_cast<std::size_t>(value); }
    friend constexpr auto operator<=>(Id, Id) = default;
};

} // namespace quantoscope::base

template <typename Tag> struct std::hash<quantoscope::base::Id<Tag>> {
    std::size_t operator()(quantoscope::base::Id<Tag> id) const noexcept
    {
        return std::hash<std::int32_t> {}(id.value);
    }
};
