// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/encodings_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "core/base/csv.h"

namespace quantoscope::exporting {

using quant::Encoding;
using quant::TensorQuantizer;

namespace {

/// Through the shortest decimal number, so that 0.1F is written as 0.1.
double shortest(float value)
{
    std::array<char, 32> text {};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    double number = 0;
    std::from_chars(text.data(), end, number);
    return number;
}

std::string decimal(float value)
{
    std::array<char, 32> text {};
    return { text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr };
}

std::int64_t offsetOf(const Encoding& encoding, std::size_t channel)
{
    const std::int64_t lift = encoding.isSigned() ? std::int64_t { 1 } << (encoding.bits() - 1) : 0;
    return -(encoding.zeroPoint[channel] + lift);
}

bool isOnSignedGrid(const Encoding& encoding)
{
    return encoding.isSigned() && std::ranges::all_of(encoding.zeroPoint, [](std::int32_t z) { return z == 0; });
}

Json entry061(const Encoding& encoding)
{
    Json channels = Json::array();
    for (std::size_t c = 0; c < encoding.scale.size(); ++c)
        channels.push_back({ { "bitwidth", encoding.bits() }, { "dtype", "int" },
            { "is_symmetric", isOnSignedGrid(encoding) ? "True" : "False" }, { "max", shortest(encoding.high(c)) },
            { "min", shortest(encoding.low(c)) }, { "offset", offsetOf(encoding, c) },
            { "scale", shortest(encoding.scale[c]) } });
    return channels;
}

Json entry100(const std::string& name, const Encoding& encoding)
{
    Json scales = Json::array();
    Json offsets = Json::array();
    for (std::size_t c = 0; c < encoding.scale.size(); ++c) {
        scales.push_back(shortest(encoding.scale[c]));
        offsets.push_back(offsetOf(encoding, c));
    }
    return { { "name", name }, { "enc_type", encoding.perChannel() ? "PER_CHANNEL" : "PER_TENSOR" }, { "dtype", "INT" },
        { "bw", encoding.bits() }, { "is_sym", isOnSignedGrid(encoding) }, { "scale", std::move(scales) },
        { "offset", std::move(offsets) } };
}

} // namespace

Result<EncodingsVersion> parseEncodingsVersion(const std::string& text)
{
    if (text == "1.0.0")
        return EncodingsVersion::V100;
    if (text == "0.6.1")
        return EncodingsVersion::V061;
    return fail(
        ErrorCode::InvalidInput, "version '" + text + "' of encodings is not known", {}, "use one of 1.0.0, 0.6.1");
}

std::string toString(EncodingsVersion version) { return version == EncodingsVersion::V100 ? "1.0.0" : "0.6.1"; }

Json aimetEncodings(const quant::QuantizationPlan& plan, EncodingsVersion version)
{
    const bool asList = version == EncodingsVersion::V100;
    Json activations = asList ? Json::array() : Json::object();
    Json parameters = activations;
    for (const auto& [name, quantizer] : plan.tensors()) {
        Json& group = quantizer.role == quant::Role::Activation ? activations : parameters;
        if (asList)
            group.push_back(entry100(name, quantizer.encoding));
        else
            group[name] = entry061(quantizer.encoding);
    }
    return { { "version", toString(version) }, { "activation_encodings", std::move(activations) },
        { "param_encodings", std::move(parameters) } };
}

std::string encodingsCsv(const quant::QuantizationPlan& plan)
{
    std::string text = "tensor,kind,bits,axis,channel,scale,zero_point,qmin,qmax,low,high,rounding\n";
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto& e = quantizer.encoding;
        for (std::size_t c = 0; c < e.scale.size(); ++c)
            text += base::csvField(name) + ',' + quant::toString(quantizer.role) + ',' + std::to_string(e.bits()) + ','
                + (e.perChannel() ? std::to_string(e.axis) + ',' + std::to_string(c) : std::string(",")) + ','
                + decimal(e.scale[c]) + ',' + std::to_string(e.zeroPoint[c]) + ',' + std::to_string(e.qmin) + ','
                + std::to_string(e.qmax) + ',' + decimal(e.low(c)) + ',' + decimal(e.high(c)) + ','
                + quant::toString(e.rounding) + '\n';
    }
    return text;
}

} // namespace quantoscope::exporting
