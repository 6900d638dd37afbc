// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/search_budget.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "core/quant/config.h"

namespace quantoscope::sweep {

namespace {

constexpr std::pair<Price, const char*> words[] { { Price::Size, "size" }, { Price::Bops, "bops" },
    { Price::Energy, "energy" } };

template <typename T> std::optional<T> numberIn(std::string_view text)
{
    T value {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc {} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// "W4A8"
std::optional<std::pair<int, int>> uniformIn(std::string_view text)
{
    const auto middle = text.find('A');
    if (!text.starts_with('W') || middle == text.npos)
        return std::nullopt;
    const auto weights = numberIn<int>(text.substr(1, middle - 1));
    const auto activations = numberIn<int>(text.substr(middle + 1));
    const auto fits = [](int bits) { return bits >= quant::minBits && bits <= quant::maxBits; };
    if (!weights || !activations || !fits(*weights) || !fits(*activations))
        return std::nullopt;
    return std::pair(*weights, *activations);
}

std::string number(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

} // namespace

double priceOf(const cost::Cost& cost, Price price)
{
    switch (price) {
    case Price::Size:
        return cost.sizeBytes;
    case Price::Bops:
        return cost.bops;
    case Price::Energy:
        break;
    }
    return cost.energyPj;
}

std::string toString(Price price)
{
    return std::ranges::find(words, price, [](const auto& entry) { return entry.first; })->second;
}

std::string unitOf(Price price) { return price == Price::Size ? "B" : price == Price::Bops ? "BOP" : "pJ"; }

Result<Price> parsePrice(const std::string& text)
{
    for (const auto& [price, word] : words)
        if (text == word)
            return price;
    return fail(ErrorCode::InvalidInput, "'" + text + "' is no price", {}, "use size, bops or energy");
}

Result<Budget> Budget::parse(const std::string& text)
{
    const auto bad = [&](const std::string& what) {
        return fail(ErrorCode::InvalidInput, what, "budget '" + text + "'",
            "write size=40%, bops=25%, energy=30%, size=W4A8 or drop=1.0");
    };
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string_view value
        = equals == std::string::npos ? std::string_view {} : std::string_view(text).substr(equals + 1);
    Budget budget;
    if (name == "drop") {
        const auto points = numberIn<double>(value);
        if (!points || !(*points >= 0 && *points <= 100))
            return bad("a drop is a number of points from 0 to 100");
        budget.limit = *points;
        return budget;
    }
    const auto price = parsePrice(name);
    if (!price)
        return bad("'" + name + "' is nothing to budget");
    budget.price = *price;
    if ((budget.uniform = uniformIn(value)))
        return budget;
    const auto percent = value.ends_with('%') ? numberIn<double>(value.substr(0, value.size() - 1)) : std::nullopt;
    if (!percent || !(*percent > 0 && *percent <= 100))
        return bad("neither a percentage from 0 to 100 nor word-lengths");
    budget.limit = *percent;
    return budget;
}

std::string Budget::toString() const
{
    if (!price)
        return "drop=" + number(limit);
    return sweep::toString(*price) + "="
        + (uniform ? "W" + std::to_string(uniform->first) + "A" + std::to_string(uniform->second)
                   : number(limit) + "%");
}

} // namespace quantoscope::sweep
