// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/base/json.h"

/// What a command's document becomes on a page: charts, words, tables.
namespace quantoscope::exporting::report {

/// Reads documents that may lack anything.
double number(const Json& json, const std::string& key); ///< NaN if there is none
std::string text(const Json& json, const std::string& key); ///< a number as text too; empty if there is none
const Json& part(const Json& json, const std::string& key); ///< null if there is none
std::string bitsText(const Json& bits); ///< "4", "float"
/// "[89.61, 93.07]" of an array of two.
std::string rangeText(const Json& interval, int decimals = 2);
double bound(const Json& interval, std::size_t which); ///< NaN if there is none

std::string evaluateSection(const Json& document);
std::string sweepSection(const Json& document);
std::string modelsSection(const Json& document);
std::string sensitivitySection(const Json& document);
std::string searchSection(const Json& document);
std::string optionsSection(const Json& document);
std::string layersSection(const Json& document);
std::string flipsSection(const Json& document);
/// Whatever it is: its plain values.
std::string otherSection(const Json& document);

} // namespace quantoscope::exporting::report
