// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string_view>

#include "ui/session/state.h"

/// What the hardware profile leaves of the choices, as the option controls need it.
namespace quantoscope::ui {

/// Settings as planning::Violation names them.
namespace setting {
constexpr std::string_view scope = "scope";
constexpr std::string_view bits = "bits";
constexpr std::string_view scheme = "scheme";
constexpr std::string_view granularity = "granularity";
constexpr std::string_view sign = "sign";
constexpr std::string_view narrow = "narrow range";
constexpr std::string_view rounding = "rounding";
constexpr std::string_view firstLast = "first and last layer";
constexpr std::string_view bias = "biases";
}

/// Why `wish.profile` does not allow what `change` makes of the request, as far as `name` is concerned, in a sentence;
/// empty: it does. `operand` for the settings that weights and activations have each.
QString refusal(const Wish& wish, std::string_view name, const std::function<void(planning::PlanRequest&)>& change);
QString refusal(
    const Wish& wish, Operand operand, std::string_view name, const std::function<void(planning::TensorWish&)>& change);

/// Everything in the request that the profile does not allow, a sentence each.
QStringList violations(const Wish& wish);

/// Takes the word-lengths out that the profile does not take. Why, in a sentence; empty: all of them stay.
QString keepAllowed(const quant::HardwareProfile& profile, quant::Role role, std::vector<std::optional<int>>& bits);
QString keepAllowed(const quant::HardwareProfile& profile, quant::Role role, std::vector<int>& bits);

/// A range method with the parameter one would begin with.
quant::RangeSpec usualRange(quant::RangeSpec::Method method);
/// Percentiles of the two ends, percent of all values; both tails alike are spelled with one.
quant::RangeSpec percentileRange(double low, double high);

} // namespace quantoscope::ui
