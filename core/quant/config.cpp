// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/quant/json_fields.h"
#include "core/quant/option_texts.h"

namespace quantoscope::quant {

namespace {

using namespace std::string_view_literals;

constexpr std::array roundingWords {
    std::pair { Rounding::HalfEven, "half-even"sv },
    std::pair { Rounding::HalfAway, "half-away"sv },
    std::pair { Rounding::Floor, "floor"sv },
    std::pair { Rounding::Ceil, "ceil"sv },
    std::pair { Rounding::Stochastic, "stochastic"sv },
};
constexpr std::array signednessWords {
    std::pair { Signedness::Auto, "auto"sv },
    std::pair { Signedness::Signed, "signed"sv },
    std::pair { Signedness::Unsigned, "unsigned"sv },
};
constexpr std::array restrictionWords {
    std::pair { ScaleRestriction::None, "none"sv },
    std::pair { ScaleRestriction::PowerOfTwo, "power-of-two"sv },
};
constexpr std::array granularityWords {
    std::pair { Granularity::Kind::PerTensor, "tensor"sv },
    std::pair { Granularity::Kind::PerChannel, "channel"sv },
    std::pair { Granularity::Kind::PerBlock, "block"sv },
};
using Method = RangeSpec::Method;
constexpr std::array methodWords {
    std::pair { Method::MinMax, "min-max"sv },
    std::pair { Method::Mse, "mse"sv },
    std::pair { Method::Percentile, "percentile"sv },
    std::pair { Method::Entropy, "entropy"sv },
    std::pair { Method::Aciq, "aciq"sv },
    std::pair { Method::Sigma, "sigma"sv },
    std::pair { Method::Manual, "manual"sv },
};
using Density = RangeSpec::Density;
constexpr std::array densityWords {
    std::pair { Density::Gauss, "gauss"sv },
    std::pair { Density::Laplace, "laplace"sv },
};

std::optional<double> parseNumber(std::string_view text)
{
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc {} || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::string formatNumber(double value)
{
    std::array<char, 32> text;
    return { text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr };
}

/// "A,B" with A below B.
std::optional<std::pair<double, double>> parseInterval(std::string_view text)
{
    const auto comma = text.find(',');
    const auto low = parseNumber(text.substr(0, comma));
    const auto high = comma == text.npos ? std::nullopt : parseNumber(text.substr(comma + 1));
    if (!low || !high || !(*low < *high))
        return std::nullopt;
    return std::pair { *low, *high };
}

tl::unexpected<Error> rangeError(const std::string& text, const std::string& problem, const std::string& spelling)
{
    return fail(ErrorCode::InvalidInput, "range '" + text + "' " + problem, {}, "write " + spelling);
}

Result<RangeSpec> parsePercentile(const std::string& text, std::string_view argument)
{
    RangeSpec spec { Method::Percentile };
    if (argument.find(',') == argument.npos) {
        const auto percent = parseNumber(argument);
        if (!percent || *percent <= 50 || *percent > 100)
            return rangeError(text, "needs a percentage above 50, up to 100, or two",
                "percentile:P or percentile:LO,HI, for example percentile:99.9 or percentile:0.01,99.99");
        spec.parameter = *percent;
        return spec;
    }
    const auto both = parseInterval(argument);
    if (!both || both->first < 0 || both->second > 100)
        return rangeError(text, "needs two ascending percentages from 0 to 100",
            "percentile:LO,HI, for example percentile:0.01,99.99");
    std::tie(spec.low, spec.high) = *both;
    return spec;
}

/// What follows the colon; nothing where there is no colon.
Result<RangeSpec> parseRange(Method method, const std::string& text, std::optional<std::string_view> argument)
{
    RangeSpec spec { method };
    switch (method) {
    case Method::Manual: {
        const auto interval = parseInterval(argument.value_or(""));
        if (!interval)
            return rangeError(
                text, "is not an interval", "manual:LOW,HIGH with LOW below HIGH, for example manual:-1,1");
        std::tie(spec.low, spec.high) = *interval;
        return spec;
    }
    case Method::Percentile:
        return parsePercentile(text, argument.value_or(""));
    case Method::Sigma: {
        const auto factor = parseNumber(argument.value_or(""));
        if (!factor || *factor <= 0)
            return rangeError(text, "needs a positive number of standard deviations", "sigma:K, for example sigma:4");
        spec.parameter = *factor;
        return spec;
    }
    case Method::Aciq:
        if (argument) {
            QS_TRY(spec.density, detail::valueOf<Density>(densityWords, *argument, "density"));
        }
        return spec;
    case Method::MinMax:
    case Method::Mse:
    case Method::Entropy:
        break;
    }
    if (argument)
        return rangeError(text, "takes no parameter", "just '" + detail::wordOf<Method>(methodWords, method) + "'");
    return spec;
}

Json granularityToJson(const Granularity& granularity)
{
    Json json { { "kind", detail::wordOf<Granularity::Kind>(granularityWords, granularity.kind) } };
    if (granularity.kind != Granularity::Kind::PerTensor)
        json["axis"] = granularity.axis;
    if (granularity.kind == Granularity::Kind::PerBlock)
        json["block_size"] = granularity.blockSize;
    return json;
}

Result<Granularity> granularityFromJson(const Json& json)
{
    Granularity granularity;
    QS_TRY(granularity.kind, detail::readWord<Granularity::Kind>(granularityWords, json, "kind"));
    if (granularity.kind != Granularity::Kind::PerTensor) {
        QS_TRY(granularity.axis, detail::readInt(json, "axis", 0, 15));
    }
    if (granularity.kind == Granularity::Kind::PerBlock) {
        QS_TRY(granularity.blockSize, detail::readInt(json, "block_size", 1, std::numeric_limits<std::int32_t>::max()));
    }
    return granularity;
}

} // namespace

Result<void> QuantizerConfig::validate() const
{
    if (bits < minBits || bits > maxBits)
        return fail(ErrorCode::InvalidInput,
            "word-length " + std::to_string(bits) + " is outside " + std::to_string(minBits) + ".."
                + std::to_string(maxBits),
            {}, "choose 2 to 16 bits, or leave the tensor float");
    if (granularity.kind != Granularity::Kind::PerTensor && granularity.axis < 0)
        return fail(ErrorCode::InvalidInput, "channel axis " + std::to_string(granularity.axis) + " is negative");
    if (granularity.kind == Granularity::Kind::PerBlock && granularity.blockSize < 1)
        return fail(
            ErrorCode::InvalidInput, "block size " + std::to_string(granularity.blockSize) + " is not positive");
    return {};
}

Json QuantizerConfig::toJson() const
{
    return {
        { "bits", bits },
        { "symmetric", symmetric },
        { "signedness", detail::wordOf<Signedness>(signednessWords, signedness) },
        { "narrow_range", narrowRange },
        { "granularity", granularityToJson(granularity) },
        { "rounding", toString(rounding) },
        { "scale_restriction", detail::wordOf<ScaleRestriction>(restrictionWords, scale) },
    };
}

Result<QuantizerConfig> QuantizerConfig::fromJson(const Json& json)
{
    QuantizerConfig config;
    QS_TRY(config.bits, detail::readInt(json, "bits", minBits, maxBits));
    QS_TRY(config.symmetric, detail::readBool(json, "symmetric"));
    QS_TRY(config.signedness, detail::readWord<Signedness>(signednessWords, json, "signedness"));
    QS_TRY(config.narrowRange, detail::readBool(json, "narrow_range"));
    QS_TRY(const auto* granularity, detail::member(json, "granularity"));
    QS_TRY(config.granularity, granularityFromJson(*granularity));
    QS_TRY(config.rounding, detail::readWord<Rounding>(roundingWords, json, "rounding"));
    QS_TRY(config.scale, detail::readWord<ScaleRestriction>(restrictionWords, json, "scale_restriction"));
    QS_CHECK(config.validate());
    return config;
}

RangeSpec::Percentiles RangeSpec::percentiles() const
{
    return parameter > 0 ? Percentiles { 100 - parameter, parameter } : Percentiles { low, high };
}

Result<RangeSpec> RangeSpec::parse(const std::string& text)
{
    const auto colon = text.find(':');
    const auto word = std::string_view(text).substr(0, colon);
    const auto known = std::ranges::find(methodWords, word, &std::pair<Method, std::string_view>::second);
    if (known == methodWords.end())
        return fail(
            ErrorCode::InvalidInput, "range '" + text + "' is not known", {}, "use one of " + spellings(rangeTexts()));
    return parseRange(known->first, text,
        colon == std::string::npos ? std::nullopt : std::optional(std::string_view(text).substr(colon + 1)));
}

std::string RangeSpec::toString() const
{
    auto text = detail::wordOf<Method>(methodWords, method);
    const bool oneNumber = method == Method::Sigma || (method == Method::Percentile && parameter > 0);
    if (oneNumber)
        text += ':' + formatNumber(parameter);
    else if (method == Method::Manual || method == Method::Percentile)
        text += ':' + formatNumber(low) + ',' + formatNumber(high);
    else if (method == Method::Aciq && density != Density::BestFit)
        text += ':' + detail::wordOf<Density>(densityWords, density);
    return text;
}

Result<void> applyScheme(QuantizerConfig& config, const std::string& scheme)
{
    for (const bool symmetric : { true, false })
        for (const auto scale : { ScaleRestriction::None, ScaleRestriction::PowerOfTwo }) {
            QuantizerConfig candidate;
            candidate.symmetric = symmetric;
            candidate.scale = scale;
            if (schemeName(candidate) != scheme)
                continue;
            config.symmetric = symmetric;
            config.scale = scale;
            return {};
        }
    return fail(ErrorCode::InvalidInput, "scheme '" + scheme + "' is not known", {},
        "use one of symmetric, asymmetric, power-of-two, asymmetric-power-of-two");
}

std::string schemeName(const QuantizerConfig& config)
{
    const bool powerOfTwo = config.scale == ScaleRestriction::PowerOfTwo;
    if (config.symmetric)
        return powerOfTwo ? "power-of-two" : "symmetric";
    return powerOfTwo ? "asymmetric-power-of-two" : "asymmetric";
}

Result<Rounding> parseRounding(const std::string& text)
{
    return detail::valueOf<Rounding>(roundingWords, text, "rounding");
}

std::string toString(Rounding rounding) { return detail::wordOf<Rounding>(roundingWords, rounding); }

Result<Signedness> parseSignedness(const std::string& text)
{
    return detail::valueOf<Signedness>(signednessWords, text, "sign");
}

std::string toString(Signedness signedness) { return detail::wordOf<Signedness>(signednessWords, signedness); }

Result<Granularity::Kind> parseGranularity(const std::string& text)
{
    return detail::valueOf<Granularity::Kind>(granularityWords, text, "granularity");
}

Result<bool> parseSwitch(const std::string& text)
{
    if (text == "on" || text == "off")
        return text == "on";
    return fail(ErrorCode::InvalidInput, "'" + text + "' is neither 'on' nor 'off'");
}

std::string toString(Granularity::Kind granularity)
{
    return detail::wordOf<Granularity::Kind>(granularityWords, granularity);
}

} // namespace quantoscope::quant
