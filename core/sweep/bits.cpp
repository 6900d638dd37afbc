// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/quant/config.h"
#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

namespace {

tl::unexpected<Error> badBits(std::string_view part, const std::string& text)
{
    std::string what = "'";
    what += part;
    what += "' is not a word-length or a range of them";
    return fail(
        ErrorCode::InvalidInput, std::move(what), text, "write 2..16, single ones or float, with commas: 2..8,float");
}

std::optional<int> parseNumber(std::string_view text)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc {} || end != text.data() + text.size() || value < quant::minBits || value > quant::maxBits)
        return std::nullopt;
    return value;
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// "4" or "2..8"; empty if it is neither.
std::optional<std::pair<int, int>> parseRange(std::string_view part)
{
    const auto dots = part.find("..");
    const auto low = parseNumber(part.substr(0, dots));
    const auto high = dots == std::string_view::npos ? low : parseNumber(part.substr(dots + 2));
    if (!low || !high || *low > *high)
        return std::nullopt;
    return std::pair(*low, *high);
}

} // namespace

Result<std::vector<Bits>> parseBits(const std::string& text)
{
    std::vector<Bits> result;
    const auto add = [&](Bits bits) {
        if (std::find(result.begin(), result.end(), bits) == result.end())
            result.push_back(bits);
    };
    std::string_view rest = text;
    while (true) {
        const auto comma = rest.find(',');
        const std::string_view part = trimmed(rest.substr(0, comma));
        if (part == "float") {
            add(std::nullopt);
        } else {
            const auto range = parseRange(part);
            if (!range)
                return badBits(part, text);
            for (int bits = range->first; bits <= range->second; ++bits)
                add(bits);
        }
        if (comma == std::string_view::npos)
            return result;
        rest.remove_prefix(comma + 1);
    }
}

std::string toString(Bits bits) { return bits ? std::to_string(*bits) : "float"; }

std::string toString(const std::vector<Bits>& bits)
{
    std::string text;
    for (std::size_t i = 0; i < bits.size();) {
        std::size_t end = i + 1; // behind the run of neighbours that starts at i
        while (end < bits.size() && bits[i] && bits[end] && *bits[end] == *bits[end - 1] + 1)
            ++end;
        if (end - i < 3)
            end = i + 1;
        text += text.empty() ? "" : ", ";
        text += toString(bits[i]);
        if (end - i > 1)
            text += ".." + toString(bits[end - 1]);
        i = end;
    }
    return "{" + text + "}";
}

} // namespace quantoscope::sweep
