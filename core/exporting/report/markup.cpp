// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/report/markup.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdio>

namespace quantoscope::exporting::report {

namespace {

std::string printed(const char* format, int digits, double value)
{
    std::array<char, 400> text {};
    std::snprintf(text.data(), text.size(), format, digits, value);
    return text.data();
}

bool looksLikeNumber(const std::string& text)
{
    const auto first = text.find_first_not_of("+-[<≥ ");
    return first == std::string::npos || (text[first] >= '0' && text[first] <= '9');
}

} // namespace

std::string escaped(const std::string& text)
{
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            // Control characters are no characters of a page.
            out += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? ' ' : c;
        }
    }
    return out;
}

std::string fixed(double value, int decimals) { return std::isfinite(value) ? printed("%.*f", decimals, value) : "–"; }

std::string signedFixed(double value, int decimals)
{
    return std::isfinite(value) ? printed("%+.*f", decimals, value) : "–";
}

std::string grouped(double value)
{
    std::string digits = printed("%.*f", 0, std::abs(value));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return (value <= -0.5 ? "-" : "") + digits;
}

std::string metric(double value, const std::string& unit)
{
    if (!std::isfinite(value))
        return "–";
    constexpr std::array letters { "", "k", "M", "G", "T" };
    constexpr std::array joules { "pJ", "nJ", "µJ", "mJ", "J" };
    std::size_t step = 0;
    while (std::abs(value) >= 999.5 && step + 1 < letters.size()) {
        value /= 1000;
        ++step;
    }
    const double size = std::abs(value);
    const bool whole = value == std::floor(value) && step == 0;
    const std::string number = printed("%.*f", whole || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2, value);
    const std::string suffix = unit == joules[0] ? joules[step] : letters[step] + unit;
    return suffix.empty() ? number : number + " " + suffix;
}

std::string roundMetric(double value, const std::string& unit)
{
    std::string text = metric(value, unit);
    const auto end = std::min(text.find(' '), text.size());
    if (text.find('.') >= end)
        return text;
    auto last = text.find_last_not_of('0', end - 1);
    if (text[last] == '.')
        --last;
    return text.erase(last + 1, end - last - 1);
}

std::string range(double low, double high, int decimals)
{
    return std::isfinite(low) && std::isfinite(high) ? "[" + fixed(low, decimals) + ", " + fixed(high, decimals) + "]"
                                                     : std::string();
}

std::string coordinate(double value)
{
    std::string text = printed("%.*f", 2, value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text == "-0" ? "0" : text;
}

HtmlTable::HtmlTable(std::vector<std::string> headers)
    : m_headers(std::move(headers))
{
}

void HtmlTable::add(std::vector<std::string> cells, bool emphasized)
{
    assert(cells.size() == m_headers.size());
    m_rows.push_back({ std::move(cells), emphasized });
}

std::string HtmlTable::toString() const
{
    std::vector<bool> numeric(m_headers.size(), !m_rows.empty());
    for (const auto& row : m_rows)
        for (std::size_t c = 0; c < row.cells.size(); ++c)
            numeric[c] = numeric[c] && looksLikeNumber(row.cells[c]);
    const auto line = [&](const std::vector<std::string>& cells, const std::string& tag, const std::string& open) {
        std::string text = open;
        for (std::size_t c = 0; c < cells.size(); ++c)
            text += "<" + tag + (numeric[c] ? " class=\"n\">" : ">") + escaped(cells[c]) + "</" + tag + ">";
        return text + "</tr>\n";
    };
    std::string text = "<div class=\"wide\"><table>\n<thead>" + line(m_headers, "th", "<tr>") + "</thead>\n<tbody>\n";
    for (const auto& row : m_rows)
        text += line(row.cells, "td", row.emphasized ? "<tr class=\"chosen\">" : "<tr>");
    return text + "</tbody></table></div>\n";
}

std::string paragraph(const std::string& text) { return text.empty() ? text : "<p>" + escaped(text) + "</p>\n"; }

std::string heading(int level, const std::string& text, const std::string& id)
{
    const std::string tag = "h" + std::to_string(level);
    return "<" + tag + (id.empty() ? "" : " id=\"" + escaped(id) + "\"") + ">" + escaped(text) + "</" + tag + ">\n";
}

std::string folded(const std::string& summary, const std::string& content)
{
    return "<details><summary>" + escaped(summary) + "</summary>\n" + content + "</details>\n";
}

} // namespace quantoscope::exporting::report
