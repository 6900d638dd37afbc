// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "tests/parity/row.h"

namespace quantoscope::parity {

/// The table in Markdown, on standard output.
void printHeader();
void printRow(const Row& row);
/// A line a network, scope and group of word-lengths; all differences that were looked into; what the columns are.
void printSummary(const std::vector<Row>& rows);

} // namespace quantoscope::parity
