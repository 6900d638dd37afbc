// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/limits.h"

#include <cmath>

#include "core/planning/profile_rules.h"
#include "ui/charts/range_words.h"

namespace quantoscope::ui {

namespace {

constexpr double usualPercentile = 99.99;
constexpr double usualSigmas = 4;

template <typename Bits>
QString keepAllowedOf(const quant::HardwareProfile& profile, quant::Role role, std::vector<Bits>& bits)
{
    QString why;
    std::erase_if(bits, [&](const Bits& wanted) {
        const auto violation = planning::checkBits(profile, role, wanted);
        if (violation)
            why = inWords(violation->reason);
        return violation.has_value();
    });
    return why;
}

} // namespace

QString keepAllowed(const quant::HardwareProfile& profile, quant::Role role, std::vector<std::optional<int>>& bits)
{
    return keepAllowedOf(profile, role, bits);
}

QString keepAllowed(const quant::HardwareProfile& profile, quant::Role role, std::vector<int>& bits)
{
    return keepAllowedOf(profile, role, bits);
}

QString refusal(const Wish& wish, std::string_view name, const std::function<void(planning::PlanRequest&)>& change)
{
    planning::PlanRequest request = wish.request;
    // Other layers' settings have reasons of their own.
    request.overrides.clear();
    change(request);
    for (const planning::Violation& violation : planning::check(*wish.profile, request))
        if (violation.setting == name)
            return inWords(violation.reason);
    return {};
}

QString refusal(
    const Wish& wish, Operand operand, std::string_view name, const std::function<void(planning::TensorWish&)>& change)
{
    const bool weight = operand == Operand::Weight;
    const std::string full = (weight ? "weights, " : "activations, ") + std::string(name);
    return refusal(
        wish, full, [&](planning::PlanRequest& request) { change(weight ? request.weights : request.activations); });
}

QStringList violations(const Wish& wish)
{
    QStringList sentences;
    for (const planning::Violation& violation : planning::check(*wish.profile, wish.request))
        sentences << inWords(violation.reason);
    sentences.removeDuplicates();
    return sentences;
}

quant::RangeSpec usualRange(quant::RangeSpec::Method method)
{
    quant::RangeSpec spec;
    spec.method = method;
    if (method == quant::RangeSpec::Method::Percentile)
        spec.parameter = usualPercentile;
    if (method == quant::RangeSpec::Method::Sigma)
        spec.parameter = usualSigmas;
    return spec;
}

quant::RangeSpec percentileRange(double low, double high)
{
    quant::RangeSpec spec;
    spec.method = quant::RangeSpec::Method::Percentile;
    if (std::abs(low + high - 100) < 1e-9) {
        spec.parameter = high;
    } else {
        spec.low = low;
        spec.high = high;
    }
    return spec;
}

} // namespace quantoscope::ui
