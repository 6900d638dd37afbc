// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/plan.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

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

Json QuantizationPlan::toJson() const
{
    Json tensors = Json::object();
    for (const auto& [name, quantizer] : m_tensors)
        tensors[name] = quantizerToJson(quantizer);
    return {
        { "format", formatName },
        { "version", formatVersion },
        { "scope", toString(scope) },
        { "title", title },
        { "seed", seed },
        { "tensors", std::move(tensors) },
    };
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
