// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/evaluation/metrics.h"

/// Numbers and tables as people read them.
namespace quantoscope::cli {

std::string count(std::int64_t value); ///< "270,896"
std::string fixed(double value, int decimals = 2); ///< "91.50"
std::string signedFixed(double value, int decimals = 2); ///< "+0.30"
std::string significant(double value, int digits = 3); ///< "0.0123", "1230"
std::string metric(double value); ///< "40.8 M"
std::string interval(const evaluation::Interval& interval, int decimals = 2); ///< "[89.61, 93.07]"
std::string probability(double p); ///< "0.031", "< 0.001"
std::string duration(double seconds); ///< "0:31", "1:02:03"

/// Rows of cells under headers, columns as wide as they need to be.
class Table {
public:
    enum class Align { Left, Right };
    struct Column {
        std::string header;
        Align align = Align::Right;
    };

    explicit Table(std::vector<Column> columns);
    void add(std::vector<std::string> cells);
    bool empty() const { return m_rows.empty(); }
    std::string toString() const;

private:
    std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

} // namespace quantoscope::cli
