// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include "core/quant/option_texts.h"

/// The texts of quantization options as the window shows them: translated, with tips that wrap.
namespace quantoscope::ui {

QString optionName(const quant::OptionText& text);
/// Sentence and formula, as rich text.
QString optionTip(const quant::OptionText& text);
/// A paragraph as rich text, which wraps; plain tool tips are one endless line.
QString wrapped(const QString& plainText);

} // namespace quantoscope::ui
