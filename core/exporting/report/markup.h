// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

/// Text, numbers and tables of a page. Everything is escaped here and nowhere else.
namespace quantoscope::exporting::report {

std::string escaped(const std::string& text); ///< for content and for quoted attributes
std::string fixed(double value, int decimals = 2); ///< "91.50"; a dash for what is not finite
std::string signedFixed(double value, int decimals = 2); ///< "+0.30"
std::string grouped(double value); ///< "270,896"
std::string metric(double value, const std::string& unit); ///< "1.23 MB"; of pJ "24.7 µJ"
std::string roundMetric(double value, const std::string& unit); ///< the same without zeros at the end: "20 µJ"
std::string range(double low, double high, int decimals = 2); ///< "[89.61, 93.07]"
std::string coordinate(double value); ///< as in SVG: two decimals at most

/// A table of cells; what begins like a number is aligned to the right.
class HtmlTable {
public:
    explicit HtmlTable(std::vector<std::string> headers);
    void add(std::vector<std::string> cells, bool emphasized = false);
    bool empty() const { return m_rows.empty(); }
    std::size_t size() const { return m_rows.size(); }
    std::string toString() const;

private:
    struct Row {
        std::vector<std::string> cells;
        bool emphasized;
    };
    std::vector<std::string> m_headers;
    std::vector<Row> m_rows;
};

std::string paragraph(const std::string& text);
std::string heading(int level, const std::string& text, const std::string& id = {});
/// What a reader unfolds; `content` is markup.
std::string folded(const std::string& summary, const std::string& content);

} // namespace quantoscope::exporting::report
