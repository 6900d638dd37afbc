// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/codec.h"

#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "core/planning/request_json.h"

namespace quantoscope::project::detail {

namespace {

using evaluation::EvaluationResult;
using evaluation::Fidelity;
using evaluation::ImageOutcome;

static_assert(std::endian::native == std::endian::little, "projects hold little-endian numbers");

constexpr std::size_t sizeBytes = 8; ///< in front: the size before deflating
constexpr std::uint64_t mostInflated = std::uint64_t { 1 } << 32;
constexpr std::uint64_t mostRatio = 1100; ///< deflate cannot do better than 1032

/// What `read` makes of JSON, whose complaints become an error.
template <typename Read> auto reading(Read read) -> decltype(read())
{
    try {
        return read();
    } catch (const Json::exception& e) {
        return fail(ErrorCode::InvalidInput, std::string("a kept value is damaged: ") + e.what());
    }
}

/// One field of every outcome, as bytes.
template <typename T, typename Get> Json column(const std::vector<ImageOutcome>& outcomes, Get get)
{
    Bytes bytes(outcomes.size() * sizeof(T));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto value = static_cast<T>(get(outcomes[i]));
        std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
    return Json::binary(std::move(bytes));
}

/// False if there is not one value an outcome.
template <typename T, typename Set> bool readColumn(const Json& json, std::vector<ImageOutcome>& outcomes, Set set)
{
    const auto& bytes = json.get_binary();
    if (bytes.size() != outcomes.size() * sizeof(T))
        return false;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        T value {};
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        set(outcomes[i], value);
    }
    return true;
}

Json fidelityToJson(const Fidelity& fidelity)
{
    return { { "classifies", fidelity.classifies }, { "images", fidelity.images }, { "agreeing", fidelity.agreeing },
        { "divergence", fidelity.divergence }, { "divergences", fidelity.divergences },
        { "logit_error", fidelity.logitError } };
}

Fidelity fidelityFromJson(const Json& json)
{
    Fidelity fidelity;
    json.at("classifies").get_to(fidelity.classifies);
    json.at("images").get_to(fidelity.images);
    json.at("agreeing").get_to(fidelity.agreeing);
    json.at("divergence").get_to(fidelity.divergence);
    json.at("divergences").get_to(fidelity.divergences);
    json.at("logit_error").get_to(fidelity.logitError);
    return fidelity;
}

Json outcomeToJson(const flow::CorrectionOutcome& outcome)
{
    const auto& [correction, kept, before, after, droppedLayers, reason, keptLayers] = outcome;
    return { { "correction", correction }, { "kept", kept }, { "before", fidelityToJson(before) },
        { "after", fidelityToJson(after) }, { "dropped_layers", droppedLayers }, { "kept_layers", keptLayers },
        { "reason", reason } };
}

flow::CorrectionOutcome outcomeFromJson(const Json& json)
{
    flow::CorrectionOutcome outcome;
    json.at("correction").get_to(outcome.correction);
    json.at("kept").get_to(outcome.kept);
    outcome.before = fidelityFromJson(json.at("before"));
    outcome.after = fidelityFromJson(json.at("after"));
    json.at("dropped_layers").get_to(outcome.droppedLayers);
    outcome.keptLayers = json.value("kept_layers", 0); // projects of earlier versions
    json.at("reason").get_to(outcome.reason);
    return outcome;
}

Json remedyToJson(const planning::BiasRemedy& remedy)
{
    const auto& [layer, weight, bits, room, channels, raised, largestFactor, weightNoiseDb] = remedy;
    return { { "layer", layer }, { "weight", weight }, { "bits", bits }, { "room", quant::toString(room) },
        { "channels", channels }, { "raised", raised }, { "largest_factor", largestFactor },
        { "weight_noise_db", weightNoiseDb } };
}

Result<planning::BiasRemedy> remedyFromJson(const Json& json)
{
    planning::BiasRemedy remedy;
    json.at("layer").get_to(remedy.layer);
    json.at("weight").get_to(remedy.weight);
    json.at("bits").get_to(remedy.bits);
    QS_TRY(remedy.room, quant::parseBiasRoom(json.at("room")));
    json.at("channels").get_to(remedy.channels);
    json.at("raised").get_to(remedy.raised);
    json.at("largest_factor").get_to(remedy.largestFactor);
    json.at("weight_noise_db").get_to(remedy.weightNoiseDb);
    return remedy;
}

Json stepToJson(const flow::FlowStep& step)
{
    const auto& [stage, choice, fidelity, chosen] = step;
    return { { "stage", stage }, { "choice", choice }, { "fidelity", fidelityToJson(fidelity) }, { "chosen", chosen } };
}

flow::FlowStep stepFromJson(const Json& json)
{
    return { json.at("stage"), json.at("choice"), fidelityFromJson(json.at("fidelity")), json.at("chosen") };
}

} // namespace

Bytes pack(const Json& json)
{
    const Bytes plain = Json::to_cbor(json);
    uLongf size = ::compressBound(static_cast<uLong>(plain.size()));
    Bytes packed(sizeBytes + size);
    const std::uint64_t length = plain.size();
    std::memcpy(packed.data(), &length, sizeBytes);
    // Fails for want of memory alone, as the room is what zlib asked for.
    if (::compress2(packed.data() + sizeBytes, &size, plain.data(), static_cast<uLong>(plain.size()), Z_BEST_SPEED)
        != Z_OK)
        throw std::bad_alloc();
    packed.resize(sizeBytes + size);
    return packed;
}

Result<Json> unpack(std::span<const std::uint8_t> bytes)
{
    const auto damaged = [] { return fail(ErrorCode::InvalidInput, "a kept value is damaged"); };
    std::uint64_t length = 0;
    if (bytes.size() < sizeBytes)
        return damaged();
    std::memcpy(&length, bytes.data(), sizeBytes);
    if (length > mostInflated || length > bytes.size() * mostRatio)
        return damaged();
    Bytes plain(length);
    uLongf size = static_cast<uLongf>(length);
    const auto deflated = bytes.subspan(sizeBytes);
    if (::uncompress(plain.data(), &size, deflated.data(), static_cast<uLong>(deflated.size())) != Z_OK
        || size != length)
        return damaged(); // also where the checksum that zlib keeps (Adler-32) does not fit
    auto json = Json::from_cbor(plain, true, false);
    if (json.is_discarded())
        return damaged();
    return json;
}

Json toJson(const EvaluationResult& result)
{
    const auto& outcomes = result.outcomes;
    return { { "scope", result.scope }, { "classes", result.classes }, { "output", result.output },
        { "seconds", result.seconds }, { "integer_layers", result.arithmetic.integerLayers },
        { "float_layers", result.arithmetic.floatLayers }, { "images", outcomes.size() },
        { "predictions", column<std::int32_t>(outcomes, [](const auto& o) { return o.prediction; }) },
        { "labels", column<std::int32_t>(outcomes, [](const auto& o) { return o.label; }) },
        { "top5", column<std::uint8_t>(outcomes, [](const auto& o) { return o.top5; }) },
        { "losses", column<float>(outcomes, [](const auto& o) { return o.loss; }) },
        { "margins", column<float>(outcomes, [](const auto& o) { return o.margin; }) } };
}

Result<evaluation::EvaluationResultPtr> resultFromJson(const Json& json)
{
    return reading([&]() -> Result<evaluation::EvaluationResultPtr> {
        auto result = std::make_shared<EvaluationResult>();
        json.at("scope").get_to(result->scope);
        json.at("classes").get_to(result->classes);
        json.at("output").get_to(result->output);
        json.at("seconds").get_to(result->seconds);
        json.at("integer_layers").get_to(result->arithmetic.integerLayers);
        json.at("float_layers").get_to(result->arithmetic.floatLayers);
        auto& outcomes = result->outcomes;
        outcomes.resize(json.at("labels").get_binary().size() / sizeof(std::int32_t));
        const bool whole = json.at("images") == outcomes.size()
            && readColumn<std::int32_t>(json.at("predictions"), outcomes, [](auto& o, auto v) { o.prediction = v; })
            && readColumn<std::int32_t>(json.at("labels"), outcomes, [](auto& o, auto v) { o.label = v; })
            && readColumn<std::uint8_t>(json.at("top5"), outcomes, [](auto& o, auto v) { o.top5 = v != 0; })
            && readColumn<float>(json.at("losses"), outcomes, [](auto& o, auto v) { o.loss = v; })
            && readColumn<float>(json.at("margins"), outcomes, [](auto& o, auto v) { o.margin = v; });
        if (!whole)
            return fail(ErrorCode::InvalidInput, "a kept value is damaged: not one outcome an image");
        return result;
    });
}

Json toJson(const Fidelity& fidelity) { return fidelityToJson(fidelity); }

Result<Fidelity> fidelityFrom(const Json& json)
{
    return reading([&]() -> Result<Fidelity> { return fidelityFromJson(json); });
}

Json toJson(const flow::QuantizedNetwork& network)
{
    Json corrections = Json::array();
    for (const auto& outcome : network.corrections)
        corrections.push_back(outcomeToJson(outcome));
    Json remedies = Json::array();
    for (const auto& remedy : network.biasRemedies)
        remedies.push_back(remedyToJson(remedy));
    return { { "notes", network.notes }, { "corrections", std::move(corrections) },
        { "bias_remedies", std::move(remedies) } };
}

Result<flow::QuantizedNetwork> networkFromJson(const Json& json)
{
    return reading([&]() -> Result<flow::QuantizedNetwork> {
        flow::QuantizedNetwork network;
        json.at("notes").get_to(network.notes);
        for (const auto& outcome : json.at("corrections"))
            network.corrections.push_back(outcomeFromJson(outcome));
        for (const auto& entry : json.at("bias_remedies")) {
            QS_TRY(auto remedy, remedyFromJson(entry));
            network.biasRemedies.push_back(std::move(remedy));
        }
        return network;
    });
}

Json toJson(const flow::BestFlow& best)
{
    Json steps = Json::array();
    for (const auto& step : best.steps)
        steps.push_back(stepToJson(step));
    return { { "request", planning::toJson(best.request) }, { "network", toJson(best.network) },
        { "steps", std::move(steps) }, { "plain", fidelityToJson(best.plain) }, { "best", fidelityToJson(best.best) } };
}

Result<flow::BestFlow> bestFlowFromJson(const Json& json)
{
    return reading([&]() -> Result<flow::BestFlow> {
        flow::BestFlow best;
        QS_TRY(best.request, planning::requestFromJson(json.at("request")));
        QS_TRY(best.network, networkFromJson(json.at("network")));
        for (const auto& step : json.at("steps"))
            best.steps.push_back(stepFromJson(step));
        best.plain = fidelityFromJson(json.at("plain"));
        best.best = fidelityFromJson(json.at("best"));
        return best;
    });
}

} // namespace quantoscope::project::detail
