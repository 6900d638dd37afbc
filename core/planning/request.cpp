// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/request.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quantoscope::planning {

namespace {

constexpr std::string_view overrideHint
    = "write 'NAME:w=4,a=8' (also weight-range=, weight-scheme=, weight-granularity=, weight-sign=, weight-narrow=, "
      "weight-rounding= and the same with activation-), where NAME may contain * and ?";

constexpr std::string_view weightPrefix = "weight-";
constexpr std::string_view activationPrefix = "activation-";

bool isOverrideKey(std::string_view key)
{
    static constexpr std::array own { std::string_view("w"), std::string_view("a"), std::string_view("narrow"),
        std::string_view("rounding") };
    static constexpr std::array shared { std::string_view("bits"), std::string_view("range"),
        std::string_view("scheme"), std::string_view("granularity"), std::string_view("sign"),
        std::string_view("narrow"), std::string_view("rounding") };
    for (const auto prefix : { weightPrefix, activationPrefix })
        if (key.starts_with(prefix))
            return std::ranges::find(shared, key.substr(prefix.size())) != shared.end();
    return std::ranges::find(own, key) != own.end();
}

/// Where the settings begin: the first colon that "key=" follows. Names may contain colons of their own.
std::size_t findSettings(std::string_view text)
{
    for (auto colon = text.find(':'); colon != text.npos; colon = text.find(':', colon + 1)) {
        const auto rest = text.substr(colon + 1);
        if (const auto equals = rest.find('='); equals != rest.npos && isOverrideKey(rest.substr(0, equals)))
            return colon;
    }
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

Result<std::optional<int>> parseWordLength(const std::string& text, int least, int most)
{
    if (text == "float")
        return std::optional<int> {};
    const bool digits = !text.empty() && text.size() <= 2 && text.find_first_not_of("0123456789") == text.npos;
    const int bits = digits ? std::stoi(text) : 0;
    if (bits < least || bits > most)
        return fail(ErrorCode::InvalidInput,
            "word-length '" + text + "' is neither " + std::to_string(least) + ".." + std::to_string(most)
                + " nor 'float'");
    return std::optional<int>(bits);
}

tl::unexpected<Error> located(Error error, const std::string& where)
{
    error.where = where;
    return tl::make_unexpected(std::move(error));
}

Result<void> checkBits(const std::optional<int>& bits, const std::string& where)
{
    quant::QuantizerConfig config;
    config.bits = bits.value_or(config.bits);
    if (auto valid = config.validate(); !valid)
        return located(std::move(valid).error(), where);
    return {};
}

Result<void> checkScheme(const std::string& scheme, const std::string& where)
{
    quant::QuantizerConfig config;
    if (auto applied = quant::applyScheme(config, scheme); !applied)
        return located(std::move(applied).error(), where);
    return {};
}

std::string wishText(const TensorWish& wish)
{
    std::string text = wish.scheme + (wish.perChannel ? " per channel " : " per tensor ") + wish.range.toString();
    if (wish.sign != quant::Signedness::Auto)
        text += ' ' + quant::toString(wish.sign);
    if (wish.narrow)
        text += " narrow";
    if (wish.rounding)
        text += " rounding " + quant::toString(*wish.rounding);
    return text;
}

std::string biasText(const PlanRequest& request)
{
    if (request.scope != quant::Scope::Integer || request.biasBits == quant::maxBiasBits)
        return {};
    if (!request.biasBits)
        return ", biases float";
    return ", biases at " + std::to_string(*request.biasBits)
        + (request.biasRoom == quant::BiasRoom::ShiftBias ? " shifted" : "");
}

} // namespace

std::string describeBits(std::optional<int> weights, std::optional<int> activations)
{
    const auto text = [](std::optional<int> bits) { return bits ? std::to_string(*bits) : std::string(" float"); };
    return 'W' + text(weights) + (weights && activations ? " A" : ", A") + text(activations);
}

Result<std::optional<int>> parseBiasBits(const std::string& text)
{
    return parseWordLength(text, quant::minBiasBits, quant::maxBiasBits);
}

Result<void> WishChange::set(std::string_view key, const std::string& value)
{
    if (key == "bits") {
        QS_TRY(bits, parseWordLength(value, quant::minBits, quant::maxBits));
    } else if (key == "range") {
        QS_TRY(range, quant::RangeSpec::parse(value));
    } else if (key == "scheme") {
        QS_CHECK(checkScheme(value, {}));
        scheme = value;
    } else if (key == "granularity") {
        if (value != "tensor" && value != "channel")
            return fail(ErrorCode::InvalidInput, "granularity '" + value + "' is neither 'tensor' nor 'channel'");
        perChannel = value == "channel";
    } else if (key == "sign") {
        QS_TRY(sign, quant::parseSignedness(value));
    } else if (key == "narrow") {
        QS_TRY(narrow, quant::parseSwitch(value));
    } else if (key == "rounding") {
        QS_TRY(rounding, quant::parseRounding(value));
    } else {
        return fail(ErrorCode::InvalidInput, "setting '" + std::string(key) + "' is not known");
    }
    return {};
}

void WishChange::applyTo(TensorWish& wish) const
{
    const auto apply = [](const auto& change, auto& field) {
        if (change)
            field = *change;
    };
    apply(bits, wish.bits);
    apply(range, wish.range);
    apply(scheme, wish.scheme);
    apply(perChannel, wish.perChannel);
    apply(sign, wish.sign);
    apply(narrow, wish.narrow);
    apply(rounding, wish.rounding);
}

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
        if (!isOverrideKey(key))
            return invalid("setting '" + key + "' is not known");
        Result<void> done;
        if (key.starts_with(weightPrefix))
            done = parsed.weights.set(std::string_view(key).substr(weightPrefix.size()), value);
        else if (key.starts_with(activationPrefix))
            done = parsed.activations.set(std::string_view(key).substr(activationPrefix.size()), value);
        else
            done = (key == "a" ? parsed.activations : parsed.weights).set(key.size() == 1 ? "bits" : key, value);
        if (done && key == "rounding")
            done = parsed.activations.set(key, value);
        if (!done)
            return invalid(done.error().what);
    }
    return parsed;
}

/// "2 layers", or "2 patterns of layers" where a name may stand for several.
static std::string mixedText(const std::vector<LayerOverride>& overrides)
{
    const auto isPattern = [](const LayerOverride& layer) {
        for (std::size_t i = 0; i < layer.pattern.size(); ++i) {
            if (layer.pattern[i] == '\\')
                ++i;
            else if (std::string_view("*?[").find(layer.pattern[i]) != std::string_view::npos)
                return true;
        }
        return false;
    };
    const bool patterns = std::ranges::any_of(overrides, isPattern);
    const std::string what = patterns ? " pattern" : " layer";
    return std::to_string(overrides.size()) + what + (overrides.size() == 1 ? "" : "s")
        + (patterns ? " of layers" : "");
}

std::string PlanRequest::describe() const
{
    return describeBits(weights.bits, activations.bits) + ' ' + describeOptions();
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
    text += biasText(*this);
    if (firstLastBits)
        text += ", first and last at " + std::to_string(*firstLastBits);
    for (std::size_t i = 0; i < floatOperators.size(); ++i)
        text += (i == 0 ? ", float " : " and ") + floatOperators[i];
    if (corrections.any())
        text += ", " + corrections.describe();
    if (!overrides.empty())
        text += ", mixed (" + mixedText(overrides) + ")";
    return text;
}

Result<void> PlanRequest::validate() const
{
    QS_CHECK(checkBits(weights.bits, "weights"));
    QS_CHECK(checkBits(activations.bits, "activations"));
    QS_CHECK(checkScheme(weights.scheme, "weights"));
    QS_CHECK(checkScheme(activations.scheme, "activations"));
    QS_CHECK(checkBits(firstLastBits, "first and last layer"));
    if (corrections.balance && corrections.equalize)
        return fail(ErrorCode::InvalidInput, "balancing and equalization both choose the factors of channels",
            "corrections", "choose one of the two");
    if (corrections.absorbHighBias && !corrections.equalize)
        return fail(ErrorCode::InvalidInput, "high biases are absorbed in an equalized network only", "corrections",
            "equalize as well");
    if (biasBits && (*biasBits < quant::minBiasBits || *biasBits > quant::maxBiasBits))
        return fail(ErrorCode::InvalidInput, "word-length " + std::to_string(*biasBits) + " is outside 8..32", "biases",
            "choose 8 to 32 bits, or leave biases float");
    for (const auto& layer : overrides)
        for (const auto* change : { &layer.weights, &layer.activations }) {
            const std::string where = "layer override '" + layer.pattern + "'";
            if (change->bits)
                QS_CHECK(checkBits(*change->bits, where));
            if (change->scheme)
                QS_CHECK(checkScheme(*change->scheme, where));
        }
    return {};
}

} // namespace quantoscope::planning
