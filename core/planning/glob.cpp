// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/glob.h"

#include <cstddef>
#include <optional>

namespace quantoscope::planning {

namespace {

/// One pattern element that is not '*', matched against one character.
struct ElementMatch {
    bool matched = false;
    std::size_t length = 1; ///< characters of the pattern it took
};

/// The set that begins at pattern[0] == '['; empty if it is never closed.
std::optional<ElementMatch> matchSet(std::string_view pattern, char c)
{
    std::size_t i = 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    i += negated ? 1 : 0;
    bool found = false;
    for (const std::size_t begin = i; i < pattern.size(); ++i) {
        if (pattern[i] == ']' && i > begin)
            return ElementMatch { found != negated, i + 1 };
        if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
            found = found || (pattern[i] <= c && c <= pattern[i + 2]);
            i += 2;
        } else {
            found = found || pattern[i] == c;
        }
    }
    return std::nullopt;
}

ElementMatch matchElement(std::string_view pattern, char c)
{
    if (pattern[0] == '?')
        return { true, 1 };
    if (pattern[0] == '[') {
        if (const auto set = matchSet(pattern, c))
            return *set;
    }
    if (pattern[0] == '\\' && pattern.size() > 1)
        return { pattern[1] == c, 2 };
    return { pattern[0] == c, 1 };
}

} // namespace

bool globMatches(std::string_view pattern, std::string_view text)
{
    std::size_t p = 0;
    std::size_t t = 0;
    // Where to go on after the last '*': it takes one more character each time the rest does not fit.
    std::optional<std::size_t> afterStar;
    std::size_t starText = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            afterStar = ++p;
            starText = t;
            continue;
        }
        if (p < pattern.size()) {
            const auto element = matchElement(pattern.substr(p), text[t]);
            if (element.matched) {
                p += element.length;
                ++t;
                continue;
            }
        }
        if (!afterStar)
            return false;
        p = *afterStar;
        t = ++starText;
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

} // namespace quantoscope::planning
