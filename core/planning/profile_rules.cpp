// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/profile_rules.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace quantoscope::planning {

namespace {

using quant::HardwareProfile;
using quant::Role;
using Operand = HardwareProfile::Operand;

bool contains(const auto& list, const auto& value) { return std::ranges::find(list, value) != list.end(); }

std::string word(int bits) { return std::to_string(bits); }
std::string word(const std::string& text) { return text; }
std::string word(bool on) { return on ? "on" : "off"; }
std::string word(auto value) { return quant::toString(value); }

std::string wordsOf(const auto& list)
{
    std::string text;
    for (const auto& value : list)
        text += (text.empty() ? "" : ", ") + word(value);
    return text;
}

/// The choices `bits` in a profile, with float among them.
std::string bitsOf(const Operand& operand)
{
    return wordsOf(operand.bits) + (operand.mayBeFloat ? operand.bits.empty() ? "float" : ", float" : "");
}

/// Goes through what a wish says, setting by setting, and reports what a profile does not take; puts what it does take
/// in its place if told to.
class WishCheck {
public:
    WishCheck(const HardwareProfile& profile, Role role, std::string where)
        : m_profile(profile)
        , m_operand(role == Role::Weight ? profile.weights : profile.activations)
        , m_what(role == Role::Weight ? "weights" : "activations")
        , m_where(std::move(where))
    {
    }

    /// Makes `wish` fit and returns what had to change. `rounding` is what the request says of all tensors.
    std::vector<Violation> fit(TensorWish& wish, quant::Rounding rounding)
    {
        fitBits(wish.bits);
        if (!wish.bits)
            return std::move(m_found);
        fitChoice("schemes", "scheme", m_operand.schemes, wish.scheme);
        auto kind = wish.perChannel ? quant::Granularity::Kind::PerChannel : quant::Granularity::Kind::PerTensor;
        fitChoice("granularities", "granularity", m_operand.granularities, kind);
        wish.perChannel = kind == quant::Granularity::Kind::PerChannel;
        fitChoice("signs", "sign", m_operand.signs, wish.sign);
        fitChoice("narrow", "narrow range", m_operand.narrow, wish.narrow);
        auto chosen = wish.rounding.value_or(rounding);
        fitChoice("roundings", "rounding", m_operand.roundings, chosen);
        if (chosen != wish.rounding.value_or(rounding))
            wish.rounding = chosen;
        return std::move(m_found);
    }

    /// Only the word-length.
    std::vector<Violation> fitBits(std::optional<int>& bits)
    {
        const bool allowed = bits ? contains(m_operand.bits, *bits) : m_operand.mayBeFloat;
        if (allowed)
            return m_found;
        report("bits", "bits", bits ? word(*bits) : "float", bitsOf(m_operand));
        bits = nearest(m_operand.bits, bits.value_or(quant::maxBits));
        return m_found;
    }

private:
    void fitChoice(const char* list, const char* setting, const auto& choices, auto& value)
    {
        if (contains(choices, value))
            return;
        report(list, setting, word(value), wordsOf(choices));
        value = choices.front();
    }

    void report(
        const std::string& list, const std::string& setting, const std::string& wished, const std::string& takes)
    {
        const auto why = m_operand.why.find(list);
        m_found.push_back({ m_where + setting,
            m_profile.name + " takes no " + m_what + " with " + setting + ' ' + wished
                + (why == m_operand.why.end() ? "" : ": " + why->second) + " (possible: " + takes + ")" });
    }

    static std::optional<int> nearest(const std::vector<int>& choices, int bits)
    {
        std::optional<int> best;
        for (const int choice : choices) {
            const int distance = std::abs(choice - bits);
            const int shortest = best ? std::abs(*best - bits) : quant::maxBits + 1;
            if (distance < shortest || (distance == shortest && choice > *best))
                best = choice;
        }
        return best;
    }

    const HardwareProfile& m_profile;
    const Operand& m_operand;
    std::string m_what;
    std::string m_where;
    std::vector<Violation> m_found;
};

/// The same for a whole request.
class RequestCheck {
public:
    RequestCheck(const HardwareProfile& profile, PlanRequest& request)
        : m_profile(profile)
        , m_request(request)
    {
    }

    std::vector<Violation> fit()
    {
        fitScope();
        fitWish(Role::Weight, "weights, ", m_request.weights);
        fitWish(Role::Activation, "activations, ", m_request.activations);
        for (auto& layer : m_request.overrides) {
            const std::string where = "layer '" + layer.pattern + "', ";
            fitOverride(Role::Weight, where + "weights, ", m_request.weights, layer.weights);
            fitOverride(Role::Activation, where + "activations, ", m_request.activations, layer.activations);
        }
        fitFirstLast();
        if (m_request.scope == quant::Scope::Integer)
            fitBias();
        fitFloatOperators();
        return std::move(m_found);
    }

private:
    void report(std::string setting, std::string reason)
    {
        m_found.push_back({ std::move(setting), std::move(reason) });
    }

    void fitScope()
    {
        if (contains(m_profile.scopes, m_request.scope))
            return;
        report("scope",
            m_profile.name + " does not work in the scope " + quant::toString(m_request.scope)
                + " (possible: " + wordsOf(m_profile.scopes) + ")");
        m_request.scope = m_profile.scopes.front();
    }

    void fitWish(Role role, const std::string& where, TensorWish& wish)
    {
        auto found = WishCheck(m_profile, role, where).fit(wish, m_request.rounding);
        std::ranges::move(found, std::back_inserter(m_found));
    }

    /// What an override makes of the (fitting) wish must fit too; what does not is taken back into the override.
    void fitOverride(Role role, const std::string& where, const TensorWish& base, WishChange& change)
    {
        TensorWish wish = base;
        change.applyTo(wish);
        const std::size_t before = m_found.size();
        fitWish(role, where, wish);
        if (m_found.size() == before)
            return;
        const auto adopt = [](auto& said, const auto& value) {
            if (said)
                said = value;
        };
        adopt(change.bits, wish.bits);
        adopt(change.scheme, wish.scheme);
        adopt(change.perChannel, wish.perChannel);
        adopt(change.sign, wish.sign);
        adopt(change.narrow, wish.narrow);
        if (wish.rounding)
            adopt(change.rounding, *wish.rounding);
    }

    void fitFirstLast()
    {
        auto& bits = m_request.firstLastBits;
        if (m_profile.firstLastBits) {
            if (bits == m_profile.firstLastBits)
                return;
            report("first and last layer",
                m_profile.name + " keeps the first and the last layer at " + word(*m_profile.firstLastBits)
                    + " bits, not at " + (bits ? word(*bits) : "those of the others"));
            bits = m_profile.firstLastBits;
        } else if (bits) {
            for (const auto role : { Role::Weight, Role::Activation })
                if (const auto violation = checkBits(m_profile, role, bits)) {
                    report("first and last layer", violation->reason);
                    bits.reset();
                    return;
                }
        }
    }

    void fitBias()
    {
        const auto& rules = m_profile.bias;
        auto& bits = m_request.biasBits;
        if (!(bits ? contains(rules.bits, *bits) : rules.mayBeFloat)) {
            report("biases",
                m_profile.name + " takes no biases with bits " + (bits ? word(*bits) : "float")
                    + (rules.why.empty() ? "" : ": " + rules.why) + " (possible: " + wordsOf(rules.bits)
                    + (rules.mayBeFloat ? rules.bits.empty() ? "float)" : ", float)" : ")"));
            bits = rules.bits.empty() ? std::nullopt : std::optional(rules.bits.front());
        }
        if (bits && m_request.biasRoom != rules.room && *bits < quant::maxBiasBits) {
            report("biases",
                m_profile.name + " makes room for biases that do not fit by "
                    + (rules.room == quant::BiasRoom::ShiftBias ? "shifting them" : "raising the weights' scale"));
            m_request.biasRoom = rules.room;
        }
    }

    void fitFloatOperators()
    {
        for (const auto& op : m_profile.floatOperators) {
            if (contains(m_request.floatOperators, op))
                continue;
            report("float operators", m_profile.name + " computes " + op + " in float");
            m_request.floatOperators.push_back(op);
        }
    }

    const HardwareProfile& m_profile;
    PlanRequest& m_request;
    std::vector<Violation> m_found;
};

/// What a tensor of a finished plan would have been wished as, with the grid it really has.
TensorWish wishBehind(const quant::TensorQuantizer& quantizer, const Operand& operand)
{
    const auto& config = quantizer.config;
    TensorWish wish;
    wish.bits = config.bits;
    wish.scheme = quant::schemeName(config);
    wish.perChannel = quantizer.encoding.perChannel();
    wish.narrow = config.narrowRange;
    wish.rounding = config.rounding;
    const auto sign = quantizer.encoding.isSigned() ? quant::Signedness::Signed : quant::Signedness::Unsigned;
    wish.sign = contains(operand.signs, sign) ? sign : quant::Signedness::Auto;
    return wish;
}

void choose(TensorWish& wish, const Operand& operand)
{
    wish.bits = operand.bits.empty() ? std::nullopt : std::optional(operand.bits.front());
    wish.scheme = operand.schemes.front();
    wish.perChannel = operand.granularities.front() == quant::Granularity::Kind::PerChannel;
    wish.sign = operand.signs.front();
    wish.narrow = operand.narrow.front();
    wish.rounding = operand.roundings.front();
}

} // namespace

PlanRequest defaultsFor(const quant::HardwareProfile& profile, PlanRequest base)
{
    base.scope = profile.scopes.front();
    choose(base.weights, profile.weights);
    choose(base.activations, profile.activations);
    base.rounding = *base.weights.rounding;
    for (auto* wish : { &base.weights, &base.activations })
        if (wish->rounding == base.rounding)
            wish->rounding.reset();
    base.firstLastBits = profile.firstLastBits;
    base.biasBits = profile.bias.bits.empty() ? std::nullopt : std::optional(profile.bias.bits.front());
    base.biasRoom = profile.bias.room;
    base.floatOperators = profile.floatOperators;
    return base;
}

std::vector<Violation> check(const quant::HardwareProfile& profile, const PlanRequest& request)
{
    PlanRequest copy = request;
    return RequestCheck(profile, copy).fit();
}

std::vector<Violation> check(const quant::HardwareProfile& profile, const quant::QuantizationPlan& plan)
{
    std::vector<Violation> found;
    if (!contains(profile.scopes, plan.scope))
        found.push_back({ "scope",
            profile.name + " does not work in the scope " + quant::toString(plan.scope)
                + " (possible: " + wordsOf(profile.scopes) + ")" });
    for (const auto& [name, quantizer] : plan.tensors()) {
        if (quantizer.role == Role::Bias)
            continue;
        const Role role = quantizer.role == Role::Weight ? Role::Weight : Role::Activation;
        const Operand& operand = role == Role::Weight ? profile.weights : profile.activations;
        TensorWish wish = wishBehind(quantizer, operand);
        if (wish.bits == profile.firstLastBits && !operand.bits.empty())
            wish.bits = operand.bits.front();
        auto violations = WishCheck(profile, role, "tensor '" + name + "', ").fit(wish, quantizer.config.rounding);
        std::ranges::move(violations, std::back_inserter(found));
    }
    return found;
}

std::optional<Violation> checkBits(const quant::HardwareProfile& profile, quant::Role role, std::optional<int> bits)
{
    const auto found = WishCheck(profile, role, role == Role::Weight ? "weights, " : "activations, ").fitBits(bits);
    return found.empty() ? std::nullopt : std::optional(found.front());
}

Constrained constrain(const quant::HardwareProfile& profile, PlanRequest request)
{
    Constrained result { std::move(request), {} };
    for (const auto& violation : RequestCheck(profile, result.request).fit())
        result.notes.push_back(violation.setting + ": " + violation.reason);
    return result;
}

} // namespace quantoscope::planning
