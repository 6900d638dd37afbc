// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/hardware_profile.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>

#include "core/base/file.h"
#include "core/quant/embedded_profiles.h"
#include "core/quant/json_fields.h"

namespace quantoscope::quant {

namespace {

using namespace std::string_view_literals;
using Operand = HardwareProfile::Operand;

/// The lists of an operand, which are also what a reason can be given for.
constexpr std::array operandLists { "bits"sv, "schemes"sv, "granularities"sv, "signs"sv, "narrow"sv, "roundings"sv };

constexpr int minAccumulatorBits = 8;
constexpr int maxAccumulatorBits = 64;

Error within(Error error, std::string_view part)
{
    error.where = error.where.empty() ? std::string(part) : std::string(part) + ", " + error.where;
    return error;
}

Result<void> refuseUnknown(const Json& object, std::span<const std::string_view> known)
{
    for (const auto& [key, value] : object.items()) {
        if (std::ranges::find(known, std::string_view(key)) != known.end())
            continue;
        std::string list;
        for (const auto word : known)
            (list += list.empty() ? "" : ", ") += word;
        return fail(ErrorCode::InvalidInput, "field '" + key + "' is not known", {}, "the fields are " + list);
    }
    return {};
}

/// The list `key` with every element turned into a value by `parse`, which gets text.
template <typename T, typename Parse>
Result<std::vector<T>> readList(const Json& object, std::string_view key, Parse parse)
{
    QS_TRY(const auto* list, detail::member(object, key));
    const auto isText = [](const Json& element) { return element.is_string(); };
    if (!list->is_array() || list->empty() || !std::ranges::all_of(*list, isText))
        return detail::fieldError(key, *list, "a list of words that is not empty");
    std::vector<T> values;
    for (const auto& element : *list) {
        auto value = parse(element.template get<std::string>());
        if (!value)
            return tl::make_unexpected(within(std::move(value).error(), "field '" + std::string(key) + "'"));
        values.push_back(*std::move(value));
    }
    return values;
}

Result<std::vector<int>> readBits(const Json& object, std::string_view key, int least, int most, bool mayBeEmpty)
{
    QS_TRY(const auto* list, detail::member(object, key));
    const auto isWordLength
        = [&](const Json& bits) { return bits.is_number_integer() && bits >= least && bits <= most; };
    if (!list->is_array() || (list->empty() && !mayBeEmpty) || !std::ranges::all_of(*list, isWordLength))
        return detail::fieldError(
            key, *list, "a list of word-lengths from " + std::to_string(least) + " to " + std::to_string(most));
    return list->get<std::vector<int>>();
}

Result<std::string> checkScheme(const std::string& text)
{
    QuantizerConfig config;
    QS_CHECK(applyScheme(config, text));
    return text;
}

Result<std::map<std::string, std::string>> readReasons(const Json& object)
{
    std::map<std::string, std::string> reasons;
    if (!object.contains("why"))
        return reasons;
    const Json& why = object["why"];
    if (!why.is_object())
        return detail::fieldError("why", why, "an object from list to reason");
    QS_CHECK(refuseUnknown(why, operandLists).map_error([](Error e) { return within(std::move(e), "field 'why'"); }));
    for (const auto& [key, reason] : why.items()) {
        QS_TRY(reasons[key], detail::readText(why, key));
    }
    return reasons;
}

Result<Operand> operandFromJson(const Json& json)
{
    QS_CHECK(refuseUnknown(json,
        std::array {
            "bits"sv, "float"sv, "schemes"sv, "granularities"sv, "signs"sv, "narrow"sv, "roundings"sv, "why"sv }));
    Operand operand;
    QS_TRY(operand.mayBeFloat, detail::readBool(json, "float"));
    QS_TRY(operand.bits, readBits(json, "bits", minBits, maxBits, operand.mayBeFloat));
    QS_TRY(operand.schemes, readList<std::string>(json, "schemes", checkScheme));
    QS_TRY(operand.granularities, readList<Granularity::Kind>(json, "granularities", parseGranularity));
    if (std::ranges::find(operand.granularities, Granularity::Kind::PerBlock) != operand.granularities.end())
        return fail(ErrorCode::InvalidInput, "granularity 'block' is not one a plan can have", "field 'granularities'",
            "use tensor and channel");
    QS_TRY(operand.signs, readList<Signedness>(json, "signs", parseSignedness));
    QS_TRY(operand.narrow, readList<bool>(json, "narrow", parseSwitch));
    QS_TRY(operand.roundings, readList<Rounding>(json, "roundings", parseRounding));
    QS_TRY(operand.why, readReasons(json));
    return operand;
}

Result<HardwareProfile::Bias> biasFromJson(const Json& json)
{
    QS_CHECK(refuseUnknown(json, std::array { "bits"sv, "float"sv, "room"sv, "why"sv }));
    HardwareProfile::Bias bias;
    QS_TRY(bias.mayBeFloat, detail::readBool(json, "float"));
    QS_TRY(bias.bits, readBits(json, "bits", minBiasBits, maxBiasBits, bias.mayBeFloat));
    QS_TRY(const auto room, detail::readText(json, "room"));
    QS_TRY(bias.room, parseBiasRoom(room));
    if (json.contains("why")) {
        QS_TRY(bias.why, detail::readText(json, "why"));
    }
    return bias;
}

template <typename T, typename Read> Result<T> readPart(const Json& json, std::string_view key, Read read)
{
    QS_TRY(const auto* part, detail::member(json, key));
    if (!part->is_object())
        return detail::fieldError(key, *part, "an object");
    return read(*part).map_error([&](Error error) { return within(std::move(error), key); });
}

template <typename List, typename Word> Json wordsOf(const List& list, Word word)
{
    Json json = Json::array();
    for (const auto& value : list)
        json.push_back(word(value));
    return json;
}

Json operandToJson(const Operand& operand)
{
    Json json {
        { "bits", operand.bits },
        { "float", operand.mayBeFloat },
        { "schemes", operand.schemes },
        { "granularities", wordsOf(operand.granularities, [](auto kind) { return toString(kind); }) },
        { "signs", wordsOf(operand.signs, [](auto sign) { return toString(sign); }) },
        { "narrow", wordsOf(operand.narrow, [](bool narrow) { return narrow ? "on" : "off"; }) },
        { "roundings", wordsOf(operand.roundings, [](auto rounding) { return toString(rounding); }) },
    };
    if (!operand.why.empty())
        json["why"] = operand.why;
    return json;
}

} // namespace

Result<HardwareProfile> HardwareProfile::fromJson(const Json& json)
{
    if (!json.is_object())
        return fail(ErrorCode::InvalidInput, "a hardware profile is a JSON object, this is not");
    QS_CHECK(refuseUnknown(json,
        std::array { "name"sv, "description"sv, "scopes"sv, "weights"sv, "activations"sv, "bias"sv,
            "accumulator_bits"sv, "first_last_bits"sv, "float_operators"sv }));
    HardwareProfile profile;
    QS_TRY(profile.name, detail::readText(json, "name"));
    QS_TRY(profile.description, detail::readText(json, "description"));
    QS_TRY(profile.scopes, readList<Scope>(json, "scopes", parseScope));
    QS_TRY(profile.weights, readPart<Operand>(json, "weights", operandFromJson));
    QS_TRY(profile.activations, readPart<Operand>(json, "activations", operandFromJson));
    QS_TRY(profile.bias, readPart<Bias>(json, "bias", biasFromJson));
    if (json.contains("accumulator_bits")) {
        QS_TRY(
            profile.accumulatorBits, detail::readInt(json, "accumulator_bits", minAccumulatorBits, maxAccumulatorBits));
    }
    if (json.contains("first_last_bits")) {
        QS_TRY(profile.firstLastBits, detail::readInt(json, "first_last_bits", minBits, maxBits));
    }
    if (json.contains("float_operators")) {
        QS_TRY(profile.floatOperators,
            readList<std::string>(
                json, "float_operators", [](std::string text) -> Result<std::string> { return text; }));
    }
    return profile;
}

Json HardwareProfile::toJson() const
{
    Json json {
        { "name", name },
        { "description", description },
        { "scopes", wordsOf(scopes, [](Scope scope) { return toString(scope); }) },
        { "weights", operandToJson(weights) },
        { "activations", operandToJson(activations) },
        { "bias", { { "bits", bias.bits }, { "float", bias.mayBeFloat }, { "room", toString(bias.room) } } },
    };
    if (!bias.why.empty())
        json["bias"]["why"] = bias.why;
    if (accumulatorBits)
        json["accumulator_bits"] = *accumulatorBits;
    if (firstLastBits)
        json["first_last_bits"] = *firstLastBits;
    if (!floatOperators.empty())
        json["float_operators"] = floatOperators;
    return json;
}

const std::vector<HardwareProfile>& builtInProfiles()
{
    static const std::vector<HardwareProfile> profiles = [] {
        std::vector<HardwareProfile> list;
        for (const auto text : detail::embeddedProfiles()) {
            auto profile = HardwareProfile::fromJson(Json::parse(text));
            assert(profile.has_value()); // a test reads every file of resources/profiles
            list.push_back(*std::move(profile));
        }
        std::ranges::sort(list, {}, &HardwareProfile::name);
        return list;
    }();
    return profiles;
}

Result<HardwareProfile> findProfile(const std::string& nameOrFile)
{
    if (nameOrFile.ends_with(".json")) {
        QS_TRY(const auto json, base::readJson(nameOrFile));
        return HardwareProfile::fromJson(json).map_error(
            [&](Error error) { return within(std::move(error), nameOrFile); });
    }
    std::string names;
    for (const auto& profile : builtInProfiles()) {
        if (profile.name == nameOrFile)
            return profile;
        names += (names.empty() ? "" : ", ") + profile.name;
    }
    return fail(ErrorCode::NotFound, "hardware profile '" + nameOrFile + "' is not known", {},
        "use one of " + names + ", or a file that ends in .json");
}

} // namespace quantoscope::quant
