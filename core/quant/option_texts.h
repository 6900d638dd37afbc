// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/quant/config.h"
#include "core/quant/plan.h"

/// Every quantization option in words: the one place where the help of the command line, its error messages and the
/// window's tool tips take them from. Everything here is constant data: safe from any thread, alive for ever.
namespace quantoscope::quant {

/// One choice of an option. All texts are UTF-8, without a line break.
struct OptionText {
    std::string_view word; ///< what files and the command line call it: "percentile"
    std::string_view spelling; ///< with its parameters: "percentile:P or percentile:LO,HI"; often the same as word
    std::string_view name; ///< for people, as a label in running text: "percentile"
    std::string_view sentence; ///< one sentence that says what it does, with its source where there is one
    std::string_view formula; ///< in x (value), x̂ (its approximation), s (step), z (zero point), b (bits); may be empty

    std::string tip() const; ///< sentence and formula, on two lines
};

/// In the order in which to offer them.
using OptionTexts = std::span<const OptionText>;

OptionTexts rangeTexts(); ///< one for each RangeSpec::Method
OptionTexts schemeTexts(); ///< what applyScheme() takes
OptionTexts gridTexts(); ///< "signed", "unsigned", "narrow": which integers a grid has
OptionTexts granularityTexts(); ///< one for each Granularity::Kind
OptionTexts roundingTexts(); ///< one for each Rounding
OptionTexts scopeTexts(); ///< one for each Scope
/// Corrections without retraining by the word of their command line option, in the order in which they are applied,
/// and "flow-best", which chooses among them.
OptionTexts correctionTexts();

const OptionText& describe(RangeSpec::Method method);
const OptionText& describe(Granularity::Kind granularity);
const OptionText& describe(Rounding rounding);
const OptionText& describe(Scope scope);
/// The text of `word`; nullptr if there is none.
const OptionText* findText(OptionTexts texts, std::string_view word);

std::string spellings(OptionTexts texts); ///< "min-max, mse, ..."

} // namespace quantoscope::quant
