// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/request_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace quantoscope::planning {

namespace {

constexpr std::array correctionMembers {
    std::pair { "equalize", &Corrections::equalize },
    std::pair { "balance", &Corrections::balance },
    std::pair { "absorb-high-bias", &Corrections::absorbHighBias },
    std::pair { "compensate", &Corrections::compensate },
    std::pair { "adaptive-rounding", &Corrections::adaptiveRounding },
    std::pair { "reconstruct", &Corrections::reconstruct },
    std::pair { "gain-correction", &Corrections::gain },
    std::pair { "bias-correction", &Corrections::bias },
};

Json bitsToJson(const std::optional<int>& bits) { return bits ? Json(*bits) : Json(); }

Json wishToJson(const TensorWish& wish)
{
    // By name, so that a new field does not compile before it is written here.
    const auto& [bits, scheme, perChannel, range, sign, narrow, rounding] = wish;
    return { { "bits", bitsToJson(bits) }, { "scheme", scheme }, { "per_channel", perChannel },
        { "range", range.toString() }, { "sign", quant::toString(sign) }, { "narrow", narrow },
        { "rounding", rounding ? Json(quant::toString(*rounding)) : Json() } };
}

/// What is said of a wish, with the words of WishChange::set().
Json changeToJson(const WishChange& change)
{
    const auto& [bits, range, scheme, perChannel, sign, narrow, rounding] = change;
    Json json = Json::object();
    if (bits)
        json["bits"] = *bits ? std::to_string(**bits) : "float";
    if (range)
        json["range"] = range->toString();
    if (scheme)
        json["scheme"] = *scheme;
    if (perChannel)
        json["granularity"] = *perChannel ? "channel" : "tensor";
    if (sign)
        json["sign"] = quant::toString(*sign);
    if (narrow)
        json["narrow"] = *narrow ? "on" : "off";
    if (rounding)
        json["rounding"] = quant::toString(*rounding);
    return json;
}

std::optional<int> bitsFromJson(const Json& json)
{
    return json.is_null() ? std::optional<int>() : std::optional<int>(json.get<int>());
}

Result<TensorWish> wishFromJson(const Json& json)
{
    TensorWish wish;
    wish.bits = bitsFromJson(json.at("bits"));
    wish.scheme = json.at("scheme");
    wish.perChannel = json.at("per_channel");
    QS_TRY(wish.range, quant::RangeSpec::parse(json.at("range")));
    QS_TRY(wish.sign, quant::parseSignedness(json.at("sign")));
    wish.narrow = json.at("narrow");
    if (!json.at("rounding").is_null()) {
        QS_TRY(wish.rounding, quant::parseRounding(json.at("rounding")));
    }
    return wish;
}

Result<WishChange> changeFromJson(const Json& json)
{
    WishChange change;
    for (const auto& [key, value] : json.items())
        QS_CHECK(change.set(key, value.get<std::string>()));
    return change;
}

/// Throws what nlohmann::json throws for fields that are missing or of another type.
Result<PlanRequest> parse(const Json& json)
{
    PlanRequest request;
    QS_TRY(request.scope, quant::parseScope(json.at("scope")));
    QS_TRY(request.weights, wishFromJson(json.at("weights")));
    QS_TRY(request.activations, wishFromJson(json.at("activations")));
    QS_TRY(request.rounding, quant::parseRounding(json.at("rounding")));
    request.firstLastBits = bitsFromJson(json.at("first_last_bits"));
    request.biasBits = bitsFromJson(json.at("bias_bits"));
    QS_TRY(request.biasRoom, quant::parseBiasRoom(json.at("bias_room")));
    request.floatOperators = json.at("float_operators").get<std::vector<std::string>>();
    for (const auto& entry : json.at("overrides")) {
        LayerOverride layer { entry.at("pattern").get<std::string>() };
        QS_TRY(layer.weights, changeFromJson(entry.at("weights")));
        QS_TRY(layer.activations, changeFromJson(entry.at("activations")));
        request.overrides.push_back(std::move(layer));
    }
    QS_TRY(request.corrections, correctionsFromJson(json.at("corrections")));
    request.seed = json.at("seed").get<std::uint64_t>();
    QS_CHECK(request.validate());
    return request;
}

} // namespace

Json toJson(const Corrections& corrections)
{
    static_assert(sizeof(Corrections) == correctionMembers.size() * sizeof(bool), "every correction has a word");
    Json words = Json::array();
    for (const auto& [word, member] : correctionMembers)
        if (corrections.*member)
            words.push_back(word);
    return words;
}

Json toJson(const PlanRequest& request)
{
    const auto& [scope, weights, activations, rounding, firstLastBits, biasBits, biasRoom, floatOperators, overrides,
        corrections, seed]
        = request;
    Json layers = Json::array();
    for (const auto& layer : overrides)
        layers.push_back({ { "pattern", layer.pattern }, { "weights", changeToJson(layer.weights) },
            { "activations", changeToJson(layer.activations) } });
    return { { "scope", quant::toString(scope) }, { "weights", wishToJson(weights) },
        { "activations", wishToJson(activations) }, { "rounding", quant::toString(rounding) },
        { "first_last_bits", bitsToJson(firstLastBits) }, { "bias_bits", bitsToJson(biasBits) },
        { "bias_room", quant::toString(biasRoom) }, { "float_operators", floatOperators },
        { "overrides", std::move(layers) }, { "corrections", toJson(corrections) }, { "seed", seed } };
}

Result<Corrections> correctionsFromJson(const Json& json)
{
    if (!json.is_array())
        return fail(ErrorCode::InvalidInput, "corrections are " + json.dump() + ", expected a list of words");
    Corrections corrections;
    for (const auto& word : json) {
        const auto found = std::ranges::find_if(correctionMembers, [&](const auto& m) { return word == m.first; });
        if (found == correctionMembers.end())
            return fail(ErrorCode::InvalidInput, word.dump() + " is not a correction");
        corrections.*(found->second) = true;
    }
    return corrections;
}

Result<PlanRequest> requestFromJson(const Json& json)
{
    try {
        return parse(json);
    } catch (const Json::exception& e) {
        return fail(ErrorCode::InvalidInput, e.what(), "request for a plan", "give what was written by this program");
    }
}

} // namespace quantoscope::planning
