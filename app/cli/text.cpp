// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/text.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdio>

namespace quantoscope::cli {

namespace {

std::string print(const char* format, int digits, double value)
{
    std::array<char, 64> buffer {};
    std::snprintf(buffer.data(), buffer.size(), format, digits, value);
    return buffer.data();
}

/// Columns a text takes on a terminal: its UTF-8 code points.
std::size_t width(const std::string& text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

} // namespace

std::string count(std::int64_t value)
{
    std::string digits = std::to_string(std::abs(value));
    for (auto at = static_cast<std::int64_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return (value < 0 ? "-" : "") + digits;
}

std::string fixed(double value, int decimals) { return print("%.*f", decimals, value); }

std::string signedFixed(double value, int decimals) { return print("%+.*f", decimals, value); }

std::string significant(double value, int digits)
{
    if (!std::isfinite(value))
        return std::isnan(value) ? "-" : "exact";
    if (std::abs(value) >= std::pow(10.0, digits - 1) && std::abs(value) < 1e15)
        return count(std::llround(value));
    return print("%.*g", digits, value);
}

std::string metric(double value)
{
    constexpr std::array<const char*, 5> suffixes { "", " k", " M", " G", " T" };
    std::size_t step = 0;
    while (std::abs(value) >= 999.5 && step + 1 < suffixes.size()) {
        value /= 1000;
        ++step;
    }
    return significant(value) + suffixes[step];
}

std::string interval(const evaluation::Interval& interval, int decimals)
{
    return "[" + fixed(interval.low, decimals) + ", " + fixed(interval.high, decimals) + "]";
}

std::string probability(double p) { return p < 0.001 ? "< 0.001" : significant(p, 2); }

std::string duration(double seconds)
{
    const auto whole = std::llround(seconds);
    const auto two = [](long long n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    const std::string tail = two(whole % 60);
    if (whole < 3600)
        return std::to_string(whole / 60) + ":" + tail;
    return std::to_string(whole / 3600) + ":" + two(whole / 60 % 60) + ":" + tail;
}

Table::Table(std::vector<Column> columns)
    : m_columns(std::move(columns))
{
}

void Table::add(std::vector<std::string> cells)
{
    assert(cells.size() == m_columns.size());
    m_rows.push_back(std::move(cells));
}

std::string Table::toString() const
{
    std::vector<std::string> headers;
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < m_columns.size(); ++c) {
        headers.push_back(m_columns[c].header);
        widths.push_back(width(m_columns[c].header));
        for (const auto& row : m_rows)
            widths[c] = std::max(widths[c], width(row[c]));
    }
    std::string text = line(headers, widths);
    for (const auto& row : m_rows)
        text += line(row, widths);
    return text;
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const
{
    std::string text;
    for (std::size_t c = 0; c < cells.size(); ++c) {
        const std::string padding(widths[c] - width(cells[c]), ' ');
        text += c > 0 ? "  " : "";
        text += m_columns[c].align == Align::Left ? cells[c] + padding : padding + cells[c];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

} // namespace quantoscope::cli
