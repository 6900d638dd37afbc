// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cost/energy.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

namespace quantoscope::cost {

namespace {

using Kind = EnergyModel::Kind;

constexpr int floatBits = 32;
constexpr std::pair<Kind, const char*> kinds[] { { Kind::WordLength, "word-length" }, { Kind::Bops, "bops" },
    { Kind::Operations, "operations" } };

const char* wordOf(Kind kind)
{
    return std::ranges::find(kinds, kind, [](const auto& entry) { return entry.first; })->second;
}

/// Reads the members of an object one by one, remembers the first that is wrong, and in the end that none is left over.
class Fields {
public:
    explicit Fields(const Json& object)
        : m_object(object)
    {
    }

    void text(const char* key, std::string& value)
    {
        if (const Json* field = take(
                key, [](const Json& j) { return j.is_string(); }, "text"))
            value = field->get<std::string>();
    }
    /// Finite and not negative.
    void number(const char* key, double& value)
    {
        const auto fits
            = [](const Json& j) { return j.is_number() && std::isfinite(j.get<double>()) && j.get<double>() >= 0; };
        if (const Json* field = take(key, fits, "a number that is not negative"))
            value = field->get<double>();
    }
    void integer(const char* key, int low, int high, int& value)
    {
        const auto fits
            = [=](const Json& j) { return j.is_number_integer() && j.get<double>() >= low && j.get<double>() <= high; };
        if (const Json* field
            = take(key, fits, "an integer from " + std::to_string(low) + " to " + std::to_string(high)))
            value = field->get<int>();
    }
    void word(const char* key, const char* ifTrue, const char* ifFalse, bool& value)
    {
        const auto fits = [=](const Json& j) { return j == ifTrue || j == ifFalse; };
        if (const Json* field = take(key, fits, "'" + std::string(ifTrue) + "' or '" + ifFalse + "'"))
            value = *field == ifTrue;
    }
    void kind(const char* key, Kind& value)
    {
        const auto isWord = [](const Json& j) {
            return std::ranges::any_of(kinds, [&](const auto& entry) { return j == entry.second; });
        };
        if (const Json* field = take(key, isWord, "'word-length', 'bops' or 'operations'"))
            value = std::ranges::find_if(kinds, [&](const auto& entry) { return *field == entry.second; })->first;
    }
    void operation(const char* key, EnergyModel::Operation& value)
    {
        const Json* field = take(
            key, [](const Json& j) { return j.is_object(); }, "an object");
        if (!field)
            return;
        Fields fields(*field);
        fields.number("quadratic", value.quadratic);
        fields.number("linear", value.linear);
        if (auto done = fields.finish(); !done && m_done)
            m_done = std::move(done);
    }

    Result<void> finish()
    {
        for (const auto& [key, value] : m_object.items())
            if (std::ranges::find(m_known, key) == m_known.end())
                note("field '" + key + "' is not known");
        return m_done;
    }

private:
    template <typename Fits> const Json* take(const char* key, Fits fits, const std::string& expected)
    {
        m_known.emplace_back(key);
        const auto found = m_object.find(key);
        if (found == m_object.end()) {
            note("field '" + std::string(key) + "' is missing");
            return nullptr;
        }
        if (!fits(*found)) {
            note("field '" + std::string(key) + "' is " + found->dump(-1, ' ', false, Json::error_handler_t::replace)
                + ", expected " + expected);
            return nullptr;
        }
        return &*found;
    }

    void note(std::string what)
    {
        if (m_done)
            m_done = fail(ErrorCode::InvalidInput, std::move(what), "energy model",
                "start from a file of the program's own models");
    }

    const Json& m_object;
    std::vector<std::string> m_known;
    Result<void> m_done;
};

Json toJson(const EnergyModel::Operation& operation)
{
    return { { "quadratic", operation.quadratic }, { "linear", operation.linear } };
}

} // namespace

double EnergyModel::perMac(int weightBits, int activationBits) const
{
    switch (kind) {
    case Kind::WordLength:
        return picojoules * (weightBits + activationBits) / 2;
    case Kind::Bops:
        return picojoules * weightBits * activationBits;
    case Kind::Operations:
        break;
    }
    const int bits = std::max(weightBits, activationBits);
    return bits >= floatBits ? floatMultiply + floatAdd : multiply.at(bits) + add.at(accumulatorBits);
}

Result<EnergyModel> EnergyModel::fromJson(const Json& json)
{
    if (!json.is_object())
        return fail(ErrorCode::InvalidInput, "an energy model is a JSON object, this is not");
    EnergyModel model;
    Fields fields(json);
    fields.text("name", model.name);
    fields.text("description", model.description);
    fields.text("source", model.source);
    fields.kind("model", model.kind);
    if (model.kind != Kind::Operations) {
        fields.number("picojoules", model.picojoules);
    } else {
        fields.operation("multiply", model.multiply);
        fields.operation("add", model.add);
        fields.number("float_multiply", model.floatMultiply);
        fields.number("float_add", model.floatAdd);
        fields.integer("accumulator_bits", 8, 64, model.accumulatorBits);
        fields.number("on_chip_bit", model.onChipBit);
        fields.number("off_chip_bit", model.offChipBit);
        fields.word("weights_in", "off-chip", "on-chip", model.weightsOffChip);
        fields.word("activations_in", "off-chip", "on-chip", model.activationsOffChip);
    }
    QS_CHECK(fields.finish());
    return model;
}

Json EnergyModel::toJson() const
{
    Json json { { "name", name }, { "description", description }, { "source", source }, { "model", wordOf(kind) } };
    if (kind != Kind::Operations) {
        json["picojoules"] = picojoules;
        return json;
    }
    json["multiply"] = cost::toJson(multiply);
    json["add"] = cost::toJson(add);
    json["float_multiply"] = floatMultiply;
    json["float_add"] = floatAdd;
    json["accumulator_bits"] = accumulatorBits;
    json["on_chip_bit"] = onChipBit;
    json["off_chip_bit"] = offChipBit;
    json["weights_in"] = weightsOffChip ? "off-chip" : "on-chip";
    json["activations_in"] = activationsOffChip ? "off-chip" : "on-chip";
    return json;
}

const std::vector<EnergyModel>& builtInEnergyModels()
{
    static const std::vector<EnergyModel> models = [] {
        std::vector<EnergyModel> list;
        for (const auto text : detail::embeddedEnergyModels()) {
            auto model = EnergyModel::fromJson(Json::parse(text));
            assert(model.has_value()); // a test reads every file of resources/energy
            list.push_back(*std::move(model));
        }
        std::ranges::sort(list, {}, &EnergyModel::name);
        return list;
    }();
    return models;
}

EnergyModel withOwnName(EnergyModel model)
{
    const bool taken = std::ranges::any_of(builtInEnergyModels(),
        [&model](const EnergyModel& known) { return known.name == model.name && known != model; });
    if (taken)
        model.name += " (edited)";
    return model;
}

const EnergyModel& defaultEnergyModel()
{
    static const EnergyModel model = *findEnergyModel("horowitz-45nm");
    return model;
}

Result<EnergyModel> findEnergyModel(const std::string& nameOrFile)
{
    if (nameOrFile.ends_with(".json")) {
        QS_TRY(const auto json, base::readJson(nameOrFile));
        return EnergyModel::fromJson(json).map_error([&](Error error) {
            error.where = nameOrFile;
            return error;
        });
    }
    std::string names;
    for (const auto& model : builtInEnergyModels()) {
        if (model.name == nameOrFile)
            return model;
        names += (names.empty() ? "" : ", ") + model.name;
    }
    return fail(ErrorCode::NotFound, "energy model '" + nameOrFile + "' is not known", {},
        "use one of " + names + ", or a file that ends in .json");
}

} // namespace quantoscope::cost
