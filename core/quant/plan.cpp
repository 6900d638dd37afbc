// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/base64.h"
#include "core/base/file.h"
#include "core/quant/json_fields.h"

namespace quantoscope::quant {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view formatName = "quantoscope-plan";
constexpr int formatVersion = 1;

constexpr std::array scopeWords {
    std::pair { Scope::Compute, "compute"sv },
    std::pair { Scope::Integer, "integer"sv },
};
constexpr std::array roleWords {
    std::pair { Role::Weight, "weight"sv },
    std::pair { Role::Activation, "activation"sv },
    std::pair { Role::Bias, "bias"sv },
    std::pair { Role::Constant, "constant"sv },
};

constexpr std::array roomWords {
    std::pair { BiasRoom::RaiseWeightScale, "raise"sv },
    std::pair { BiasRoom::ShiftBias, "shift"sv },
};

Json quantizerToJson(const TensorQuantizer& quantizer)
{
    return {
        { "role", toString(quantizer.role) },
        { "config", quantizer.config.toJson() },
        { "range", quantizer.range.toString() },
        { "encoding", quantizer.encoding.toJson() },
        { "overridden", quantizer.overridden },
    };
}

Result<TensorQuantizer> quantizerFromJson(const Json& json)
{
    TensorQuantizer quantizer;
    QS_TRY(quantizer.role, detail::readWord<Role>(roleWords, json, "role"));
    QS_TRY(const auto* config, detail::member(json, "config"));
    QS_TRY(quantizer.config, QuantizerConfig::fromJson(*config));
    QS_TRY(const auto range, detail::readText(json, "range"));
    QS_TRY(quantizer.range, RangeSpec::parse(range));
    QS_TRY(const auto* encoding, detail::member(json, "encoding"));
    QS_TRY(quantizer.encoding, Encoding::fromJson(*encoding));
    QS_TRY(quantizer.overridden, detail::readBool(json, "overridden"));
    return quantizer;
}

Json constantsToJson(const QuantizationPlan::Constants& constants)
{
    static_assert(std::endian::native == std::endian::little, "plan files hold little-endian float32");
    Json json = Json::object();
    for (const auto& [name, values] : constants)
        json[name] = { { "shape", values->shape().dims() },
            { "float32", base::toBase64(std::as_bytes(values->as<float>())) } };
    return json;
}

Result<graph::TensorPtr> constantFromJson(const Json& json)
{
    QS_TRY(const auto* dims, detail::member(json, "shape"));
    QS_TRY(const auto text, detail::readText(json, "float32"));
    const auto isExtent = [](const Json& dim) { return dim.is_number_integer() && dim >= 0; };
    if (!dims->is_array() || !std::ranges::all_of(*dims, isExtent))
        return detail::fieldError("shape", *dims, "a list of extents");
    const auto bytes = base::fromBase64(text);
    if (!bytes)
        return fail(ErrorCode::InvalidInput, "field 'float32' is not base64");
    const Shape shape(dims->get<std::vector<std::int64_t>>());
    const auto count = shape.checkedSize();
    if (!count || static_cast<std::size_t>(*count) * sizeof(float) != bytes->size())
        return fail(ErrorCode::InvalidInput,
            "field 'float32' holds " + std::to_string(bytes->size()) + " bytes, which are not " + shape.toString()
                + " values");
    Tensor tensor(DType::Float32, shape);
    std::ranges::copy(*bytes, static_cast<std::byte*>(tensor.data()));
    if (!std::ranges::all_of(tensor.as<float>(), [](float x) { return std::isfinite(x); }))
        return fail(ErrorCode::InvalidInput, "field 'float32' holds values that are NaN or infinite");
    return std::make_shared<const Tensor>(std::move(tensor));
}

/// "float_operators", absent where there are none.
Result<std::vector<std::string>> readOperators(const Json& json)
{
    const auto found = json.find("float_operators");
    if (found == json.end())
        return std::vector<std::string> {};
    if (!found->is_array() || !std::ranges::all_of(*found, [](const Json& name) { return name.is_string(); }))
        return detail::fieldError("float_operators", *found, "a list of operators");
    return found->get<std::vector<std::string>>();
}

Result<ChannelFactors> readFactors(const Json& json)
{
    ChannelFactors factors;
    const auto found = json.find("channel_factors");
    if (found == json.end())
        return factors;
    const auto isPositive = [](const Json& factor) { return factor.is_number() && factor.get<double>() > 0; };
    if (!found->is_object())
        return detail::fieldError("channel_factors", *found, "an object from tensor name to a factor a channel");
    for (const auto& [name, values] : found->items()) {
        if (!values.is_array() || !std::ranges::all_of(values, isPositive))
            return detail::fieldError("channel_factors", values, "a list of positive factors");
        factors.emplace(name, values.get<std::vector<double>>());
    }
    return factors;
}

/// The member `key`, absent in plans without corrections.
Result<void> readConstants(
    const Json& json, std::string_view key, const std::function<void(const std::string&, graph::TensorPtr)>& set)
{
    const auto found = json.find(key);
    if (found == json.end())
        return {};
    if (!found->is_object())
        return detail::fieldError(key, *found, "an object from name to values");
    for (const auto& [name, entry] : found->items()) {
        auto constant = constantFromJson(entry);
        if (!constant) {
            auto error = std::move(constant).error();
            error.where = std::string(key) + " '" + name + "'";
            return tl::make_unexpected(std::move(error));
        }
        set(name, *std::move(constant));
    }
    return {};
}

bool sameConstants(const QuantizationPlan::Constants& a, const QuantizationPlan::Constants& b)
{
    return std::ranges::equal(a, b, [](const auto& left, const auto& right) {
        return left.first == right.first
            && (left.second == right.second
                || (left.second->shape() == right.second->shape()
                    && std::ranges::equal(left.second->template as<float>(), right.second->template as<float>())));
    });
}

Result<void> checkFormat(const Json& json)
{
    QS_TRY(const auto format, detail::readText(json, "format"));
    if (format != formatName)
        return fail(ErrorCode::InvalidInput, "is a '" + format + "' file, expected '" + std::string(formatName) + "'");
    QS_TRY(const auto* version, detail::member(json, "version"));
    if (!version->is_number_integer())
        return detail::fieldError("version", *version, "an integer");
    if (*version != formatVersion)
        return fail(ErrorCode::Unsupported,
            "has plan format version " + version->dump() + ", this program reads version "
                + std::to_string(formatVersion),
            {}, "save the plan again with this program");
    return {};
}

Result<std::uint64_t> readSeed(const Json& json)
{
    QS_TRY(const auto* seed, detail::member(json, "seed"));
    if (!seed->is_number_integer() || (!seed->is_number_unsigned() && seed->get<std::int64_t>() < 0))
        return detail::fieldError("seed", *seed, "a non-negative integer");
    return seed->get<std::uint64_t>();
}

} // namespace

Result<Scope> parseScope(const std::string& text) { return detail::valueOf<Scope>(scopeWords, text, "scope"); }

std::string toString(Scope scope) { return detail::wordOf<Scope>(scopeWords, scope); }

std::string toString(Role role) { return detail::wordOf<Role>(roleWords, role); }

Result<BiasRoom> parseBiasRoom(const std::string& text)
{
    return detail::valueOf<BiasRoom>(roomWords, text, "bias room");
}

std::string toString(BiasRoom room) { return detail::wordOf<BiasRoom>(roomWords, room); }

const TensorQuantizer* QuantizationPlan::find(std::string_view tensor) const
{
    const auto found = m_tensors.find(tensor);
    return found == m_tensors.end() ? nullptr : &found->second;
}

std::uint64_t QuantizationPlan::seedFor(std::string_view tensor) const
{
    std::uint64_t hash = 0xCBF29CE484222325ULL ^ seed;
    for (const char c : tensor)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return hash;
}

void QuantizationPlan::erase(std::string_view tensor)
{
    if (const auto found = m_tensors.find(tensor); found != m_tensors.end())
        m_tensors.erase(found);
}

void QuantizationPlan::setConstant(std::string tensor, graph::TensorPtr values)
{
    assert(values && values->dtype() == DType::Float32);
    m_constants.insert_or_assign(std::move(tensor), std::move(values));
}

void QuantizationPlan::eraseConstant(std::string_view tensor)
{
    if (const auto found = m_constants.find(tensor); found != m_constants.end())
        m_constants.erase(found);
}

void QuantizationPlan::setFloatConstant(std::string tensor, graph::TensorPtr values)
{
    assert(values && values->dtype() == DType::Float32);
    m_floatConstants.insert_or_assign(std::move(tensor), std::move(values));
}

void QuantizationPlan::setAddedBias(std::string layer, graph::TensorPtr values)
{
    assert(values && values->dtype() == DType::Float32);
    m_addedBiases.insert_or_assign(std::move(layer), std::move(values));
}

bool operator==(const QuantizationPlan& a, const QuantizationPlan& b)
{
    return a.scope == b.scope && a.title == b.title && a.seed == b.seed && a.equalized == b.equalized
        && a.channelFactors == b.channelFactors && a.biasRoom == b.biasRoom && a.floatOperators == b.floatOperators
        && a.m_tensors == b.m_tensors && sameConstants(a.m_constants, b.m_constants)
        && sameConstants(a.m_addedBiases, b.m_addedBiases) && sameConstants(a.m_floatConstants, b.m_floatConstants);
}

Json QuantizationPlan::toJson() const
{
    Json tensors = Json::object();
    for (const auto& [name, quantizer] : m_tensors)
        tensors[name] = quantizerToJson(quantizer);
    Json json {
        { "format", formatName },
        { "version", formatVersion },
        { "scope", toString(scope) },
        { "title", title },
        { "seed", seed },
        { "tensors", std::move(tensors) },
    };
    if (equalized)
        json["equalized"] = true;
    if (!channelFactors.empty())
        json["channel_factors"] = channelFactors;
    if (biasRoom != BiasRoom {})
        json["bias_room"] = toString(biasRoom);
    if (!floatOperators.empty())
        json["float_operators"] = floatOperators;
    if (!m_constants.empty())
        json["constants"] = constantsToJson(m_constants);
    if (!m_floatConstants.empty())
        json["float_constants"] = constantsToJson(m_floatConstants);
    if (!m_addedBiases.empty())
        json["added_biases"] = constantsToJson(m_addedBiases);
    return json;
}

Result<QuantizationPlan> QuantizationPlan::fromJson(const Json& json)
{
    QS_CHECK(checkFormat(json));
    QuantizationPlan plan;
    QS_TRY(plan.scope, detail::readWord<Scope>(scopeWords, json, "scope"));
    QS_TRY(plan.title, detail::readText(json, "title"));
    QS_TRY(plan.seed, readSeed(json));
    QS_TRY(const auto* tensors, detail::member(json, "tensors"));
    if (!tensors->is_object())
        return detail::fieldError("tensors", *tensors, "an object from tensor name to quantizer");
    for (const auto& [name, entry] : tensors->items()) {
        auto quantizer = quantizerFromJson(entry);
        if (!quantizer) {
            auto error = std::move(quantizer).error();
            error.where = "tensor '" + name + "'";
            return tl::make_unexpected(std::move(error));
        }
        plan.set(name, *std::move(quantizer));
    }
    if (json.contains("equalized")) {
        QS_TRY(plan.equalized, detail::readBool(json, "equalized"));
    }
    QS_TRY(plan.channelFactors, readFactors(json));
    if (json.contains("bias_room")) {
        QS_TRY(const auto room, detail::readText(json, "bias_room"));
        QS_TRY(plan.biasRoom, parseBiasRoom(room));
    }
    QS_TRY(plan.floatOperators, readOperators(json));
    QS_CHECK(readConstants(
        json, "constants", [&plan](const auto& name, auto values) { plan.setConstant(name, std::move(values)); }));
    QS_CHECK(readConstants(json, "float_constants",
        [&plan](const auto& name, auto values) { plan.setFloatConstant(name, std::move(values)); }));
    QS_CHECK(readConstants(
        json, "added_biases", [&plan](const auto& name, auto values) { plan.setAddedBias(name, std::move(values)); }));
    return plan;
}

Result<void> savePlan(const QuantizationPlan& plan, const std::filesystem::path& path)
{
    return base::writeFileAtomically(path, plan.toJson().dump(1, ' ', false, Json::error_handler_t::replace) + '\n');
}

Result<QuantizationPlan> loadPlan(const std::filesystem::path& path)
{
    QS_TRY(const auto json, base::readJson(path));
    return QuantizationPlan::fromJson(json).map_error([&](Error error) {
        error.where = path.string() + (error.where.empty() ? "" : ", " + error.where);
        if (error.hint.empty())
            error.hint = "the file must be a plan saved with --save-plan";
        return error;
    });
}

} // namespace quantoscope::quant
