// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/cost/cost.h"

namespace quantoscope::sweep {

/// What a network is to be cheap in.
enum class Price { Size, Bops, Energy };
double priceOf(const cost::Cost& cost, Price price); ///< bytes of parameters, bit operations, pJ of an image
std::string toString(Price price); ///< "size", "bops", "energy"
std::string unitOf(Price price); ///< "B", "BOP", "pJ"
Result<Price> parsePrice(const std::string& text);

/// What a search may spend: a price, or accuracy.
struct Budget {
    std::optional<Price> price; ///< empty: `limit` is a drop of top-1 in points
    double limit = 100; ///< percent of the float network's price
    std::optional<std::pair<int, int>> uniform = {}; ///< the price of these word-lengths for all weights and
                                                     ///< activations, instead of a percentage

    /// "size=40%", "bops=25%", "energy=30%" of the float network; "size=W4A8": what uniform word-lengths take;
    /// "drop=1.0": points of top-1. InvalidInput otherwise.
    static Result<Budget> parse(const std::string& text);
    std::string toString() const;
    friend bool operator==(const Budget&, const Budget&) = default;
};

} // namespace quantoscope::sweep
