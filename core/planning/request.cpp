// SPDX-License-Identifier: GPL-3.0-or-later
#include <string_view>
#include <utility>

#include "core/planning/plan_builder.h"

namespace quantoscope::planning {

namespace {

constexpr std::string_view overrideHint
    = "write 'NAME:w=4,a=8' (also weight-range=, activation-range=), where NAME may contain * and ?";

/// Where the settings begin: the first colon that "key=" follows. Names may contain colons of their own.
std::size_t findSettings(std::string_view text)
{
    for (auto colon = text.find(':'); colon != text.npos; colon = text.find(':', colon + 1))
        for (const std::string_view key : { "w=", "a=", "weight-range=", "activation-range=" })
            if (text.substr(colon + 1).starts_with(key))
                return colon;
    return text.npos;
}

/// "w=4,weight-range=manual:-1,1" -> (w, 4), (weight-range, manual:-1,1): a part without '=' belongs to the one before.
std::vector<std::pair<std::string, std::string>> splitSettings(std::string_view text)
{
    std::vector<std::pair<std::string, std::string>> settings;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        text = comma == text.npos ? std::string_view {} : text.substr(comma + 1);
        const auto equals = part.find('=');
        if (equals == part.npos && !settings.empty())
            settings.back().second += ',' + std::string(part);
        else
            settings.emplace_back(part.substr(0, equals), equals == part.npos ? "" : part.substr(equals + 1));
    }
    return settings;
}

Result<std::optional<int>> parseWordLength(const std::string& text)
{
    if (text == "float")
        return std::optional<int> {};
    const bool digits = !text.empty() && text.size() <= 2 && text.find_first_not_of("0123456789") == text.npos;
    const int bits = digits ? std::stoi(text) : 0;
    if (bits < quant::minBits || bits > quant::maxBits)
        return fail(ErrorCode::InvalidInput, "word-length '" + text + "' is neither 2..16 nor 'float'");
    return std::optional<int>(bits);
}

Result<void> checkBits(const std::optional<int>& bits, const std::string& where)
{
    quant::QuantizerConfig config;
    config.bits = bits.value_or(config.bits);
    return config.validate().map_error([&where](Error error) {
        error.where = where;
        return error;
    });
}

Result<void> checkScheme(const std::string& scheme, const std::string& where)
{
    quant::QuantizerConfig config;
    return quant::applyScheme(config, scheme).map_error([&where](Error error) {
        error.where = where;
        return error;
    });
}

std::string bitsText(const std::optional<int>& bits) { return bits ? std::to_string(*bits) : "float"; }

std::string wishText(const TensorWish& wish)
{
    return wish.scheme + (wish.perChannel ? " per channel " : " per tensor ") + wish.range.toString();
}

} // namespace

Result<LayerOverride> LayerOverride::parse(const std::string& text)
{
    const auto invalid = [&text](std::string what) {
        return fail(
            ErrorCode::InvalidInput, std::move(what), "layer override '" + text + "'", std::string(overrideHint));
    };
    const auto colon = findSettings(text);
    if (colon == std::string::npos || colon == 0)
        return invalid(colon == 0 ? "no layer is named" : "no settings were found");
    LayerOverride parsed;
    parsed.pattern = text.substr(0, colon);
    for (const auto& [key, value] : splitSettings(std::string_view(text).substr(colon + 1))) {
        if (key == "w" || key == "a") {
            const auto bits = parseWordLength(value);
            if (!bits)
                return invalid(bits.error().what);
            (key == "w" ? parsed.weightBits : parsed.activationBits) = *bits;
        } else if (key == "weight-range" || key == "activation-range") {
            const auto range = quant::RangeSpec::parse(value);
            if (!range)
                return invalid(range.error().what);
            (key == "weight-range" ? parsed.weightRange : parsed.activationRange) = *range;
        } else {
            return invalid("setting '" + key + "' is not known");
        }
    }
    return parsed;
}

std::string PlanRequest::describe() const
{
    std::string text = "W";
    text += bitsText(weights.bits) + " A" + bitsText(activations.bits);
    return text + " " + describeOptions();
}

std::string PlanRequest::describeOptions() const
{
    std::string text = quant::toString(scope);
    if (weights.bits)
        text += ", weights " + wishText(weights);
    if (activations.bits)
        text += ", activations " + wishText(activations);
    if (rounding != quant::Rounding::HalfEven)
        text += ", rounding " + quant::toString(rounding);
    if (firstLastBits)
        text += ", first and last at " + std::to_string(*firstLastBits);
    if (!overrides.empty())
        text += ", " + std::to_string(overrides.size()) + (overrides.size() == 1 ? " override" : " overrides");
    return text;
}

Result<void> PlanRequest::validate() const
{
    QS_CHECK(checkBits(weights.bits, "weights"));
    QS_CHECK(checkBits(activations.bits, "activations"));
    QS_CHECK(checkScheme(weights.scheme, "weights"));
    QS_CHECK(checkScheme(activations.scheme, "activations"));
    QS_CHECK(checkBits(firstLastBits, "first and last layer"));
    for (const auto& layer : overrides)
        for (const auto& bits : { layer.weightBits, layer.activationBits })
            if (bits)
                QS_CHECK(checkBits(*bits, "layer override '" + layer.pattern + "'"));
    return {};
}

} // namespace quantoscope::planning
